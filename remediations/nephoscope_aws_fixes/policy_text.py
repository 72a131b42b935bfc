"""Changing a policy document as text, so that everything that is not meant stays as its author wrote it."""

from __future__ import annotations

import json
from typing import Any

EVERYONE = "*"


def owner_for_everyone(principal: Any, owner: str) -> Any:
    """Return a Principal element with ``owner`` where everyone stands in it; other principals stay, in order."""
    if not isinstance(principal, dict):
        return {"AWS": _replaced(principal, owner)}
    return {kind: _replaced(names, owner) if kind == "AWS" else names for kind, names in principal.items()}


def named(principal: Any) -> list[tuple[str, str]]:
    """Return the (kind, name) pairs of a Principal element; a bare text is of kind AWS."""
    kinds = principal if isinstance(principal, dict) else {"AWS": principal}
    return [(kind, name) for kind, names in kinds.items() for name in listed(names) if isinstance(name, str)]


def listed(value: Any) -> list[Any]:
    """Return what stands alone as a list of one."""
    return value if isinstance(value, list) else [value]


def _replaced(names: Any, owner: str) -> Any:
    if not isinstance(names, list):
        return owner if names == EVERYONE else names
    replaced = [owner if name == EVERYONE else name for name in names]
    return [name for index, name in enumerate(replaced) if name not in replaced[:index]]


def write_like(document: Any, original: str) -> str:
    """Write a document as JSON, spaced like the text that it comes from: compact, with spaces, or on lines."""
    lines = "\n" in original.strip()
    compact = not lines and '": ' not in original
    return json.dumps(
        document,
        indent=2 if lines else None,
        separators=(",", ":") if compact else None,
        ensure_ascii=original.isascii(),
    )


def same_policy(one: str | None, other: str | None) -> bool:
    """Whether two policy texts are the same policy, which S3 does not always write in the same way.

    It gives back lists in another order each time, and a list of one as its member:
    https://github.com/hashicorp/terraform-provider-aws/issues/18878, https://github.com/ansible/ansible/issues/42532
    """
    if one is None or other is None:
        return one is other
    try:
        return bool(_folded(json.loads(one)) == _folded(json.loads(other)))
    except ValueError:
        return one == other


def _folded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _folded(member) for name, member in value.items()}
    if isinstance(value, list):
        members = [_folded(member) for member in value]
        return members[0] if len(members) == 1 else sorted(members, key=lambda each: json.dumps(each, sort_keys=True))
    return value
