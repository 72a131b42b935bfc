"""SQS queues of one region.

Calls per region: 1 for each 1,000 queues and 1 for each queue. Of a queue's attributes only those that a person sets
are kept: the counts of messages move all the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from nephoscope.domain import Resource, Service
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.odd import each
from nephoscope_aws.collectors.shape import PROBLEMS, Listing, actions, document, hidden, part

QUEUE = "AWS::SQS::Queue"

READS = {
    ("sqs", "list_queues"): "sqs:ListQueues",
    ("sqs", "get_queue_attributes"): "sqs:GetQueueAttributes",
}

SYNTHETIC = {QUEUE: ("Policy",)}
"""Properties that CloudFormation has on a type of its own (AWS::SQS::QueuePolicy) and that are folded in here."""

_GONE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
"""The same refusal, by the older query protocol's name and by the one of today."""

_MEMBERS = ("KmsMasterKeyId", "SqsManagedSseEnabled", "Policy")

Item = dict[str, Any]


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the region's queues."""
    # Without MaxResults SQS answers no more than 1,000 queues and no token for the rest.
    listing = Listing(api.pages("sqs", "list_queues", "QueueUrls", region=region, MaxResults=1000))
    yield from each(api, region, QUEUE, partial(_resource, api, region), listing, calls=True)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one queue again, in one call. Its address is where its name is."""
    url = f"{resource.properties['QueueUrl'].rpartition('/')[0]}/{resource.name}"
    attributes = _attributes(api, resource.region, url)
    return _shaped(api, resource.region, url, attributes) if attributes else None


def _resource(api: Api, region: str, url: str) -> Resource | None:
    try:
        attributes = _attributes(api, region, url)
    except PROBLEMS as problem:
        attributes = dict.fromkeys(_MEMBERS, hidden(problem))
    return _shaped(api, region, url, attributes) if attributes else None


def _attributes(api: Api, region: str, url: str) -> Item | None:
    """Return a queue's properties from its attributes, which are all text."""
    answer = api.maybe("sqs", "get_queue_attributes", _GONE, region=region, QueueUrl=url, AttributeNames=["All"])
    if answer is None:
        return None
    attributes = answer["Attributes"]
    return {
        "KmsMasterKeyId": part(lambda: attributes.get("KmsMasterKeyId") or None),
        "SqsManagedSseEnabled": part(lambda: str(attributes["SqsManagedSseEnabled"]).lower() == "true"),
        "Policy": part(lambda: document(attributes["Policy"]) if attributes.get("Policy") else None),
    }


def _shaped(api: Api, region: str, url: str, attributes: Item) -> Resource:
    name = str(url).rpartition("/")[2]
    arn = f"arn:aws:sqs:{region}:{api.account}:{name}"
    properties = {"QueueName": name, "QueueUrl": url, **attributes}
    return Resource(QUEUE, arn, name, region, api.account, properties)


COLLECTOR = Collector(Service("sqs", "Amazon SQS", (QUEUE,), actions(READS)), READS, collect, reread)
