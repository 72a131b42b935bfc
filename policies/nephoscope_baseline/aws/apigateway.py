"""Rules on stages and routes of API Gateway."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nephoscope.domain import Fail, ResourceView, Severity, View, rule

STAGE = "AWS::ApiGateway::Stage"
STAGE_V2 = "AWS::ApiGatewayV2::Stage"
ROUTE = "AWS::ApiGatewayV2::Route"

LEVELS = ("INFO", "ERROR")
"""Values of LoggingLevel at which something is logged.
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html"""


def _stage(*settings: tuple[str, str, str]) -> dict[str, Any]:
    """An example: a REST stage with settings as (path, method, level)."""
    return {
        "MethodSettings": [
            {"ResourcePath": path, "HttpMethod": method, "LoggingLevel": level} for path, method, level in settings
        ]
    }


def _route(key: str, authorization: str | None, protocol: str = "HTTP") -> dict[str, Any]:
    """An example: a route."""
    return {"RouteKey": key, "AuthorizationType": authorization, "Observed": {"ProtocolType": protocol}}


@rule(
    "aws.apigateway.logging",
    on=(STAGE, STAGE_V2),
    severity=Severity.MEDIUM,
    link="https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html",
    fix="""
        1. Once per region: in the API Gateway console, choose Settings and enter the ARN of a role that can write to
           CloudWatch Logs.
        2. Choose the API, Stages, the stage, then Logs and tracing, Edit.
        3. Set CloudWatch Logs to Errors only, or Errors and info logs, and save. Leave Data tracing off: it logs full
           requests.
    """,
    commands={
        STAGE: """
            aws apigateway update-stage --region={region} --rest-api-id={RestApiId} --stage-name={StageName}
              --patch-operations='op=replace,path=/*/*/logging/loglevel,value=ERROR'
        """,
        STAGE_V2: """
            aws apigatewayv2 update-stage --region={region} --api-id={ApiId} --stage-name={StageName}
              --default-route-settings=LoggingLevel=ERROR
        """,
    },
    good=[
        _stage(("/*", "*", "ERROR")),
        _stage(("/*", "*", "INFO"), ("/pets", "GET", "ERROR")),
    ],
    bad=[
        _stage(),
        _stage(("/*", "*", "OFF")),
        _stage(("/*", "*", "INFO"), ("/login", "POST", "OFF")),
        _stage(("/pets", "GET", "INFO")),
        {"MethodSettings": ["odd"]},
        {},
    ],
)
def logging(stage: ResourceView) -> bool | Fail | None:
    """API Gateway execution logging is off.

    When an API is attacked or fails, nothing shows what happened inside it. Execution logs record the request, the
    authorizer's decision and the error.
    """
    if stage.type == STAGE_V2:
        return _websocket_logging(stage)
    everywhere = False
    for setting in _settings(stage):
        path, method, level = setting["ResourcePath"], setting["HttpMethod"], setting["LoggingLevel"]
        general = path in ("/*", "*") and method == "*"
        if level not in LEVELS and (general or level is not None):
            return Fail(f"Logging is {level or 'off'} for {method} {path}", setting)
        everywhere = everywhere or general
    return everywhere or Fail("Logging is not on for all methods", "MethodSettings")


def _settings(stage: View) -> Iterator[View]:
    settings = stage["MethodSettings"]
    for each in settings if isinstance(settings, View) and settings.is_list else ():
        if isinstance(each, View) and not each.is_list:
            yield each


def _websocket_logging(stage: View) -> bool | Fail | None:
    """Judge a stage of the newer kind. Only WebSocket APIs have execution logs; a template does not say what it is."""
    if stage["DefaultRouteSettings.LoggingLevel"] not in LEVELS:
        off = Fail("Logging is off in the default route settings", "DefaultRouteSettings")
        return off if stage["Observed.ProtocolType"] == "WEBSOCKET" else None
    routes = stage["RouteSettings"]
    for name in routes.names() if isinstance(routes, View) else ():
        settings = routes.key(name)
        if isinstance(settings, View) and settings["LoggingLevel"] == "OFF":
            return Fail(f"Logging is off for route {name[:80]}", settings)
    return True


@rule(
    "aws.apigateway.auth",
    on=ROUTE,
    severity=Severity.MEDIUM,
    link="https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control.html",
    fix="""
        1. In the API Gateway console, choose the API, then Authorization, and the route named in the finding.
        2. Attach an authorizer: JWT for signed-in users, IAM for other services, Lambda for anything else.
        3. If the route is meant to be public (a health check, a webhook that verifies signatures), suppress this alert
           and give that reason.
    """,
    commands="""
        aws apigatewayv2 update-route --region={region} --api-id={ApiId} --route-id={RouteId}
          --authorization-type=JWT --authorizer-id={AUTHORIZER_ID}
    """,
    inputs={"AUTHORIZER_ID": "the ID of a JWT authorizer of the API"},
    good=[
        _route("GET /orders", "JWT"),
        _route("$default", "AWS_IAM"),
        _route("OPTIONS /orders", "NONE"),
        _route("sendMessage", "NONE", "WEBSOCKET"),
        _route("$connect", "CUSTOM", "WEBSOCKET"),
    ],
    bad=[
        _route("GET /orders", "NONE"),
        _route("ANY /{proxy+}", None),
        _route("$default", "NONE"),
        _route("$connect", "NONE", "WEBSOCKET"),
        {"RouteKey": "POST /login"},
        {"RouteKey": 7},
    ],
)
def auth(route: View) -> bool | Fail | None:
    """API Gateway route has no authorization.

    Requests reach the backend without any proof of who sent them. Whatever the code forgets to check is open to the
    internet.
    """
    key = str(route["RouteKey"])
    # A WebSocket is authorised when it is opened, on $connect alone:
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-control-access.html
    if key != "$connect" and route["Observed.ProtocolType"] == "WEBSOCKET":
        return None
    # Browsers send no credentials with what they ask before a request across origins:
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
    if key.startswith("OPTIONS "):
        return None
    if route.get("AuthorizationType", "NONE") != "NONE":
        return True
    return Fail(f"Route {key[:200]} has no authorization", "AuthorizationType", "RouteKey")
