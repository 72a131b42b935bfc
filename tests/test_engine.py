"""Rules x resources -> findings."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nephoscope.domain import Fail, Finding, Inventory, Resource, Rule, Severity, Verdict, View, rule, unknown
from nephoscope.engine import MAX_EVIDENCE, MAX_VALUE, Neighbours, evaluate, judge
from nephoscope.testing import NOW, resource


def make(check: Any, *, on: str | tuple[str, ...] = "T", needs: tuple[str, ...] = ()) -> Rule:
    check.__doc__ = "Something is wrong.\n\nIt matters."
    made = rule("x.y", on=on, severity=Severity.HIGH, fix="1. Do.", link="https://x", good=[], bad=[], needs=needs)
    return made(check)


def verdict(check: Any, properties: dict[str, Any]) -> Finding:
    return judge(make(check), resource("T", properties), now=NOW)


@pytest.mark.parametrize(
    ("returned", "expected"),
    [(True, Verdict.PASS), (False, Verdict.FAIL), (None, Verdict.NOT_APPLICABLE), ("yes", Verdict.ERROR)],
)
def test_what_a_rule_returns_is_its_verdict(returned: Any, expected: Verdict) -> None:
    assert verdict(lambda view: returned, {}).verdict == expected


def test_a_failing_finding_says_the_property_and_its_value() -> None:
    found = verdict(lambda view: view["Encrypted"] is True, {"Encrypted": False})
    assert found.message == "Encrypted is false"
    assert [(each.path, each.value) for each in found.evidence] == [("Encrypted", False)]
    assert verdict(lambda view: view["Encrypted"] is True, {}).message == "Encrypted is not set"


def test_unknown_names_the_missing_permission_and_is_no_pass() -> None:
    found = verdict(
        lambda view: bool(view["Policy"]) or True, {"Policy": unknown("access denied", "s3:GetBucketPolicy")}
    )
    assert found.verdict == Verdict.UNKNOWN
    assert found.permission == "s3:GetBucketPolicy"
    assert "access denied" in found.message


def test_a_rule_that_raises_costs_one_finding_and_not_the_scan() -> None:
    def broken(view: View) -> bool:
        raise ZeroDivisionError("oops")

    fine, bad = make(lambda view: True), make(broken)
    found = list(evaluate([bad, fine], [resource("T", {})], now=NOW))
    assert [each.verdict for each in found] == [Verdict.ERROR, Verdict.PASS]
    assert "oops" in found[0].message


def test_evidence_points_where_the_rule_points() -> None:
    def check(view: View) -> Fail:
        places = [member for member in view["List"] if member["X"] == 2]
        return Fail("two", places[0])

    found = verdict(check, {"List": [{"X": 1}, {"X": 2}]})
    assert [each.path for each in found.evidence] == ["List[1].X"]
    assert found.message == "two"


def test_evidence_is_bounded_however_much_a_rule_reads() -> None:
    many = verdict(lambda view: not all(each for each in view["L"]), {"L": list(range(1, 500))})
    assert len(many.evidence) == MAX_EVIDENCE
    huge = verdict(lambda view: len(view["A"].value) < 0, {"A": ["x" * 300_000]})
    assert len(json.dumps(huge.evidence[0].value)) < MAX_VALUE + 100


def test_a_rule_may_judge_several_types() -> None:
    both = make(lambda view: True, on=("T", "U"))
    found = list(evaluate([both], [resource("T", {}), resource("U", {}), resource("V", {})], now=NOW))
    assert [each.resource.type for each in found] == ["T", "U"]


def test_neighbours_that_are_known_come_before_what_is_hidden_raises() -> None:
    hidden = Resource.unreadable("N", "eu-west-1", "1", permission="n:List", reason="denied")
    inventory = Neighbours.fixed([resource("N", {"Good": True}), hidden])

    def some_good(view: View, all: Inventory) -> bool:
        return any(each["Good"] for each in all.of("N"))

    def some_bad(view: View, all: Inventory) -> bool:
        return any(not each["Good"] for each in all.of("N"))

    judged = [
        judge(make(check, needs=("N",)), resource("T", {}), now=NOW, neighbours=inventory)
        for check in (some_good, some_bad)
    ]
    assert [each.verdict for each in judged] == [Verdict.PASS, Verdict.UNKNOWN]
    assert judged[1].permission == "n:List"


@pytest.mark.parametrize(
    ("ask", "verdict"),
    [
        (lambda all: all.get("N", "ned", "north"), Verdict.PASS),
        (lambda all: all.get("N", "ned"), Verdict.PASS),
        (lambda all: all.get("N", "tom", "north"), Verdict.FAIL),
        (lambda all: all.get("N", "tom", "south"), Verdict.UNKNOWN),
        (lambda all: all.get("N", "ned", "south"), Verdict.UNKNOWN),
        (lambda all: all.get("N", "tom"), Verdict.UNKNOWN),
        (lambda all: list(all.of("N", "north")), Verdict.PASS),
        (lambda all: list(all.of("N", "south")), Verdict.UNKNOWN),
        (lambda all: next(all.of("N")), Verdict.PASS),
        (lambda all: list(all.of("N")), Verdict.UNKNOWN),
        (lambda all: list(all.of("EVERYWHERE")), Verdict.FAIL),
    ],
)
def test_a_neighbour_where_nobody_looked_is_unknown_and_not_absent(ask: Any, verdict: Verdict) -> None:
    def beyond(type: str, region: str) -> Resource | None:
        if type == "EVERYWHERE" or region == "north":
            return None
        return Resource.unreadable(type, region, "1", permission="", reason="not scanned")

    ned = resource("N", {}, name="ned", region="north")
    neighbours = Neighbours(lambda type: [ned] if type == "N" else [], beyond)
    check = make(lambda view, all: ask(all) not in (None, []), needs=("N", "EVERYWHERE"))
    assert judge(check, resource("T", {}), now=NOW, neighbours=neighbours).verdict is verdict


def test_a_neighbour_of_a_type_not_named_in_needs_is_an_error_of_the_rule() -> None:
    found = judge(make(lambda view, all: list(all.of("N")), needs=("M",)), resource("T", {}), now=NOW)
    assert found.verdict == Verdict.ERROR
    assert "needs" in found.message


def test_what_is_worked_out_of_neighbours_is_so_once_and_is_no_evidence() -> None:
    runs: list[int] = []

    def count(inventory: Inventory) -> int:
        runs.append(sum(each["Size"] for each in inventory.of("N")))
        return runs[-1]

    neighbours = Neighbours.fixed([resource("N", {"Size": 2}), resource("N", {"Size": 3})])
    check = make(lambda view, all: all.once(count) == view["Sum"], needs=("N",))
    found = [judge(check, resource("T", {"Sum": sum}), now=NOW, neighbours=neighbours) for sum in (5, 6)]
    assert [each.verdict for each in found] == [Verdict.PASS, Verdict.FAIL]
    assert runs == [5]
    assert [each.path for each in found[1].evidence] == ["Sum"]


def test_of_neighbours_with_the_same_name_the_first_is_found() -> None:
    neighbours = Neighbours.fixed([resource("N", {"At": place}, name="ned") for place in (1, 2)])
    check = make(lambda view, all: all.get("N", "ned")["At"] == 1, needs=("N",))
    assert judge(check, resource("T", {}), now=NOW, neighbours=neighbours).verdict == Verdict.PASS


def test_evidence_read_on_a_neighbour_names_it() -> None:
    inventory = Neighbours.fixed([resource("N", {"Good": False}, name="ned")])
    found = judge(
        make(lambda view, all: all.get("N", "ned")["Good"], needs=("N",)),
        resource("T", {}),
        now=NOW,
        neighbours=inventory,
    )
    assert [(each.resource, each.path) for each in found.evidence] == [("N ned", "Good")]


def test_a_rule_without_a_reason_is_refused_when_it_is_made() -> None:
    with pytest.raises(ValueError, match="why it matters"):
        rule("x", on="T", severity=Severity.LOW, fix="", link="", good=[], bad=[])(lambda view: True)
