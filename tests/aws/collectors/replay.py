"""Answers of a simulator, recorded in this run and given again with one thing in them changed; nothing is sent then."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from botocore.awsrequest import AWSResponse

from nephoscope_aws.answers import check_parts
from nephoscope_aws.bodies import local, plain_name, xml_name
from nephoscope_aws_simulator.testing import client_for

Key = tuple[str, str, str]
"""An event's name, which holds service and operation, the address that is asked, and the body of the request."""


@dataclass(frozen=True)
class Recorded:
    """One answer: of which operation (its model), and its raw parts."""

    operation: Any
    status: int
    headers: Any
    body: bytes


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> Iterator[bytes]:
        yield self._body


class Replaying:
    """Real clients of an endpoint that keep each answer. Once ``edited`` holds some, they give them and those kept."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.known: dict[Key, Recorded] = {}
        self.edited: dict[Key, bytes] = {}
        self._now = threading.local()
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str], Any] = {}

    def client(self, service: str, region: str) -> Any:
        at = (service, region or "us-east-1")
        with self._lock:
            if at not in self._clients:
                client = self._clients[at] = client_for(self.endpoint, *at)
                client.meta.events.register("before-send", self._send)
                client.meta.events.register_first("before-parse", self._keep)
                client.meta.events.register("before-parse", check_parts)
            return self._clients[at]

    def _send(self, request: Any, event_name: str, **_: Any) -> AWSResponse | None:
        body = request.body.decode() if isinstance(request.body, bytes) else str(request.body or "")
        key = self._now.key = (event_name, request.url, body)
        known = self.known.get(key) if self.edited else None
        return known and AWSResponse(request.url, known.status, known.headers, _Raw(self.edited.get(key, known.body)))

    def _keep(self, operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
        if not self.edited:  # the last answer counts: that of a report that is ready
            headers = {name: each for name, each in response_dict["headers"].items() if name.lower() != "x-amz-crc32"}
            answer = Recorded(operation_model, response_dict["status_code"], headers, response_dict["body"])
            self.known[self._now.key] = answer


@dataclass(frozen=True)
class Edit:
    """One changed answer: what was done to which member, and whether it is one of an item of a list."""

    kind: str
    path: str
    body: bytes
    in_item: bool


WRONG: dict[str, Any] = {"list": "odd", "map": "odd", "structure": "odd", "boolean": "odd", "timestamp": "soon"}
MOST_ITEMS = 2
"""Items of a list that are changed, one by one; the others are as these."""


def edits(answer: Recorded) -> Iterator[Edit]:
    """Yield an answer with each member of each structure left out, or changed in a way of its type, in turn."""
    shape = answer.operation.output_shape
    if shape is None or answer.status >= 300 or not answer.body.strip():
        return
    payload = shape.serialization.get("payload")
    outside = shape.members[payload] if payload else shape
    if outside.type_name != "structure":
        return
    if answer.operation.service_model.resolved_protocol in ("json", "rest-json"):
        yield from _json_edits(answer.body, outside)
    else:
        yield from _xml_edits(answer.body, outside, shape.serialization.get("resultWrapper"))


def emptied(answer: Recorded) -> Iterator[Edit]:
    """Yield an answer with the first of several items of each of its own lists made empty, in turn."""
    shape = answer.operation.output_shape
    if shape is None or answer.status >= 300 or not answer.body.strip() or shape.serialization.get("payload"):
        return
    lists = {name: member for name, member in shape.members.items() if member.type_name == "list"}
    if answer.operation.service_model.resolved_protocol in ("json", "rest-json"):
        for key in (plain_name(name, member) for name, member in lists.items()):
            changed = json.loads(answer.body)
            if len(changed.get(key) or ()) > 1:
                changed[key][0] = None
                yield Edit("item", key, json.dumps(changed).encode(), True)
        return
    for key in (xml_name(name, member) for name, member in lists.items()):
        root = ElementTree.fromstring(answer.body)
        found = next((each for each in root.iter() if local(each) == key), None)
        if found is not None and len(found) > 1:
            found[0].clear()
            yield Edit("item", key, ElementTree.tostring(root), True)


def _odd_values(shape: Any) -> Iterator[tuple[str, Any]]:
    kind = shape.type_name
    yield "null", None
    if kind in ("integer", "long", "float", "double"):
        yield "negative", -7
        yield "wrong", "many"
    elif kind == "string":
        if shape.enum:
            yield "enum", "ODD_ONE"
        yield "empty", ""
        yield "wrong", {"odd": 1}
    elif kind == "timestamp":
        yield "late", 1e18
        yield "last", 253_402_300_799
        yield "wrong", "soon"
    else:
        yield "wrong", WRONG.get(kind, "odd")


# -- JSON


def _json_edits(body: bytes, outside: Any) -> Iterator[Edit]:
    for steps, member in _json_members(json.loads(body), outside, ()):
        in_item = any(isinstance(step, int) for step in steps)
        path = ".".join(map(str, steps))
        for kind, value in [("drop", None), *_odd_values(member)]:
            changed = json.loads(body)
            holder = changed
            for step in steps[:-1]:
                holder = holder[step]
            if kind == "drop":
                del holder[steps[-1]]
            else:
                holder[steps[-1]] = value
            yield Edit(kind, path, json.dumps(changed).encode(), in_item)


def _json_members(value: Any, shape: Any, at: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if shape.type_name == "structure" and isinstance(value, dict):
        for name, member in shape.members.items():
            key = plain_name(name, member)
            if value.get(key) is not None and "location" not in member.serialization:
                yield (*at, key), member
                yield from _json_members(value[key], member, (*at, key))
    elif shape.type_name == "map" and isinstance(value, dict):
        for key in value:
            yield (*at, key), shape.value
            yield from _json_members(value[key], shape.value, (*at, key))
    elif shape.type_name == "list" and isinstance(value, list):
        for number, each in enumerate(value[:MOST_ITEMS]):
            yield from _json_members(each, shape.member, (*at, number))


# -- XML


def _xml_edits(body: bytes, outside: Any, wrapper: str | None) -> Iterator[Edit]:
    def start(root: Element) -> Element:
        return next(child for child in root if local(child) == wrapper) if wrapper else root

    for steps, member, in_item in _xml_members(start(ElementTree.fromstring(body)), outside, (), False):
        path = ".".join(name for _number, name in steps)
        for kind, value in [("drop", None), *_odd_values(member)]:
            if kind == "null" and member.type_name in ("list", "map", "structure"):
                continue  # which is how AWS says that there is none
            root = ElementTree.fromstring(body)
            holder = start(root)
            for number, _name in steps[:-1]:
                holder = holder[number]
            element = holder[steps[-1][0]]
            if kind == "drop":
                holder.remove(element)
            elif kind == "null":
                element.clear()
            else:
                element.clear()
                if isinstance(value, dict):
                    ElementTree.SubElement(element, "odd")
                else:
                    element.text = "999999-01-01T00:00:00Z" if kind == "late" else str(value)
            yield Edit(kind, path, ElementTree.tostring(root), in_item)


def _xml_members(element: Element, shape: Any, at: tuple[Any, ...], in_item: bool) -> Iterator[Any]:
    if shape.type_name == "structure":
        members = {xml_name(name, member): member for name, member in shape.members.items()}
        seen: dict[str, int] = {}
        for number, child in enumerate(element):
            member = members.get(local(child))
            if member is None:
                continue
            here = (*at, (number, local(child)))
            if member.type_name == "list" and member.serialization.get("flattened"):
                seen[local(child)] = seen.get(local(child), 0) + 1
                if seen[local(child)] <= MOST_ITEMS:
                    yield from _xml_members(child, member.member, here, True)
                continue
            yield here, member, in_item
            yield from _xml_members(child, member, here, in_item)
    elif shape.type_name == "list":
        for number, child in enumerate(list(element)[:MOST_ITEMS]):
            yield from _xml_members(child, shape.member, (*at, (number, str(number))), True)
