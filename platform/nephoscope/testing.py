"""What a plugin author tests with: examples are resources, and a rule's own examples are its first tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from nephoscope.domain import Finding, Resource, Rule
from nephoscope.engine import Defaults, Neighbours, judge

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
"""The time at which examples are judged."""

ACCOUNT = "123456789012"


def example(
    properties: Mapping[str, Any],
    *,
    neighbours: Iterable[Resource] = (),
    name: str = "example",
    region: str = "eu-west-1",
    tags: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return an example that is more than properties, for a rule's ``good`` or ``bad``."""
    return {
        "$example": {
            "properties": properties,
            "neighbours": list(neighbours),
            "name": name,
            "region": region,
            "tags": dict(tags or {}),
        }
    }


def resource(
    type: str,
    properties: Mapping[str, Any],
    *,
    name: str = "example",
    region: str = "eu-west-1",
    tags: Mapping[str, str] | None = None,
) -> Resource:
    """Return a resource as it would be collected from the example account."""
    return Resource(type, f"arn:example:{type}:{name}", name, region, ACCOUNT, properties, dict(tags or {}))


def judge_example(rule: Rule, given: Mapping[str, Any], defaults: Defaults | None = None) -> Finding:
    """Judge one of a rule's examples at :data:`NOW`."""
    parts = given.get("$example") or {
        "properties": given,
        "neighbours": [],
        "name": "example",
        "region": "eu-west-1",
        "tags": {},
    }
    subject = resource(rule.on[0], parts["properties"], name=parts["name"], region=parts["region"], tags=parts["tags"])
    return judge(rule, subject, now=NOW, neighbours=Neighbours.fixed(parts["neighbours"]), defaults=defaults)
