"""Stages of REST and WebSocket APIs of one region, and routes of HTTP and WebSocket APIs.

Calls per region: 2, and one more for each further 500 APIs of a kind; 1 for each REST API (its stages), 1 for each HTTP
API (its routes), 2 for each WebSocket API. HTTP APIs have no execution logs, so their stages are not read.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-vs-rest.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from nephoscope.domain import Resource, Service
from nephoscope.domain.unknown import as_unknown
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.odd import each, is_one_of, isolated
from nephoscope_aws.collectors.shape import Listing, actions, existing, needed, one_of, part, picked, tag_dict

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
    rest = Listing(api.pages("apigateway", "get_rest_apis", "items", region=region, limit=PAGE))
    yield from each(api, region, STAGE, partial(_stages, api, region), rest, calls=True)
    newer = Listing(api.pages("apigatewayv2", "get_apis", "Items", region=region, MaxResults=str(PAGE)))
    yield from each(api, region, (STAGE_V2, ROUTE), partial(_of_newer, api, region), newer, calls=True)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one again: 2 calls, one for its API and one for what that has of its kind."""
    return existing(lambda: _again(api, resource))


def _of_newer(api: Api, region: str, of: Item) -> list[Resource]:
    routes = isolated(api, region, ROUTE, partial(_routes, api, region))(of)
    if is_one_of(of["ProtocolType"], ("HTTP",)):
        return routes
    return [*isolated(api, region, STAGE_V2, partial(_stages_v2, api, region))(of), *routes]


def _stages(api: Api, region: str, rest: Item) -> list[Resource]:
    answer = api.call("apigateway", "get_stages", region=region, restApiId=rest["id"])
    return list(each(api, region, STAGE, partial(_stage, api, region, rest), answer["item"]))


def _stage(api: Api, region: str, rest: Item, stage: Item) -> Resource:
    properties = {
        "RestApiId": rest["id"],
        "StageName": stage["stageName"],
        "MethodSettings": part(lambda: _methods(stage.get("methodSettings") or {})),
        "TracingEnabled": stage.get("tracingEnabled"),
        "Tags": _tags(stage.get("tags")),
    }
    place = f"/restapis/{rest['id']}/stages/{stage['stageName']}"
    return _resource(api, region, STAGE, place, part(lambda: f"{rest.get('name')}/{stage['stageName']}"), properties)


def _methods(settings: Item) -> list[Item]:
    return [_method(key, settings[key]) for key in sorted(settings)]


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
    return list(each(api, region, STAGE_V2, partial(_stage_v2, api, region, of), stages))


def _stage_v2(api: Api, region: str, of: Item, stage: Item) -> Resource:
    properties = {
        "ApiId": of["ApiId"],
        "StageName": stage["StageName"],
        "DefaultRouteSettings": picked(stage.get("DefaultRouteSettings", {}), *_SETTINGS),
        "RouteSettings": part(lambda: _route_settings(stage.get("RouteSettings") or {})),
        "Tags": part(lambda: stage.get("Tags") or {}),
        "Observed": needed(of, "ProtocolType"),
    }
    place = f"/apis/{of['ApiId']}/stages/{stage['StageName']}"
    return _resource(api, region, STAGE_V2, place, part(lambda: f"{of.get('Name')}/{stage['StageName']}"), properties)


def _route_settings(routes: Item) -> Item:
    return {key: picked(routes[key], *_SETTINGS) for key in sorted(routes)}


def _routes(api: Api, region: str, of: Item) -> list[Resource]:
    routes = api.pages("apigatewayv2", "get_routes", "Items", region=region, ApiId=of["ApiId"])
    return list(each(api, region, ROUTE, partial(_route, api, region, of), routes))


def _route(api: Api, region: str, of: Item, route: Item) -> Resource:
    properties = {
        "ApiId": of["ApiId"],
        **needed(route, "RouteId", "RouteKey"),
        **picked(route, "AuthorizerId", "ApiKeyRequired"),
        "AuthorizationType": one_of(route, "AuthorizationType", "NONE", "AWS_IAM", "CUSTOM", "JWT"),
        "Observed": needed(of, "ProtocolType"),
    }
    place = f"/apis/{of['ApiId']}/routes/{route['RouteId']}"
    return _resource(api, region, ROUTE, place, part(lambda: f"{of.get('Name')} {route['RouteKey']}"), properties)


def _tags(tags: Mapping[str, str] | None) -> Any:
    return part(lambda: [{"Key": key, "Value": str(value)} for key, value in sorted((tags or {}).items())])


def _resource(api: Api, region: str, type: str, place: str, name: str, properties: Item) -> Resource:
    """Return one; ``place`` is the end of its ARN, which names no account.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/arn-format-reference.html
    """
    tags = properties.get("Tags") or {}
    by_name = {} if as_unknown(tags) else tags if isinstance(tags, dict) else tag_dict(tags)
    return Resource(type, f"arn:aws:apigateway:{region}::{place}", name, region, api.account, properties, by_name)


def _again(api: Api, resource: Resource) -> Resource | None:
    region, of = resource.region, resource.id.split("/")[2]
    if resource.type == STAGE:
        found = _stages(api, region, api.call("apigateway", "get_rest_api", region=region, restApiId=of))
    else:
        read = _stages_v2 if resource.type == STAGE_V2 else _routes
        found = read(api, region, api.call("apigatewayv2", "get_api", region=region, ApiId=of))
    return next((one for one in found if one.id == resource.id), None)


COLLECTOR = Collector(
    Service("apigateway", "Amazon API Gateway", (STAGE, STAGE_V2, ROUTE), actions(READS)),
    READS,
    collect,
    reread,
)
