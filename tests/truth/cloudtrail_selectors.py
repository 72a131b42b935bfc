"""What the account's trails log together: one account for each way to choose events, and for each place to look."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.truth.account import ABROAD, HOME, REGIONS, Holding, Truth
from tests.truth.buckets import made

Selector = dict[str, Any]
ALL = "multi_region s3_write_events s3_read_events"
BOTH = "s3_write_events s3_read_events"
KMS, RDS_DATA = "kms.amazonaws.com", "rdsdata.amazonaws.com"


def classic(kind: str = "All", *arns: str, management: bool = True, without: tuple[str, ...] = ()) -> Selector:
    data = [{"Type": "AWS::S3::Object", "Values": list(arns)}] if arns else []
    return {
        "ReadWriteType": kind,
        "IncludeManagementEvents": management,
        "DataResources": data,
        "ExcludeManagementEventSources": list(without),
    }


def advanced(category: str, **fields: Any) -> Selector:
    """``resources_type`` stands for resources.type; a text is what the field equals."""
    chosen = [{"Field": "eventCategory", "Equals": [category]}]
    for name, how in fields.items():
        chosen.append({"Field": name.replace("_", "."), **({"Equals": [how]} if isinstance(how, str) else how)})
    return {"FieldSelectors": chosen}


def objects(**fields: Any) -> Selector:
    return advanced("Data", resources_type="AWS::S3::Object", **fields)


MANAGED = advanced("Management")
ONE = "arn:aws:s3:::one-bucket/"

CHOSEN: dict[str, tuple[list[Selector], str]] = {
    "unset": ([], BOTH),
    "all": ([classic()], BOTH),
    "only-reads": ([classic("ReadOnly")], ALL),
    "only-writes": ([classic("WriteOnly")], ALL),
    "reads-and-writes": ([classic("ReadOnly"), classic("WriteOnly")], BOTH),
    "without-kms": ([classic(without=(KMS,))], ALL),
    "without-rds-data": ([classic(without=(RDS_DATA,))], ALL),
    "without-in-one": ([classic(without=(KMS,)), classic()], BOTH),
    "no-management": ([classic("All", "arn:aws:s3", management=False)], "multi_region"),
    "every-object": ([classic("All", "arn:aws:s3")], ""),
    "every-object-as-written-by-terraform": ([classic("All", "arn:aws:s3:::")], ""),
    "object-reads": ([classic(), classic("ReadOnly", "arn:aws:s3", management=False)], "s3_write_events"),
    "object-writes": ([classic(), classic("WriteOnly", "arn:aws:s3", management=False)], "s3_read_events"),
    "one-bucket": ([classic("All", ONE)], BOTH),
    "one-bucket-and-all": ([classic("All", ONE, "arn:aws:s3")], ""),
    "managed": ([MANAGED], BOTH),
    "managed-writes": ([advanced("Management", readOnly="false")], ALL),
    "managed-halves": ([advanced("Management", readOnly="true"), advanced("Management", readOnly="false")], BOTH),
    "managed-without-kms": ([advanced("Management", eventSource={"NotEquals": [KMS]})], ALL),
    "managed-and-objects": ([MANAGED, objects()], ""),
    "managed-and-object-reads": ([MANAGED, objects(readOnly="true")], "s3_write_events"),
    "managed-and-object-writes": ([MANAGED, objects(readOnly="false")], "s3_read_events"),
    "managed-and-object-halves": ([MANAGED, objects(readOnly="false"), objects(readOnly="true")], ""),
    "managed-and-puts": ([MANAGED, objects(eventName="PutObject")], BOTH),
    "managed-and-one-bucket": ([MANAGED, objects(resources_ARN={"StartsWith": [ONE]})], BOTH),
    "managed-and-all-but-one": ([MANAGED, objects(resources_ARN={"NotStartsWith": [ONE]})], BOTH),
    "managed-and-all-by-arn": ([MANAGED, objects(resources_ARN={"StartsWith": ["arn:aws:s3:::"]})], ""),
    "managed-and-functions": ([MANAGED, advanced("Data", resources_type="AWS::Lambda::Function")], BOTH),
    "only-objects": ([objects()], "multi_region"),
}
"""The selectors of a trail that logs in all regions, and which of the account's rules fail."""

Trails = dict[str, dict[str, Any]]
GOOD = {"selectors": [classic("All", "arn:aws:s3")]}

PLACES: dict[str, tuple[Trails, str, tuple[str, ...]]] = {
    "nothing": ({}, ALL, REGIONS),
    "good": ({"main": GOOD}, "", REGIONS),
    "at-home-abroad": ({"main": {**GOOD, "region": ABROAD}}, "", REGIONS),
    "stopped": ({"main": {**GOOD, "logs": False}}, ALL, REGIONS),
    "one-region": ({"main": {**GOOD, "everywhere": False}}, ALL, REGIONS),
    "one-in-each-region": (
        {"here": {**GOOD, "everywhere": False}, "there": {**GOOD, "everywhere": False, "region": ABROAD}},
        ALL,
        REGIONS,
    ),
    "second-is-good": ({"aaa": {"logs": False}, "bbb": {"everywhere": False}, "ccc": GOOD}, "", REGIONS),
    "no-single-one": (
        {"reads": {"selectors": [classic("ReadOnly")]}, "writes": {"selectors": [classic("WriteOnly")]}},
        ALL,
        REGIONS,
    ),
    "different-ones": ({"main": {}, "objects": {"selectors": [objects()]}}, "", REGIONS),
    "deleted": ({"main": {**GOOD, "deleted": True}}, ALL, REGIONS),
    "home-not-scanned": ({"main": GOOD}, "", (ABROAD,)),
    "home-not-scanned-stopped": ({"main": {**GOOD, "logs": False}}, ALL, (ABROAD,)),
    "home-not-scanned-one-region": ({"main": {**GOOD, "everywhere": False}}, ALL, (ABROAD,)),
    "abroad-not-scanned": ({"main": {**GOOD, "region": ABROAD}}, "", (HOME,)),
    "nothing-in-the-one-region": ({}, ALL, (ABROAD,)),
}
"""The account's trails, which rules fail, and the regions that are scanned. Trails of all regions show in each."""


def _make(truth: Truth, trails: Trails, fails: str, regions: tuple[str, ...] = REGIONS) -> None:
    for name, trail in trails.items():
        _trail(truth, name, **trail)
        if not trail.get("deleted") and (trail.get("everywhere", True) or trail.get("region", HOME) in regions):
            truth.judged(name, fails="validation kms cloudwatch", unknown="bucket_public bucket_logging")
    _verdict(truth, fails)


def _verdict(truth: Truth, fails: str) -> None:
    passes = " ".join(rule for rule in ALL.split() if rule not in fails.split())
    truth.judged(truth.cloud.account, fails=fails, passes=passes)


def _trail(
    truth: Truth,
    name: str,
    selectors: list[Selector] | None = None,
    *,
    region: str = HOME,
    everywhere: bool = True,
    logs: bool = True,
    deleted: bool = False,
) -> None:
    cloudtrail = truth.client("cloudtrail", region)
    bucket = made(truth, f"{name}-logs")
    cloudtrail.create_trail(Name=name, S3BucketName=bucket, IsMultiRegionTrail=everywhere)
    if logs:
        cloudtrail.start_logging(Name=name)
    if selectors:
        kind = "AdvancedEventSelectors" if "FieldSelectors" in selectors[0] else "EventSelectors"
        cloudtrail.put_event_selectors(TrailName=name, **{kind: selectors})
    if deleted:
        cloudtrail.delete_trail(Name=name)


def _hide(truth: Truth, action: str, regions: list[str], unknown: str) -> None:
    """Make a good trail and one without data events, then deny a call."""
    _trail(truth, "good-trail", GOOD["selectors"])
    _trail(truth, "other-trail", region=ABROAD)
    truth.cloud.control("deny", actions=[f"cloudtrail:{action}"], regions=regions)
    truth.judged(truth.cloud.account, unknown=unknown, passes=" ".join({*ALL.split()} - {*unknown.split()}))
    for name, region in (("good-trail", HOME), ("other-trail", ABROAD)):
        if action == "DescribeTrails":
            said = "validation kms cloudwatch bucket_public bucket_logging"
            truth.judged(f"unlisted:AWS::CloudTrail::Trail:{region}:0", unknown=said)
        else:
            truth.judged(name, fails="validation kms cloudwatch", unknown="bucket_public bucket_logging")


SERVICES = ("account", "cloudtrail")

BY_SELECTORS = [
    Holding("cloudtrail", name, partial(_make, trails={"main": {"selectors": chosen}}, fails=fails), services=SERVICES)
    for name, (chosen, fails) in CHOSEN.items()
]
BY_PLACE = [
    Holding("cloudtrail", name, partial(_make, trails=trails, fails=fails, regions=regions), regions, SERVICES)
    for name, (trails, fails, regions) in PLACES.items()
]
HIDDEN = [
    Holding(
        "cloudtrail",
        f"hidden-{place}-{action}",
        partial(_hide, action=action, regions=list(regions), unknown=unknown),
        services=SERVICES,
    )
    for place, action, regions, unknown in (
        ("everywhere", "DescribeTrails", REGIONS, ALL),
        ("everywhere", "GetTrailStatus", REGIONS, ALL),
        ("everywhere", "GetEventSelectors", REGIONS, ALL),
        ("at-home", "GetEventSelectors", (HOME,), BOTH),
        ("abroad", "GetEventSelectors", (ABROAD,), ""),
    )
]
"""One good trail outweighs another that could not be read, and a trail that logs too little does not outweigh it."""


def _unchosen(truth: Truth) -> None:
    """Nobody looks at trails, so there may be one."""
    truth.judged(truth.cloud.account, unknown=ALL)


UNCHOSEN = Holding("cloudtrail", "unchosen", _unchosen, services=("account",))
