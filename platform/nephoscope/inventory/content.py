"""What a cloud says, in a form that can be stored and judged. Cloud data is hostile: any text, number, depth or size.

What cannot be kept as it is becomes unknown with the reason, so that a rule that reads it says unknown and not pass.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from nephoscope import domain
from nephoscope.domain.texts import DEEPEST, kept, text_of

MOST_BYTES = 4 * 1024 * 1024
"""Bytes that a resource's properties may have as JSON."""

USUAL_BYTES = 1024 * 1024
"""Below this many characters a resource is not measured."""

_DIGITS = re.compile(r"\d{300}")
_TEXTS = re.compile(r'"(?:[^"\\]|\\.)*"')
_BRACKETS = re.compile(r"[\[\]{}]")

LONGEST_NAME, LONGEST_ID, LONGEST_REGION = 512, 2048, 60


def digest_of(resource: domain.Resource) -> tuple[str, bool]:
    """Return a digest of everything about a resource that is stored, and whether it can be kept just as it is."""
    content = [resource.name, resource.region, resource.tags, resource.properties]
    try:
        text, plain = _as_json(content), True
    except (RecursionError, TypeError, ValueError):
        text, plain = _as_json(kept(content)), False
    try:
        data = text.encode()
    except UnicodeEncodeError:
        data, plain = text.encode("utf-8", "surrogatepass"), False
    return hashlib.blake2b(data, digest_size=16).hexdigest(), plain and _is_usual(text)


def _as_json(content: Any) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _is_usual(text: str) -> bool:
    """Whether a resource's JSON is surely small, shallow and without odd characters and numbers; nearly all are."""
    shallow = text.count("{") + text.count("[") < DEEPEST or _depth(text) < DEEPEST
    return len(text) < USUAL_BYTES and "\\u0000" not in text and shallow and not _DIGITS.search(text)


def _depth(text: str) -> int:
    """Return the levels of nesting in a JSON text."""
    depth = deepest = 0
    for bracket in _BRACKETS.findall(_TEXTS.sub("", text)):
        depth += 1 if bracket in "{[" else -1
        deepest = max(deepest, depth)
    return deepest


def id_of(resource: domain.Resource) -> str:
    """Return a resource's id as it is stored."""
    return text_of(resource.id)[:LONGEST_ID]


def content_of(resource: domain.Resource, *, plain: bool = False) -> dict[str, Any]:
    """Return what is stored of a resource besides what tells it from others; ``plain`` as :func:`digest_of` said."""
    if plain:
        name, region = resource.name[:LONGEST_NAME], resource.region[:LONGEST_REGION]
        return {"name": name, "region": region, "tags": resource.tags, "properties": resource.properties}
    return {
        "name": text_of(resource.name)[:LONGEST_NAME],
        "region": text_of(resource.region)[:LONGEST_REGION],
        "tags": {text_of(name): text_of(value) for name, value in resource.tags.items()},
        "properties": _bounded(kept(resource.properties)),
    }


def _bounded(properties: Any) -> Any:
    size = len(json.dumps(properties))
    if size <= MOST_BYTES:
        return properties
    return domain.unknown(f"it has {size:,} bytes, and {MOST_BYTES:,} are kept")
