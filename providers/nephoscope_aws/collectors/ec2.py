"""Security groups, network interfaces and instances of one region.

Calls per region: 3, and one more for each further 1,000 of a kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from nephoscope.domain import Resource, Service
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.odd import each, is_one_of, isolated
from nephoscope_aws.collectors.shape import (
    Listing,
    actions,
    asked_for,
    existing,
    moment,
    needed,
    part,
    picked,
    tag_dict,
    tag_list,
)

SECURITY_GROUP = "AWS::EC2::SecurityGroup"
NETWORK_INTERFACE = "AWS::EC2::NetworkInterface"
INSTANCE = "AWS::EC2::Instance"

READS = {
    ("ec2", "describe_security_groups"): "ec2:DescribeSecurityGroups",
    ("ec2", "describe_network_interfaces"): "ec2:DescribeNetworkInterfaces",
    ("ec2", "describe_instances"): "ec2:DescribeInstances",
}

Item = dict[str, Any]


@dataclass(frozen=True)
class _Kind:
    """How one type is listed: the operation, the answer's list, the parameter that names ids, an item's resources."""

    type: str
    operation: str
    key: str
    ids: str
    resources: Callable[[Api, str, Item], Iterator[Resource]]


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield what the region holds; a kind that cannot be listed does not hide the others."""
    for kind in _KINDS.values():
        listing = Listing(api.pages("ec2", kind.operation, kind.key, region=region, MaxResults=1000))
        yield from each(api, region, kind.type, partial(kind.resources, api, region), listing)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one again by its id, in one call."""
    kind, id = _KINDS[resource.type], resource.id.rpartition("/")[2]
    answer = existing(lambda: api.call("ec2", kind.operation, region=resource.region, **{kind.ids: [id]}))
    found = (
        one
        for item in asked_for(kind.operation, answer, kind.key)
        for one in kind.resources(api, resource.region, item)
    )
    return next(found, None)


def _resource(api: Api, region: str, type: str, place: str, tags: Any, properties: Item, name: str = "") -> Resource:
    """Return one resource; ``place`` is the end of its ARN, and its name is the tag of that name if none is given."""
    listed = tag_list(tags)
    by_name = tag_dict(listed)
    return Resource(
        type,
        f"arn:aws:ec2:{region}:{api.account}:{place}",
        name or by_name.get("Name") or place.rpartition("/")[2],
        region,
        api.account,
        {**properties, "Tags": listed},
        by_name,
    )


def _security_groups(api: Api, region: str, group: Item) -> Iterator[Resource]:
    properties = {
        **picked(group, "GroupId", "GroupName", "VpcId"),
        "GroupDescription": group.get("Description"),
        "SecurityGroupIngress": part(lambda: [*_entries(group["IpPermissions"], "Source")]),
        "SecurityGroupEgress": part(lambda: [*_entries(group["IpPermissionsEgress"], "Destination")]),
    }
    place = f"security-group/{group['GroupId']}"
    yield _resource(api, region, SECURITY_GROUP, place, group.get("Tags"), properties, group["GroupName"])


def _entries(permissions: Any, end: str) -> Iterator[Item]:
    """Yield one entry per source: AWS gathers all sources of one range of ports, CloudFormation does not."""
    sources = (
        ("IpRanges", "CidrIp", "CidrIp"),
        ("Ipv6Ranges", "CidrIpv6", "CidrIpv6"),
        ("UserIdGroupPairs", "GroupId", f"{end}SecurityGroupId"),
        ("PrefixListIds", "PrefixListId", f"{end}PrefixListId"),
    )
    for permission in permissions:
        ports = needed(permission, "IpProtocol") | picked(permission, "FromPort", "ToPort")
        for plural, member, name in sources:
            for source in permission.get(plural, ()):
                yield {**ports, name: source.get(member), "Description": source.get("Description")}


def _network_interfaces(api: Api, region: str, interface: Item) -> Iterator[Resource]:
    properties = {
        **picked(interface, "SubnetId", "PrivateIpAddress", "Description", "InterfaceType"),
        "GroupSet": part(lambda: [str(group["GroupId"]) for group in interface.get("Groups", ())]),
        "Observed": {
            "PublicIp": interface.get("Association", {}).get("PublicIp"),
            "Status": interface.get("Status"),
            "InstanceId": interface.get("Attachment", {}).get("InstanceId"),
            "VpcId": interface.get("VpcId"),
        },
    }
    place = f"network-interface/{interface['NetworkInterfaceId']}"
    yield _resource(api, region, NETWORK_INTERFACE, place, interface.get("TagSet"), properties)


def _instances(api: Api, region: str, reservation: Item) -> Iterator[Resource]:
    made = isolated(api, region, INSTANCE, partial(_instance, api, region))
    for instance in reservation["Instances"]:
        yield from made(instance)


def _instance(api: Api, region: str, instance: Item) -> Resource | None:
    # A terminated instance stays listed for about an hour, with nothing left to judge.
    if is_one_of(instance["State"]["Name"], ("terminated",)):
        return None
    place = f"instance/{instance['InstanceId']}"
    return _resource(api, region, INSTANCE, place, instance.get("Tags"), _of_instance(instance))


def _of_instance(instance: Item) -> Item:
    return {
        **picked(instance, "InstanceId", "InstanceType", "ImageId", "SubnetId", "VpcId"),
        "SecurityGroupIds": part(lambda: [str(group["GroupId"]) for group in instance.get("SecurityGroups", ())]),
        "IamInstanceProfile": instance.get("IamInstanceProfile", {}).get("Arn"),
        "MetadataOptions": picked(
            instance.get("MetadataOptions", {}), "HttpTokens", "HttpEndpoint", "HttpPutResponseHopLimit"
        ),
        "PublicIp": instance.get("PublicIpAddress"),
        "PrivateIp": instance.get("PrivateIpAddress"),
        "Observed": {
            "State": instance["State"]["Name"],
            "StateTransitionReason": instance.get("StateTransitionReason"),
            "LaunchTime": moment(instance.get("LaunchTime")),
        },
    }


_ALL = (
    _Kind(SECURITY_GROUP, "describe_security_groups", "SecurityGroups", "GroupIds", _security_groups),
    _Kind(
        NETWORK_INTERFACE,
        "describe_network_interfaces",
        "NetworkInterfaces",
        "NetworkInterfaceIds",
        _network_interfaces,
    ),
    _Kind(INSTANCE, "describe_instances", "Reservations", "InstanceIds", _instances),
)
_KINDS = {kind.type: kind for kind in _ALL}

COLLECTOR = Collector(Service("ec2", "Amazon EC2", tuple(_KINDS), actions(READS)), READS, collect, reread)
