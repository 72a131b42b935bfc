"""Tags of resources as they are now, of whatever service: one call for a hundred.

https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from nephoscope.domain import ALL_REGIONS, LiveSession, Permission, Resource
from nephoscope_aws.call import aws_call

READS = {("resourcegroupstaggingapi", "get_resources"): "tag:GetResources"}
MOST = 100
"""ARNs that one call takes."""

GLOBAL_HOMES = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
"""Where resources of global services are asked for, by partition."""

IAM = ":iam:"
"""IAM has its tags to itself; of its resources those count that were read with them."""


def tags(resources: Sequence[Resource], session: LiveSession) -> Mapping[str, Mapping[str, str]]:
    """Read the tags of those resources that have an ARN, by it. Raises what AWS raises."""
    regions: dict[str, list[str]] = defaultdict(list)
    for each in resources:
        if each.id.startswith("arn:") and IAM not in each.id:
            home = GLOBAL_HOMES.get(each.id.split(":")[1], "us-east-1")
            regions[home if each.region in ("", ALL_REGIONS) else each.region].append(each.id)
    return {arn: found for region, arns in regions.items() for arn, found in _read(region, arns, session)}


def _read(region: str, arns: Sequence[str], session: LiveSession) -> Iterator[tuple[str, dict[str, str]]]:
    [(service, operation), action] = next(iter(READS.items()))
    for start in range(0, len(arns), MOST):
        asked = {"ResourceARNList": list(arns[start : start + MOST])}
        answer = session.read(aws_call(service, operation, asked, Permission(action), region=region)) or {}
        for each in answer["ResourceTagMappingList"]:
            yield each["ResourceARN"], {tag["Key"]: tag["Value"] for tag in each.get("Tags", [])}
