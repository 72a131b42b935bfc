"""Lambda, CloudFront and WAF."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

from nephoscope_aws_simulator.corrections.patching import extend, replace


def apply() -> None:
    """URLs of functions, policies of their aliases, origin access control, logging of web ACLs for CloudFront."""
    _function_urls()
    _qualified_policies()
    _origin_access_control()
    _versions()
    _logging_configurations()
    _function_policies()


def _function_policies() -> None:
    """moto writes an account as it was given, forgets how a URL may be called, and keeps one of several conditions.

    https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html,
    https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
    """
    from moto.awslambda.policy import Policy

    @extend(Policy, "principal_formatter")
    def principal(moto: Any, self: Any, named: str) -> Any:
        if named.isdigit():
            return {"AWS": f"arn:aws:iam::{named}:root"}
        return {"AWS": named} if named.startswith("arn:") else moto(self, named)

    @replace(Policy, "condition_merge")
    def condition(self: Any, statement: dict[str, Any]) -> None:
        condition: dict[str, dict[str, str]] = statement.pop("Condition", {})
        auth, via_url = statement.pop("FunctionUrlAuthType", None), statement.pop("InvokedViaFunctionUrl", None)
        for more in (
            statement.pop("SourceArn", {}),
            statement.pop("SourceAccount", {}),
            {"StringEquals": {"lambda:FunctionUrlAuthType": auth}} if auth else {},
            {"Bool": {"lambda:InvokedViaFunctionUrl": str(via_url).lower()}} if via_url is not None else {},
        ):
            for operator, keys in more.items():
                condition.setdefault(operator, {}).update(keys)
        if condition:
            statement["Condition"] = condition


def _function_urls() -> None:
    """moto lacks the list: https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctionUrlConfigs.html"""
    from moto.awslambda.responses import LambdaResponse
    from moto.awslambda.urls import url_paths

    url_paths[r"{0}/(?P<api_version>[^/]+)/functions/(?P<function_name>[\w_:%-]+)/urls/?$"] = LambdaResponse.dispatch

    @replace(LambdaResponse, "list_function_url_configs")
    def list_function_url_configs(self: Any) -> str:
        function = self.backend.get_function(unquote(self.path.rstrip("/").split("/")[-2]))
        return json.dumps({"FunctionUrlConfigs": [function.url_config.to_dict()] if function.url_config else []})


def _qualified_policies() -> None:
    """moto gives an alias the policy of its version, but each has its own.

    https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html#API_AddPermission_RequestParameters
    """
    from moto.awslambda.models import LambdaBackend
    from moto.awslambda.policy import Policy
    from moto.awslambda.responses import LambdaResponse

    def policy(backend: Any, name: str, qualifier: str | None) -> Any:
        function = backend.get_function(name, qualifier)
        if qualifier in (None, "$LATEST"):
            return function.policy
        held: dict[str, Any] = backend.get_function(name).__dict__.setdefault("qualified_policies", {})
        return held.setdefault(str(qualifier), Policy(function))

    @replace(LambdaBackend, "add_permission")
    def add_permission(self: Any, function_name: str, qualifier: str, raw: str) -> dict[str, Any]:
        statement: dict[str, Any] = policy(self, function_name, qualifier).add_statement(raw, qualifier)[0]
        return statement

    @replace(LambdaResponse, "remove_permission")
    def remove_permission(self: Any) -> Any:
        name, _, sid = (unquote(part) for part in self.path.split("?")[0].rstrip("/").split("/")[-3:])
        policy(self.backend, name, self._get_param("Qualifier")).del_statement(sid)
        return 204, {"status": 204}, "{}"

    @replace(LambdaBackend, "get_policy")
    def get_policy(self: Any, function_name: str, qualifier: str | None = None) -> str:
        return str(policy(self, function_name, qualifier).wire_format())


def _origin_access_control() -> None:
    """moto forgets it: https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_Origin.html"""
    from moto.cloudfront.models import Origin

    @extend(Origin, "__init__")
    def new_origin(moto: Any, self: Any, origin: dict[str, Any]) -> None:
        moto(self, origin)
        self.origin_access_control_id = origin.get("OriginAccessControlId") or ""


def _versions() -> None:
    """moto takes any version for the last one, and keeps calling it by the same name.

    https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_UpdateDistribution.html
    """
    from moto.cloudfront.exceptions import CloudFrontException
    from moto.cloudfront.models import CloudFrontBackend, random_id

    @extend(CloudFrontBackend, "update_distribution")
    def update_distribution(moto: Any, self: Any, dist_config: dict[str, Any], _id: str, if_match: Any) -> Any:
        distribution = self.distributions.get(_id)
        if distribution and if_match and if_match != distribution.etag:
            raise CloudFrontException("PreconditionFailed", "The given precondition evaluated to false.")
        moto(self, dist_config=dist_config, _id=_id, if_match=if_match)
        distribution.etag = random_id()
        return distribution, distribution.location, distribution.etag


def _logging_configurations() -> None:
    """https://docs.aws.amazon.com/waf/latest/APIReference/API_ListLoggingConfigurations.html

    moto looks for the scope in a form that ARNs of web ACLs do not have, and so lists none for CloudFront.
    """
    from moto.wafv2.models import WAFV2Backend

    @extend(WAFV2Backend, "list_logging_configurations")
    def list_logging_configurations(moto: Any, self: Any, scope: str, **page: Any) -> Any:
        if scope != "CLOUDFRONT":
            return moto(self, scope, **page)
        return [each for arn, each in self.logging_configurations.items() if ":global/" in arn], None
