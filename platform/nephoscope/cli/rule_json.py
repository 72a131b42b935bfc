"""Rules as JSON, for programs. docs/cli.md documents the shape."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from nephoscope.domain import Parameter, Resource, Rule
from nephoscope.domain.examples import parts

if TYPE_CHECKING:
    from nephoscope.domain import Framework


def as_json(rules: Iterable[Rule], policies: Mapping[str, Framework] | None) -> str:
    """Return an array of objects, one for each rule. Without policies, which controls they answer is left open."""
    answered = None if policies is None else controls(policies)
    # A line for each, since Python indents JSON slowly. What an example holds that JSON has no word for becomes text.
    lines = [json.dumps(_rule(rule, answered), default=str) for rule in rules]
    return "[\n" + ",\n".join(lines) + "\n]"


def controls(policies: Mapping[str, Framework]) -> dict[str, list[dict[str, str]]]:
    """Return which controls of which policies each rule answers, by the rule's id."""
    found: dict[str, list[dict[str, str]]] = {}
    for policy in policies.values():
        for control in policy.controls:
            row = {"policy": policy.id, "policy_name": policy.name, "id": control.id, "title": control.title}
            for rule in control.rules:
                found.setdefault(rule, []).append(row)
    return found


def _rule(rule: Rule, answered: Mapping[str, list[dict[str, str]]] | None) -> dict[str, Any]:
    provider, service = [*rule.id.split("."), "", ""][:2]
    return {
        "id": rule.id,
        "provider": provider,
        "service": service,
        "severity": rule.severity,
        "title": rule.title,
        "why": rule.why,
        "types": rule.on,
        "needs": rule.needs,
        "live_only": rule.live_only,
        "parameters": [_parameter(each) for each in rule.parameters],
        "fix": rule.fix,
        "commands": rule.commands
        and {"templates": dict(rule.commands.templates), "inputs": dict(rule.commands.inputs)},
        "link": rule.link,
        "remediations": rule.remediations,
        "controls": None if answered is None else answered.get(rule.id, []),
        "good": [example_of(each) for each in rule.good],
        "bad": [example_of(each) for each in rule.bad],
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    bounded = parameter.kind != "ports"
    return {
        "name": parameter.name,
        "label": parameter.label,
        "kind": parameter.kind,
        "default": parameter.default,
        "least": parameter.least if bounded else None,
        "most": parameter.most if bounded else None,
        "stricter": parameter.stricter,
    }


def example_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return an example with all its parts, its neighbours as resources."""
    found = parts(given)
    return {**found, "neighbours": [_resource(each) for each in found["neighbours"]]}


def _resource(resource: Resource) -> dict[str, Any]:
    return {
        "type": resource.type,
        "name": resource.name,
        "region": resource.region,
        "tags": dict(resource.tags),
        "properties": resource.properties,
    }
