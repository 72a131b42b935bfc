"""Containment: whoever a detection names can do nothing any more, until that is undone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nephoscope.domain import Call, FixRequest, LiveSession, Permission, PlanProblem, Remediation, Resource, Step
from nephoscope_aws.call import AwsCall, aws_call
from nephoscope_aws.detections import CONTAIN, FINDING, access_key, identity
from nephoscope_aws.settings import READ_ROLE, WRITE_ROLE
from nephoscope_aws_fixes.iam_keys import LAST_USED, LIST, WRITE, keys_of, status_of, step_off, uses_of
from nephoscope_aws_fixes.plugin import DO_NOT_FIX
from nephoscope_aws_fixes.policy_text import same_policy
from nephoscope_aws_fixes.setting import unless_hidden

POLICY_NAME = "nephoscope-contained"
DENY_ALL = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Sid": "Contained", "Effect": "Deny", "Action": "*", "Resource": "*"}]},
    separators=(",", ":"),
)
"""A Deny wins over every Allow, and holds for sessions that are open already, too.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html
"""

MANAGED = {
    "/aws-service-role/": "AWS does not let anyone change a service-linked role.",
    "/aws-reserved/": "IAM Identity Center manages it: disable the user or the assignment there.",
}
"""Paths of roles whose policies cannot be changed, and why."""


@dataclass(frozen=True, slots=True)
class _Identity:
    """A user or role; ``described`` is what GetUser or GetRole says of it."""

    kind: str
    described: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.described[f"{self.kind}Name"])

    @property
    def arn(self) -> str:
        return str(self.described["Arn"])

    @property
    def unique_id(self) -> str:
        """What no other identity ever has: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html"""
        return str(self.described[f"{self.kind}Id"])

    def call(self, verb: str, **more: Any) -> Call:
        """Return a call on its inline policy that contains it."""
        asked = {f"{self.kind}Name": self.name, "PolicyName": POLICY_NAME, **more}
        action = f"iam:{verb.capitalize()}{self.kind}Policy"
        return aws_call("iam", f"{verb}_{self.kind.lower()}_policy", asked, Permission(action, self.arn))


class Contain(Remediation):
    """A policy that denies everything is put on the user or role, and a user's access keys are made inactive."""

    id = CONTAIN
    title = "Contain the user or role"
    summary = (
        "Puts an inline policy on the user or role that denies everything, and makes a user’s active access keys "
        "inactive. Open sessions are cut off, too. Undoing it takes both away."
    )
    breaks = (
        "Everything that runs as this user or role stops working at once, also what is not under attack. Give the "
        "workload another role first if it must go on."
    )
    provider = "aws"
    group = "Contain users and roles"
    loses = ""
    on = (FINDING,)
    reads = (
        "sts:GetCallerIdentity",
        "iam:GetUser",
        "iam:GetRole",
        "iam:GetUserPolicy",
        "iam:GetRolePolicy",
        LIST,
        LAST_USED,
    )
    writes = ("iam:PutUserPolicy", "iam:DeleteUserPolicy", "iam:PutRolePolicy", "iam:DeleteRolePolicy", WRITE)

    def plan(self, request: FixRequest, session: LiveSession) -> list[Step]:
        finding = request.resource
        with unless_hidden():
            who = _identity(finding, session)
            _require_not_own(who, session)
            steps = [*_denied(finding.id, who, session), *_keys_off(finding.id, who, session)]
        if not steps:
            raise PlanProblem(f"{who.name} is contained already.")
        return steps

    def state(self, step: Step, session: LiveSession) -> Any:
        """Read the text of the policy that contains, None when there is none; or the status of a key."""
        asked = AwsCall.of(step.call)
        if asked.operation == "update_access_key":
            return status_of(step, session)
        kind = "User" if "UserName" in asked.parameters else "Role"
        return _policy(kind, asked.parameters[f"{kind}Name"], session)

    def uses(self, request: FixRequest, session: LiveSession) -> list[str]:
        who = _identity(request.resource, session)
        if who.kind == "User":
            return uses_of(who.name, session)
        return [_last_used(who), *_trusted(who)]


def _identity(finding: Resource, session: LiveSession) -> _Identity:
    """Return whom a finding names, as IAM describes it; raises PlanProblem when that cannot be contained."""
    if access_key(finding).get("UserType") == "Root":
        raise PlanProblem("no policy holds for the root user; change its password and delete its access keys.")
    named = identity(finding)
    if named is None:
        raise PlanProblem("the finding does not name an IAM user or role of this account.")
    kind, name = named
    asked = aws_call("iam", f"get_{kind.lower()}", {f"{kind}Name": name}, Permission(f"iam:Get{kind}"))
    answer = session.read(asked)
    if answer is None:
        raise PlanProblem(f"there is no {kind.lower()} {name} any more.")
    who = _Identity(kind, answer[kind])
    principal = str(access_key(finding).get("PrincipalId")).partition(":")[0]
    if principal.startswith(("AIDA", "AROA")) and principal != who.unique_id:
        raise PlanProblem(f"the {kind.lower()} {name} that it names was deleted, and another one has that name now.")
    return who


def _require_not_own(who: _Identity, session: LiveSession) -> None:
    """Refuse what must not be contained: what cannot be, what is tagged so, and what Nephoscope itself runs as."""
    if why := next((why for path, why in MANAGED.items() if who.described["Path"].startswith(path)), ""):
        raise PlanProblem(f"{who.name} cannot be contained. {why}")
    tags = {each["Key"]: each["Value"] for each in who.described.get("Tags", ())}
    if tags.get(DO_NOT_FIX, "false").strip().lower() != "false":
        raise PlanProblem(f"{who.name} is tagged {DO_NOT_FIX}, so it is not contained from here.")
    caller = session.read(aws_call("sts", "get_caller_identity", {}, Permission("sts:GetCallerIdentity"))) or {}
    own = {READ_ROLE, WRITE_ROLE, *caller.get("Arn", "").split(":")[-1].split("/")[1:2]}
    if who.name in own or who.arn == caller.get("Arn"):
        raise PlanProblem(f"Nephoscope itself works as {who.name}, and could not undo it.")


def _denied(resource: str, who: _Identity, session: LiveSession) -> list[Step]:
    before = _policy(who.kind, who.name, session)
    if same_policy(before, DENY_ALL):
        return []
    if before is not None:
        raise PlanProblem(f"{who.name} has another policy named {POLICY_NAME}; delete it first.")
    put, delete = who.call("put", PolicyDocument=DENY_ALL), who.call("delete")
    return [Step(resource, f"Deny everything to {who.kind.lower()} {who.name}", put, delete, None, DENY_ALL)]


def _keys_off(resource: str, who: _Identity, session: LiveSession) -> list[Step]:
    keys = keys_of(who.name, session) if who.kind == "User" else None
    return [step_off(resource, who.arn, key) for key in keys or () if key["Status"] == "Active"]


def _policy(kind: str, name: str, session: LiveSession) -> str | None:
    asked = {f"{kind}Name": name, "PolicyName": POLICY_NAME}
    permission = Permission(f"iam:Get{kind}Policy")
    answer = session.read(aws_call("iam", f"get_{kind.lower()}_policy", asked, permission))
    if answer is None:
        return None
    document = answer["PolicyDocument"]
    return document if isinstance(document, str) else json.dumps(document, separators=(",", ":"))


def _last_used(role: _Identity) -> str:
    used = role.described.get("RoleLastUsed") or {}
    if "LastUsedDate" not in used:
        return f"Role {role.name} has not been used for 400 days, as far as IAM tracks it."
    return f"Role {role.name} was last used on {used['LastUsedDate']:%Y-%m-%d} in {used.get('Region', 'no region')}."


def _trusted(role: _Identity) -> list[str]:
    """Say who can assume a role: AWS services, accounts and identities, as its trust policy names them."""
    statements = role.described["AssumeRolePolicyDocument"].get("Statement", [])
    found = dict.fromkeys(
        name
        for each in (statements if isinstance(statements, list) else [statements])
        if isinstance(each.get("Principal"), dict)
        for names in each["Principal"].values()
        for name in (names if isinstance(names, list) else [names])
    )
    return [f"It can be assumed by {', '.join(found)}."] if found else []
