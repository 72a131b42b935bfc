"""Load balancers of all four types (application, network, gateway, classic) of one region, and their listeners.

Calls per region: 2, and one more for each further 400 load balancers of a generation; 1 for the tags of each 20; 2 for
each load balancer (attributes, listeners), 1 for each classic one (attributes; its listeners come with it). Listeners
have tags of their own, which no rule reads and which are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from nephoscope.domain import Resource, Service, unknown
from nephoscope_aws.answers import Unavailable, Unread
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.many import batches
from nephoscope_aws.collectors.odd import each
from nephoscope_aws.collectors.shape import (
    PROBLEMS,
    Listing,
    actions,
    existing,
    needed,
    part,
    picked,
    reason,
    tag_dict,
    tag_list,
)

BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
LISTENER = "AWS::ElasticLoadBalancingV2::Listener"
CLASSIC = "AWS::ElasticLoadBalancing::LoadBalancer"

READS = {
    ("elbv2", "describe_load_balancers"): "elasticloadbalancing:DescribeLoadBalancers",
    ("elbv2", "describe_load_balancer_attributes"): "elasticloadbalancing:DescribeLoadBalancerAttributes",
    ("elbv2", "describe_listeners"): "elasticloadbalancing:DescribeListeners",
    ("elbv2", "describe_tags"): "elasticloadbalancing:DescribeTags",
    ("elb", "describe_load_balancers"): "elasticloadbalancing:DescribeLoadBalancers",
    ("elb", "describe_load_balancer_attributes"): "elasticloadbalancing:DescribeLoadBalancerAttributes",
    ("elb", "describe_tags"): "elasticloadbalancing:DescribeTags",
}

PAGE = 400
"""The most load balancers in one answer; https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/"""

BATCH = 20
"""The most load balancers that one DescribeTags takes (same reference)."""

Item = dict[str, Any]


@dataclass(frozen=True)
class _Generation:
    """How one API names things: its list, what identifies a load balancer, and how tags are asked for and answered."""

    service: str
    key: str
    id: str
    tagged: str
    ids: str


_V2 = _Generation("elbv2", "LoadBalancers", "LoadBalancerArn", "ResourceArn", "ResourceArns")
_V1 = _Generation("elb", "LoadBalancerDescriptions", "LoadBalancerName", "LoadBalancerName", "LoadBalancerNames")


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the region's load balancers, each followed by its listeners; one generation does not hide the other."""
    return _everything(api, region)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one again: 3 calls for a load balancer, 1 for a listener."""
    return existing(lambda: _REREAD[resource.type](api, resource))


def _everything(api: Api, region: str) -> Iterator[Resource]:
    for generation, read, types in ((_V2, _with_listeners, (BALANCER, LISTENER)), (_V1, _classic, (CLASSIC,))):
        pages = api.pages(generation.service, "describe_load_balancers", generation.key, region=region, PageSize=PAGE)
        listing = Listing(pages)
        tagged = _tagged(api, region, generation, listing)
        yield from each(api, region, types, partial(_read, read, api, region), tagged, calls=True)
        yield from listing.unreadable(api, region, *types)


def _read(
    read: Callable[[Api, str, Item, Any], list[Resource]], api: Api, region: str, tagged: tuple[Item, Any]
) -> list[Resource]:
    return read(api, region, *tagged)


def _tagged(api: Api, region: str, generation: _Generation, items: Any) -> Iterator[tuple[Item, Any]]:
    """Yield each load balancer with its tags, or with what stands for them."""
    for batch in batches(items, BATCH):
        ids = [one[generation.id] for one in batch]
        tags = _tags(api, region, generation, [id for id in ids if isinstance(id, str)])
        yield from ((one, part(partial(tags, id))) for one, id in zip(batch, ids, strict=True))


def _tags(api: Api, region: str, generation: _Generation, ids: list[str]) -> Callable[[str], Any]:
    """Return what gives the tags of one of these. One that went away meanwhile hides those of its whole batch."""
    try:
        answer = api.call(generation.service, "describe_tags", region=region, **{generation.ids: ids})
    except PROBLEMS as problem:
        why = unknown(*reason(problem))
        return lambda id: why
    described = answer["TagDescriptions"]

    def of(id: str) -> Any:
        return tag_list(next((one.get("Tags") for one in described if one[generation.tagged] == id), None))

    return of


def _with_listeners(api: Api, region: str, balancer: Item, tags: Any) -> list[Resource]:
    resource = existing(lambda: _balancer(api, region, balancer, tags))
    if not resource:
        return []
    if isinstance(resource.id, Unread):
        raise Unavailable(resource.id.why)
    listeners = Listing(_listeners(api, region, LoadBalancerArn=resource.id))
    return [resource, *each(api, region, LISTENER, partial(_listener, api, region), listeners)]


def _balancer(api: Api, region: str, balancer: Item, tags: Any) -> Resource:
    arn = balancer["LoadBalancerArn"]
    properties = {
        "Name": balancer["LoadBalancerName"],
        **needed(balancer, "Type"),
        **picked(balancer, "Scheme", "IpAddressType"),
        "SecurityGroups": part(lambda: balancer.get("SecurityGroups") or []),
        "Subnets": part(lambda: [zone.get("SubnetId") for zone in balancer.get("AvailabilityZones", ())]),
        "LoadBalancerAttributes": part(lambda: _attributes(api, region, arn)),
        "Tags": tags,
    }
    return Resource(BALANCER, arn, balancer["LoadBalancerName"], region, api.account, properties, tag_dict(tags))


def _attributes(api: Api, region: str, arn: str) -> list[dict[str, str]]:
    answer = api.call("elbv2", "describe_load_balancer_attributes", region=region, LoadBalancerArn=arn)
    return sorted((needed(one, "Key", "Value") for one in answer["Attributes"]), key=lambda one: str(one["Key"]))


def _listeners(api: Api, region: str, **which: Any) -> Iterator[Item]:
    return api.pages("elbv2", "describe_listeners", "Listeners", region=region, **which)


def _listener(api: Api, region: str, listener: Item) -> Resource:
    # arn:aws:elasticloadbalancing:REGION:ACCOUNT:listener/app/NAME/BALANCER/LISTENER. A gateway's has no port.
    balancer = str(listener["ListenerArn"]).split("/")[2]
    properties = {
        **picked(listener, "LoadBalancerArn", "Port", "SslPolicy"),
        "Protocol": None if "/gwy/" in listener["ListenerArn"] else listener["Protocol"],
        "Certificates": part(lambda: [picked(one, "CertificateArn") for one in listener.get("Certificates", ())]),
        "DefaultActions": part(lambda: [_action(one) for one in listener["DefaultActions"]]),
    }
    name = part(lambda: f"{balancer}:{listener['Port']}" if listener.get("Port") else balancer)
    return Resource(LISTENER, listener["ListenerArn"], name, region, api.account, properties)


def _action(action: Item) -> Item:
    return needed(action, "Type") | picked(action, "Order", "TargetGroupArn", "RedirectConfig")


def _classic(api: Api, region: str, balancer: Item, tags: Any) -> list[Resource]:
    resource = existing(lambda: _classic_shaped(api, region, balancer, tags))
    return [resource] if resource else []


def _classic_shaped(api: Api, region: str, balancer: Item, tags: Any) -> Resource:
    name = balancer["LoadBalancerName"]
    properties = {
        **picked(balancer, "LoadBalancerName", "Scheme"),
        "SecurityGroups": part(lambda: balancer.get("SecurityGroups") or []),
        "Subnets": part(lambda: balancer.get("Subnets") or []),
        "AccessLoggingPolicy": part(lambda: _access_log(api, region, name)),
        "Tags": tags,
    }
    arn = f"arn:aws:elasticloadbalancing:{region}:{api.account}:loadbalancer/{name}"
    return Resource(CLASSIC, arn, name, region, api.account, properties, tag_dict(tags))


def _access_log(api: Api, region: str, name: str) -> Item:
    answer = api.call("elb", "describe_load_balancer_attributes", region=region, LoadBalancerName=name)
    log = answer["LoadBalancerAttributes"]["AccessLog"]
    return needed(log, "Enabled") | picked(log, "S3BucketName", "S3BucketPrefix", "EmitInterval")


def _again(
    generation: _Generation, id: Callable[[Resource], str], read: Callable[[Api, str, Item, Any], list[Resource]]
) -> Callable[[Api, Resource], Resource | None]:
    """Return what reads one load balancer of a generation again."""

    def again(api: Api, resource: Resource) -> Resource | None:
        pages = api.pages(
            generation.service,
            "describe_load_balancers",
            generation.key,
            region=resource.region,
            **{f"{generation.id}s": [id(resource)]},
        )
        found = (read(api, resource.region, *one) for one in _tagged(api, resource.region, generation, pages))
        return next((one for resources in found for one in resources), None)

    return again


def _listener_again(api: Api, resource: Resource) -> Resource | None:
    found = next(_listeners(api, resource.region, ListenerArns=[resource.id]), None)
    return _listener(api, resource.region, found) if found else None


_REREAD: dict[str, Callable[[Api, Resource], Resource | None]] = {
    BALANCER: _again(_V2, lambda resource: resource.id, lambda *one: [_balancer(*one)]),
    LISTENER: lambda api, resource: _listener_again(api, resource),
    CLASSIC: _again(_V1, lambda resource: resource.id.rpartition("/")[2], _classic),
}

COLLECTOR = Collector(
    Service("elb", "Elastic Load Balancing", tuple(_REREAD), actions(READS)),
    READS,
    collect,
    reread,
)
