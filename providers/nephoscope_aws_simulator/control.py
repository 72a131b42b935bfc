"""The control plane under /simulator/: age keys, inject failures, add latency, count calls.

It answers loopback only: it can do what no AWS API can.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Mapping
from typing import Any

from nephoscope_aws_simulator.errors import Answer
from nephoscope_aws_simulator.patches import PATCHES
from nephoscope_aws_simulator.world import CallLog, Denial, World

PREFIX = "/simulator/"
Payload = Any


class BadRequestError(Exception):
    """The request to the control plane makes no sense; the message says why."""


def _object(payload: Payload, known: set[str]) -> Mapping[str, Any]:
    if not isinstance(payload, dict):
        raise BadRequestError("the body must be a JSON object")
    if unknown := payload.keys() - known:
        raise BadRequestError(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(sorted(known))}")
    return payload


def _strings(payload: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = payload.get(name, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise BadRequestError(f"{name} must be a list of strings")
    return tuple(value)


def _patch(world: World, payload: Payload) -> dict[str, Any]:
    """A list of {"kind": ...}; all are checked for their kind before the first is applied."""
    items = payload if isinstance(payload, list) else [payload]
    for item in items:
        if not isinstance(item, dict) or item.get("kind") not in PATCHES:
            known = ", ".join(sorted(PATCHES))
            raise BadRequestError(f"unknown kind in {json.dumps(item)}; known kinds: {known}")
    for item in items:
        try:
            PATCHES[item["kind"]](world, item)
        except KeyError as error:
            raise BadRequestError(f"{error.args[0]!r} is missing or unknown in {json.dumps(item)}") from error
        except (TypeError, ValueError) as error:
            raise BadRequestError(f"{error} in {json.dumps(item)}") from error
    world.dirty = True
    return {"patched": len(items)}


def _deny(world: World, payload: Payload) -> dict[str, Any]:
    body = _object(payload, {"actions", "regions", "resources", "error", "times"})
    actions = _strings(body, "actions")
    times = body.get("times")
    if not actions or not all(":" in action or action == "*" for action in actions):
        raise BadRequestError('actions must be a list such as ["s3:GetBucketPolicy"]')
    if times is not None and (type(times) is not int or times < 1):
        raise BadRequestError("times must be a number from 1")
    denial = Denial(
        actions=actions,
        error=str(body.get("error", "AccessDenied")),
        regions=_strings(body, "regions"),
        resources=_strings(body, "resources"),
        times=times,
    )
    with world.lock:
        world.denials.append(denial)
        return {"denials": len(world.denials)}


def _reset_denials(world: World, _: Payload) -> dict[str, Any]:
    with world.lock:
        world.denials.clear()
    return {"denials": 0}


def _latency(world: World, payload: Payload) -> dict[str, Any]:
    ms = _object(payload, {"ms"}).get("ms")
    if not isinstance(ms, (int, float)) or isinstance(ms, bool) or not 0 <= ms <= 60_000:
        raise BadRequestError("ms must be a number from 0 to 60000")
    world.latency_ms = ms
    return {"ms": ms}


def _regions(world: World, payload: Payload) -> dict[str, Any]:
    """Replaces the set of regions that the account has not opted in to."""
    disabled = set(_strings(_object(payload, {"disabled"}), "disabled"))
    if disabled & {"us-east-1"}:
        raise BadRequestError("us-east-1 cannot be disabled: the global services live there")
    world.disabled_regions = disabled
    world.dirty = True
    return {"disabled": sorted(disabled)}


def _by_place(counter: Mapping[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    nested: dict[str, dict[str, int]] = {}
    for (name, region), count in sorted(counter.items()):
        nested.setdefault(name, {})[region] = count
    return nested


def _calls(world: World, _: Payload) -> dict[str, Any]:
    """Operations as they were called on the wire, e.g. s3:ListBuckets, counted by region."""
    with world.lock:
        log = world.calls
        calls, errors, peak = dict(log.counts), dict(log.errors), dict(log.max_in_flight)
        most, actions = log.most_in_flight, dict(log.actions)
    totals: dict[str, int] = {}
    regions: dict[str, int] = {}
    for (operation, region), count in calls.items():
        totals[operation] = totals.get(operation, 0) + count
        regions[region] = regions.get(region, 0) + count
    return {
        "total": sum(totals.values()),
        "operations": dict(sorted(totals.items())),
        "regions": dict(sorted(regions.items())),
        "calls": _by_place(calls),
        "errors": _by_place(errors),
        "actions": dict(sorted(actions.items())),
        "max_in_flight": _by_place(peak),
        "most_in_flight": most,
    }


def _reset_calls(world: World, _: Payload) -> dict[str, Any]:
    with world.lock:
        world.calls = CallLog()
    return {"total": 0}


_ROUTES: dict[tuple[str, str], Callable[[World, Payload], dict[str, Any]]] = {
    ("POST", "patch"): _patch,
    ("POST", "deny"): _deny,
    ("POST", "reset-denials"): _reset_denials,
    ("POST", "latency"): _latency,
    ("POST", "regions"): _regions,
    ("GET", "calls"): _calls,
    ("POST", "calls/reset"): _reset_calls,
}


def _answer(status: int, body: Mapping[str, Any]) -> Answer:
    return Answer(status, "application/json", json.dumps(body).encode())


def answer(world: World, method: str, path: str, remote: str, body: bytes) -> Answer:
    """Serve one control request."""
    if not ipaddress.ip_address(remote).is_loopback:
        return _answer(403, {"error": "the control plane answers loopback only"})
    name = path.removeprefix(PREFIX)
    if (method, name) == ("GET", "health"):  # 503 until the account is seeded, for those who wait for a 200
        return _answer(200 if world.ready else 503, {"ready": world.ready, "seeded": world.seeded})
    route = _ROUTES.get((method, name))
    if route is None:
        known = ", ".join(f"{verb} {PREFIX}{one}" for verb, one in [("GET", "health"), *_ROUTES])
        return _answer(404, {"error": f"unknown: {method} {path}; known: {known}"})
    try:
        return _answer(200, route(world, json.loads(body) if body else {}))
    except ValueError as error:
        return _answer(400, {"error": f"the body is not JSON: {error}"})
    except BadRequestError as error:
        return _answer(400, {"error": str(error)})
