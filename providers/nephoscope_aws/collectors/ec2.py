"""Network interfaces, security groups, prefix lists and instances of one region.

Calls per region: 4, one more for each further 1,000 of a kind (100 prefix lists), and one for each prefix list that is
not AWS's. What a security group is attached to, the network interfaces say, which therefore come first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from nephoscope.domain import Resource, Service
from nephoscope_aws.answers import Item, Unread
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors import ec2_kinds, prefix_lists
from nephoscope_aws.collectors.odd import each, isolated
from nephoscope_aws.collectors.shape import (
    PROBLEMS,
    Listing,
    actions,
    asked_for,
    existing,
    hidden,
    moment,
    needed,
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

Shaped = dict[str, Any]


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
    attached = _Attached()
    listings: dict[str, Listing[Item]] = {
        kind.type: Listing(api.pages("ec2", kind.operation, kind.key, region=region, MaxResults=1000))
        for kind in _KINDS.values()
    }
    interfaces = listings[NETWORK_INTERFACE]
    items: dict[str, Iterable[Item]] = {
        NETWORK_INTERFACE: attached.noting(interfaces),
        SECURITY_GROUP: attached.told(listings[SECURITY_GROUP], interfaces),
        INSTANCE: iter(listings[INSTANCE]),
    }
    for kind in _KINDS.values():
        yield from each(api, region, kind.type, partial(kind.resources, api, region), items[kind.type])
        yield from listings[kind.type].unreadable(api, region, kind.type)
    yield from ec2_kinds.collect(api, region, [prefix_lists.KIND])


@dataclass
class _Attached:
    """The security groups that network interfaces have, and what hid some of them."""

    groups: set[str] = field(default_factory=set)
    why: Any = False

    def noting(self, interfaces: Iterable[Item]) -> Iterator[Item]:
        for one in interfaces:
            try:
                self.groups.update(_group_ids(one))
            except PROBLEMS as problem:
                self.why = hidden(problem)
            yield one

    def told(self, groups: Iterable[Item], interfaces: Listing[Item]) -> Iterator[Item]:
        """Yield the groups with whether an interface has them; how many of these there are is known by now."""
        for one in groups:
            yield one.plus(Attached=part(partial(self._is_attached, one, interfaces)))

    def _is_attached(self, group: Item, interfaces: Listing[Item]) -> Any:
        return group["GroupId"] in self.groups or interfaces.hidden or self.why


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one again by its id, in one call; a security group and a prefix list in two."""
    if resource.type == PREFIX_LIST:
        return ec2_kinds.reread(api, resource, prefix_lists.KIND)
    kind, id = _KINDS[resource.type], resource.id.rpartition("/")[2]
    answer = existing(lambda: api.call("ec2", kind.operation, region=resource.region, **{kind.ids: [id]}))
    items = asked_for(kind.operation, answer, kind.key)
    if kind.type == SECURITY_GROUP:
        items = [one.plus(Attached=part(lambda: _is_attached(api, resource.region, id))) for one in items]
    found = (one for item in items for one in kind.resources(api, resource.region, item))
    return next(found, None)


def _is_attached(api: Api, region: str, id: str) -> bool:
    which = [{"Name": "group-id", "Values": [id]}]
    return bool(api.call("ec2", "describe_network_interfaces", region=region, Filters=which)["NetworkInterfaces"])


def _group_ids(interface: Item) -> list[str]:
    return [str(group["GroupId"]) for group in interface.get("Groups", ())]


def _resource(api: Api, region: str, type: str, place: str, tags: Any, properties: Shaped, name: str = "") -> Resource:
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
        "SecurityGroupIngress": part(lambda: [*_entries(group["IpPermissions"], "Source")]),
        "SecurityGroupEgress": part(lambda: [*_entries(group["IpPermissionsEgress"], "Destination")]),
        "Observed": needed(group, "Attached"),
    }
    place = f"security-group/{group['GroupId']}"
    yield _resource(api, region, SECURITY_GROUP, place, group.get("Tags"), properties, group["GroupName"])


def _entries(permissions: Any, end: str) -> Iterator[Shaped]:
    """Yield one entry per source: AWS gathers all sources of one range of ports, CloudFormation does not.

    AWS leaves out none of the lists; one that is not there may have held any source.
    """
    sources = (
        ("IpRanges", "CidrIp", "CidrIp"),
        ("Ipv6Ranges", "CidrIpv6", "CidrIpv6"),
        ("UserIdGroupPairs", "GroupId", f"{end}SecurityGroupId"),
        ("PrefixListIds", "PrefixListId", f"{end}PrefixListId"),
    )
    for permission in permissions:
        ports = needed(permission, "IpProtocol") | picked(permission, "FromPort", "ToPort")
        for plural, member, name in sources:
            found = permission[plural]
            for source in [{member: found}] if isinstance(found, Unread) else found:
                yield {**ports, name: source[member], "Description": source.get("Description")}


def _network_interfaces(api: Api, region: str, interface: Item) -> Iterator[Resource]:
    properties = {
        **picked(interface, "SubnetId", "PrivateIpAddress", "Description", "InterfaceType"),
        "GroupSet": part(lambda: _group_ids(interface)),
        "Observed": {
            "PublicIps": part(lambda: _public_addresses(interface)),
            "Status": interface.get("Status"),
            "InstanceId": interface.get("Attachment", {}).get("InstanceId"),
            "VpcId": interface.get("VpcId"),
        },
    }
    place = f"network-interface/{interface['NetworkInterfaceId']}"
    yield _resource(api, region, NETWORK_INTERFACE, place, interface.get("TagSet"), properties)


def _public_addresses(interface: Item) -> list[str]:
    """Return the public addresses of an interface: each of its private ones may have one."""
    associations = (one.get("Association") or {} for one in (interface, *interface.get("PrivateIpAddresses", ())))
    return sorted({str(one["PublicIp"]) for one in associations if one.get("PublicIp")})


def _instances(api: Api, region: str, reservation: Item) -> Iterator[Resource]:
    made = isolated(api, region, INSTANCE, partial(_instance, api, region))
    for instance in reservation["Instances"]:
        yield from made(instance)


def _instance(api: Api, region: str, instance: Item) -> Resource | None:
    # One that is terminated stays listed for about an hour, with nothing left to judge.
    if is_over(instance):
        return None
    place = f"instance/{instance['InstanceId']}"
    return _resource(api, region, INSTANCE, place, instance.get("Tags"), _of_instance(instance))


def _addresses_of(instance: Item) -> list[str]:
    interfaces = instance.get("NetworkInterfaces", ())
    return sorted({address for one in interfaces for address in _public_addresses(one)})


def _of_instance(instance: Item) -> Shaped:
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
            "PublicIps": part(lambda: _addresses_of(instance)),
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
