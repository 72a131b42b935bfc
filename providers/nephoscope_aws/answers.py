"""Is an answer of AWS one at all? A proxy's page, an empty or a cut body with status 200 would read as "there is none".

botocore takes what it cannot parse of a JSON service for an error message, and a member that is not there for one that
is not set. So the body is looked at before it is parsed, and reading a member that is not there raises.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree

OK = 300
"""Status codes from here on are errors, which botocore tells apart by their code."""

_JSON = frozenset({"json", "rest-json"})
_XML = frozenset({"query", "ec2", "rest-xml"})
_PAGES = (b"<!doctype", b"<html")


LEAVES_OUT = frozenset({("sqs", "list_queues")})
"""Listings from which AWS leaves out the list when it is empty; such an answer says at least which request it answers.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListQueues.html
"""


class Unavailable(Exception):
    """AWS could not be asked: no endpoint, throttled to the end, timed out, a region that is not enabled, no answer."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Answer(dict[str, Any]):
    """An answer whose members are there: reading one by ``[]`` that is not raises :class:`Unavailable`.

    A member that AWS leaves out to say that there is none is read by ``get``.
    """

    def __init__(self, operation: str, members: dict[str, Any]) -> None:
        super().__init__(members)
        self.operation = operation

    def __bool__(self) -> bool:
        """An answer without any member is one, too: whoever asks whether there was an answer is told so."""
        return True

    def __missing__(self, name: str) -> Any:
        raise Unavailable(f"{self.operation}: AWS's answer has no {name}")


def listed(service: str, operation: str, answer: dict[str, Any], key: str) -> Iterable[Any]:
    """Return the list in an answer; raises :class:`Unavailable` where an answer without it is none."""
    if key not in answer and (service, operation) in LEAVES_OUT and answer.get("ResponseMetadata", {}).get("RequestId"):
        return ()
    found: Iterable[Any] = Answer(operation, answer)[key]
    return found


def check_body(operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
    """Handle botocore's event ``before-parse``: a body that is none of the operation's raises :class:`Unavailable`."""
    answered = response_dict["status_code"] < OK and _has_body(operation_model)
    if answered and (why := _what_is_wrong(operation_model, response_dict)):
        raise Unavailable(f"{operation_model.name}: {why}")


def _has_body(operation: Any) -> bool:
    """Whether an answer of the operation has to say something in its body, and not only in headers."""
    shape = operation.output_shape
    if shape is None or operation.has_streaming_output:
        return False
    return any("location" not in member.serialization for member in shape.members.values())


def _what_is_wrong(operation: Any, response: dict[str, Any]) -> str:
    body: bytes = response["body"].strip()
    if not body:
        return "AWS's answer is empty"
    kind = str(response["headers"].get("content-type", ""))
    if kind.startswith("text/html") or body[:9].lower().startswith(_PAGES):
        return "the answer is a web page and not AWS's; a proxy may have given it"
    protocol = operation.service_model.resolved_protocol
    if protocol in _JSON:
        return _wrong_json(body)
    if protocol in _XML and not _is_text(operation.output_shape):
        return _wrong_xml(operation, body, protocol)
    return ""


def _is_text(shape: Any) -> bool:
    """Whether the body is one text and no structure, as a bucket's policy."""
    payload = shape.serialization.get("payload")
    return payload is not None and shape.members[payload].type_name in ("string", "blob")


def _wrong_json(body: bytes) -> str:
    try:
        return "" if isinstance(json.loads(body), dict) else "AWS's answer is not a JSON object"
    except ValueError:
        return "AWS's answer is not JSON, or was cut"


def _wrong_xml(operation: Any, body: bytes, protocol: str) -> str:
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - as botocore will, right after this
    except ElementTree.ParseError:
        return "AWS's answer is not XML, or was cut"
    if protocol == "rest-xml":
        inside = {_local(child) for child in root}
        return "AWS's answer is of another shape" if inside and not inside & _names(operation.output_shape) else ""
    return "" if _local(root) == f"{operation.name}Response" else "AWS's answer is of another operation"


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _names(shape: Any) -> set[str]:
    """Return how the elements right inside an answer's outermost one may be called."""
    payload = shape.serialization.get("payload")
    members = (shape.members[payload] if payload else shape).members
    named = {member.serialization.get("name", name) for name, member in members.items()}
    flat = {member.member.serialization.get("name", "") for member in members.values() if _is_flat(member)}
    return named | flat | {member.name for member in members.values()}


def _is_flat(member: Any) -> bool:
    return member.type_name == "list" and bool(member.serialization.get("flattened"))
