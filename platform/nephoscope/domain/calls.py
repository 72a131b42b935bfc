"""One call to a cloud, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

RESULT_KEY = "$result"


@dataclass(frozen=True, slots=True)
class Permission:
    """One action that is needed, and on what; ``*`` is everything."""

    action: str
    resource: str = "*"


@dataclass(frozen=True, slots=True)
class Call:
    """One call to a cloud: a label for people, and a body that only the provider reads. The body is JSON.

    ``permissions`` are all that it needs; a writing session is held to them.
    """

    label: str
    body: Mapping[str, Any]
    permissions: tuple[Permission, ...]


def result(step: int, path: str) -> dict[str, Any]:
    """Return the JSON that stands in a call's body for what an earlier step of the plan returned.

    :param step: the position of that step among the steps of the same resource, from 0.
    :param path: where it is in the answer, names joined by dots; one of that step's ``keep``.
    """
    return {RESULT_KEY: {"step": step, "path": path}}


def with_results(body: Any, results: Mapping[int, Mapping[str, Any]]) -> Any:
    """Return a call's body with what earlier steps returned in place.

    :raises LookupError: it names a result that is not there; says which.
    """
    if isinstance(body, Mapping):
        if set(body) == {RESULT_KEY}:
            wanted = body[RESULT_KEY]
            try:
                return results[wanted["step"]][wanted["path"]]
            except KeyError:
                raise LookupError(f"step {wanted['step']} returned no {wanted['path']}") from None
        return {name: with_results(member, results) for name, member in body.items()}
    if isinstance(body, list | tuple):
        return [with_results(member, results) for member in body]
    return body
