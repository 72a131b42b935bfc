"""The fix for policies of Lambda functions, their aliases and versions.

Such a policy is not set as a whole: AddPermission adds a statement and RemovePermission takes one away, by its Sid.
https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nephoscope.domain import Call, FixRequest, LiveSession, Permission, PlanProblem, Remediation, Resource, Step
from nephoscope_aws.access_conditions import pins
from nephoscope_aws.access_grants import open_grants
from nephoscope_aws.access_policies import principals, statements
from nephoscope_aws.call import AwsCall, aws_call
from nephoscope_aws_fixes.policy_text import named
from nephoscope_aws_fixes.public_policy import as_view, called, named_in, parsed, statement_of
from nephoscope_aws_fixes.setting import at, unless_hidden

FUNCTION = "AWS::Lambda::Function"

Statement = dict[str, Any]

_READ, _ADD, _REMOVE = "lambda:GetPolicy", "lambda:AddPermission", "lambda:RemovePermission"

_BUCKETS = ("Service", "s3.amazonaws.com")

_CONDITIONS = {
    ("StringEquals", "aws:sourceaccount"): "SourceAccount",
    ("StringEquals", "aws:principalorgid"): "PrincipalOrgID",
    ("StringEquals", "lambda:functionurlauthtype"): "FunctionUrlAuthType",
    ("ArnLike", "aws:sourcearn"): "SourceArn",
    ("Bool", "lambda:invokedviafunctionurl"): "InvokedViaFunctionUrl",
}
"""What AddPermission makes of its parameters: operator and key of a condition. An EventSourceToken is left out: it is
shared with whoever calls, and a plan is stored and shown.
https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html"""

OF_THE_ACCOUNT = "-own-account"
"""The end of the Sid of a statement for the account's own buckets."""

MAX_SID = 100


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy of a function, or of its alias or version with the name ``qualifier``."""

    function: Resource
    qualifier: str

    @property
    def names(self) -> dict[str, str]:
        return {"FunctionName": self.function.id} | ({"Qualifier": self.qualifier} if self.qualifier else {})

    def call(self, operation: str, action: str, **parameters: Any) -> Call:
        """Return a call on it; a policy may name an alias by the function's ARN or by its own."""
        arns = [self.function.id, *([f"{self.function.id}:{self.qualifier}"] if self.qualifier else [])]
        permissions = (Permission(action, arn) for arn in arns)
        return aws_call("lambda", operation, {**self.names, **parameters}, *permissions, region=self.function.region)

    def remove(self, statement: Statement) -> Call:
        return self.call("remove_permission", _REMOVE, StatementId=statement["Sid"])

    def add(self, statement: Statement) -> Call:
        return self.call("add_permission", _ADD, StatementId=statement["Sid"], **as_permission(statement))


def as_permission(statement: Statement) -> dict[str, Any]:
    """Return what AddPermission makes a statement of.

    :raises PlanProblem: it makes no such statement, so that it could not be put back.
    """
    who = statement.get("Principal")
    named = list(who.values()) if isinstance(who, dict) else [who]
    known = {"Action": statement.get("Action"), "Principal": named[0] if len(named) == 1 else None}
    for operator, keys in (statement.get("Condition") or {}).items():
        known |= {_CONDITIONS.get((operator, key.lower()), ""): value for key, value in keys.items()}
    if "InvokedViaFunctionUrl" in known:
        known["InvokedViaFunctionUrl"] = str(known["InvokedViaFunctionUrl"]).lower() == "true"
    if "" in known or not all(isinstance(value, str | bool) for value in known.values()):
        raise PlanProblem(
            f"{called(statement, '')} of its policy could not be put back as it is, for it holds what AddPermission "
            "does not take: change it manually."
        )
    return known


def statements_of(policy: Policy, session: LiveSession) -> dict[str, Any] | None:
    """Return the policy as it is; None where there is none."""
    text = at(session.read(policy.call("get_policy", _READ)), ("Policy",))
    return parsed(text) if text else None


def open_statements(document: dict[str, Any], own: str) -> Iterator[Statement]:
    """Yield the statements that let everyone in, directly or through any bucket, one after the other."""
    left = copy.deepcopy(document)
    while path := _first_open(left, own):
        found = statement_of(left, path)
        left["Statement"].remove(found)
        yield found


def _first_open(document: dict[str, Any], own: str) -> str:
    policy = as_view(document).key("Policy")
    if grants := open_grants(policy, own=own):
        return grants[0].at
    for each in statements(policy, []):
        buckets = _BUCKETS in principals(each.key("Principal")) and each.key("Effect") == "Allow"
        if buckets and not pins(each.key("Condition")):
            return f"{each.path}.Principal"
    return ""


class RemovePublicAccess(Remediation):
    """Takes the open statements away; one for S3 gives way to one for the account's own buckets first.

    S3 notifications go on then. https://docs.aws.amazon.com/lambda/latest/dg/with-s3.html
    """

    id = "aws.lambda.remove_public_access"
    title = "Remove the function’s public permissions"
    summary = (
        "Removes the statements of its policy, and of those of its aliases and versions, by which everyone can use it. "
        "Where any S3 bucket could invoke it, the buckets of its own account still can."
    )
    breaks = (
        "Whoever invokes the function only because everyone may, a public function URL included, can no longer do so. "
        "Buckets of other accounts need a permission of their own."
    )
    provider = "aws"
    group = "Public queues, topics and functions"
    loses = ""
    on = (FUNCTION,)
    reads = (_READ,)
    writes = (_REMOVE, _ADD)

    def plan(self, request: FixRequest, session: LiveSession) -> list[Step]:
        function = request.resource
        with unless_hidden():
            steps = [step for policy in _policies(function) for step in _closing(policy, session)]
        if not steps:
            raise PlanProblem("it is not public any more.")
        return steps

    def state(self, step: Step, session: LiveSession) -> Any:
        asked = AwsCall.of(step.call)
        function = Resource(FUNCTION, step.resource, "", asked.region, "", {})
        policy = Policy(function, asked.parameters.get("Qualifier", ""))
        found = (statements_of(policy, session) or {}).get("Statement", [])
        return next((each for each in found if each.get("Sid") == asked.parameters["StatementId"]), None)

    def project(self, resource: Resource, steps: Sequence[Step]) -> Resource | None:
        properties = copy.deepcopy(dict(resource.properties))
        own = [properties, *(each for each in properties.get("Observed", {}).get("Qualifiers", ()))]
        for step in steps:
            qualifier = AwsCall.of(step.call).parameters.get("Qualifier")
            for each in own:
                if each.get("Name") == qualifier and isinstance(each.get("Policy"), dict):
                    _change(each["Policy"], step)
        return replace(resource, properties=properties)

    def uses(self, request: FixRequest, session: LiveSession) -> list[str]:
        documents = (statements_of(policy, session) for policy in _policies(request.resource))
        return [use for document in documents if document for use in named_in(document)]


def _policies(function: Resource) -> Iterator[Policy]:
    """Yield the policies that were found to be there."""
    yield Policy(function, "")
    qualifiers = function.properties.get("Observed", {}).get("Qualifiers", ())
    for each in qualifiers if isinstance(qualifiers, list | tuple) else ():
        yield Policy(function, str(each["Name"]))


def _closing(policy: Policy, session: LiveSession) -> Iterator[Step]:
    """Yield the steps that close a policy: what is put in the place of a statement comes before it goes."""
    document = statements_of(policy, session)
    if document is None:
        return
    taken = {each.get("Sid") for each in document["Statement"]}
    of = f" of {policy.qualifier}" if policy.qualifier else ""
    for statement in open_statements(document, policy.function.id):
        if not statement.get("Sid"):
            raise PlanProblem("a public statement of its policy has no Sid, by which alone it could be removed.")
        if _BUCKETS in named(statement["Principal"]):
            kept = _for_own_buckets(statement, policy.function.account)
            if kept["Sid"] in taken:
                raise PlanProblem(f"its policy already has a statement {kept['Sid']}: remove one of the two manually.")
            title = f"Add the permission {kept['Sid']}{of} for the account’s own buckets"
            yield Step(policy.function.id, title, policy.add(kept), policy.remove(kept), None, kept)
        title = f"Remove the permission {statement['Sid']}{of}"
        yield Step(policy.function.id, title, policy.remove(statement), policy.add(statement), statement, None)


def _for_own_buckets(statement: Statement, account: str) -> Statement:
    """Return a statement as it is but for the account whose buckets it is limited to."""
    condition = copy.deepcopy(statement.get("Condition") or {})
    condition.setdefault("StringEquals", {})["AWS:SourceAccount"] = account
    sid = statement["Sid"][: MAX_SID - len(OF_THE_ACCOUNT)] + OF_THE_ACCOUNT
    return {**statement, "Sid": sid, "Condition": condition}


def _change(document: dict[str, Any], step: Step) -> None:
    sid = AwsCall.of(step.call).parameters["StatementId"]
    kept = [each for each in document["Statement"] if each.get("Sid") != sid]
    document["Statement"] = kept + ([step.after] if step.after else [])
