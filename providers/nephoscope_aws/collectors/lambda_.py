"""Lambda functions of one region, each with its policies, and their URLs.

Calls per region: 1 for each 50 functions, 1 for each 50 functions and published versions, 3 for each function (policy,
URLs, aliases), and 1 for each alias and each of its newest versions (policy). The list holds the environment, so that
no call is needed for it; tags cost a call each, no rule reads them, and they are left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from threading import Lock
from typing import Any

from nephoscope.domain import Resource, Service, unknown
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.odd import each
from nephoscope_aws.collectors.shape import PROBLEMS, Listing, actions, document, existing, one_of, part, picked
from nephoscope_aws.plain_secrets import masked

FUNCTION = "AWS::Lambda::Function"
URL = "AWS::Lambda::Url"

READS = {
    ("lambda", "list_functions"): "lambda:ListFunctions",
    ("lambda", "get_function_configuration"): "lambda:GetFunctionConfiguration",
    ("lambda", "get_policy"): "lambda:GetPolicy",
    ("lambda", "list_function_url_configs"): "lambda:ListFunctionUrlConfigs",
    ("lambda", "list_aliases"): "lambda:ListAliases",
    ("lambda", "list_versions_by_function"): "lambda:ListVersionsByFunction",
}

SYNTHETIC = {FUNCTION: ("Policy",)}
"""Properties that CloudFormation has on a type of its own (AWS::Lambda::Permission) and that are folded in here."""

_URL = "/url"
"""The end of a URL's id: it has no ARN of its own, and there is one for each function or alias."""

MAX_VERSIONS = 20
"""The newest versions of a function whose policies are read: Lambda allows few of these calls a second, and functions
keep every version that was ever deployed. What older ones allow is unknown.
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html#api-requests"""

Item = dict[str, Any]
Versions = Callable[[], list[str]]
"""Lists the published versions of one function, the newest first."""


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the region's functions, each followed by its URLs."""
    listing = Listing(api.pages("lambda", "list_functions", "Functions", region=region))
    made = partial(_with_urls, api, region, _Published(api, region))
    return each(api, region, (FUNCTION, URL), made, listing, calls=True)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one again: 4 calls for a function and 1 for each alias and version, 1 for a URL."""
    return existing(lambda: _REREAD[resource.type](api, resource))


def _with_urls(api: Api, region: str, published: _Published, function: Item) -> list[Resource]:
    urls = Listing(_urls(api, region, str(function["FunctionArn"])))
    told = _function(api, region, function, lambda: published.of(function["FunctionName"]))
    return [told, *each(api, region, URL, partial(_url, api, region), urls)]


class _Published:
    """The published versions of all functions of a region, listed when the first function asks."""

    def __init__(self, api: Api, region: str) -> None:
        self._api, self._region = api, region
        self._lock = Lock()
        self._found: dict[str, list[str]] | None = None
        self._problem: Exception | None = None

    def of(self, name: str) -> list[str]:
        with self._lock:
            if self._found is None:
                self._found = self._listed()
        if self._problem:
            raise self._problem
        return _newest_first(self._found.get(name, []))

    def _listed(self) -> dict[str, list[str]]:
        found: defaultdict[str, list[str]] = defaultdict(list)
        pages = self._api.pages("lambda", "list_functions", "Functions", region=self._region, FunctionVersion="ALL")
        try:
            for one in pages:
                found[one["FunctionName"]].append(one["Version"])
        except PROBLEMS as problem:
            self._problem = problem
        return found


def _newest_first(versions: Iterable[str]) -> list[str]:
    """Versions are numbered as they are published; the unpublished one has the function's own policy."""
    return sorted((one for one in versions if one.isdecimal()), key=int, reverse=True)


def _function(api: Api, region: str, function: Item, versions: Versions) -> Resource:
    arn = function["FunctionArn"]
    properties = {
        **picked(function, "FunctionName", "PackageType", "Role"),
        "Runtime": part(
            lambda: function.get("Runtime") if function.get("PackageType") == "Image" else function["Runtime"]
        ),
        "KmsKeyArn": function.get("KMSKeyArn"),
        "VpcConfig": part(lambda: _vpc(function.get("VpcConfig") or {})),
        "Environment": part(lambda: _environment(function.get("Environment"))),
        "Policy": part(lambda: _policy(api, region, arn)),
        "Observed": {"Qualifiers": part(lambda: existing(lambda: _qualifiers(api, region, function, versions)) or [])},
    }
    return Resource(FUNCTION, arn, function["FunctionName"], region, api.account, properties)


def _runtime(function: Item) -> Any:
    """Return a function's runtime; one that is a container image has none."""
    return function.get("Runtime") if function.get("PackageType") == "Image" else function["Runtime"]


def _vpc(vpc: Item) -> Item | None:
    return picked(vpc, "SecurityGroupIds", "SubnetIds") if vpc.get("SubnetIds") else None


def _environment(environment: Item | None) -> Any:
    """Return the variables with their values masked.

    Lambda answers with an error in their place when the caller may not decrypt them.
    https://docs.aws.amazon.com/lambda/latest/api/API_EnvironmentError.html
    """
    if not environment:
        return None
    if error := environment.get("Error"):
        return unknown(f"Lambda could not decrypt it: {error.get('ErrorCode')}", "kms:Decrypt")
    variables = environment.get("Variables") or {}
    return {"Variables": {name: masked(variables[name]) for name in sorted(variables)}}


def _policy(api: Api, region: str, arn: str, **qualifier: str) -> Any:
    missing = ("ResourceNotFoundException",)
    answer = api.maybe("lambda", "get_policy", missing, region=region, FunctionName=arn, **qualifier)
    return document(answer["Policy"]) if answer else None


def _qualifiers(api: Api, region: str, function: Item, versions: Versions) -> list[Item]:
    """Return the aliases and versions that have a policy of their own, and those whose policy could not be read.

    https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
    """
    arn, called = function["FunctionArn"], function["FunctionName"]
    aliases = api.pages("lambda", "list_aliases", "Aliases", region=region, FunctionName=called)
    names = [("alias", one["Name"]) for one in aliases]
    published = versions()
    names += [("version", one) for one in published[:MAX_VERSIONS]]
    told = [
        {"Kind": kind, "Name": name, "Policy": part(partial(_policy, api, region, arn, Qualifier=name))}
        for kind, name in names
    ]
    older = len(published) - MAX_VERSIONS
    if older > 0:
        reason = f"only the policies of the newest {MAX_VERSIONS} versions are read, and {older} are older"
        told.append({"Kind": "version", "Name": published[MAX_VERSIONS], "Policy": unknown(reason)})
    return [one for one in told if one["Policy"] is not None]


def _urls(api: Api, region: str, arn: str) -> Iterator[Item]:
    return api.pages("lambda", "list_function_url_configs", "FunctionUrlConfigs", region=region, FunctionName=arn)


def _url(api: Api, region: str, config: Item) -> Resource:
    # arn:aws:lambda:REGION:ACCOUNT:function:NAME, and :ALIAS for one of an alias
    arn = str(config["FunctionArn"])
    names = arn.split(":")
    properties = {
        "TargetFunctionArn": ":".join(names[:7]),
        "Qualifier": names[7] if len(names) > 7 else None,
        "AuthType": one_of(config, "AuthType", "NONE", "AWS_IAM"),
        **picked(config, "InvokeMode"),
        "Observed": picked(config, "FunctionUrl"),
    }
    return Resource(URL, arn + _URL, ":".join(names[6:]), region, api.account, properties)


def _function_again(api: Api, resource: Resource) -> Resource | None:
    region = resource.region
    found = api.call("lambda", "get_function_configuration", region=region, FunctionName=resource.id)

    def versions() -> list[str]:
        listed = api.pages("lambda", "list_versions_by_function", "Versions", region=region, FunctionName=resource.name)
        return _newest_first(each["Version"] for each in listed)

    return _function(api, region, found, versions)


def _url_again(api: Api, resource: Resource) -> Resource | None:
    function = ":".join(resource.id.removesuffix(_URL).split(":")[:7])
    found = (_url(api, resource.region, one) for one in _urls(api, resource.region, function))
    return next((one for one in found if one.id == resource.id), None)


_REREAD: dict[str, Callable[[Api, Resource], Resource | None]] = {FUNCTION: _function_again, URL: _url_again}

COLLECTOR = Collector(Service("lambda", "AWS Lambda", tuple(_REREAD), actions(READS)), READS, collect, reread)
