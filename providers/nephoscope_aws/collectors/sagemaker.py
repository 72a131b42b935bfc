"""SageMaker notebook instances of one region.

Calls per region: 1 for each 100 notebook instances, and 1 for each of them: the list lacks what the rules need. Tags
would be one more for each, and no rule needs them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from nephoscope.domain import Resource, Service
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.odd import each, is_one_of
from nephoscope_aws.collectors.shape import PROBLEMS, Listing, actions, hidden, needed, part, picked

NOTEBOOK = "AWS::SageMaker::NotebookInstance"

READS = {
    ("sagemaker", "list_notebook_instances"): "sagemaker:ListNotebookInstances",
    ("sagemaker", "describe_notebook_instance"): "sagemaker:DescribeNotebookInstance",
}

Item = dict[str, Any]

_DESCRIBED = (
    "DirectInternetAccess",
    "RootAccess",
    "SubnetId",
    "RoleArn",
    "KmsKeyId",
    "PlatformIdentifier",
    "InstanceMetadataServiceConfiguration",
    "SecurityGroupIds",
)


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the region's notebook instances."""
    listing = Listing(
        api.pages("sagemaker", "list_notebook_instances", "NotebookInstances", region=region, MaxResults=100)
    )
    yield from each(api, region, NOTEBOOK, partial(_resource, api, region), listing, calls=True)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one notebook instance again, in one call."""
    found = _described(api, resource.region, resource.name)
    if not found or _deleting(found):
        return None
    return _shaped(api, resource.region, found, _members(found))


def _deleting(item: Item) -> bool:
    return is_one_of(item.get("NotebookInstanceStatus"), ("Deleting",))


def _described(api: Api, region: str, name: str) -> Item | None:
    """Return a notebook instance, or None when it is gone.

    SageMaker has no error code for that: it answers ValidationException with the message "RecordNotFound".
    """
    try:
        return api.call("sagemaker", "describe_notebook_instance", region=region, NotebookInstanceName=name)
    except ClientError as error:
        if "RecordNotFound" in str(error):
            return None
        raise


def _resource(api: Api, region: str, listed: Item) -> Resource | None:
    """Return a notebook instance that was listed, or None when it is gone or going meanwhile."""
    if _deleting(listed):
        return None
    try:
        found = _described(api, region, listed["NotebookInstanceName"])
    except PROBLEMS as problem:
        return _shaped(api, region, listed, dict.fromkeys(_DESCRIBED, hidden(problem)))
    return _shaped(api, region, found, _members(found)) if found else None


def _members(found: Item) -> Item:
    groups = part(lambda: found.get("SecurityGroups") or [])
    return {**picked(found, *_DESCRIBED), **needed(found, "DirectInternetAccess"), "SecurityGroupIds": groups}


def _shaped(api: Api, region: str, item: Item, members: Item) -> Resource:
    arn, name = item["NotebookInstanceArn"], item["NotebookInstanceName"]
    properties = {
        **picked(item, "NotebookInstanceName", "InstanceType"),
        "LifecycleConfigName": item.get("NotebookInstanceLifecycleConfigName"),
        **members,
    }
    return Resource(NOTEBOOK, arn, name, region, api.account, properties)


COLLECTOR = Collector(Service("sagemaker", "Amazon SageMaker AI", (NOTEBOOK,), actions(READS)), READS, collect, reread)
