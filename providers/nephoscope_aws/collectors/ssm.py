"""Machines that Systems Manager manages, and the account's own documents, of one region.

Calls per region: 1 for each 50 machines, and where there is one 1 for each 50 that report patches; 1 for each 50 own
documents and 1 for each document. The content of documents is not read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from typing import Any

from botocore.exceptions import ClientError

from nephoscope.domain import Resource, Service
from nephoscope_aws.api import Api, code_of
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.odd import each
from nephoscope_aws.collectors.shape import PROBLEMS, Listing, actions, hidden, needed, picked, tag_dict, tag_list

MANAGED = "AWS::SSM::ManagedInstanceInventory"
DOCUMENT = "AWS::SSM::Document"

READS = {
    ("ssm", "describe_instance_information"): "ssm:DescribeInstanceInformation",
    ("ssm", "list_resource_compliance_summaries"): "ssm:ListResourceComplianceSummaries",
    ("ssm", "list_documents"): "ssm:ListDocuments",
    ("ssm", "describe_document_permission"): "ssm:DescribeDocumentPermission",
}

SYNTHETIC: dict[str, tuple[str, ...]] = {MANAGED: ()}
"""Types that CloudFormation does not have; this one is what AWS Config calls a managed machine. All it says stands
under Observed, and its name is the machine's id: an EC2 instance's or, on other hardware, ``mi-…``."""

PATCHES = {"Key": "ComplianceType", "Values": ["Patch"], "Type": "EQUAL"}

_GONE = ("InvalidDocument",)
_MACHINE_GONE = ("InvalidInstanceId",)

Item = dict[str, Any]


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the region's managed machines, then the documents of the account; neither hides the other."""
    yield from _machines(api, region)
    listing = Listing(
        api.pages(
            "ssm",
            "list_documents",
            "DocumentIdentifiers",
            region=region,
            MaxResults=50,
            Filters=[{"Key": "Owner", "Values": ["Self"]}],
        )
    )
    yield from each(api, region, DOCUMENT, partial(_document, api, region), listing, calls=True)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one again: a document in one call, a machine in two."""
    if resource.type == DOCUMENT:
        shared = _shared(api, resource.region, resource.name)
        return None if shared is None else _document_shaped(api, resource.region, resource.properties, shared)
    answer = api.maybe(
        "ssm",
        "describe_instance_information",
        _MACHINE_GONE,
        region=resource.region,
        Filters=[{"Key": "InstanceIds", "Values": [resource.name]}],
    )
    machines = [] if answer is None else answer["InstanceInformationList"]
    if not machines:
        return None
    this = {"Key": "InstanceId", "Values": [resource.name], "Type": "EQUAL"}
    return _machine(api, resource.region, machines[0], _patched(api, resource.region, this))


# -- Machines ------------------------------------------------------------------------------------------------------


def _machines(api: Api, region: str) -> Iterator[Resource]:
    listing = Listing(
        api.pages("ssm", "describe_instance_information", "InstanceInformationList", region=region, MaxResults=50)
    )
    patched = cache(lambda: _patched(api, region))  # asked where there is a machine
    yield from each(api, region, MANAGED, lambda machine: _machine(api, region, machine, patched()), listing)


def _patched(api: Api, region: str, *filters: Item) -> Callable[[str], Any]:
    """Return what tells by a machine's id whether all wanted patches are on, as Patch Manager last reported it.

    It tells None for a machine that reported no patches yet.
    """
    items = api.pages(
        "ssm",
        "list_resource_compliance_summaries",
        "ResourceComplianceSummaryItems",
        region=region,
        MaxResults=50,
        Filters=[PATCHES, *filters],
    )
    try:
        statuses = {
            str(item["ResourceId"]): item["Status"] for item in items if item["ComplianceType"] == PATCHES["Values"][0]
        }
    except PROBLEMS as problem:
        why = hidden(problem)
        return lambda id: why
    return statuses.get


def _machine(api: Api, region: str, machine: Item, patched: Callable[[str], Any]) -> Resource:
    id = str(machine["InstanceId"])
    observed = {
        **picked(machine, "PingStatus", "ResourceType", "PlatformType", "PlatformName", "ComputerName"),
        "PatchStatus": patched(id),
    }
    arn = f"arn:aws:ssm:{region}:{api.account}:managed-instance/{id}"
    return Resource(MANAGED, arn, id, region, api.account, {"Observed": observed})


# -- Documents -----------------------------------------------------------------------------------------------------


def _document(api: Api, region: str, listed: Item) -> Resource | None:
    properties = {**needed(listed, "Name"), **picked(listed, "DocumentType"), "Tags": tag_list(listed.get("Tags"))}
    try:
        shared: Any = _shared(api, region, listed["Name"])
    except PROBLEMS as problem:
        shared = hidden(problem)
    return None if shared is None else _document_shaped(api, region, properties, shared)


def _shared(api: Api, region: str, name: str) -> list[str] | None:
    """Return the accounts that a document is shared with, ``all`` among them if it is public; None when it is gone."""
    pages = api.pages(
        "ssm", "describe_document_permission", "AccountIds", region=region, Name=name, PermissionType="Share"
    )
    try:
        return sorted(str(account) for account in pages)
    except ClientError as error:
        if code_of(error) in _GONE:
            return None
        raise


def _document_shaped(api: Api, region: str, properties: Mapping[str, Any], shared: Any) -> Resource:
    name = str(properties["Name"])
    arn = f"arn:aws:ssm:{region}:{api.account}:document/{name}"
    return Resource(
        DOCUMENT,
        arn,
        name,
        region,
        api.account,
        {**properties, "Observed": {"AccountIds": shared}},
        tag_dict(properties["Tags"]),
    )


COLLECTOR = Collector(
    Service("ssm", "AWS Systems Manager", (MANAGED, DOCUMENT), actions(READS)), READS, collect, reread
)
