"""Fixes for AWS Secrets Manager, none of which reads or changes what a secret holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nephoscope.domain import Call, Field, FixRequest, LiveSession, Permission, PlanProblem, Resource
from nephoscope_aws_fixes.public_policy import ClosePolicy
from nephoscope_aws_fixes.setting import Setting, Target, at, operation

SECRET = "AWS::SecretsManager::Secret"
MOST_DAYS = 1000
"""https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotationRulesType.html"""


class RemovePublicAccess(ClosePolicy):
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutResourcePolicy.html"""

    id = "aws.secretsmanager.remove_public_access"
    title = "Limit the secret’s policy to its own account"
    breaks = (
        "Whoever reads the secret only because everyone may can no longer do so. Users and roles of the account itself "
        "then need an IAM policy that allows it."
    )
    group = "Secrets"
    on = (SECRET,)
    keys = ("SecretId",)
    getter = operation("secretsmanager", "get_resource_policy", "secretsmanager:GetResourcePolicy")
    setter = operation("secretsmanager", "put_resource_policy", "secretsmanager:PutResourcePolicy")
    policy_at = ("ResourcePolicy",)
    sent_as = "ResourcePolicy"
    shown_at = "ResourcePolicy"
    longest = 20_480

    def names(self, resource: Resource) -> dict[str, Any]:
        return {"SecretId": resource.id}

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        secret = request.resource
        primary = secret.properties.get("Observed", {}).get("PrimaryRegion")
        if primary not in (None, secret.region):
            # https://docs.aws.amazon.com/secretsmanager/latest/userguide/create-manage-multi-region-secrets.html
            raise PlanProblem(f"it is a replica, which has the policy of its original: fix that one in {primary}.")
        return super().wanted(before, request, session)


class Rotate(Setting):
    """Rotation begins with the next window of the schedule, so that an undo comes in time if something is wrong.

    Secrets Manager tries the function's test step at once. The state is None while the secret does not rotate.
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
    """

    id = "aws.secretsmanager.rotate"
    title = "Rotate the secret automatically"
    summary = "Turns on rotation by a Lambda function that is there already. The secret is not rotated at once."
    breaks = "Applications that keep a copy of the secret stop working once it is rotated for the first time."
    group = "Secrets"
    loses = "Undo turns rotation off. If the secret was rotated until then, it keeps its new value."
    on = (SECRET,)
    keys = ("SecretId",)
    getter = operation("secretsmanager", "describe_secret", "secretsmanager:DescribeSecret")
    setter = operation("secretsmanager", "rotate_secret", "secretsmanager:RotateSecret")
    remover = operation("secretsmanager", "cancel_rotate_secret", "secretsmanager:CancelRotateSecret")
    also_writes = ("lambda:InvokeFunction",)
    inputs = (
        Field("function", "Rotation function", "The ARN of a Lambda function that rotates this kind of secret."),
        Field("days", "Days between rotations", default="30"),
    )

    def names(self, resource: Resource) -> dict[str, Any]:
        return {"SecretId": resource.id}

    def found(self, answer: Mapping[str, Any]) -> Any:
        if not answer.get("RotationEnabled"):
            return None
        return {name: answer.get(name) for name in ("RotationLambdaARN", "RotationRules")}

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        secret = request.resource
        if before is not None:
            return before
        if session.read(self.getter.on(self.target(secret), self.names(secret))) is None:
            raise PlanProblem("it does not exist any more.")
        function, days = request.inputs["function"], request.inputs["days"]
        if ":function:" not in function:
            raise PlanProblem("it needs the ARN of a rotation function: enter one.")
        if not days.isascii() or not days.isdigit() or not 1 <= int(days) <= MOST_DAYS:
            raise PlanProblem(f"the days between rotations are a number from 1 to {MOST_DAYS:,}.")
        return {"RotationLambdaARN": function, "RotationRules": {"AutomaticallyAfterDays": int(days)}}

    def parameters(self, state: Any) -> Mapping[str, Any]:
        return {**state, "RotateImmediately": False}

    def set_to(self, target: Target, state: Any) -> Call | None:
        call = super().set_to(target, state)
        if call is None or state is None:
            return call
        invokes = Permission("lambda:InvokeFunction", state["RotationLambdaARN"])
        return replace(call, permissions=(*call.permissions, invokes))

    def lost(self, before: Any, after: Any) -> tuple[str, Any]:
        return self.loses, None

    def show(self, properties: dict[str, Any], state: Any) -> None:
        days = at(state, ("RotationRules", "AutomaticallyAfterDays"))
        properties["RotationRules"] = {"AutomaticallyAfterDays": days, "Duration": None, "ScheduleExpression": None}
