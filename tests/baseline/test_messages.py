"""A finding's message names what decided: a property whose change can change the verdict, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from tests.baseline.test_examples import REGISTRY

from nephoscope.domain import Finding, Rule, Severity, Verdict, View, rule
from nephoscope.domain.examples import parts
from nephoscope.engine import Defaults
from nephoscope.testing import judge_example

GONE = object()
"""The change of a property that takes it away."""

VALUES: tuple[Any, ...] = (
    *(GONE, None, True, False, 0, 1, 365, 100_000, "x", "all", "enabled", "ENABLED", [], ["x"], {}, {"x": "y"}),
    *("arn:aws:kms:eu-west-1:123456789012:key/k", "2026-01-01T00:00:00Z", "2099-01-01T00:00:00Z"),
)
"""What a property is changed to, beside what it is in the rule's other examples."""


def steps(path: str) -> list[str | int]:
    return [int(step[1:-1]) if step[0] == "[" else step for step in re.findall(r"\[\d+\]|[^.\[\]]+", path)]


def held(properties: Any, path: str) -> Any:
    for step in steps(path):
        try:
            properties = properties[step]
        except (IndexError, KeyError, TypeError):
            return GONE
    return properties


def changed(value: Any, way: list[str | int], new: Any) -> Any:
    """Return a value with another one at the end of a way into it; what is in the way and no object becomes one."""
    if not way:
        return new
    step, *rest = way
    if isinstance(step, int):
        items = list(value) if isinstance(value, list) else []
        inner = changed(items[step] if step < len(items) else None, rest, new)
        return [*items[:step], *([] if inner is GONE else [inner]), *items[step + 1 :]]
    members = dict(value) if isinstance(value, Mapping) else {}
    inner = changed(members.pop(step, None), rest, new)
    return members if inner is GONE else members | {step: inner}


def decides(rule: Rule, given: Mapping[str, Any], path: str, defaults: Defaults) -> bool:
    """Tell whether another value at this path can change the verdict."""
    example = parts(given)
    others = (held(parts(each)["properties"], path) for each in (*rule.good, *rule.bad))
    for value in (*VALUES, *others):
        properties = changed(example["properties"], steps(path), value)
        if (
            judge_example(rule, {"$example": {**example, "properties": properties}}, defaults).verdict
            is not Verdict.FAIL
        ):
            return True
    return False


def named(finding: Finding) -> Iterator[str]:
    """Yield the paths of the resource's properties that a message names."""
    for each in finding.evidence:
        if (
            each.path
            and not each.resource
            and re.search(rf"(?<![\w.]){re.escape(each.path)}(?![\w\[])", finding.message)
        ):
            yield each.path


def misled(rule: Rule, defaults: Defaults) -> list[tuple[str, str]]:
    """Return the messages of a rule's failing examples that name a property which does not decide, and that one."""
    found = ((given, judge_example(rule, given, defaults)) for given in rule.bad)
    return [
        (finding.message, path)
        for given, finding in found
        for path in named(finding)
        if not decides(rule, given, path, defaults)
    ]


@pytest.fixture(scope="module")
def defaults() -> Defaults:
    return {type: table for provider in REGISTRY.providers.values() for type, table in provider.defaults.items()}


@pytest.mark.parametrize("each", REGISTRY.rules.values(), ids=lambda rule: rule.id)
def test_no_message_names_a_property_whose_change_does_not_change_the_verdict(each: Rule, defaults: Defaults) -> None:
    assert misled(each, defaults) == []


@pytest.mark.parametrize("each", REGISTRY.rules.values(), ids=lambda rule: rule.id)
def test_what_a_message_names_is_the_first_evidence(each: Rule, defaults: Defaults) -> None:
    for given in each.bad:
        finding = judge_example(each, given, defaults)
        paths = list(named(finding))
        places = {path.partition(".")[0].partition("[")[0] for path in paths}
        first = finding.evidence[0].path.partition(".")[0].partition("[")[0] if finding.evidence else ""
        assert not paths or first in places, (finding.message, finding.evidence)


@rule(
    "aws.toy.rotation",
    on="Toy::Secret",
    severity=Severity.LOW,
    link="https://example.com",
    fix="Turn it on.",
    good=[{"Rotation": True}],
    bad=[{"Rotation": False, "Owner": None}],
)
def rotation(secret: View) -> bool:
    """Rotation is off.

    A leaked secret works for ever.
    """
    on, _owner = secret["Rotation"], secret["Owner"]
    return bool(on)


def test_a_rule_that_reads_something_after_what_decides_is_found_out() -> None:
    assert misled(rotation, {}) == [("Owner is not set", "Owner")]
