"""How an identity can give itself more than it was given: the published paths to administrator permissions.

A path is open when each of its actions is allowed where it has to be: on things of any name, on the identity itself or
its own policies, or, for a role that is passed, on one that has administrator permissions. The paths are those that
were published since 2018 (https://rhinosecuritylabs.com/aws/aws-privilege-escalation-methods-mitigation/ and
https://pathfinding.cloud/paths/); what IAM documents of the actions is at
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from nephoscope.domain import Inventory, ResourceView
from nephoscope_aws.access_policies import Names, matches, principals, statements
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

PASS, TRUST, SEND = "iam:PassRole", "iam:UpdateAssumeRolePolicy", "ssm:SendCommand"

ANY_REGION = "any-region-1"
EVERYTHING = Statement(False, Names(("*",)), Names(("*",)), (), "", "")


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
        "elasticmapreduce:RunJobFlow",
        "datapipeline:CreatePipeline datapipeline:PutPipelineDefinition",
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
    ("codebuild:StartBuildBatch", "project/"),
    ("ssm:SendCommand", "instance/"),
    ("ssm:StartSession", "instance/"),
    ("ec2-instance-connect:SendSSHPublicKey", "instance/"),
    ("ecs:ExecuteCommand", f"task/{ANY_NAME}/"),
    ("apprunner:UpdateService", f"service/{ANY_NAME}/"),
    ("bedrock-agentcore:InvokeCodeInterpreter", "code-interpreter/"),
)
"""What has code run with the role that something has already, and how ARNs of such things go on after the account."""

_SERVED_BY = {"ssm": "ec2", "ec2-instance-connect": "ec2"}
"""Whose ARNs the things have that another service acts on."""

SCRIPTS = ("AWS-RunShellScript", "AWS-RunPowerShellScript", ANY_NAME)
"""Documents by which Systems Manager runs what it is told; a command needs to be allowed for its document, too.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html"""


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
    everything = held.allowing("nephoscope:AnyAction", any_arn("nephoscope", "thing/", holder, ANY_REGION))
    if everything is None:
        return None
    return everything if any(_through_iam(held, holder, own=False)) else None


def escalations(holder: ResourceView, held: Permissions, inventory: Inventory) -> Iterator[Escalation]:
    """Go through the open paths of a user or role. Raises NotKnown when what decides one could not be read.

    What it grants itself holds within its boundary, so that is a way only where there is one behind it.
    """
    granted = Permissions((*held.statements, EVERYTHING), held.boundary, held.known)
    own = held.boundary is None or bool(administers(granted, holder) or any(_paths(holder, granted, inventory)))
    yield from _paths(holder, held, inventory, own=own)


def _paths(holder: ResourceView, held: Permissions, inventory: Inventory, *, own: bool = False) -> Iterator[Escalation]:
    yield from _through_iam(held, holder, own=own)
    yield from _existing(held, holder)
    yield from _others(held, holder, inventory)
    yield from _unbinding(held, holder, inventory)
    yield from _passed(held, holder, inventory)


def _through_iam(held: Permissions, holder: ResourceView, *, own: bool) -> Iterator[Escalation]:
    """What IAM alone opens, on things of any name, or with ``own`` on what the holder is and has."""
    mine = [arn for arn in attached_arns(holder) if ":iam::aws:" not in arn] if own else []
    for action in OF_POLICIES:
        yield from _on(held, action, [_any(POLICY, holder), *mine])
    for action, type in GRANTING.items():
        targets = [_any(type, holder), *([holder.id] if own and holder.type == type else [])]
        targets += [_arn(GROUP, name, holder) for name in _names_of_groups(holder)] if own and type == GROUP else []
        for policy in GRANTED if "Attach" in action else ("",):
            asked = held.knowing(
                iam__permissionsboundary=(), **({"iam__policyarn": (_of_aws(policy, holder),)} if policy else {})
            )
            if found := next(_on(asked, action, targets), None):
                yield found
                break
    for action, type in OF_OTHERS.items():
        yield from _on(held.knowing(iam__permissionsboundary=()), action, [_any(type, holder)])


def _on(held: Permissions, action: str, targets: Iterable[str]) -> Iterator[Escalation]:
    for target in targets:
        if by := held.allowing(action, target):
            yield Escalation((action,), (by,))
            return


def _existing(held: Permissions, holder: ResourceView) -> Iterator[Escalation]:
    """What has code run with the role of any thing, if only in one region."""
    for action, kind in EXISTING:
        service = action.partition(":")[0]
        things = (any_arn(_SERVED_BY.get(service, service), kind, holder, place) for place in _regions(held, action))
        if (found := next(_on(held, action, things), None)) and (action != SEND or _scripts(held, holder)):
            yield found


def _regions(held: Permissions, action: str) -> list[str]:
    """Return a region that nobody has heard of, and those that statements on an action name in ARNs."""
    arns = (each.split(":") for one in held.statements if one.names(action) for each in one.resources.patterns)
    named = {arn[3].replace("*", "any").replace("?", "a") for arn in arns if len(arn) > 5}
    return [ANY_REGION, *sorted(named - {""})]


def _scripts(held: Permissions, holder: ResourceView) -> bool:
    return any(
        held.allowing(SEND, f"arn:{partition(holder.id)}:ssm:{region}:{owner}:document/{name}")
        for region in _regions(held, SEND)
        for owner in ("", holder.account)
        for name in SCRIPTS
    )


def _others(held: Permissions, holder: ResourceView, inventory: Inventory) -> Iterator[Escalation]:
    """Becoming somebody else who is an administrator, and letting oneself into a role.

    In its own account, a principal that a role's trust policy names needs no permission to assume it:
    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """
    yield from _on(held, TRUST, [_any(ROLE, holder)])
    for action, type in {**OF_OTHERS, TRUST: ROLE}.items():
        if not held.allowing(action, _any(type, holder)):
            yield from _on(held, action, (each.id for each in _administrators(held, holder, inventory, action, type)))


def _unbinding(held: Permissions, holder: ResourceView, inventory: Inventory) -> Iterator[Escalation]:
    """Getting rid of one's own boundary, or changing it, is a way where there is more behind it."""
    if held.boundary is None:
        return
    free = Permissions(held.statements, None, held.known)
    if not administers(free, holder) and not any(_paths(holder, free, inventory)):
        return
    own = str(holder["PermissionsBoundary"])
    for action, type in UNBINDING.items():
        after = own if "Delete" in action else _of_aws(GRANTED[0], holder)
        if type == holder.type:
            yield from _on(held.knowing(iam__permissionsboundary=(after,)), action, [holder.id])
    for action in OF_POLICIES if ":iam::aws:" not in own else ():
        yield from _on(held, action, [own])


def _passed(held: Permissions, holder: ResourceView, inventory: Inventory) -> Iterator[Escalation]:
    named: list[ResourceView] | None = None
    for way, asked in _asked(held, holder):
        by = [found for action in way.actions if (found := asked.allowing_somewhere(action))]
        if len(by) < len(way.actions):
            continue
        passes = asked.allowing(PASS, _any(ROLE, holder))
        if passes is None:
            named = [*_administrators(held, holder, inventory, PASS, ROLE)] if named is None else named
            fits = (asked.allowing(PASS, role.id) for role in named if _trusts(role, way.to))
            passes = next(filter(None, fits), None)
        if passes:
            yield Escalation((PASS, *way.actions), (passes, *by))


def _asked(held: Permissions, holder: ResourceView) -> Iterator[tuple[Passing, Permissions]]:
    """Go through the services with what is allowed of them. In China some are spelled ``.com.cn``, and others are not.

    https://docs.amazonaws.cn/en_us/aws/latest/userguide/iam.html
    """
    for way in PASSING:
        yield way, held.knowing(iam__passedtoservice=(way.to,))
        if partition(holder.id) == "aws-cn":
            yield way, held.knowing(iam__passedtoservice=(f"{way.to}.cn",))


def _trusts(role: ResourceView, service: str) -> bool:
    """Tell whether a role can be used by a service, for which its trust policy has to name it, also by region."""
    document = role.key("AssumeRolePolicyDocument")
    named = [
        name
        for each in statements(document, [])
        if each.key("Effect") == "Allow"
        for _, name in principals(each.key("Principal"))
    ]
    own = service.removesuffix("amazonaws.com")
    return document is None or any(name == "*" or (name.startswith(own) and ".amazonaws.com" in name) for name in named)


def _administrators(
    held: Permissions, holder: ResourceView, inventory: Inventory, action: str, type: str
) -> Iterator[ResourceView]:
    """Go through others that statements on an action name, and that have administrator permissions."""
    any_name = _any(type, holder)
    patterns = {
        pattern
        for each in held.statements
        if each.names(action) and each.denies == each.resources.excepted
        for pattern in each.resources.patterns
        if not matches(pattern, any_name)  # what holds for any name was asked before
    }
    for other in inventory.of(type) if patterns else ():
        named = other.id != holder.id and any(matches(each, other.id) for each in patterns)
        if named and administers(permissions(other, inventory), other):
            yield other


def _of_aws(policy: str, holder: ResourceView) -> str:
    return f"arn:{partition(holder.id)}:iam::aws:policy/{policy}"


def _any(type: str, holder: ResourceView) -> str:
    return any_arn("iam", _KINDS[type], holder)


def _arn(type: str, name: str, holder: ResourceView) -> str:
    return _any(type, holder).replace(ANY_NAME, name)


def _names_of_groups(holder: ResourceView) -> list[str]:
    return list(holder.texts("Groups")) if holder.type == USER else []
