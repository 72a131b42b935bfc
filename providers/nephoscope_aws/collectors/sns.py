"""SNS topics of one region.

Calls per region: 1 for each 100 topics and 1 for each topic.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nephoscope.domain import Resource, Service
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.odd import each
from nephoscope_aws.collectors.shape import PROBLEMS, Listing, actions, document, hidden, part

TOPIC = "AWS::SNS::Topic"

READS = {
    ("sns", "list_topics"): "sns:ListTopics",
    ("sns", "get_topic_attributes"): "sns:GetTopicAttributes",
}

SYNTHETIC = {TOPIC: ("Policy",)}
"""Properties that CloudFormation has on a type of its own (AWS::SNS::TopicPolicy) and that are folded in here."""

_GONE = ("NotFound", "NotFoundException")
_MEMBERS = ("KmsMasterKeyId", "Policy")

Item = dict[str, Any]


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the region's topics."""
    listing = Listing(api.pages("sns", "list_topics", "Topics", region=region))
    yield from each(
        api, region, TOPIC, lambda topic: _resource(api, region, str(topic["TopicArn"])), listing, calls=True
    )


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one topic again, in one call."""
    attributes = _attributes(api, resource.region, resource.id)
    return _shaped(api, resource.region, resource.id, attributes) if attributes else None


def _resource(api: Api, region: str, arn: str) -> Resource | None:
    try:
        attributes = _attributes(api, region, arn)
    except PROBLEMS as problem:
        attributes = dict.fromkeys(_MEMBERS, hidden(problem))
    return _shaped(api, region, arn, attributes) if attributes else None


def _attributes(api: Api, region: str, arn: str) -> Item | None:
    """Return a topic's properties from its attributes, of which AWS leaves out those that are not set."""
    answer = api.maybe("sns", "get_topic_attributes", _GONE, region=region, TopicArn=arn)
    if answer is None:
        return None
    attributes = answer["Attributes"]
    return {
        "KmsMasterKeyId": part(lambda: attributes.get("KmsMasterKeyId") or None),
        "Policy": part(lambda: document(attributes["Policy"])),
    }


def _shaped(api: Api, region: str, arn: str, attributes: Item) -> Resource:
    name = arn.rpartition(":")[2]
    properties = {"TopicArn": arn, "TopicName": name, **attributes}
    return Resource(TOPIC, arn, name, region, api.account, properties)


COLLECTOR = Collector(Service("sns", "Amazon SNS", (TOPIC,), actions(READS)), READS, collect, reread)
