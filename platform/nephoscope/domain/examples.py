"""How a rule's examples are written that are more than properties."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nephoscope.domain.resource import Resource

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
    return Resource(type, f"example:{type}:{name}", name, region, ACCOUNT, properties, dict(tags or {}))


def parts(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return an example's properties, neighbours, name, region and tags, also of one that is properties alone."""
    return dict(given.get("$example") or example(given)["$example"])
