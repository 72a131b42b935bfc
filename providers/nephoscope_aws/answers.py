"""Is an answer of AWS one at all? A proxy's page, an empty or a cut body with status 200 would read as "there is none".

botocore takes what it cannot parse of a JSON service for an error message, and a member that is not there for one that
is not set. So the body is looked at before it is parsed, and reading a member that is not there raises.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from xml.etree import ElementTree

from nephoscope_aws.bodies import local, wrong_in_json, wrong_in_xml, xml_name

OK = range(200, 301)
"""Status codes of what botocore takes for an answer; others are errors, which it tells apart by their code."""

LONGEST = 300
"""Characters of a reason. It is a sentence; what was answered is not repeated in it."""

_JSON = frozenset({"json", "rest-json"})
_XML = frozenset({"query", "ec2", "rest-xml"})
_PAGES = (b"<!doctype", b"<html")

_MAY_BE_EMPTY = {
    "GetBucketLocation": "LocationConstraint",
    "GetBucketLogging": "BucketLoggingStatus",
    "GetBucketVersioning": "VersioningConfiguration",
}
"""Operations of S3 by which an element without anything in it says "none" or "never", and how that one is called.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html and the other operations' pages.
"""

LEAVES_OUT = frozenset({("sqs", "list_queues")})
"""Listings from which AWS leaves out the list when it is empty; such an answer says at least which request it answers.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListQueues.html
"""


class Unavailable(Exception):
    """AWS could not be asked: no endpoint, throttled to the end, timed out, a region that is not enabled, no answer."""

    def __init__(self, message: str) -> None:
        self.message = message if len(message) <= LONGEST else f"{message[: LONGEST - 1]}…"
        super().__init__(self.message)


class Item(dict[str, Any]):
    """A structure in an answer: reading a member by ``[]`` that is not there raises :class:`Unavailable`.

    A member that AWS leaves out to say that there is none is read by ``get``.
    """

    operation = ""

    def __missing__(self, name: str) -> Any:
        raise Unavailable(f"{self.operation}: AWS's answer has no {name}")


class Answer(Item):
    """A whole answer."""

    def __init__(self, operation: str, members: Mapping[str, Any]) -> None:
        super().__init__((name, items(operation, value)) for name, value in members.items())
        self.operation = operation

    def __bool__(self) -> bool:
        """An answer without any member is one, too: whoever asks whether there was an answer is told so."""
        return True


def items(operation: str, value: Any) -> Any:
    """Return a value of an answer with each structure in it as an :class:`Item`; lists are changed in their place."""
    if isinstance(value, list):
        for place, each in enumerate(value):
            value[place] = items(operation, each)
        return value
    if not isinstance(value, dict):
        return value
    item = Item((name, items(operation, each)) for name, each in value.items())
    item.operation = operation
    return item


def listed(service: str, operation: str, answer: dict[str, Any], key: str) -> Iterable[Any]:
    """Return the list in an answer; raises :class:`Unavailable` where an answer without it is none."""
    if key not in answer and (service, operation) in LEAVES_OUT and answer.get("ResponseMetadata", {}).get("RequestId"):
        return ()
    found: Iterable[Any] = Answer(operation, answer)[key]
    return found


def check_body(operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
    """Handle botocore's event ``before-parse``: a body that is none of the operation's raises :class:`Unavailable`."""
    answered = response_dict["status_code"] in OK and _has_body(operation_model)
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
    if body[:9].lower().startswith(_PAGES):
        return "the answer is a web page and not AWS's; a proxy may have given it"
    protocol = operation.service_model.resolved_protocol
    if protocol in _JSON:
        return _wrong_json(operation, body)
    if protocol in _XML and not _is_text(operation.output_shape):
        return _wrong_xml(operation, body, protocol)
    return ""


def _payload(shape: Any) -> Any:
    """Return the member that is the whole body, if one is."""
    name = shape.serialization.get("payload")
    return name and shape.members[name]


def _is_text(shape: Any) -> bool:
    """Whether the body is one text and no structure, as a bucket's policy."""
    payload = _payload(shape)
    return payload is not None and payload.type_name in ("string", "blob")


def _wrong_json(operation: Any, body: bytes) -> str:
    if _is_text(operation.output_shape):
        return ""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return "AWS's answer is not JSON, or was cut"
    if not isinstance(found, dict):
        return "AWS's answer is not a JSON object"
    return wrong_in_json(found, _payload(operation.output_shape) or operation.output_shape)


def _wrong_xml(operation: Any, body: bytes, protocol: str) -> str:
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - as botocore will, right after this
    except ElementTree.ParseError:
        return "AWS's answer is not XML, or was cut"
    if protocol == "rest-xml":
        return _wrong_rest(operation, root)
    if local(root) != f"{operation.name}Response":
        return "AWS's answer is of another operation"
    wrapper = operation.output_shape.serialization.get("resultWrapper")
    if wrapper:
        root = next((child for child in root if local(child) == wrapper), ElementTree.Element(""))
    return wrong_in_xml(root, operation.output_shape) if root.tag else f"AWS's answer has no {wrapper}"


def _wrong_rest(operation: Any, root: ElementTree.Element) -> str:
    """Nothing in the model says how S3 calls the element of an answer, so it is told by what is in it."""
    called = _MAY_BE_EMPTY.get(operation.name)
    if called:
        inside = local(root) in (called, f"{operation.name}Response")  # the simulator calls it by the operation
    else:
        inside = bool({local(child) for child in root} & _names(operation.output_shape))
    if not inside:
        return "AWS's answer is empty or of another shape"
    if operation.name == "GetBucketLocation":  # its one member is the element's text
        return ""
    return wrong_in_xml(root, _payload(operation.output_shape) or operation.output_shape)


def _names(shape: Any) -> set[str]:
    """Return how the elements right inside an answer's outermost one may be called."""
    members = (_payload(shape) or shape).members
    return {xml_name(name, member) for name, member in members.items()}
