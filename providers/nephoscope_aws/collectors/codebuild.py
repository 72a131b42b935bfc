"""CodeBuild projects of one region.

Calls per region: 1 for each 100 projects, and 1 more for each 100 of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from nephoscope.domain import Resource, Service
from nephoscope_aws.answers import Missing, Unread
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.many import batches
from nephoscope_aws.collectors.odd import each, is_one_of
from nephoscope_aws.collectors.shape import PROBLEMS, Listing, actions, hidden, one_of, part, tag_dict, unreadable
from nephoscope_aws.plain_secrets import masked

PROJECT = "AWS::CodeBuild::Project"
PLAINTEXT = "PLAINTEXT"
_ELSEWHERE = ("PARAMETER_STORE", "SECRETS_MANAGER")
"""The types of a variable whose value is a name."""

READS = {
    ("codebuild", "list_projects"): "codebuild:ListProjects",
    ("codebuild", "batch_get_projects"): "codebuild:BatchGetProjects",
}

BATCH = 100
"""The most projects that one call takes.
https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BatchGetProjects.html"""

Item = dict[str, Any]

_DETAILS = ("ServiceRole", "Environment", "VpcConfig", "Visibility", "Tags")


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the region's projects."""
    listing = Listing(api.pages("codebuild", "list_projects", "projects", region=region))
    for found in api.map(lambda names: _projects(api, region, names), batches(listing, BATCH)):
        yield from found
    yield from listing.unreadable(api, region, PROJECT)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one project again, in one call."""
    return next(iter(_described(api, resource.region, [resource.name])), None)


def _projects(api: Api, region: str, listed: list[Any]) -> list[Resource]:
    """Return these projects; if they cannot be described, with everything but the name unknown."""
    names = [name for name in listed if isinstance(name, str)]
    odd = [Missing(name.why) for name in listed if isinstance(name, Unread)]
    return [*(unreadable(api, region, PROJECT, why, one=True) for why in odd), *_named(api, region, names)]


def _named(api: Api, region: str, names: list[str]) -> list[Resource]:
    try:
        return _described(api, region, names) if names else []
    except PROBLEMS as problem:
        details = dict.fromkeys(_DETAILS, hidden(problem))
        return [_resource(api, region, name, details) for name in names]


def _described(api: Api, region: str, names: list[str]) -> list[Resource]:
    answer = api.call("codebuild", "batch_get_projects", region=region, names=names)
    return list(each(api, region, PROJECT, partial(_project, api, region), answer["projects"]))


def _project(api: Api, region: str, project: Item) -> Resource:
    return _resource(api, region, project["name"], _details(project))


def _details(project: Item) -> Item:
    environment = project["environment"]
    return {
        "ServiceRole": project.get("serviceRole"),
        "Environment": {
            **{name: environment[name[0].lower() + name[1:]] for name in ("Type", "Image", "ComputeType")},
            "PrivilegedMode": environment.get("privilegedMode"),
            "EnvironmentVariables": part(lambda: [_variable(one) for one in environment["environmentVariables"]]),
        },
        "VpcConfig": part(lambda: _vpc(project.get("vpcConfig") or {})),
        "Visibility": project.get("projectVisibility"),
        "Tags": part(lambda: [_tag(tag) for tag in project.get("tags") or ()]),
    }


def _vpc(vpc: Item) -> Item | None:
    if not vpc.get("vpcId"):
        return None
    return {
        "VpcId": vpc["vpcId"],
        "Subnets": vpc.get("subnets", []),
        "SecurityGroupIds": vpc.get("securityGroupIds", []),
    }


def _tag(tag: Item) -> dict[str, str]:
    return {"Key": str(tag["key"]), "Value": str(tag.get("value") or "")}


def _variable(variable: Item) -> Item:
    """Return a variable; the value of one that is kept elsewhere says where, and of any other it is masked.

    https://docs.aws.amazon.com/codebuild/latest/APIReference/API_EnvironmentVariable.html says what the default is.
    """
    type = one_of(variable, "type", PLAINTEXT, *_ELSEWHERE) if "type" in variable else PLAINTEXT
    value = variable.get("value")
    return {"Name": variable["name"], "Type": type, "Value": value if is_one_of(type, _ELSEWHERE) else masked(value)}


def _resource(api: Api, region: str, name: str, details: Item) -> Resource:
    name = str(name)
    arn = api.arn("codebuild", region, f"project/{name}")
    return Resource(PROJECT, arn, name, region, api.account, {"Name": name, **details}, tag_dict(details["Tags"]))


COLLECTOR = Collector(
    Service("codebuild", "AWS CodeBuild", (PROJECT,), actions(READS)),
    READS,
    collect,
    reread,
)
