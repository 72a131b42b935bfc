"""What a trail logs, by its event selectors, whichever of their two forms it uses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from nephoscope.domain import View
from nephoscope_aws.access import is_on

READ, WRITE = "read", "write"
EVERYTHING = frozenset((READ, WRITE))
NOTHING: frozenset[str] = frozenset()

_RECORDED = {"All": EVERYTHING, "ReadOnly": frozenset((READ,)), "WriteOnly": frozenset((WRITE,))}
_EVERY_BUCKET = re.compile(r"arn:aws[a-z-]*:s3(:::)?")
_NOISY = {"kms.amazonaws.com", "rdsdata.amazonaws.com"}
"""The sources of management events that a trail may leave out
(https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html)."""

DATA_EVENTS = """
    aws cloudtrail put-event-selectors --region={HOME_REGION} --trail-name={TRAIL_NAME}
      --event-selectors='[{"ReadWriteType": "All", "IncludeManagementEvents": true,
      "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]}]'
"""
"""The commands that make a trail log what is done to objects; :data:`OF_TRAIL` are their inputs."""
OF_TRAIL = {"TRAIL_NAME": "the name of a multi-region trail", "HOME_REGION": "its home region"}


def shortfall(trail: View) -> str:
    """Why a trail does not watch the whole account; empty if it does."""
    if not is_on(trail["IsMultiRegionTrail"]):
        return "not a multi-region trail"
    if not is_on(trail["IsLogging"]):
        return "logging is off"
    return ""


def management_events(trail: View) -> frozenset[str]:
    """Which management events a trail records; all of them unless it was told otherwise.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html
    """
    if advanced := trail["AdvancedEventSelectors"]:
        return _union(_advanced(each, {"eventCategory": "Management"}) for each in advanced)
    classic = trail["EventSelectors"]
    if not classic:
        return EVERYTHING
    return _union(
        _RECORDED.get(each.get("ReadWriteType", "All"), NOTHING)
        for each in classic
        if is_on(each.get("IncludeManagementEvents", True))
    )


def object_events(trail: View) -> frozenset[str]:
    """Which data events of the objects in every bucket a trail records; none unless it was told to.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
    """
    if advanced := trail["AdvancedEventSelectors"]:
        wanted = {"eventCategory": "Data", "resources.type": "AWS::S3::Object"}
        return _union(_advanced(each, wanted) for each in advanced)
    return _union(
        _RECORDED.get(each.get("ReadWriteType", "All"), NOTHING)
        for each in trail.get("EventSelectors", ())
        if any(_every_object(data) for data in each.get("DataResources", ()))
    )


def _every_object(data: View) -> bool:
    return data["Type"] == "AWS::S3::Object" and _names_every_bucket(data.get("Values", ()))


def _names_every_bucket(arns: Iterable[Any]) -> bool:
    return any(_EVERY_BUCKET.fullmatch(str(arn)) for arn in arns)


def _advanced(selector: View, wanted: Mapping[str, str]) -> frozenset[str]:
    """What an advanced selector records of the events in which each wanted field has its value; nothing if it narrows.

    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html
    """
    recorded, missing = EVERYTHING, set(wanted)
    for field in selector.get("FieldSelectors", ()):
        name = field["Field"]
        if name in wanted:
            missing.discard(name)
            if wanted[name] not in list(field.get("Equals", ())):
                return NOTHING
        elif name == "readOnly":
            recorded &= frozenset(READ if is_on(each) else WRITE for each in field.get("Equals", ()))
        elif not _leaves_whole(name, field):
            return NOTHING
    return NOTHING if missing else recorded


def _leaves_whole(name: str, field: View) -> bool:
    """Say whether a further field leaves everything in that an auditor asks for."""
    operators = set(field.names()) - {"Field"}
    if name == "eventSource":
        return operators == {"NotEquals"} and set(field["NotEquals"]) <= _NOISY
    if name == "resources.ARN":
        return operators == {"StartsWith"} and _names_every_bucket(field["StartsWith"])
    return False


def _union(parts: Iterable[frozenset[str]]) -> frozenset[str]:
    return NOTHING.union(*parts)
