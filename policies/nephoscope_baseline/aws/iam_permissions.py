"""Rules on what users, groups and roles are allowed by all of their policies together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nephoscope.domain import Fail, Inventory, NotKnown, Resource, ResourceView, Severity, rule
from nephoscope.domain.examples import example, resource
from nephoscope_aws.administrators import Escalation, administers
from nephoscope_aws.escalation import escalations
from nephoscope_aws.identity_policies import (
    AWS_POLICY,
    GROUP,
    POLICY,
    ROLE,
    USER,
    Permissions,
    Statement,
    at_most,
    attached_arns,
    bounded,
    managed,
    own_statements,
    permissions,
)
from nephoscope_baseline.aws.iam_policies import LEAST_LINK, allowed_by

MAX_SHOWN = 3
SERVICE_LINKED = "/aws-service-role/"

EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
DENY_ALL = {"Effect": "Deny", "Action": "*", "Resource": "*"}
MINE = "arn:aws:iam::123456789012"
DEVELOPER = f"example:{POLICY}:developer"
EXAMPLE = f"example:{USER}:example"
FOR_LAMBDA = {
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
}


def _inline(*statements: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An example: an identity with one inline policy."""
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return {"Policies": [{"PolicyName": "own", "PolicyDocument": document}], "ManagedPolicyArns": [], **more}


def _managed(name: str, *statements: dict[str, Any]) -> Resource:
    """An example's neighbour: a managed policy."""
    return resource(POLICY, {"PolicyDocument": {"Statement": list(statements)}}, name=name, region="global")


def _allow(*actions: str, on: Any = "*", **condition: Any) -> dict[str, Any]:
    found = {"Effect": "Allow", "Action": list(actions), "Resource": on}
    return found | ({"Condition": condition} if condition else {})


@rule(
    "aws.iam.no_star_inline",
    on=(USER, GROUP, ROLE),
    severity=Severity.HIGH,
    needs=(POLICY, AWS_POLICY),
    link=LEAST_LINK,
    fix="""
        1. In the IAM console, open the user, group or role and choose Permissions.
        2. Replace the inline policy with one that allows the actions in use; Last accessed and Generate policy show
           them.
        3. Where full administration is intended, delete the inline policy and attach the AWS managed policy
           AdministratorAccess, which everyone recognizes.
    """,
    commands={
        USER: "aws iam put-user-policy --user-name={name} --policy-name={POLICY_NAME} --policy-document={POLICY_FILE}",
        GROUP: "aws iam put-group-policy --group-name={name} --policy-name={POLICY_NAME}"
        " --policy-document={POLICY_FILE}",
        ROLE: "aws iam put-role-policy --role-name={name} --policy-name={POLICY_NAME} --policy-document={POLICY_FILE}",
    },
    inputs={
        "POLICY_NAME": "the name of the inline policy",
        "POLICY_FILE": "file://policy.json, where policy.json is the complete new policy",
    },
    good=[
        _inline(_allow("s3:GetObject")),
        _inline(EVERYTHING, DENY_ALL),
        {"Policies": []},
        example(_inline(EVERYTHING, ManagedPolicyArns=[DEVELOPER]), neighbours=[_managed("developer", DENY_ALL)]),
        example(_inline(EVERYTHING, PermissionsBoundary=DEVELOPER), neighbours=[_managed("developer", _allow("s3:*"))]),
    ],
    bad=[
        _inline(EVERYTHING),
        _inline({"Effect": "Allow", "NotAction": "support:*", "Resource": "*"}),
        example(_inline(EVERYTHING, PermissionsBoundary=DEVELOPER), neighbours=[_managed("developer", EVERYTHING)]),
    ],
)
def no_star_inline(holder: ResourceView, inventory: Inventory) -> bool | Fail:
    """Inline policy allows all actions on all resources.

    Whoever has it is an administrator. Inline policies are easily missed, because no list of policies shows them.
    """
    own = own_statements(holder)
    if administers(Permissions(own), holder) is None:
        return True
    denied = [each for arn in attached_arns(holder) for each in _known(arn, inventory) if each.denies]
    found = administers(bounded(holder, inventory, [*own, *denied]), holder)
    return found is None or Fail(f"{found.source.capitalize()} allows {allowed_by(found)}", found.at)


def _known(arn: str, inventory: Inventory) -> Iterable[Statement]:
    """The statements of a managed policy; a template has none of those that it does not make itself."""
    of_aws, denies_all = ":iam::aws:" in arn, arn.endswith(":iam::aws:policy/AWSDenyAll")
    is_there = inventory.get(AWS_POLICY if of_aws else POLICY, arn) is not None
    return managed(arn, inventory) if is_there or denies_all else ()


@rule(
    "aws.iam.privilege_escalation",
    on=(USER, ROLE),
    severity=Severity.HIGH,
    needs=(USER, GROUP, ROLE, POLICY, AWS_POLICY),
    live_only=True,
    link="https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html",
    fix="""
        1. The message names the actions, and the policies that allow them.
        2. Limit these actions to the resources they are needed for: iam:PassRole to single roles and, with
           iam:PassedToService, to one service; changes in IAM to a path without administrators.
        3. Or set a permissions boundary for the user or role with the command below.
    """,
    commands={
        USER: "aws iam put-user-permissions-boundary --user-name={name} --permissions-boundary={BOUNDARY_ARN}",
        ROLE: "aws iam put-role-permissions-boundary --role-name={name} --permissions-boundary={BOUNDARY_ARN}",
    },
    inputs={"BOUNDARY_ARN": "the ARN of a managed policy that allows no changes in IAM"},
    good=[
        _inline(_allow("ec2:*", "s3:*")),
        _inline(EVERYTHING),
        _inline(_allow("iam:PassRole", on=f"{MINE}:role/worker"), _allow("ec2:RunInstances")),
        _inline(_allow("iam:PassRole"), {"Effect": "Deny", "Action": "iam:PassRole", "Resource": "*"}),
        _inline(_allow("iam:PassRole", StringEquals={"iam:PassedToService": "rds.amazonaws.com"}), _allow("ec2:Run*")),
        _inline(_allow("iam:CreateAccessKey", on=f"{MINE}:user/${{aws:username}}")),
        _inline(_allow("iam:AttachUserPolicy", ArnEquals={"iam:PolicyARN": "arn:aws:iam::aws:policy/ReadOnlyAccess"})),
        _inline(_allow("iam:PutUserPolicy", StringEquals={"iam:PermissionsBoundary": DEVELOPER})),
        _inline(
            _allow(
                "ssm:SendCommand", on=["arn:aws:ec2:*:*:instance/*", "arn:aws:ssm:*:*:document/AWS-RunPatchBaseline"]
            )
        ),
        example(
            _inline(_allow("iam:*"), PermissionsBoundary=DEVELOPER),
            neighbours=[_managed("developer", _allow("iam:Get*", "iam:List*"))],
        ),
        example(
            _inline(_allow("iam:PutUserPolicy", on=EXAMPLE), PermissionsBoundary=DEVELOPER),
            neighbours=[_managed("developer", _allow("s3:*"), _allow("iam:PutUserPolicy", on=EXAMPLE))],
        ),
        example(
            _inline(EVERYTHING, PermissionsBoundary=DEVELOPER),
            neighbours=[
                _managed(
                    "developer",
                    _allow("iam:PutUserPermissionsBoundary", StringEquals={"iam:PermissionsBoundary": DEVELOPER}),
                )
            ],
        ),
        example(
            _inline(_allow("iam:PassRole", on=f"example:{ROLE}:boss"), _allow("ec2:RunInstances")),
            neighbours=[resource(ROLE, _inline(EVERYTHING, AssumeRolePolicyDocument=FOR_LAMBDA), name="boss")],
        ),
    ],
    bad=[
        _inline(_allow("iam:CreatePolicyVersion")),
        _inline(_allow("iam:PassRole", "ec2:RunInstances")),
        _inline(_allow("iam:PassRole"), _allow("lambda:*")),
        _inline(_allow("iam:PassRole", on=f"{MINE}:role/*"), _allow("glue:CreateDevEndpoint", on="*")),
        _inline(_allow("iam:CreateAccessKey", on=f"{MINE}:user/*")),
        _inline(_allow("iam:UpdateAssumeRolePolicy")),
        _inline(_allow("lambda:UpdateFunctionCode")),
        _inline(_allow("lambda:UpdateFunctionCode", on="arn:aws:lambda:eu-west-1:123456789012:function:*")),
        _inline(
            _allow("lambda:UpdateFunctionCode"),
            {"Effect": "Deny", "Action": "lambda:*", "Resource": "arn:aws:lambda:us-east-1:*"},
        ),
        _inline(_allow("ecs:ExecuteCommand", on="arn:aws:ecs:*:123456789012:task/*/*")),
        _inline(_allow("cloudformation:UpdateStack", on="arn:aws:cloudformation:*:123456789012:stack/*/*")),
        *(
            example(_inline(EVERYTHING, PermissionsBoundary=DEVELOPER), neighbours=[_managed("developer", unbinding)])
            for unbinding in (
                _allow("iam:DeleteUserPermissionsBoundary"),
                _allow("iam:CreatePolicyVersion", on=DEVELOPER),
            )
        ),
        example(
            _inline(_allow("iam:*"), PermissionsBoundary=DEVELOPER),
            neighbours=[_managed("developer", _allow("iam:DeleteUserPermissionsBoundary"))],
        ),
        example(
            _inline(_allow("iam:AddUserToGroup", on=f"example:{GROUP}:bosses")),
            neighbours=[resource(GROUP, _inline(EVERYTHING), name="bosses")],
        ),
        example(
            {"Policies": [], "ManagedPolicyArns": [], "Groups": ["builders"]},
            neighbours=[resource(GROUP, _inline(_allow("iam:AddUserToGroup")), name="builders")],
        ),
        example(
            _inline(_allow("iam:PassRole", on=f"example:{ROLE}:boss"), _allow("ec2:RunInstances")),
            neighbours=[resource(ROLE, _inline(EVERYTHING), name="boss")],
        ),
        example(
            {"Policies": [], "ManagedPolicyArns": [DEVELOPER]},
            neighbours=[_managed("developer", _allow("iam:SetDefaultPolicyVersion", on=DEVELOPER))],
        ),
    ],
)
def privilege_escalation(holder: ResourceView, inventory: Inventory) -> bool | Fail | None:
    """IAM identity can escalate its privileges.

    It can use its permissions to gain others that nobody granted it: those of other users and roles, or of what runs
    in the account. Whoever gets hold of it may become an administrator.
    """
    if holder.get("Path", "").startswith(SERVICE_LINKED):
        return None
    try:
        held = permissions(holder, inventory)
    except NotKnown:  # what was not read decides nothing where it could not add or take away enough
        if _is_harmless(holder, at_most(holder, inventory), inventory):
            return True
        raise
    if administers(held, holder):
        return None
    found: list[Escalation] = []
    try:
        found.extend(escalations(holder, held, inventory))
    except NotKnown:  # one that is open decides, whatever the others are
        if not found:
            raise
    return not found or Fail(_in_words(found), *(each.at for way in found[:MAX_SHOWN] for each in way.by))


def _is_harmless(holder: ResourceView, held: Permissions, inventory: Inventory) -> bool:
    return not administers(held, holder) and not any(escalations(holder, held, inventory))


def _in_words(found: list[Escalation]) -> str:
    shown = "; ".join(f"{way} ({way.by[0].source})" for way in found[:MAX_SHOWN])
    more = f" and {len(found) - MAX_SHOWN} more" if len(found) > MAX_SHOWN else ""
    return f"Can escalate its privileges with {shown}{more}"
