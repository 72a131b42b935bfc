"""Stages of REST and WebSocket APIs of one region, and routes of HTTP and WebSocket APIs.

Calls per region: 2, and one more for each further 500 APIs of a kind; 1 for each REST API (its stages), 1 for each HTTP
API (its routes), 2 for each WebSocket API. HTTP APIs have no execution logs, so their stages are not read.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-vs-rest.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from nephoscope.domain import Resource, Service
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.many import children, first_stand_ins
from nephoscope_aws.collectors.shape import Listing, actions, existing, picked

STAGE = "AWS::ApiGateway::Stage"
STAGE_V2 = "AWS::ApiGatewayV2::Stage"
ROUTE = "AWS::ApiGatewayV2::Route"

# The actions of API Gateway are the methods of HTTP:
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigatewaymanagement.html
READS = {
    ("apigateway", "get_rest_apis"): "apigateway:GET",
    ("apigateway", "get_rest_api"): "apigateway:GET",
    ("apigateway", "get_stages"): "apigateway:GET",
    ("apigateway", "get_stage"): "apigateway:GET",
    ("apigatewayv2", "get_apis"): "apigateway:GET",
    ("apigatewayv2", "get_api"): "apigateway:GET",
    ("apigatewayv2", "get_stages"): "apigateway:GET",
    ("apigatewayv2", "get_routes"): "apigateway:GET",
    ("apigatewayv2", "get_stage"): "apigateway:GET",
    ("apigatewayv2", "get_route"): "apigateway:GET",
}

PAGE = 500
"""The most APIs in one answer. https://docs.aws.amazon.com/apigateway/latest/api/API_GetRestApis.html"""

Item = dict[str, Any]

_SETTINGS = ("LoggingLevel", "DataTraceEnabled", "DetailedMetricsEnabled")


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield what the region holds; one generation of APIs does not hide the other."""
    return first_stand_ins(_everything(api, region))


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one again: 2 calls, one for its API and one for what that has of its kind."""
    return existing(lambda: _again(api, resource))


def _everything(api: Api, region: str) -> Iterator[Resource]:
    rest = Listing(api.pages("apigateway", "get_rest_apis", "items", region=region, limit=PAGE))
    yield from _of_each(api, rest, lambda each: children(api, region, STAGE, lambda: _stages(api, region, each)))
    yield from rest.unreadable(api, region, STAGE)
    newer = Listing(api.pages("apigatewayv2", "get_apis", "Items", region=region, MaxResults=str(PAGE)))
    yield from _of_each(api, newer, lambda each: _of_newer(api, region, each))
    yield from newer.unreadable(api, region, STAGE_V2, ROUTE)


def _of_each(api: Api, items: Iterable[Item], read: Callable[[Item], list[Resource]]) -> Iterator[Resource]:
    for resources in api.map(read, items):
        yield from resources


def _of_newer(api: Api, region: str, each: Item) -> list[Resource]:
    routes = children(api, region, ROUTE, lambda: _routes(api, region, each))
    if each.get("ProtocolType") != "WEBSOCKET":
        return routes
    return [*children(api, region, STAGE_V2, lambda: _stages_v2(api, region, each)), *routes]


def _stages(api: Api, region: str, rest: Item) -> list[Resource]:
    answer = api.call("apigateway", "get_stages", region=region, restApiId=rest["id"])
    return [_stage(api, region, rest, each) for each in answer["item"]]


def _stage(api: Api, region: str, rest: Item, stage: Item) -> Resource:
    settings = stage.get("methodSettings") or {}
    properties = {
        "RestApiId": rest["id"],
        "StageName": stage["stageName"],
        "MethodSettings": [_method(key, settings[key]) for key in sorted(settings)],
        "TracingEnabled": stage.get("tracingEnabled"),
        "Tags": _tags(stage.get("tags")),
    }
    place = f"/restapis/{rest['id']}/stages/{stage['stageName']}"
    return _resource(api, region, STAGE, place, f"{rest.get('name')}/{stage['stageName']}", properties)


def _method(key: str, settings: Item) -> Item:
    """Return settings as CloudFormation writes them; the API has them under ``*/*`` or ``~1pets~1dogs/GET``.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-apigateway-stage-methodsetting.html
    """
    path, _, method = key.rpartition("/")
    return {
        "HttpMethod": method,
        "ResourcePath": "/" + path.replace("~1", "/").lstrip("/"),
        "LoggingLevel": settings.get("loggingLevel"),
        "DataTraceEnabled": settings.get("dataTraceEnabled"),
        "MetricsEnabled": settings.get("metricsEnabled"),
    }


def _stages_v2(api: Api, region: str, of: Item) -> list[Resource]:
    stages = api.pages("apigatewayv2", "get_stages", "Items", region=region, ApiId=of["ApiId"])
    return [_stage_v2(api, region, of, each) for each in stages]


def _stage_v2(api: Api, region: str, of: Item, stage: Item) -> Resource:
    routes = stage.get("RouteSettings") or {}
    properties = {
        "ApiId": of["ApiId"],
        "StageName": stage["StageName"],
        "DefaultRouteSettings": picked(stage.get("DefaultRouteSettings") or {}, *_SETTINGS),
        "RouteSettings": {key: picked(routes[key], *_SETTINGS) for key in sorted(routes)},
        "Tags": stage.get("Tags") or {},
        "Observed": picked(of, "ProtocolType"),
    }
    place = f"/apis/{of['ApiId']}/stages/{stage['StageName']}"
    return _resource(api, region, STAGE_V2, place, f"{of.get('Name')}/{stage['StageName']}", properties)


def _routes(api: Api, region: str, of: Item) -> list[Resource]:
    routes = api.pages("apigatewayv2", "get_routes", "Items", region=region, ApiId=of["ApiId"])
    return [_route(api, region, of, each) for each in routes]


def _route(api: Api, region: str, of: Item, route: Item) -> Resource:
    properties = {
        "ApiId": of["ApiId"],
        **picked(route, "RouteId", "RouteKey", "AuthorizationType", "AuthorizerId", "ApiKeyRequired"),
        "Observed": picked(of, "ProtocolType"),
    }
    place = f"/apis/{of['ApiId']}/routes/{route['RouteId']}"
    return _resource(api, region, ROUTE, place, f"{of.get('Name')} {route['RouteKey']}", properties)


def _tags(tags: Mapping[str, str] | None) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted((tags or {}).items())]


def _resource(api: Api, region: str, type: str, place: str, name: str, properties: Item) -> Resource:
    """Return one; ``place`` is the end of its ARN, which names no account.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/arn-format-reference.html
    """
    tags = properties.get("Tags") or {}
    by_name = tags if isinstance(tags, dict) else {tag["Key"]: tag["Value"] for tag in tags}
    arn = f"arn:{api.partition}:apigateway:{region}::{place}"
    return Resource(type, arn, name, region, api.account, properties, by_name)


def _again(api: Api, resource: Resource) -> Resource | None:
    region, of = resource.region, resource.id.split("/")[2]
    if resource.type == STAGE:
        found = _stages(api, region, api.call("apigateway", "get_rest_api", region=region, restApiId=of))
    else:
        read = _stages_v2 if resource.type == STAGE_V2 else _routes
        found = read(api, region, api.call("apigatewayv2", "get_api", region=region, ApiId=of))
    return next((each for each in found if each.id == resource.id), None)


COLLECTOR = Collector(
    Service("apigateway", "Amazon API Gateway", (STAGE, STAGE_V2, ROUTE), actions(READS)),
    READS,
    collect,
    reread,
)
