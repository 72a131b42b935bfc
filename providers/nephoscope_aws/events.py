"""What an event of CloudTrail is about: which of the resources that are collected it may have changed. Pure.

An event arrives as EventBridge wraps it, by the rule of :mod:`nephoscope_aws.event_templates`:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html, its ``detail`` is a record
of https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html.

Everything in it may have been made up: it only says where to look.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nephoscope.domain import ALL_REGIONS, ChangedResource, Event
from nephoscope_aws.event_kinds import Kind, Source, id_of
from nephoscope_aws.event_table import EC2_IDS, SOURCES
from nephoscope_aws.names import partition_of

MAX_TOUCHED = 50
"""Resources of one event that are looked at one by one; of more, their services are read whole."""

MAX_NODES = 5_000
MAX_DEPTH = 12
"""How much of an event's parameters is looked through."""

MAX_TEXT = 2_048
"""Characters of the longest ARN; a longer text is no name."""

_READS = re.compile(r"(Get|List|Describe|Head|BatchGet|Lookup|Search|Simulate|Generate)[A-Z]")
"""How calls that change no configuration begin. CloudTrail takes some for writes, as GenerateCredentialReport, which
reading IAM makes: what such an event had read again would cause the next."""

_REGION = re.compile(r"[a-z]{2}(-[a-z]+){1,3}-\d{1,2}")
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_ID = re.compile(r"[!-~]{1,100}")


@dataclass(frozen=True, slots=True)
class _Said:
    """The parts of an event that name things; ``request`` and ``response`` as (depth, lower-case member, text)."""

    name: str
    region: str
    account: str
    request: tuple[tuple[int, str, str], ...]
    response: tuple[tuple[int, str, str], ...]


def event(message: Mapping[str, Any]) -> Event:
    """Read a message of EventBridge.

    :raises ValueError: it is none of an API call via CloudTrail.
    """
    detail = message.get("detail")
    if not isinstance(detail, dict):
        raise ValueError("it has no detail")
    account, region = message.get("account"), detail.get("awsRegion")
    id, name, source = (detail.get(member) for member in ("eventID", "eventName", "eventSource"))
    if not (isinstance(id, str) and _ID.fullmatch(id)):
        raise ValueError("it has no eventID")
    if not (isinstance(account, str) and _ACCOUNT.fullmatch(account)):
        raise ValueError("it names no account")
    if not (isinstance(region, str) and _REGION.fullmatch(region)):
        raise ValueError("it names no region")
    if not (isinstance(name, str) and name.isalnum() and len(name) <= 100 and isinstance(source, str)):
        raise ValueError("it names no call")
    if detail.get("recipientAccountId", account) != account:
        raise ValueError("it names two accounts")
    service = source.removesuffix(".amazonaws.com")[:40]
    found = dict.fromkeys(touched(detail, account, region)) if _changed_something(detail) else {}
    return Event(id, account, f"{service}:{name}", region, tuple(found))


def _changed_something(detail: Mapping[str, Any]) -> bool:
    """Tell whether the call was made, went well, and was about configuration: data events are about contents."""
    data = detail.get("managementEvent") is False or detail.get("eventCategory") == "Data"
    read = detail.get("readOnly") is True or _READS.match(str(detail["eventName"]))
    return not (data or read or detail.get("errorCode"))


def touched(detail: Mapping[str, Any], account: str, region: str) -> Iterator[ChangedResource]:
    """Yield what a record of a write may have changed; nothing for what is not collected."""
    source = SOURCES.get(str(detail.get("eventSource", "")).removesuffix(".amazonaws.com"))
    if source is None:
        return
    said = _Said(
        str(detail["eventName"]),
        region,
        account,
        tuple(_texts(detail.get("requestParameters"))),
        tuple(_texts(detail.get("responseElements"))),
    )
    kinds = [kind for kind in source.kinds if re.search(kind.events, said.name)]
    ones = [*_always(source, said), *(each for kind in kinds for each in _named(kind, said))]
    if source.ids:
        ones += _by_prefix(said)
    if 0 < len(ones) <= MAX_TOUCHED:
        yield from ones
        return
    services = [each.service for each in ones or kinds]
    if not services and re.search(source.relevant, said.name):
        services = [source.whole]
    yield from (ChangedResource(service, _place(service, said.region)) for service in dict.fromkeys(services))


def _place(service: str, region: str) -> str:
    return ALL_REGIONS if service in _GLOBAL else region


_GLOBAL = frozenset({"account", "iam", "s3", "contacts", "cloudfront", "cloudtrail"})
"""Services whose resources belong to the whole account, as their collectors say; a test compares."""


def _always(source: Source, said: _Said) -> Iterator[ChangedResource]:
    """Yield what an event of this name touches whatever it says."""
    for rule in source.always:
        if re.search(rule.events, said.name):
            id = id_of(rule.id, said.region, said.account)
            yield ChangedResource(rule.service, _place(rule.service, said.region), rule.type, id)


def _named(kind: Kind, said: _Said) -> list[ChangedResource]:
    """Return the resources of a kind that the event names: by an ARN, else by a member that holds a name."""
    region = _place(kind.service, said.region)
    pattern = kind.pattern(said.region, said.account)
    arns = [text for _, _, text in (*said.request, *said.response) if pattern and pattern.fullmatch(text)]
    names = [*map(kind.called, arns)] if arns else _names(kind, said.request) or _names(kind, said.response)
    ids = [kind.id(said.region, said.account, name) for name in names]
    if arns and not (kind.made and kind.suffix):
        ids = arns  # in whatever partition
    return [
        ChangedResource(kind.service, region, kind.type, *each) for each in dict.fromkeys(zip(ids, names, strict=True))
    ]


def _names(kind: Kind, texts: tuple[tuple[int, str, str], ...]) -> list[str]:
    """Return the names under a kind's members: those at the top, or if there are none, those anywhere."""
    found = [(depth, kind.called(text)) for depth, member, text in texts if member in kind.members]
    top = [name for depth, name in found if depth == 1]
    return [name for name in top or [name for _, name in found] if name and name.isprintable()]


def _by_prefix(said: _Said) -> Iterator[ChangedResource]:
    """Yield what EC2's ids stand for, wherever in the event they are: sg-0123 is a security group."""
    for _, _, text in (*said.request, *said.response):
        prefix = text.partition("-")[0]
        known = EC2_IDS.get(prefix)
        if known and re.fullmatch(rf"{prefix}-[0-9a-f]{{8,17}}", text) and re.search(known.events, said.name):
            owner = said.account if known.owner else ""
            arn = f"arn:{partition_of(said.region)}:ec2:{said.region}:{owner}:{known.place}/{text}"
            yield ChangedResource(known.service, said.region, known.type, arn, text)


def _texts(
    value: Any, depth: int = 0, member: str = "", left: list[int] | None = None
) -> Iterator[tuple[int, str, str]]:
    """Yield every text in a document with the member that holds it, its list included, in lower case."""
    left = [MAX_NODES] if left is None else left
    left[0] -= 1
    if left[0] < 0 or depth > MAX_DEPTH:
        return
    if isinstance(value, str):
        if len(value) <= MAX_TEXT:
            yield depth, member.lower(), value
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _texts(each, depth + 1, name, left)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, depth, member, left)
