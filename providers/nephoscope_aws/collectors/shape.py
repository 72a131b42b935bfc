"""What the collectors share: times, tags, documents, and what stands for the things that could not be read."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Generic, TypeVar

from botocore.exceptions import ClientError

from nephoscope.domain import WHOLE, Resource, Share, unknown
from nephoscope_aws.answers import Answer, Unavailable, Unread
from nephoscope_aws.api import Api, Denied, code_of, said

log = logging.getLogger(__name__)

T = TypeVar("T")

GONE = frozenset(
    {
        "InvalidGroup.NotFound",
        "InvalidInstanceID.NotFound",
        "InvalidNetworkInterfaceID.NotFound",
        "ListenerNotFound",
        "LoadBalancerNotFound",
        "NoSuchAccessPoint",
        "NoSuchBucket",
        "NoSuchDistribution",
        "NoSuchEntity",
        "NotFoundException",
        "ResourceNotFoundException",
        "TrailNotFoundException",
    }
)
"""Error codes by which AWS says that the thing asked about no longer exists (each service's API reference)."""

ODD = (AttributeError, IndexError, KeyError, OverflowError, RecursionError, TypeError, ValueError)
"""What taking an answer apart raises that holds what no answer should, as a time after the last one."""

PROBLEMS = (Denied, Unavailable, ClientError, *ODD)
"""What reading can raise. A ClientError that is neither a refusal nor a fault hides no more than they do."""


def actions(reads: Mapping[tuple[str, str], str]) -> tuple[str, ...]:
    """Return the IAM actions that these calls need, each once, in alphabetical order."""
    return tuple(sorted(set(reads.values())))


def moment(value: datetime | None) -> Any:
    """Return a time as ISO-8601 in UTC with seconds, as ``2026-01-15T12:00:00Z``; unknown for what is none."""
    return part(lambda: value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if value else None)


def to_the_hour(value: datetime | None) -> Any:
    """Return a time that moves all the time rounded up to the hour, so that it does not make each scan a change."""
    if value is None:
        return None
    return part(lambda: moment(value.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)))


def picked(source: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return these members, with an explicit null for one that AWS left out: it does so to say "none"."""
    return {name: source.get(name) for name in names}


def needed(source: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return these members, of which AWS leaves out none: one that is not there is unknown."""
    return {name: source[name] for name in names}


def one_of(source: Mapping[str, Any], name: str, *values: str) -> Any:
    """Return a member if it has one of these values; what another one means is not known."""
    value = source[name]
    if isinstance(value, Unread) or value in values:
        return value
    return Unread(f"AWS's answer gives {name} a value that is not known")


def tag_list(tags: Iterable[Mapping[str, str]] | None) -> Any:
    """Return tags as CloudFormation writes them; KMS has names of its own for the two members."""
    return part(lambda: [_tag(tag) for tag in tags or ()])


def _tag(tag: Mapping[str, str]) -> dict[str, str]:
    name = tag.get("Key") or tag["TagKey"]
    return {"Key": str(name), "Value": str(tag.get("Value") or tag.get("TagValue") or "")}


def tag_dict(tags: Any) -> dict[str, str]:
    """Return a resource's ``Tags`` as a dictionary; empty when they could not be read."""
    return {tag["Key"]: tag["Value"] for tag in tags} if isinstance(tags, list) else {}


def document(text: Any) -> Any:
    """Return a policy document as the object it is, or unknown with the reason when it cannot be understood.

    boto3 hands over IAM's documents decoded, and as text what it could not decode.
    """
    if isinstance(text, Unread):
        return text
    try:
        value = json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        return unknown("the document is not JSON")
    return value if isinstance(value, dict) and "Statement" in value else unknown("the document is not a policy")


def reason(problem: Exception) -> tuple[str, str]:
    """Return in words why something could not be read, and the permission that is missing, if that was it."""
    if isinstance(problem, Denied):
        return problem.message, problem.permission
    if isinstance(problem, ClientError):
        return said(problem), ""
    if isinstance(problem, ODD):
        return f"AWS's answer could not be read ({type(problem).__name__})", ""
    return problem.message if isinstance(problem, Unavailable) else type(problem).__name__, ""


def hidden(problem: Exception) -> dict[str, Any]:
    """Return what stands for a value that ``problem`` hid; one that says that its resource is gone is raised."""
    if code_of(problem) in GONE:
        raise problem
    if isinstance(problem, ODD):
        log.warning("an answer could not be read", exc_info=problem)
    return unknown(*reason(problem))


def part(read: Callable[[], Any]) -> Any:
    """Return ``read()``, or what stands for it when it could not be read."""
    try:
        return read()
    except PROBLEMS as problem:
        return hidden(problem)


def parts(read: Callable[[], T], fields: Mapping[str, Callable[[T], Any]]) -> dict[str, Any]:
    """Return each of ``fields`` taken from one answer; all of them unknown when that could not be read."""
    try:
        answer = read()
    except PROBLEMS as problem:
        return dict.fromkeys(fields, hidden(problem))
    return {name: part(partial(field, answer)) for name, field in fields.items()}


def existing(read: Callable[[], T]) -> T | None:
    """Return ``read()``, or None when AWS says that what it reads is gone."""
    try:
        return read()
    except ClientError as error:
        if code_of(error) in GONE:
            return None
        raise


def asked_for(operation: str, answer: Answer | None, key: str) -> list[Any]:
    """Return what a call found that named one thing; none for no answer, by which AWS said that it is gone.

    For operations that answer an error for what is gone: an empty list is no answer of theirs, and Unavailable.
    """
    if answer is None:
        return []
    found: list[Any] = answer[key]
    if not found:
        raise Unavailable(f"{operation}: AWS's answer lacks what was asked for")
    return found


def answers(
    api: Api, service: str, operation: str, token: str, *, region: str = "", **parameters: Any
) -> Iterator[Answer]:
    """Yield whole answers page by page, for operations with several lists or without a paginator in boto3.

    :param token: the name under which the next page's token is both given and taken.
    """
    while True:
        answer = api.call(service, operation, region=region, **parameters)
        yield answer
        if not answer.get(token):
            return
        if answer[token] == parameters.get(token):
            raise Unavailable(f"{operation}: AWS answers the same page again and again")
        parameters[token] = answer[token]


class Listing(Generic[T]):
    """Items up to the point where listing them fails; what could not be listed is then :meth:`unreadable`."""

    def __init__(self, items: Iterable[T]) -> None:
        self._items = items
        self._problem: Exception | None = None

    def __iter__(self) -> Iterator[T]:
        try:
            yield from self._items
        except PROBLEMS as problem:
            self._problem = problem

    def unreadable(self, api: Api, region: str, *types: str, share: Share = WHOLE) -> Iterator[Resource]:
        """Yield one stand-in per type if the listing failed."""
        if self._problem:
            for type in types:
                yield unreadable(api, region, type, self._problem, share)


def unreadable(api: Api, region: str, type: str, problem: Exception, share: Share = WHOLE) -> Resource:
    """Return the stand-in for all resources of a type that ``problem`` hid."""
    why, permission = reason(problem)
    return Resource.unreadable(type, region, api.account, permission=permission, reason=why, share=share)
