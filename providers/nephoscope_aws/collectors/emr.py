"""What EMR blocks for all clusters of one region.

Calls per region: 1.
"""

from __future__ import annotations

from collections.abc import Iterator

from nephoscope.domain import Resource, Service
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.shape import PROBLEMS, actions, needed, part, picked, unreadable

SETTINGS = "AWS::EMR::RegionSettings"

SYNTHETIC = {SETTINGS: ("BlockPublicAccessConfiguration",)}
"""A type that CloudFormation does not have, one in each region, and its properties, which are those of the API: block
public access belongs to the account, and no template can hold it."""

READS = {
    ("emr", "get_block_public_access_configuration"): "elasticmapreduce:GetBlockPublicAccessConfiguration",
}


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the region's settings."""
    try:
        yield _settings(api, region)
    except PROBLEMS as problem:
        yield unreadable(api, region, SETTINGS, problem)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read the region's settings again, in one call; they are never gone."""
    return _settings(api, resource.region)


def _settings(api: Api, region: str) -> Resource:
    answer = api.call("emr", "get_block_public_access_configuration", region=region)
    block = answer["BlockPublicAccessConfiguration"]
    found = picked(block, "BlockPublicSecurityGroupRules") | {
        "PermittedPublicSecurityGroupRuleRanges": part(
            lambda: [
                needed(ports, "MinRange") | picked(ports, "MaxRange")
                for ports in block.get("PermittedPublicSecurityGroupRuleRanges") or ()
            ]
        )
    }
    arn = f"arn:aws:elasticmapreduce:{region}:{api.account}:region-settings"
    return Resource(SETTINGS, arn, f"EMR in {region}", region, api.account, {"BlockPublicAccessConfiguration": found})


COLLECTOR = Collector(Service("emr", "Amazon EMR", (SETTINGS,), actions(READS)), READS, collect, reread)
