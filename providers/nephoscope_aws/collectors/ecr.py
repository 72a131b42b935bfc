"""Private ECR repositories of one region, and how its registry scans them.

Calls per region: 1 for each 1,000 repositories, 1 for each repository (its policy), and 1 for the registry where there
is a repository.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from nephoscope.domain import Resource, Service
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.odd import each
from nephoscope_aws.collectors.shape import PROBLEMS, Listing, actions, document, part, unreadable

REPOSITORY = "AWS::ECR::Repository"
SCANNING = "AWS::ECR::RegistryScanningConfiguration"

READS = {
    ("ecr", "describe_repositories"): "ecr:DescribeRepositories",
    ("ecr", "get_repository_policy"): "ecr:GetRepositoryPolicy",
    ("ecr", "get_registry_scanning_configuration"): "ecr:GetRegistryScanningConfiguration",
}

_GONE = ("RepositoryNotFoundException",)
_NO_POLICY = ("RepositoryPolicyNotFoundException", *_GONE)

Item = dict[str, Any]


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the region's repositories, and the registry's scanning where there is something to scan."""
    listing = Listing(api.pages("ecr", "describe_repositories", "repositories", region=region, maxResults=1000))
    there_are_some = False
    for found in each(api, region, REPOSITORY, partial(_resource, api, region), listing, calls=True):
        there_are_some = True
        yield found
    if there_are_some:
        yield _registry(api, region)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one repository again, in 2 calls, or the registry's scanning, in one."""
    if resource.type == SCANNING:
        return _scanning(api, resource.region)
    answer = api.maybe("ecr", "describe_repositories", _GONE, region=resource.region, repositoryNames=[resource.name])
    return _resource(api, resource.region, answer["repositories"][0]) if answer else None


def _resource(api: Api, region: str, repository: Item) -> Resource:
    name = repository["repositoryName"]
    properties = {
        "RepositoryName": name,
        "ImageTagMutability": repository["imageTagMutability"],
        "ImageTagMutabilityExclusionFilters": part(lambda: _exclusions(repository)),
        "ImageScanningConfiguration": {
            "ScanOnPush": part(lambda: bool(repository["imageScanningConfiguration"]["scanOnPush"]))
        },
        "RepositoryPolicyText": part(lambda: _policy(api, region, name)),
    }
    return Resource(REPOSITORY, repository["repositoryArn"], name, region, api.account, properties)


def _exclusions(repository: Item) -> list[Item] | None:
    filters = repository.get("imageTagMutabilityExclusionFilters") or ()
    return [
        {
            "ImageTagMutabilityExclusionFilterType": one.get("filterType"),
            "ImageTagMutabilityExclusionFilterValue": one.get("filter"),
        }
        for one in filters
    ] or None


def _policy(api: Api, region: str, name: str) -> Any:
    answer = api.maybe("ecr", "get_repository_policy", _NO_POLICY, region=region, repositoryName=name)
    return document(answer["policyText"]) if answer else None


def _registry(api: Api, region: str) -> Resource:
    try:
        return _scanning(api, region)
    except PROBLEMS as problem:
        return unreadable(api, region, SCANNING, problem)


def _scanning(api: Api, region: str) -> Resource:
    answer = api.call("ecr", "get_registry_scanning_configuration", region=region)
    configuration = answer["scanningConfiguration"]
    properties = {
        "RegistryId": api.account,
        "ScanType": configuration["scanType"],
        "Rules": part(lambda: [_rule(rule) for rule in configuration["rules"]]),
    }
    # It has no ARN of its own; there is one per region.
    arn = f"arn:aws:ecr:{region}:{api.account}:registry-scanning-configuration"
    return Resource(SCANNING, arn, f"Registry of {region}", region, api.account, properties)


def _rule(rule: Item) -> Item:
    return {
        "ScanFrequency": rule["scanFrequency"],
        "RepositoryFilters": [_filter(one) for one in rule["repositoryFilters"]],
    }


def _filter(filter: Item) -> Item:
    return {"Filter": filter["filter"], "FilterType": filter["filterType"]}


COLLECTOR = Collector(Service("ecr", "Amazon ECR", (REPOSITORY, SCANNING), actions(READS)), READS, collect, reread)
