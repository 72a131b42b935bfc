"""Network interfaces, security groups, prefix lists and instances of one region.

Calls per region: 4, one more for each further 1,000 of a kind (100 prefix lists), and one for each prefix list that is
not AWS's. What a security group is attached to, the network interfaces say, which therefore come first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from nephoscope.domain import Resource, Service
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors import ec2_kinds, prefix_lists
from nephoscope_aws.collectors.shape import (
    Listing,
    actions,
    asked_for,
    existing,
    moment,
    part,
    picked,
    tag_dict,
    tag_list,
)
from nephoscope_aws.lookups import is_over
from nephoscope_aws.network import PREFIX_LIST

SECURITY_GROUP = "AWS::EC2::SecurityGroup"
NETWORK_INTERFACE = "AWS::EC2::NetworkInterface"
INSTANCE = "AWS::EC2::Instance"

READS = {
    ("ec2", "describe_security_groups"): "ec2:DescribeSecurityGroups",
    ("ec2", "describe_network_interfaces"): "ec2:DescribeNetworkInterfaces",
    ("ec2", "describe_instances"): "ec2:DescribeInstances",
    **prefix_lists.READS,
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
    attached: set[str] = set()
    listings: dict[str, Listing[Item]] = {
        kind.type: Listing(api.pages("ec2", kind.operation, kind.key, region=region, MaxResults=1000))
        for kind in _KINDS.values()
    }
    interfaces = listings[NETWORK_INTERFACE]
    items: dict[str, Iterable[Item]] = {
        **listings,
        NETWORK_INTERFACE: _noting_groups(interfaces, attached),
        SECURITY_GROUP: _with_attachment(listings[SECURITY_GROUP], attached, interfaces),
    }
    for kind in _KINDS.values():
        for item in items[kind.type]:
            yield from kind.resources(api, region, item)
        yield from listings[kind.type].unreadable(api, region, kind.type)
    yield from ec2_kinds.collect(api, region, [prefix_lists.KIND])


def _noting_groups(interfaces: Iterable[Item], attached: set[str]) -> Iterator[Item]:
    for each in interfaces:
        attached.update(_group_ids(each))
        yield each


def _with_attachment(groups: Iterable[Item], attached: set[str], interfaces: Listing[Item]) -> Iterator[Item]:
    """Yield the groups with whether a network interface has them; how many of these there are is known by now."""
    for each in groups:
        yield {**each, "Attached": each.get("GroupId") in attached or interfaces.hidden}


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one again by its id, in one call; a security group and a prefix list in two."""
    if resource.type == PREFIX_LIST:
        return ec2_kinds.reread(api, resource, prefix_lists.KIND)
    kind, id = _KINDS[resource.type], resource.id.rpartition("/")[2]
    answer = existing(lambda: api.call("ec2", kind.operation, region=resource.region, **{kind.ids: [id]}))
    items = asked_for(kind.operation, answer, kind.key)
    if kind.type == SECURITY_GROUP:
        items = [{**each, "Attached": part(lambda: _is_attached(api, resource.region, id))} for each in items]
    found = (each for item in items for each in kind.resources(api, resource.region, item))
    return next(found, None)


def _is_attached(api: Api, region: str, id: str) -> bool:
    which = [{"Name": "group-id", "Values": [id]}]
    return bool(api.call("ec2", "describe_network_interfaces", region=region, Filters=which)["NetworkInterfaces"])


def _group_ids(interface: Item) -> list[str]:
    return [group.get("GroupId", "") for group in interface.get("Groups", ())]


def _resource(api: Api, region: str, type: str, place: str, tags: Any, properties: Item, name: str = "") -> Resource:
    """Return one resource; ``place`` is the end of its ARN, and its name is the tag of that name if none is given."""
    listed = tag_list(tags)
    by_name = tag_dict(listed)
    return Resource(
        type,
        api.arn("ec2", region, place),
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
        "SecurityGroupIngress": list(_entries(group.get("IpPermissions", ()), "Source")),
        "SecurityGroupEgress": list(_entries(group.get("IpPermissionsEgress", ()), "Destination")),
        "Observed": picked(group, "Attached"),
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
        ports = picked(permission, "IpProtocol", "FromPort", "ToPort")
        for plural, member, name in sources:
            for source in permission.get(plural, ()):
                yield {**ports, name: source.get(member), "Description": source.get("Description")}


def _network_interfaces(api: Api, region: str, interface: Item) -> Iterator[Resource]:
    properties = {
        **picked(interface, "SubnetId", "PrivateIpAddress", "Description", "InterfaceType"),
        "GroupSet": _group_ids(interface),
        "Observed": {
            "PublicIps": _public_addresses(interface),
            "Status": interface.get("Status"),
            "InstanceId": interface.get("Attachment", {}).get("InstanceId"),
            "VpcId": interface.get("VpcId"),
        },
    }
    place = f"network-interface/{interface['NetworkInterfaceId']}"
    yield _resource(api, region, NETWORK_INTERFACE, place, interface.get("TagSet"), properties)


def _public_addresses(interface: Item) -> list[str]:
    """Return the public addresses of an interface: each of its private ones may have one."""
    associations = (each.get("Association") or {} for each in (interface, *interface.get("PrivateIpAddresses", ())))
    return sorted({each["PublicIp"] for each in associations if each.get("PublicIp")})


def _instances(api: Api, region: str, reservation: Item) -> Iterator[Resource]:
    for instance in reservation.get("Instances", ()):
        # One that is terminated stays listed for about an hour, with nothing left to judge.
        if not is_over(instance):
            place = f"instance/{instance['InstanceId']}"
            yield _resource(api, region, INSTANCE, place, instance.get("Tags"), _instance(instance))


def _instance(instance: Item) -> Item:
    return {
        **picked(instance, "InstanceId", "InstanceType", "ImageId", "SubnetId", "VpcId"),
        "SecurityGroupIds": [group["GroupId"] for group in instance.get("SecurityGroups", ())],
        "IamInstanceProfile": instance.get("IamInstanceProfile", {}).get("Arn"),
        "MetadataOptions": picked(
            instance.get("MetadataOptions", {}), "HttpTokens", "HttpEndpoint", "HttpPutResponseHopLimit"
        ),
        "PublicIp": instance.get("PublicIpAddress"),
        "PrivateIp": instance.get("PrivateIpAddress"),
        "Observed": {
            "PublicIps": sorted(
                {address for each in instance.get("NetworkInterfaces", ()) for address in _public_addresses(each)}
            ),
            "State": instance["State"]["Name"],
            "StateTransitionReason": instance.get("StateTransitionReason"),
            "LaunchTime": moment(instance.get("LaunchTime")),
        },
    }


_ALL = (
    _Kind(
        NETWORK_INTERFACE,
        "describe_network_interfaces",
        "NetworkInterfaces",
        "NetworkInterfaceIds",
        _network_interfaces,
    ),
    _Kind(SECURITY_GROUP, "describe_security_groups", "SecurityGroups", "GroupIds", _security_groups),
    _Kind(INSTANCE, "describe_instances", "Reservations", "InstanceIds", _instances),
)
_KINDS = {kind.type: kind for kind in _ALL}

COLLECTOR = Collector(Service("ec2", "Amazon EC2", (*_KINDS, PREFIX_LIST), actions(READS)), READS, collect, reread)
