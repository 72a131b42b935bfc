"""The parameter groups of RDS that decide on connections, each with the one parameter that makes TLS a must.

An instance outside a cluster has a group of its own. Of Aurora and of Multi-AZ DB clusters, the group of the cluster
has the parameter: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.SSL.html

Groups that nothing uses are left out: they decide nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from nephoscope.domain import Resource
from nephoscope_aws.answers import Missing
from nephoscope_aws.api import Api
from nephoscope_aws.collectors.odd import each
from nephoscope_aws.collectors.rds_shapes import DOCDB_ENGINE, NEPTUNE_ENGINE
from nephoscope_aws.collectors.shape import Listing, part
from nephoscope_aws.databases import cluster_tls_parameter, tls_parameter

PARAMETER_GROUP = "AWS::RDS::DBParameterGroup"
CLUSTER_GROUP = "AWS::RDS::DBClusterParameterGroup"

READS = {
    ("rds", "describe_db_parameter_groups"): "rds:DescribeDBParameterGroups",
    ("rds", "describe_db_parameters"): "rds:DescribeDBParameters",
    ("rds", "describe_db_cluster_parameter_groups"): "rds:DescribeDBClusterParameterGroups",
    ("rds", "describe_db_cluster_parameters"): "rds:DescribeDBClusterParameters",
}

Item = dict[str, Any]

_GONE = ("DBParameterGroupNotFound", "DBClusterParameterGroupNotFound")


@dataclass(frozen=True)
class Groups:
    """How the groups of instances or those of clusters are read; ``deciding`` gives the names in an owner's item."""

    type: str
    listing: str
    key: str
    name: str
    arn: str
    parameters: str
    tls: Callable[[object], str | None]
    deciding: Callable[[Item], list[str]]

    def note(self, used: set[str], item: Item) -> None:
        """Add the groups that decide on an instance or a cluster to those that are used."""
        used.update(self.deciding(item))


def _of_instance(item: Item) -> list[str]:
    if item.get("DBClusterIdentifier"):  # the cluster's group decides
        return []
    return [_named(group["DBParameterGroupName"]) for group in item["DBParameterGroups"]]


def _of_cluster(item: Item) -> list[str]:
    if item["Engine"] in (DOCDB_ENGINE, NEPTUNE_ENGINE):
        return []
    return [_named(item["DBClusterParameterGroup"])]


def _named(group: Any) -> str:
    if not group:
        raise Missing("AWS's answer does not name the parameter group")
    return str(group)


OF_INSTANCES = Groups(
    PARAMETER_GROUP,
    "describe_db_parameter_groups",
    "DBParameterGroups",
    "DBParameterGroupName",
    "DBParameterGroupArn",
    "describe_db_parameters",
    tls_parameter,
    _of_instance,
)
OF_CLUSTERS = Groups(
    CLUSTER_GROUP,
    "describe_db_cluster_parameter_groups",
    "DBClusterParameterGroups",
    "DBClusterParameterGroupName",
    "DBClusterParameterGroupArn",
    "describe_db_cluster_parameters",
    cluster_tls_parameter,
    _of_cluster,
)
GROUPS = {kind.type: kind for kind in (OF_INSTANCES, OF_CLUSTERS)}


def parameter_groups(api: Api, region: str, kind: Groups, used: set[str], owners: Listing[Item]) -> Iterator[Resource]:
    """Yield the groups that are used; which they are is as little known as their owners are."""
    listing = Listing(api.pages("rds", kind.listing, kind.key, region=region) if used else ())
    yield from owners.unreadable(api, region, kind.type)
    read = partial(_group, api, region, kind)
    yield from each(
        api, region, kind.type, lambda item: read(item) if item[kind.name] in used else None, listing, calls=True
    )


def again(api: Api, resource: Resource) -> Resource | None:
    """Read one group again: 2 calls."""
    kind = GROUPS[resource.type]
    answer = api.maybe("rds", kind.listing, _GONE, region=resource.region, **{kind.name: resource.name})
    items = [] if answer is None else answer[kind.key]
    return next((_group(api, resource.region, kind, item) for item in items), None)


def _group(api: Api, region: str, kind: Groups, item: Item) -> Resource | None:
    """Return a group; None when it is gone, or its engine has no such parameter."""
    name, family = item[kind.name], item["DBParameterGroupFamily"]
    demands_tls = part(lambda: kind.tls(str(family)))
    if demands_tls is None:
        return None
    known = isinstance(demands_tls, str)
    parameters = part(lambda: _parameters(api, region, kind, name, demands_tls)) if known else demands_tls
    if parameters is None:
        return None
    properties = {
        kind.name: name,
        "Family": family,
        "Description": item.get("Description"),
        "Parameters": parameters,
    }
    return Resource(kind.type, item[kind.arn], name, region, api.account, properties)


def _parameters(api: Api, region: str, kind: Groups, group: str, name: str) -> dict[str, str] | None:
    """Return the value in force of one of the hundreds of parameters, {} where the engine decides; None if gone."""
    wanted = [{"Name": "parameter-name", "Values": [name]}]
    answer = api.maybe("rds", kind.parameters, _GONE, region=region, Filters=wanted, **{kind.name: group})
    if answer is None:
        return None
    return {
        one["ParameterName"]: one["ParameterValue"]
        for one in answer["Parameters"]
        if one["ParameterName"] == name and one.get("ParameterValue") is not None
    }
