"""EKS clusters of one region.

Calls per region: 1 for each 100 clusters and 1 for each cluster.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from nephoscope.domain import Resource, Service
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.odd import each
from nephoscope_aws.collectors.shape import PROBLEMS, Listing, actions, hidden, part, tag_dict
from nephoscope_aws.lookups import is_over

CLUSTER = "AWS::EKS::Cluster"

READS = {
    ("eks", "list_clusters"): "eks:ListClusters",
    ("eks", "describe_cluster"): "eks:DescribeCluster",
}

_GONE = ("ResourceNotFoundException",)
_MEMBERS = ("Version", "ResourcesVpcConfig", "EncryptionConfig", "Logging", "Tags")

Item = dict[str, Any]


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the region's clusters."""
    listing = Listing(api.pages("eks", "list_clusters", "clusters", region=region, maxResults=100))
    yield from each(api, region, CLUSTER, partial(_resource, api, region), listing, calls=True)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one cluster again, in one call."""
    described = _described(api, resource.region, resource.name)
    return _shaped(api, resource.region, resource.name, described) if described else None


def _resource(api: Api, region: str, name: str) -> Resource | None:
    try:
        described = _described(api, region, name)
    except PROBLEMS as problem:
        described = dict.fromkeys(_MEMBERS, hidden(problem))
    return _shaped(api, region, name, described) if described else None


def _shaped(api: Api, region: str, name: str, described: Item) -> Resource:
    arn = api.arn("eks", region, f"cluster/{name}")
    return Resource(CLUSTER, arn, name, region, api.account, {"Name": name, **described}, tag_dict(described["Tags"]))


def _described(api: Api, region: str, name: str) -> Item | None:
    """Return a cluster's properties as CloudFormation names them; None when it is gone, or about to be."""
    answer = api.maybe("eks", "describe_cluster", _GONE, region=region, name=name)
    if not answer:
        return None
    cluster = answer["cluster"]
    if is_over(cluster):
        return None
    return {
        "Version": cluster["version"],
        "ResourcesVpcConfig": _network(cluster["resourcesVpcConfig"]),
        "EncryptionConfig": part(lambda: [_encryption(one) for one in cluster.get("encryptionConfig") or ()] or None),
        "Logging": {"ClusterLogging": {"EnabledTypes": part(lambda: [*_logged(cluster.get("logging") or {})])}},
        "Tags": part(
            lambda: [{"Key": key, "Value": value} for key, value in sorted((cluster.get("tags") or {}).items())]
        ),
    }


def _network(config: Mapping[str, Any]) -> Item:
    return {
        "EndpointPublicAccess": config.get("endpointPublicAccess"),  # public unless it says not
        "EndpointPrivateAccess": config.get("endpointPrivateAccess"),
        "PublicAccessCidrs": part(lambda: sorted(config.get("publicAccessCidrs") or ())),
        "SubnetIds": part(lambda: sorted(config.get("subnetIds") or ())),
        "SecurityGroupIds": part(lambda: sorted(config.get("securityGroupIds") or ())),
    }


def _encryption(config: Mapping[str, Any]) -> Item:
    return {"Resources": list(config["resources"]), "Provider": {"KeyArn": config["provider"]["keyArn"]}}


def _logged(logging: Mapping[str, Any]) -> Iterator[Item]:
    """Yield the kinds of log that are on: EKS answers one entry for those that are on and one for the others."""
    for entry in logging.get("clusterLogging") or ():
        if entry["enabled"]:
            yield from ({"Type": type} for type in entry["types"])


COLLECTOR = Collector(Service("eks", "Amazon EKS", (CLUSTER,), actions(READS)), READS, collect, reread)
