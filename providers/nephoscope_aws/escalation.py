"""How an identity can give itself more than it was given: the published paths to administrator permissions.

A path is open when each of its actions is allowed where it has to be: on things of any name, on the identity itself or
its own policies, or, for a role that is passed, on one that has administrator permissions. The paths are those that
were published since 2018 (https://rhinosecuritylabs.com/aws/aws-privilege-escalation-methods-mitigation/ and
https://pathfinding.cloud/paths/); what IAM documents of the actions is at
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nephoscope.domain import Inventory, ResourceView
from nephoscope_aws.access_policies import matches
from nephoscope_aws.identity_policies import (
    ANY_NAME,
    GROUP,
    POLICY,
    ROLE,
    USER,
    Permissions,
    Statement,
    any_arn,
    attached_arns,
    permissions,
)
from nephoscope_aws.names import partition

_KINDS = {USER: "user/", GROUP: "group/", ROLE: "role/", POLICY: "policy/"}

OF_POLICIES = ("iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion")
"""What changes a managed policy that somebody has already."""

GRANTING = {
    "iam:AttachUserPolicy": USER,
    "iam:PutUserPolicy": USER,
    "iam:AttachGroupPolicy": GROUP,
    "iam:PutGroupPolicy": GROUP,
    "iam:AttachRolePolicy": ROLE,
    "iam:PutRolePolicy": ROLE,
}
"""What gives an identity permissions; one's own counts as much as that of others."""

OF_OTHERS = {
    "iam:CreateAccessKey": USER,
    "iam:CreateLoginProfile": USER,
    "iam:UpdateLoginProfile": USER,
    "iam:AddUserToGroup": GROUP,
}
"""What makes one somebody else; on oneself it changes nothing."""

UNBINDING = {
    "iam:DeleteUserPermissionsBoundary": USER,
    "iam:PutUserPermissionsBoundary": USER,
    "iam:DeleteRolePermissionsBoundary": ROLE,
    "iam:PutRolePermissionsBoundary": ROLE,
}

GRANTED = ("AdministratorAccess", "IAMFullAccess")
"""AWS's policies of which an intruder would attach one."""


@dataclass(frozen=True, slots=True)
class Passing:
    """A service that takes a role and does what it is told with it. ``actions`` are all needed, beside PassRole."""

    to: str
    actions: tuple[str, ...]


def _passing(to: str, *ways: str) -> Iterator[Passing]:
    return (Passing(f"{to}.amazonaws.com", tuple(way.split())) for way in ways)


PASSING = (
    *_passing(
        "ec2",
        "ec2:RunInstances",
        "ec2:RequestSpotInstances",
        "ec2:RequestSpotFleet",
        "ec2:AssociateIamInstanceProfile",
        "ec2:ReplaceIamInstanceProfileAssociation",
        "autoscaling:CreateLaunchConfiguration autoscaling:CreateAutoScalingGroup",
        "autoscaling:CreateLaunchConfiguration autoscaling:UpdateAutoScalingGroup",
        "ec2:CreateLaunchTemplate autoscaling:CreateAutoScalingGroup",
    ),
    *_passing(
        "lambda",
        "lambda:CreateFunction lambda:InvokeFunction",
        "lambda:CreateFunction lambda:AddPermission",
        "lambda:CreateFunction lambda:CreateEventSourceMapping",
        "lambda:CreateFunction lambda:CreateFunctionUrlConfig",
    ),
    *_passing(
        "cloudformation",
        "cloudformation:CreateStack",
        "cloudformation:UpdateStack",
        "cloudformation:CreateStackSet cloudformation:CreateStackInstances",
        "cloudformation:CreateChangeSet cloudformation:ExecuteChangeSet",
    ),
    *_passing(
        "glue",
        "glue:CreateDevEndpoint",
        "glue:CreateJob glue:StartJobRun",
        "glue:CreateJob glue:CreateTrigger",
        "glue:UpdateJob glue:StartJobRun",
        "glue:CreateSession glue:RunStatement",
    ),
    *_passing(
        "sagemaker",
        "sagemaker:CreateNotebookInstance sagemaker:CreatePresignedNotebookInstanceUrl",
        "sagemaker:CreateTrainingJob",
        "sagemaker:CreateProcessingJob",
        "sagemaker:CreateDomain sagemaker:CreateUserProfile sagemaker:CreatePresignedDomainUrl",
    ),
    *_passing(
        "codebuild",
        "codebuild:CreateProject codebuild:StartBuild",
        "codebuild:UpdateProject codebuild:StartBuild",
        "codebuild:CreateProject codebuild:StartBuildBatch",
    ),
    *_passing(
        "ecs-tasks",
        "ecs:RegisterTaskDefinition ecs:RunTask",
        "ecs:RegisterTaskDefinition ecs:StartTask",
        "ecs:RegisterTaskDefinition ecs:CreateService",
        "ecs:RegisterTaskDefinition ecs:UpdateService",
        "batch:RegisterJobDefinition batch:SubmitJob",
    ),
    *_passing("datapipeline", "datapipeline:CreatePipeline datapipeline:PutPipelineDefinition"),
    *_passing("codestar", "codestar:CreateProject"),
    *_passing("tasks.apprunner", "apprunner:CreateService"),
    *_passing("elasticmapreduce", "elasticmapreduce:RunJobFlow"),
    *_passing("states", "states:CreateStateMachine states:StartExecution"),
    *_passing("scheduler", "scheduler:CreateSchedule"),
    *_passing("ssm", "ssm:StartAutomationExecution"),
    *_passing(
        "bedrock-agentcore",
        "bedrock-agentcore:CreateCodeInterpreter bedrock-agentcore:StartCodeInterpreterSession"
        " bedrock-agentcore:InvokeCodeInterpreter",
    ),
    *_passing("cognito-identity", "cognito-identity:SetIdentityPoolRoles"),
)

EXISTING = (
    ("lambda:UpdateFunctionCode", "function:"),
    ("lambda:UpdateFunctionConfiguration", "function:"),
    ("glue:UpdateDevEndpoint", "devEndpoint/"),
    ("sagemaker:CreatePresignedNotebookInstanceUrl", "notebook-instance/"),
    ("codebuild:StartBuild", "project/"),
    ("ssm:SendCommand", "instance/"),
    ("ssm:StartSession", "instance/"),
    ("ec2-instance-connect:SendSSHPublicKey", "instance/"),
    ("ecs:ExecuteCommand", "task/"),
    ("apprunner:UpdateService", "service/"),
    ("bedrock-agentcore:InvokeCodeInterpreter", "code-interpreter/"),
)
"""What has code run with the role that something has already, and how ARNs of such things go on after the account."""

_SERVED_BY = {"ssm": "ec2", "ec2-instance-connect": "ec2"}
"""Whose ARNs the things have that another service acts on."""


@dataclass(frozen=True, slots=True)
class Escalation:
    """An open path: its actions, and the statements that allow them."""

    actions: tuple[str, ...]
    by: tuple[Statement, ...]

    def __str__(self) -> str:
        return " + ".join(self.actions)


def administers(held: Permissions, holder: ResourceView) -> Statement | None:
    """Return the statement by which permissions are those of an administrator, None if they are not.

    They are when they hold for services that nobody has heard of, and the rest can be had by changing IAM: a policy
    that leaves out one service or denies one action still makes an administrator, one that leaves out IAM does not.
    """
    everything = held.allowing("nephoscope:AnyAction", any_arn("nephoscope", "thing/", holder, "any-region-1"))
    if everything is None:
        return None
    return everything if any(_through_iam(held, holder, own=False)) else None


def escalations(holder: ResourceView, held: Permissions, inventory: Inventory) -> Iterator[Escalation]:
    """Go through the open paths of a user or role. Raises NotKnown when what decides one could not be read."""
    yield from _through_iam(held, holder, own=True)
    yield from _unbinding(held, holder)
    yield from _assumed(held, holder)
    yield from _passed(held, holder, inventory)
    for action, kind in EXISTING:
        service = action.partition(":")[0]
        arn = any_arn(_SERVED_BY.get(service, service), kind, holder, "us-east-1")
        if by := held.allowing(action, arn):
            yield Escalation((action,), (by,))


def _through_iam(held: Permissions, holder: ResourceView, *, own: bool) -> Iterator[Escalation]:
    """What IAM alone opens, on things of any name, or with ``own`` on what the holder is and has."""
    mine = [arn for arn in attached_arns(holder) if ":iam::aws:" not in arn] if own else []
    for action in OF_POLICIES:
        yield from _on(held, action, [_any(POLICY, holder), *mine])
    for action, type in GRANTING.items():
        targets = [_any(type, holder), *([holder.id] if own and holder.type == type else [])]
        targets += [_arn(GROUP, name, holder) for name in _names_of_groups(holder)] if own and type == GROUP else []
        for policy in GRANTED if "Attach" in action else ("",):
            arn = f"arn:{partition(holder.id)}:iam::aws:policy/{policy}"
            asked = held.knowing(iam__permissionsboundary=(), **({"iam__policyarn": (arn,)} if policy else {}))
            if found := next(_on(asked, action, targets), None):
                yield found
                break
    for action, type in OF_OTHERS.items():
        yield from _on(held.knowing(iam__permissionsboundary=()), action, [_any(type, holder)])


def _on(held: Permissions, action: str, targets: list[str]) -> Iterator[Escalation]:
    for target in targets:
        if by := held.allowing(action, target):
            yield Escalation((action,), (by,))
            return


def _unbinding(held: Permissions, holder: ResourceView) -> Iterator[Escalation]:
    """Getting rid of one's own boundary is a way where there is more behind it: any Allow of all actions."""
    if held.boundary is None or not administers(Permissions(held.statements, None, held.known), holder):
        return
    for action, type in UNBINDING.items():
        if type == holder.type:
            yield from _on(held, action, [holder.id])


def _assumed(held: Permissions, holder: ResourceView) -> Iterator[Escalation]:
    """Letting oneself into any role."""
    change = held.allowing("iam:UpdateAssumeRolePolicy", _any(ROLE, holder))
    assume = held.allowing("sts:AssumeRole", _any(ROLE, holder))
    if change and assume:
        yield Escalation(("iam:UpdateAssumeRolePolicy", "sts:AssumeRole"), (change, assume))


def _passed(held: Permissions, holder: ResourceView, inventory: Inventory) -> Iterator[Escalation]:
    named: list[str] | None = None
    for way in PASSING:
        asked = held.knowing(iam__passedtoservice=(way.to,))
        by = [found for action in way.actions if (found := asked.allowing_somewhere(action))]
        if len(by) < len(way.actions):
            continue
        passes = asked.allowing("iam:PassRole", _any(ROLE, holder))
        if passes is None:
            named = [*_administrators(held, holder, inventory)] if named is None else named
            passes = next(filter(None, (asked.allowing("iam:PassRole", role) for role in named)), None)
        if passes:
            yield Escalation(("iam:PassRole", *way.actions), (passes, *by))


def _administrators(held: Permissions, holder: ResourceView, inventory: Inventory) -> Iterator[str]:
    """Go through the roles that a statement on passing roles names, and that have administrator permissions."""
    any_role = _any(ROLE, holder)
    patterns = {
        pattern
        for each in held.statements
        if each.names("iam:PassRole") and each.denies == each.resources.excepted
        for pattern in each.resources.patterns
        if not matches(pattern, any_role)  # what holds for a role of any name was asked before
    }
    for role in inventory.of(ROLE) if patterns else ():
        named = role.id != holder.id and any(matches(each, role.id) for each in patterns)
        if named and administers(permissions(role, inventory), role):
            yield role.id


def _any(type: str, holder: ResourceView) -> str:
    return any_arn("iam", _KINDS[type], holder)


def _arn(type: str, name: str, holder: ResourceView) -> str:
    return _any(type, holder).replace(ANY_NAME, name)


def _names_of_groups(holder: ResourceView) -> list[str]:
    return [str(name) for name in holder.get("Groups", ())] if holder.type == USER else []
