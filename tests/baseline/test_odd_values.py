"""What a template or an answer should never hold makes no rule raise: it is unknown, or read as the vendor reads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.baseline.test_examples import REGISTRY
from tests.baseline.test_messages import changed

from nephoscope.domain import Resource, Rule, Verdict
from nephoscope.domain.examples import parts, resource
from nephoscope.engine import Defaults, Neighbours, judge
from nephoscope.testing import NOW, judge_example
from nephoscope_baseline.aws import accessanalyzer, config, ec2, guardduty, iam_account, iam_permissions

ODD: tuple[Any, ...] = (None, "odd", 7, {"odd": "odd"}, ["odd"], [None], [[]], [{"odd": 1}], {}, "")

Way = tuple[str | int, ...]


def ways(value: Any, way: Way = ()) -> Iterator[Way]:
    """Yield the way to everything in a value; of a long list, to the first ones alone."""
    if way:
        yield way
    members = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for step, member in members:
        yield from ways(member, (*way, step))


def names(way: Way) -> Way:
    return tuple(step for step in way if isinstance(step, str))


def odd_ones(rule: Rule) -> Iterator[dict[str, Any]]:
    """Yield a rule's examples with an odd value once at each path of the resource and of each neighbour's type."""
    tried: set[tuple[str, Way]] = set()
    for given in (*rule.good, *rule.bad):
        example = parts(given)
        for way in ways(example["properties"]):
            if ("", names(way)) not in tried:
                tried.add(("", names(way)))
                yield from (example | {"properties": changed(example["properties"], [*way], odd)} for odd in ODD)
        for number, neighbour in enumerate(example["neighbours"]):
            for way in ways(neighbour.properties):
                if (neighbour.type, names(way)) not in tried:
                    tried.add((neighbour.type, names(way)))
                    yield from (example | {"neighbours": with_odd(example, number, [*way], odd)} for odd in ODD)


def with_odd(example: dict[str, Any], number: int, way: list[str | int], odd: Any) -> list[Resource]:
    neighbours = list(example["neighbours"])
    neighbours[number] = replace(neighbours[number], properties=changed(neighbours[number].properties, way, odd))
    return neighbours


@pytest.fixture(scope="module")
def defaults() -> Defaults:
    return {type: table for provider in REGISTRY.providers.values() for type, table in provider.defaults.items()}


ALIKE = [each for id, each in REGISTRY.rules.items() if "cloudwatch.alarm_" not in id or id.endswith("alarm_kms")]
"""All rules, and one of those on alarms, which read the same."""


@pytest.mark.parametrize("rule", ALIKE, ids=lambda rule: rule.id)
def test_no_odd_value_makes_a_rule_raise(rule: Rule, defaults: Defaults) -> None:
    for example in odd_ones(rule):
        finding = judge_example(rule, {"$example": example}, defaults)
        assert finding.verdict is not Verdict.ERROR, (finding.message, example["properties"])


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        (accessanalyzer.enabled, "Analyzers"),
        (config.recorder, "ConfigurationRecorders"),
        (guardduty.enabled, "Detectors"),
        (ec2.sg_ssh, "SecurityGroupIngress"),
        (iam_account.password_length, "PasswordPolicy"),
        (iam_permissions.no_star_inline, "Policies"),
    ],
)
@pytest.mark.parametrize("odd", ["odd", 7, ["odd"], [[]]])
def test_what_should_be_objects_and_is_none_is_unknown(rule: Rule, name: str, odd: Any) -> None:
    type = next(each for each in rule.on if not each.endswith(("::Detector", "::ConfigurationRecorder")))
    found = judge(rule, resource(type, {name: odd}), now=NOW, neighbours=Neighbours.fixed(()))
    assert (found.verdict, found.message.startswith(name)) == (Verdict.UNKNOWN, True), found.message


def test_one_ingress_rule_in_place_of_the_list_is_unknown() -> None:
    one = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}
    found = judge_example(ec2.sg_ssh, {"SecurityGroupIngress": one})
    assert (found.verdict, found.message) == (
        Verdict.UNKNOWN,
        "SecurityGroupIngress could not be read: it is not a list",
    )
