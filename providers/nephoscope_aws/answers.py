"""Is an answer of AWS one at all? A proxy's page, an empty or a cut body with status 200 would read as "there is none".

botocore takes what it cannot parse of a JSON service for an error message, and a member that is not there for one that
is not set. So the body is looked at before it is parsed, and a member that is not there is read as :class:`Unread`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn
from xml.etree import ElementTree

from nephoscope_aws.bodies import Odd, Place, local, wrong_in_json, wrong_in_xml, xml_name

OK = range(200, 301)
"""Status codes of what botocore takes for an answer; others are errors, which it tells apart by their code."""

LONGEST = 300
"""Characters of a reason. It is a sentence; what was answered is not repeated in it."""

ODD = "$odd"
"""Under which an answer holds what was taken out of its body (:class:`nephoscope_aws.bodies.Odd`)."""

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


class Missing(Unavailable):
    """An answer lacks what is needed, or has it not as what it should be."""


class Unread:
    """What stands for a value that an answer does not have, or has not as what it should be; ``why`` says it.

    As a property of a resource it becomes unknown. Anything else that is asked of it raises :class:`Missing`, so
    that nothing is ever concluded from it; what would be inside of it is as unread.
    """

    __slots__ = ("why",)

    def __init__(self, why: str) -> None:
        self.why = why

    def get(self, name: str, otherwise: Any = None) -> Unread:
        return self

    def __getitem__(self, name: Any) -> Unread:
        return self

    def plus(self, **members: Any) -> Unread:
        """Return the same: what an item is not, it is not with more members either."""
        return self

    def _refuse(self, *_: Any) -> NoReturn:
        raise Missing(self.why)

    __bool__ = __len__ = __iter__ = __contains__ = __hash__ = __str__ = __format__ = __int__ = __float__ = _refuse
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __add__ = __radd__ = __or__ = __ror__ = _refuse

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):  # what Python itself asks, as for copying
            raise AttributeError(name)
        raise Missing(self.why)


class Item(dict[str, Any]):
    """A structure in an answer: reading a member by ``[]`` that is not there gives :class:`Unread`.

    A member that AWS leaves out to say that there is none is read by ``get``.
    """

    operation = ""

    def __missing__(self, name: str) -> Unread:
        return Unread(f"{self.operation}: AWS's answer has no {name}")

    def plus(self, **members: Any) -> Item:
        """Return the same with more members, or others of these names."""
        item = Item(self, **members)
        item.operation = self.operation
        return item


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


def marked(operation: str, answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer with :class:`Unread` in the places of what was taken out of its body."""
    odd: Odd | None = answer.pop(ODD, None)
    for place, why in odd.why.items() if odd else ():
        holder: Any = answer
        for step in place[:-1]:
            holder = holder[step]
        holder[place[-1]] = Unread(f"{operation}: {why}")
    return answer


def listed(service: str, operation: str, answer: dict[str, Any], key: str) -> Iterable[Any]:
    """Return the list in an answer; raises :class:`Unavailable` where an answer without it is none."""
    if key not in answer and (service, operation) in LEAVES_OUT and answer.get("ResponseMetadata", {}).get("RequestId"):
        return ()
    found: Any = Answer(operation, answer)[key]
    if isinstance(found, Unread):
        raise Unavailable(found.why)
    return found  # type: ignore[no-any-return]


def require_names(operation: str, parameters: Mapping[str, Any]) -> None:
    """Raise Missing for a parameter without a value: AWS would say of what has no name that it is gone."""
    if "" in parameters.values():
        raise Missing(f"{operation}: AWS's answer before it does not name what is asked for")


def check_body(operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
    """Handle botocore's event ``before-parse``: a body that is not all of the operation's raises Unavailable."""
    for why in _odd(operation_model, response_dict).why.values():
        raise Unavailable(f"{operation_model.name}: {why}")


def check_parts(
    operation_model: Any, response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any
) -> None:
    """Handle the same event for a reader of single things: only a body that is none as a whole raises Unavailable.

    What is odd inside of it is taken out, and noted in the answer, for :func:`marked`.
    """
    if odd := _odd(operation_model, response_dict):
        customized_response_dict[ODD] = odd


def _odd(operation: Any, response: dict[str, Any]) -> Odd:
    odd = Odd()
    if response["status_code"] in OK and _has_body(operation) and (why := _what_is_wrong(operation, response, odd)):
        raise Unavailable(f"{operation.name}: {why}")
    return odd


def _has_body(operation: Any) -> bool:
    """Whether an answer of the operation has to say something in its body, and not only in headers."""
    shape = operation.output_shape
    if shape is None or operation.has_streaming_output:
        return False
    return any("location" not in member.serialization for member in shape.members.values())


def _what_is_wrong(operation: Any, response: dict[str, Any], odd: Odd) -> str:
    """Say what makes a body none of an operation's; what is odd inside of it is taken out."""
    body: bytes = response["body"].strip()
    if not body:
        return "AWS's answer is empty"
    if body[:9].lower().startswith(_PAGES):
        return "the answer is a web page and not AWS's; a proxy may have given it"
    protocol = operation.service_model.resolved_protocol
    if protocol in _JSON:
        return _wrong_json(operation, response, odd)
    if protocol in _XML and not _is_text(operation.output_shape):
        return _wrong_xml(operation, response, protocol, odd)
    return ""


def _payload(shape: Any) -> Any:
    """Return the member that is the whole body, if one is."""
    name = shape.serialization.get("payload")
    return name and shape.members[name]


def _is_text(shape: Any) -> bool:
    """Whether the body is one text and no structure, as a bucket's policy."""
    payload = _payload(shape)
    return payload is not None and payload.type_name in ("string", "blob")


def _outside(operation: Any) -> tuple[Any, Place]:
    """Return the shape of what the body is, and its place in the answer."""
    shape = operation.output_shape
    name = shape.serialization.get("payload")
    return (shape.members[name], (name,)) if name else (shape, ())


def _wrong_json(operation: Any, response: dict[str, Any], odd: Odd) -> str:
    if _is_text(operation.output_shape):
        return ""
    try:
        found = json.loads(response["body"])
    except (ValueError, RecursionError):
        return "AWS's answer is not JSON, or was cut"
    if not isinstance(found, dict):
        return "AWS's answer is not a JSON object"
    shape, at = _outside(operation)
    wrong = wrong_in_json(found, shape, odd, at)
    if odd:
        response["body"] = json.dumps(found).encode()
    return wrong


def _wrong_xml(operation: Any, response: dict[str, Any], protocol: str, odd: Odd) -> str:
    try:
        root = ElementTree.fromstring(response["body"].strip())  # noqa: S314 - as botocore will, right after this
    except (ElementTree.ParseError, LookupError):
        return "AWS's answer is not XML, or was cut"
    wrong = _wrong_rest(operation, root, odd) if protocol == "rest-xml" else _wrong_wrapped(operation, root, odd)
    if odd:
        response["body"] = ElementTree.tostring(root)
    return wrong


def _wrong_wrapped(operation: Any, root: ElementTree.Element, odd: Odd) -> str:
    if local(root) != f"{operation.name}Response":
        return "AWS's answer is of another operation"
    wrapper = operation.output_shape.serialization.get("resultWrapper")
    if wrapper:
        root = next((child for child in root if local(child) == wrapper), ElementTree.Element(""))
    return wrong_in_xml(root, operation.output_shape, odd) if root.tag else f"AWS's answer has no {wrapper}"


def _wrong_rest(operation: Any, root: ElementTree.Element, odd: Odd) -> str:
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
    shape, at = _outside(operation)
    return wrong_in_xml(root, shape, odd, at)


def _names(shape: Any) -> set[str]:
    """Return how the elements right inside an answer's outermost one may be called."""
    members = (_payload(shape) or shape).members
    return {xml_name(name, member) for name, member in members.items()}
