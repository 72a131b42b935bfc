"""``nephoscope rules --json``: what programs get, in the shape that docs/cli.md documents."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from tests.docs.markdown import ROOT

from nephoscope.domain import Rule
from nephoscope.plugins import Registry
from nephoscope.testing import example, judge_example, resource

from .conftest import Run

REGISTRY = Registry()
RULES = sorted(REGISTRY.rules.values(), key=lambda rule: rule.id)
PAGE = (ROOT / "docs/cli.md").read_text()


@pytest.fixture(scope="module")
def everything() -> dict[str, dict[str, Any]]:
    """Every rule as it is printed with ``--controls``, by its id."""
    from nephoscope.cli.rule_json import as_json

    return {each["id"]: each for each in json.loads(as_json(RULES, REGISTRY.frameworks))}


def test_all_rules_are_one_array_in_order_of_their_ids(nephoscope: Run) -> None:
    said = nephoscope("rules", "--json")
    assert (said.status, said.err) == (0, "")
    assert [each["id"] for each in json.loads(said.out)] == [rule.id for rule in RULES]


def test_one_rule_and_none_are_arrays_too(nephoscope: Run) -> None:
    [one] = json.loads(nephoscope("rules", "aws.kms.rotation", "--json").out)
    assert one["id"] == "aws.kms.rotation"
    assert json.loads(nephoscope("rules", "--text", "no rule says this", "--json").out) == []


def test_filters_hold_for_programs_as_for_people(nephoscope: Run) -> None:
    found = json.loads(nephoscope("rules", "--severity", "critical", "--service", "s3", "--json").out)
    assert {each["id"] for each in found} == {"aws.s3.access_point_bpa", "aws.s3.public_read", "aws.s3.public_write"}


def test_a_lists_controls_are_read_when_they_are_asked_for(nephoscope: Run) -> None:
    plain, with_controls = (
        json.loads(nephoscope("rules", "--service", "kms", "--json", *more).out) for more in ([], ["--controls"])
    )
    assert {each["controls"] for each in plain} == {None}
    assert [each | {"controls": None} for each in with_controls] == plain
    for each in with_controls:
        assert {(control["policy"], control["id"]) for control in each["controls"]} == {
            (policy.id, control.id)
            for policy in REGISTRY.frameworks.values()
            for control in policy.controls
            if each["id"] in control.rules
        }


def test_one_rule_has_its_controls_without_being_asked(nephoscope: Run) -> None:
    [one] = json.loads(nephoscope("rules", "aws.kms.rotation", "--json").out)
    policy = REGISTRY.frameworks["aws_cis_5.0"]
    [control] = [each for each in policy.controls if "aws.kms.rotation" in each.rules]
    expected = {"policy": policy.id, "policy_name": policy.name, "id": control.id, "title": control.title}
    assert expected in one["controls"]


def test_controls_without_json_are_refused(nephoscope: Run) -> None:
    assert nephoscope("rules", "--controls") == (2, "", "nephoscope: --controls goes with --json\n")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_examples_that_are_printed_are_judged_as_those_of_the_rule(
    rule: Rule, everything: dict[str, dict[str, Any]]
) -> None:
    printed = everything[rule.id]
    for name, given in (("good", rule.good), ("bad", rule.bad)):
        judged = [judge_example(rule, read(each)) for each in printed[name]]
        assert [each.verdict for each in judged] == [judge_example(rule, each).verdict for each in given]


def read(printed: dict[str, Any]) -> dict[str, Any]:
    """Make an example of what was printed."""
    neighbours = [resource(each.pop("type"), **each) for each in map(dict, printed["neighbours"])]
    return example(**printed | {"neighbours": neighbours})


# -- What the page says ----------------------------------------------------------------------------


def documented(heading: str) -> set[str]:
    section = PAGE.partition(f"\n### {heading}\n")[2].partition("\n### ")[0]
    return set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))


@pytest.mark.parametrize(
    ("heading", "inside"),
    [("A rule", ""), ("A parameter", "parameters"), ("A control", "controls"), ("An example", "good")],
)
def test_every_object_has_the_documented_keys(heading: str, inside: str, everything: dict[str, dict[str, Any]]) -> None:
    objects = [part for each in everything.values() for part in (each[inside] if inside else [each])]
    assert objects
    assert {frozenset(each) for each in objects} == {frozenset(documented(heading))}


def test_a_neighbour_has_the_documented_keys(everything: dict[str, dict[str, Any]]) -> None:
    [row] = re.findall(r"^\| `neighbours` \|(.*)$", PAGE, re.MULTILINE)
    neighbours = [each for rule in everything.values() for part in rule["bad"] for each in part["neighbours"]]
    assert neighbours
    assert {frozenset(each) for each in neighbours} == {frozenset(re.findall(r"`(\w+)`", row))}


def test_what_the_page_says_of_values_holds(everything: dict[str, dict[str, Any]]) -> None:
    for id, each in everything.items():
        assert id.startswith(f"{each['provider']}.{each['service']}.")
        assert each["severity"] in ("critical", "high", "medium", "low")
        for parameter in each["parameters"]:
            ports = parameter["kind"] == "ports"
            assert (parameter["least"] is None and parameter["most"] is None) == ports
            assert isinstance(parameter["default"], list) == ports
