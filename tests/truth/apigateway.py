"""Stages and routes: execution logs, and who may call."""

from __future__ import annotations

from typing import Any

from tests.truth.account import ABROAD, HOME, Truth, holds

SHOP = "<b>Shop</b> & Söhne"
ALL = "/*/*/logging/loglevel"
PET = "/~1pets~1{id}/GET/logging/loglevel"

STAGES: dict[str, tuple[bool, dict[str, str]]] = {
    "errors": (True, {ALL: "ERROR"}),
    "all": (True, {ALL: "INFO"}),
    "all-and-less-of-one": (True, {ALL: "INFO", PET: "ERROR"}),
    "never-set": (False, {}),
    "off": (False, {ALL: "OFF"}),
    "all-but-one": (False, {ALL: "INFO", PET: "OFF"}),
    "one-alone": (False, {PET: "INFO"}),
    "one-method-everywhere": (False, {"/*/GET/logging/loglevel": "INFO"}),
    "metrics-alone": (False, {"/*/*/metrics/enabled": "true"}),
    "traced-alone": (False, {"/*/*/logging/dataTrace": "true"}),
    "slow-one": (True, {ALL: "ERROR", "/~1pets/GET/throttling/rateLimit": "10"}),
}
"""Stages of REST APIs: whether they log, and what is set."""

_ON = {"DefaultRouteSettings": {"LoggingLevel": "INFO"}}
SOCKETS: dict[str, tuple[bool, dict[str, Any]]] = {
    "errors": (True, {"DefaultRouteSettings": {"LoggingLevel": "ERROR"}}),
    "all": (True, _ON),
    "less-of-one": (True, {**_ON, "RouteSettings": {"$connect": {"LoggingLevel": "ERROR"}}}),
    "never-set": (False, {}),
    "off": (False, {"DefaultRouteSettings": {"LoggingLevel": "OFF"}}),
    "all-but-one": (False, {**_ON, "RouteSettings": {"$connect": {"LoggingLevel": "OFF"}}}),
    "one-alone": (False, {"RouteSettings": {"$connect": {"LoggingLevel": "INFO"}}}),
}
"""Stages of WebSocket APIs."""

HTTP_ROUTES = {
    "passes": {"GET /orders": "AWS_IAM", "POST /orders": "JWT", "ANY /admin/{proxy+}": "CUSTOM"},
    "fails": {"GET /open": "NONE", "GET /by-default": None, "ANY /{proxy+}": "NONE", "$default": "NONE"},
    "skipped": {"OPTIONS /orders": "NONE", "OPTIONS /{proxy+}": None},
}
SOCKET_ROUTES = {"skipped": {"$default": "NONE", "$disconnect": "NONE", "send": None}}


def _rest(truth: Truth, name: str, region: str = HOME) -> tuple[str, str]:
    """Make a REST API with a deployment, and return both ids."""
    client = truth.client("apigateway", region)
    api = client.create_rest_api(name=name)["id"]
    root = client.get_resources(restApiId=api)["items"][0]["id"]
    client.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE")
    client.put_integration(restApiId=api, resourceId=root, httpMethod="GET", type="MOCK")
    return api, client.create_deployment(restApiId=api)["id"]


@holds()
def rest_stages(truth: Truth) -> None:
    """Stages of a REST API by what they log; in the other region they are hidden."""
    client = truth.client("apigateway")
    api, deployment = _rest(truth, SHOP)
    for name, (right, settings) in STAGES.items():
        client.create_stage(restApiId=api, stageName=name, deploymentId=deployment)
        patch = [{"op": "replace", "path": path, "value": value} for path, value in settings.items()]
        client.update_stage(restApiId=api, stageName=name, patchOperations=patch)
        truth.judged(f"{SHOP}/{name}", **{"passes" if right else "fails": "logging"})
    _rest(truth, "not-deployed")
    _rest(truth, "hidden", ABROAD)
    truth.cloud.control("deny", actions=["apigateway:GetStages"], regions=[ABROAD])
    truth.judged(f"All AWS::ApiGateway::Stage in {ABROAD}", unknown="logging")


@holds()
def newer_apis(truth: Truth) -> None:
    """Stages and routes of HTTP and WebSocket APIs."""
    client = truth.client("apigatewayv2")
    socket = client.create_api(Name="chat", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action")
    for name, (right, settings) in SOCKETS.items():
        client.create_stage(ApiId=socket["ApiId"], StageName=name, **settings)
        truth.judged(f"chat/{name}", **{"passes" if right else "fails": "logging"})
    http = client.create_api(Name="web", ProtocolType="HTTP")["ApiId"]
    client.create_stage(ApiId=http, StageName="$default")
    truth.judged("web/$default", skipped="logging")
    for api, name, routes in [(http, "web", HTTP_ROUTES), (socket["ApiId"], "chat", SOCKET_ROUTES)]:
        for verdict, keys in routes.items():
            for key, kind in keys.items():
                _route(truth, api, key, kind)
                truth.judged(f"{name} {key}", **{verdict: "auth"})
    for name, kind, verdict in [("signed", "AWS_IAM", "passes"), ("open", "NONE", "fails"), ("bare", None, "fails")]:
        api = client.create_api(Name=name, ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action")
        _route(truth, api["ApiId"], "$connect", kind)
        truth.judged(f"{name} $connect", **{verdict: "auth"})


def _route(truth: Truth, api: str, key: str, kind: str | None, region: str = HOME) -> None:
    given = {"AuthorizationType": kind} if kind else {}
    truth.client("apigatewayv2", region).create_route(ApiId=api, RouteKey=key, **given)


@holds()
def newer_apis_hidden(truth: Truth) -> None:
    """Routes that cannot be listed in one region, and APIs that cannot in the other."""
    for region in (HOME, ABROAD):
        api = truth.client("apigatewayv2", region).create_api(Name="web", ProtocolType="HTTP")["ApiId"]
        _route(truth, api, "GET /orders", "JWT", region)
    truth.cloud.control("deny", actions=["apigateway:GetRoutes"], regions=[HOME])
    truth.cloud.control("deny", actions=["apigateway:GetApis"], regions=[ABROAD])
    truth.judged(f"All AWS::ApiGatewayV2::Route in {HOME}", unknown="auth")
    truth.judged(f"All AWS::ApiGatewayV2::Route in {ABROAD}", unknown="auth")
    truth.judged(f"All AWS::ApiGatewayV2::Stage in {ABROAD}", unknown="logging")
