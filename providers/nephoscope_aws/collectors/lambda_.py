"""Lambda functions of one region, each with its policy, and their URLs.

Calls per region: 1 for each 50 functions, and 2 for each function (policy, URLs). The list holds the environment, so
that no call is needed for it; tags cost a call each, no rule reads them, and they are left out. A function's policy is
that of the function itself; versions and aliases can have their own, which would cost a call each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from nephoscope.domain import Resource, Service, unknown
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.odd import each
from nephoscope_aws.collectors.shape import Listing, actions, document, existing, one_of, part, picked
from nephoscope_aws.plain_secrets import masked

FUNCTION = "AWS::Lambda::Function"
URL = "AWS::Lambda::Url"

READS = {
    ("lambda", "list_functions"): "lambda:ListFunctions",
    ("lambda", "get_function_configuration"): "lambda:GetFunctionConfiguration",
    ("lambda", "get_policy"): "lambda:GetPolicy",
    ("lambda", "list_function_url_configs"): "lambda:ListFunctionUrlConfigs",
}

SYNTHETIC = {FUNCTION: ("Policy",)}
"""Properties that CloudFormation has on a type of its own (AWS::Lambda::Permission) and that are folded in here."""

_URL = "/url"
"""The end of a URL's id: it has no ARN of its own, and there is one for each function or alias."""

Item = dict[str, Any]


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the region's functions, each followed by its URLs."""
    listing = Listing(api.pages("lambda", "list_functions", "Functions", region=region))
    return each(api, region, (FUNCTION, URL), partial(_with_urls, api, region), listing, calls=True)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one again: 2 calls for a function, 1 for a URL."""
    return existing(lambda: _REREAD[resource.type](api, resource))


def _with_urls(api: Api, region: str, function: Item) -> list[Resource]:
    urls = Listing(_urls(api, region, str(function["FunctionArn"])))
    return [_function(api, region, function), *each(api, region, URL, partial(_url, api, region), urls)]


def _function(api: Api, region: str, function: Item) -> Resource:
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


def _policy(api: Api, region: str, arn: str) -> Any:
    answer = api.maybe("lambda", "get_policy", ("ResourceNotFoundException",), region=region, FunctionName=arn)
    return document(answer["Policy"]) if answer else None


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
    return _function(api, region, found)


def _url_again(api: Api, resource: Resource) -> Resource | None:
    function = ":".join(resource.id.removesuffix(_URL).split(":")[:7])
    found = (_url(api, resource.region, one) for one in _urls(api, resource.region, function))
    return next((one for one in found if one.id == resource.id), None)


_REREAD: dict[str, Callable[[Api, Resource], Resource | None]] = {FUNCTION: _function_again, URL: _url_again}

COLLECTOR = Collector(Service("lambda", "AWS Lambda", tuple(_REREAD), actions(READS)), READS, collect, reread)
