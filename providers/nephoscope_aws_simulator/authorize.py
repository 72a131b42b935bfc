"""Real authorisation: what a role session may do, and who may assume a role.

An administrator's key may do everything. A session of a role may do what the role's policies, its permissions
boundary and its session policy all allow:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
Resource-based policies (of buckets, of keys) are not evaluated.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from nephoscope_aws_simulator.accounts import account_of, administrator_arn
from nephoscope_aws_simulator.actions import iam_action
from nephoscope_aws_simulator.conditions import NotSimulatedError, holds
from nephoscope_aws_simulator.entities import backend_of, boundary, document, find, identity_policies
from nephoscope_aws_simulator.errors import AwsError, of_kind
from nephoscope_aws_simulator.policy import (
    Document,
    Request,
    Verdict,
    action_applies,
    as_list,
    evaluate,
    statements,
)
from nephoscope_aws_simulator.wire import Call

# "No permissions are required to perform this operation":
# https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
_FREE = {"sts:GetCallerIdentity"}
# moto would give everybody the same key for these, with which everything is allowed
_NOT_SIMULATED = {
    "sts:GetSessionToken",
    "sts:GetFederationToken",
    "sts:AssumeRoleWithSAML",
    "sts:AssumeRoleWithWebIdentity",
}
# https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html: "Maximum length of 2048"
_SESSION_POLICY_MAXIMUM = 2048


@dataclass(frozen=True)
class Caller:
    """Who signed a call. `session` is moto's AssumedRole, None for an administrator."""

    arn: str
    account: str
    session: Any = None

    @property
    def principal_arn(self) -> str:
        """aws:PrincipalArn, which for a session is the role's."""
        return str(self.session.role_arn) if self.session else self.arn


def identify(call: Call) -> Caller:
    """The caller of a call; temporary credentials must be known, complete and not expired."""
    from moto.sts.models import sts_backends

    if not call.access_key:
        raise of_kind(call, "AccessDenied", "Access Denied: the request is not signed")
    if not call.access_key.startswith("ASIA"):
        account = account_of(call.access_key)
        return Caller(administrator_arn(account), account)
    for backends in list(sts_backends.values()):
        session = backends["aws"].get_assumed_role_from_access_key(call.access_key)
        if session and session.session_token == call.token:
            if session.expiration.replace(tzinfo=UTC) <= datetime.now(UTC):
                raise of_kind(call, "ExpiredToken")
            return Caller(session.arn, session.account_id, session)
    raise of_kind(call, "InvalidCredentials")


def context_of(call: Call, caller: Caller) -> dict[str, str]:
    """The global condition keys that are known of a call. Plain HTTP here stands for AWS's HTTPS."""
    context = {
        "aws:PrincipalArn": caller.principal_arn,
        "aws:PrincipalAccount": caller.account,
        "aws:PrincipalType": "AssumedRole" if caller.session else "User",
        "aws:RequestedRegion": call.region,
        "aws:ResourceAccount": caller.account,
        "aws:SourceIp": call.source_ip,
        "aws:SecureTransport": "true",
        "aws:CurrentTime": datetime.now(UTC).isoformat(),
    }
    if call.service == "iam" and "PolicyArn" in call.params:
        context["iam:PolicyARN"] = call.params["PolicyArn"]
    return context


def _denied(call: Call, caller: Caller, resource: str | None, reason: str) -> AwsError:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    on = f" on resource: {resource}" if resource and resource != "*" else ""
    if on and call.model == "s3":  # S3 puts it in quotes
        on = f' on resource: "{resource}"'
    message = f"User: {caller.arn} is not authorized to perform: {iam_action(call)}{on} {reason}"
    if call.protocol == "ec2":
        message = f"You are not authorized to perform this operation. {message}"
    return of_kind(call, "AccessDenied", message)


def injected(call: Call, caller: Caller, kind: str, targets: list[str | None]) -> AwsError:
    """The error of a denial that a test asked for; AccessDenied reads as if a policy were missing."""
    if kind != "AccessDenied":
        return of_kind(call, kind)
    return _denied(call, caller, targets[0], _missing("identity-based policy", call))


def _missing(layer: str, call: Call) -> str:
    return f"because no {layer} allows the {iam_action(call)} action"


def authorize(call: Call, caller: Caller, targets: list[str | None]) -> None:
    """Raise the service's refusal when the session's policies do not allow the call on every target."""
    action = iam_action(call)
    if action in _NOT_SIMULATED:
        raise NotSimulatedError("other credentials than those of AssumeRole")
    if caller.session is None or action in _FREE:
        return
    backend = backend_of(caller.account)
    role = find(caller.account, "RoleName", caller.principal_arn.rpartition("/")[2])
    if role is None or role.arn != caller.principal_arn:  # deleted since; its sessions are worth nothing then
        raise of_kind(call, "InvalidCredentials")
    layers = [("identity-based policy", identity_policies(backend, role))]
    if (limits := boundary(backend, role)) is not None:
        layers.append(("permissions boundary", limits))
    if caller.session.policy:
        layers.append(("session policy", [document(caller.session.policy)]))
    context = context_of(call, caller)
    for resource in targets:
        for name, documents in layers:
            verdict = evaluate(documents, Request(action, resource, context))
            if verdict is Verdict.EXPLICIT_DENY:
                article = "an" if name.startswith("i") else "a"
                raise _denied(call, caller, resource, f"with an explicit deny in {article} {name}")
            if verdict is Verdict.IMPLICIT_DENY:
                raise _denied(call, caller, resource, _missing(name, call))


def _principal_applies(statement: Document, caller: Caller) -> bool:
    principal = statement.get("Principal", {})
    named = as_list(principal.get("AWS", [])) if isinstance(principal, dict) else [principal]
    account_forms = {caller.account, f"arn:aws:iam::{caller.account}:root"}
    return any(one == "*" or one in account_forms or one in (caller.arn, caller.principal_arn) for one in named)


def _trusts(policy: Document, caller: Caller, context: dict[str, str]) -> bool:
    effects = {
        statement.get("Effect")
        for statement in statements(policy)
        if action_applies(statement, "sts:AssumeRole")
        and _principal_applies(statement, caller)
        and holds(statement.get("Condition", {}), context)
    }
    return effects == {"Allow"}


def authorize_assume_role(call: Call, caller: Caller) -> None:
    """Whether the role exists and its trust policy lets this caller in, with the external id that was given."""
    role_arn = str(call.params.get("RoleArn", ""))
    refusal = of_kind(
        call, "AccessDenied", f"User: {caller.arn} is not authorized to perform: sts:AssumeRole on resource: {role_arn}"
    )
    parts = role_arn.split(":")
    role = find(parts[4], "RoleName", role_arn.rpartition("/")[2]) if len(parts) == 6 else None
    if role is None or role.arn != role_arn:  # AWS does not tell a role that is missing from one that refuses
        raise refusal
    context = context_of(call, caller) | {"sts:RoleSessionName": str(call.params.get("RoleSessionName", ""))}
    if "ExternalId" in call.params:
        context["sts:ExternalId"] = str(call.params["ExternalId"])
    if not _trusts(document(role.assume_role_policy_document), caller, context):
        raise refusal
    _check_session_policy(call)


def _check_session_policy(call: Call) -> None:
    policy = call.params.get("Policy", "")
    if any(name.startswith("PolicyArns.") for name in call.params):
        raise NotSimulatedError("PolicyArns; Policy is")
    if len(policy) > _SESSION_POLICY_MAXIMUM:
        detail = "Value at 'policy' failed to satisfy constraint: Member must have length less than or equal to "
        raise AwsError("ValidationError", f"1 validation error detected: {detail}{_SESSION_POLICY_MAXIMUM}", 400)
    if policy:
        try:
            document(policy)
        except ValueError as error:
            message = "This policy contains invalid Json"
            raise AwsError("MalformedPolicyDocument", message, 400) from error
