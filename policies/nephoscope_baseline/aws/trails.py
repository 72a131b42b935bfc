"""What a trail logs, by its event selectors, whichever of their two forms it uses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, product
from math import prod

from nephoscope.domain import NotKnown, Unknown, View
from nephoscope_aws.access import is_on

READ, WRITE = "true", "false"
"""Values of an event's field ``readOnly``."""

MANAGEMENT = {"eventCategory": "Management"}
OBJECTS = {"eventCategory": "Data", "eventSource": "s3.amazonaws.com", "resources.type": "AWS::S3::Object"}
"""Fields that tell the management events, and the data events of the objects in every bucket."""

NOISY = ("kms.amazonaws.com", "rdsdata.amazonaws.com")
"""The sources of management events that a trail may leave out
(https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html)."""

DATA_EVENTS = """
    aws cloudtrail put-event-selectors --region={HOME_REGION} --trail-name={TRAIL_NAME}
      --advanced-event-selectors='[{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]},
      {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]},
      {"Field": "resources.type", "Equals": ["AWS::S3::Object"]}]}]'
"""
"""The commands that make a trail log what is done to objects; :data:`OF_TRAIL` are their inputs."""
OF_TRAIL = {"TRAIL_NAME": "the name of a multi-region trail", "HOME_REGION": "its home region"}

Condition = tuple[str, str, tuple[str, ...]]
"""A field, an operator, and the values that it compares with."""

_RECORDED = {"All": (READ, WRITE), "ReadOnly": (READ,), "WriteOnly": (WRITE,)}
_PARTITION = re.compile(r"^arn:aws[a-z-]*:")
_BEGINS = {"resources.ARN": "arn:aws:s3:::"}
"""How every value of a field begins, of the events that are asked for."""
_OTHER = "\0"
"""What no selector names."""
_NEEDED = {"eventCategory", "resources.type"}
"""Fields without which a selector selects nothing."""
_MOST = 20_000
"""Combinations of values that are tried; a trail with more of them counts as one that leaves something out."""

_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "Equals": str.__eq__,
    "StartsWith": str.startswith,
    "EndsWith": str.endswith,
}


def shortfall(trail: View) -> str:
    """Why a trail does not watch the whole account; empty if it does."""
    if not is_on(trail["IsMultiRegionTrail"]):
        return "not a multi-region trail"
    if not is_on(trail["IsLogging"]):
        return "logging is off"
    return ""


def unlogged(trail: View, *events: Mapping[str, str]) -> str:
    """Return which of these management events (all without any) a trail leaves out, in words; empty if none."""
    if all(records(trail, {**MANAGEMENT, **each}) for each in events or ({},)):
        return ""
    if records(trail, {**MANAGEMENT, "eventSource": "ec2.amazonaws.com"}):
        for source in NOISY:
            if not records(trail, {**MANAGEMENT, "eventSource": source}):
                return f"management events of {source} are not logged"
    return "not all management events are logged"


def records(trail: View, event: Mapping[str, str]) -> bool:
    """Tell whether a trail records every event with these fields, whatever the others say.

    Selectors that cover them together count. All management events and nothing else are recorded by default.
    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html
    """
    selectors = [
        [each for each in one if each[0] not in event]
        for one in _selectors(trail)
        if event.keys() & _NEEDED <= {field for field, _, _ in one}
        and all(_holds(how, event[field], values) for field, how, values in one if field in event)
    ]
    standing = {field: _standing_for_all(field, named) for field, named in _named(selectors).items()}
    if prod(map(len, standing.values())) * len(selectors) > _MOST:
        return False
    others = (dict(zip(standing, values, strict=True)) for values in product(*standing.values()))
    return all(any(_selects(one, each) for one in selectors) for each in others)


def _named(selectors: list[list[Condition]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for field, _, values in chain.from_iterable(selectors):
        found.setdefault(field, set()).update(values)
    return found


def _standing_for_all(field: str, named: set[str]) -> list[str]:
    """Return values that stand for all that a field can have, where selectors compare it with those ``named``.

    Each of them, one that begins with it, one that ends with it, one that does both, and one unlike any.
    """
    if field == "readOnly":
        return [READ, WRITE]
    begin = _BEGINS.get(field, "")
    ways = {*named, *(each + _OTHER for each in named), *(begin + _OTHER + each for each in named)}
    ways |= {first + _OTHER + last for first in named for last in named} if len(named) <= 20 else set()
    return [begin + _OTHER, *sorted(each for each in ways if each.startswith(begin))]


def _selects(selector: list[Condition], event: Mapping[str, str]) -> bool:
    return all(_holds(how, event[field], values) for field, how, values in selector)


def _holds(how: str, value: str, wanted: tuple[str, ...]) -> bool:
    compare = _OPERATORS.get(how.removeprefix("Not"))
    if compare is None:
        return False
    return any(compare(value, each) for each in wanted) is not how.startswith("Not")


def _selectors(trail: View) -> Iterator[list[Condition]]:
    """Yield a trail's selectors, the classic ones in the form of the advanced ones."""
    if advanced := list(trail.objects("AdvancedEventSelectors")):
        yield from (_advanced(each) for each in advanced)
        return
    classic = list(trail.objects("EventSelectors"))
    if not classic:
        yield [("eventCategory", "Equals", ("Management",))]
        return
    for each in classic:
        yield from _classic(each)


def _advanced(selector: View) -> list[Condition]:
    return [
        (str(field["Field"]), how, _texts(field, how))
        for field in selector.objects("FieldSelectors")
        for how in field.names()
        if how != "Field" and field[how]
    ]


def _classic(selector: View) -> Iterator[list[Condition]]:
    """https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html"""
    kind = ("readOnly", "Equals", _RECORDED.get(str(selector.get("ReadWriteType", "All")), ()))
    if is_on(selector.get("IncludeManagementEvents", True)):
        left_out = _texts(selector, "ExcludeManagementEventSources")
        yield [("eventCategory", "Equals", ("Management",)), kind, ("eventSource", "NotEquals", left_out)]
    for data in selector.objects("DataResources"):
        arns = _texts(data, "Values")
        named = [("resources.type", "Equals", (str(data["Type"]),)), ("resources.ARN", "StartsWith", arns)]
        yield [("eventCategory", "Equals", ("Data",)), kind, *named]


def _texts(holder: View, name: str) -> tuple[str, ...]:
    values = holder.get(name, ())
    listed = isinstance(values, tuple) or (isinstance(values, View) and values.is_list)
    if not listed or any(isinstance(each, View) for each in values):
        raise NotKnown(f"{holder.path}.{name}", Unknown("it is not a list of texts"))
    return tuple(_plain(each) for each in values)


def _plain(value: object) -> str:
    """Return a value with the standard partition, which stands for each: a trail sees its own alone."""
    return _PARTITION.sub("arn:aws:", str(value).lower() if isinstance(value, bool) else str(value))
