"""What a cloud says, in a form that can be stored and judged. Cloud data is hostile: any text, number, depth or size.

What cannot be kept as it is becomes unknown with the reason, so that a rule that reads it says unknown and not pass.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from typing import Any

from nephoscope import domain

DEEPEST = 100
"""Levels of nesting that are kept; a policy document has fewer than ten."""

MOST_BYTES = 4 * 1024 * 1024
"""Bytes that a resource's properties may have as JSON."""

LARGEST = 10**300
"""Integers from here on are not kept: no cloud has such a number, and Python refuses to read ones of 4,300 digits."""

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
        text, plain = _as_json(_kept(content)), False
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
        "properties": _bounded(_kept(resource.properties)),
    }


def text_of(value: Any) -> str:
    """Return a text that PostgreSQL keeps: without NUL and lone surrogates."""
    return str(value).replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _bounded(properties: Any) -> Any:
    size = len(json.dumps(properties))
    if size <= MOST_BYTES:
        return properties
    return domain.unknown(f"it has {size:,} bytes, and {MOST_BYTES:,} are kept")


def _kept(value: Any, depth: int = 0) -> Any:
    if isinstance(value, str):
        return text_of(value)
    if isinstance(value, dict | list | tuple) and depth >= DEEPEST:
        return domain.unknown(f"it is nested more than {DEEPEST} levels deep")
    if isinstance(value, dict):
        return {text_of(name): _kept(member, depth + 1) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_kept(member, depth + 1) for member in value]
    if isinstance(value, float) and not math.isfinite(value):
        return domain.unknown("it is a number that is not finite")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= LARGEST:
        return domain.unknown("it is a number that is too large")
    return value if value is None or isinstance(value, bool | int | float) else text_of(value)
