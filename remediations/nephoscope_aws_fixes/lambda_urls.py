"""The fix for Lambda function URLs."""

from __future__ import annotations

from typing import Any

from nephoscope.domain import FixRequest, LiveSession, Resource
from nephoscope_aws_fixes.metrics import DAYS, METRICS, by_day
from nephoscope_aws_fixes.setting import Members, operation

_URL = "/url"
"""The end of a URL's id, which is else the ARN of its function or alias."""


class RequireSignature(Members):
    """https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionUrlConfig.html"""

    id = "aws.lambda.require_url_auth"
    title = "Require IAM authentication at the function URL"
    summary = "Sets the auth type of the function URL to AWS_IAM. Its CORS settings stay as they are."
    breaks = "Callers that do not sign their requests, such as browsers and webhooks, are answered 403 Forbidden."
    group = "Public queues, topics and functions"
    on = ("AWS::Lambda::Url",)
    keys = ("FunctionName", "Qualifier")
    getter = operation("lambda", "get_function_url_config", "lambda:GetFunctionUrlConfig")
    setter = operation("lambda", "update_function_url_config", "lambda:UpdateFunctionUrlConfig")
    also_reads = METRICS.actions
    path = ()
    wants = {"AuthType": "AWS_IAM"}

    def names(self, resource: Resource) -> dict[str, Any]:
        function, qualifier = resource.properties["TargetFunctionArn"], resource.properties.get("Qualifier")
        return {"FunctionName": function} | ({"Qualifier": qualifier} if qualifier else {})

    def uses(self, request: FixRequest, session: LiveSession) -> list[str]:
        """https://docs.aws.amazon.com/lambda/latest/dg/urls-monitoring.html (UrlRequestCount)"""
        target = self.target(request.resource)
        name = request.resource.id.split(":")[6].removesuffix(_URL)
        points = by_day(target, session, "AWS/Lambda UrlRequestCount", "Sum", "FunctionName", name)
        if not points:
            return [f"CloudWatch has no data on requests to it in the last {DAYS} days."]
        return [f"It was requested {round(sum(points)):,} times in the last {DAYS} days."]

    def arn(self, resource: Resource) -> str:
        return resource.id.removesuffix(_URL)
