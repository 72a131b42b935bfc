"""The published paths to administrator permissions, one by one, and what looks like them."""

from __future__ import annotations

from typing import Any

from tests.truth.account import ABROAD, Truth, holds
from tests.truth.iam_permissions import NO_MFA, OF_AWS, allow, deny, document, make_role

FAILS, PASSES = {"fails": "privilege_escalation"}, {"passes": "privilege_escalation"}

TAKEOVERS = {
    "stack": "cloudformation:UpdateStack",
    "change-set": "cloudformation:CreateChangeSet cloudformation:ExecuteChangeSet",
    "notebook": "sagemaker:CreateNotebookInstanceLifecycleConfig sagemaker:StopNotebookInstance"
    " sagemaker:UpdateNotebookInstance sagemaker:StartNotebookInstance",
    "notebook-url": "sagemaker:CreatePresignedNotebookInstanceUrl",
    "job": "batch:SubmitJob",
    "machine": "states:UpdateStateMachine states:StartExecution",
    "deployment": "codedeploy:RegisterApplicationRevision codedeploy:CreateDeployment codedeploy:GetDeploymentConfig",
    "interpreter": "bedrock-agentcore:StartCodeInterpreterSession bedrock-agentcore:InvokeCodeInterpreter",
    "agent": "bedrock-agentcore:InvokeAgentRuntimeCommand",
    "browser": "bedrock-agentcore:StartBrowserSession bedrock-agentcore:ConnectBrowserAutomationStream",
    "association": "ssm:CreateAssociation",
    "task": "ecs:ExecuteCommand",
    "service": "apprunner:UpdateService",
    "configuration": "lambda:UpdateFunctionConfiguration",
    "batch-build": "codebuild:StartBuildBatch",
}
"""What has code run with the role that something has, by the actions that are all needed."""

WITH_A_ROLE = {
    "ec2": (
        "ec2:RequestSpotInstances",
        "ec2:CreateLaunchTemplate autoscaling:UpdateAutoScalingGroup",
        "ec2:CreateLaunchTemplateVersion autoscaling:UpdateAutoScalingGroup",
        "imagebuilder:CreateComponent imagebuilder:CreateImageRecipe imagebuilder:CreateInfrastructureConfiguration"
        " imagebuilder:CreateImage",
    ),
    "lambda": (
        "lambda:CreateFunction lambda:AddPermission",
        "lambda:UpdateFunctionConfiguration lambda:UpdateFunctionCode",
    ),
    "cloudformation": (
        "cloudformation:CreateStackSet cloudformation:CreateStackInstances",
        "cloudformation:UpdateStackSet",
    ),
    "glue": ("glue:CreateJob glue:StartJobRun", "glue:UpdateJob glue:CreateTrigger"),
    "sagemaker": (
        "sagemaker:CreateNotebookInstance sagemaker:CreateNotebookInstanceLifecycleConfig",
        "sagemaker:CreateProcessingJob",
    ),
    "ecs-tasks": (
        "ecs:RunTask",
        "ecs:StartTask",
        "ecs:RegisterTaskDefinition ecs:CreateService",
        "batch:RegisterJobDefinition batch:SubmitJob",
    ),
    "emr-serverless": ("emr-serverless:CreateApplication emr-serverless:StartJobRun",),
    "states": ("states:UpdateStateMachine states:StartExecution",),
    "scheduler": ("scheduler:CreateSchedule",),
    "braket": ("braket:CreateJob",),
    "omics": ("omics:CreateWorkflow omics:StartRun s3:GetObject",),
    "kinesisanalytics": ("kinesisanalytics:CreateApplication kinesisanalytics:StartApplication",),
    "gamelift": ("gamelift:CreateBuild gamelift:RequestUploadCredentials gamelift:CreateFleet",),
    "bedrock-agentcore": (
        "bedrock-agentcore:CreateAgentRuntime bedrock-agentcore:CreateAgentRuntimeEndpoint"
        " bedrock-agentcore:CreateWorkloadIdentity bedrock-agentcore:InvokeAgentRuntimeCommand",
    ),
}
"""What services do with a role that is passed to them, by the actions that are all needed."""

FIXED = "arn:aws:*:*:*:*/fixed/fixed"
"""A thing of a fixed name: on it no path is open without a role that is passed."""


def _to(*services: str) -> dict[str, Any]:
    return {"StringEquals": {"iam:PassedToService": [f"{service}.amazonaws.com" for service in services]}}


@holds(services=("iam",))
def takeovers(truth: Truth) -> None:
    """Each with all of its actions, without its last one, denied, and on what has another account's number."""
    for name, way in TAKEOVERS.items():
        actions = way.split()
        truth.judged(make_role(truth, name, allow(*actions)), **FAILS)
        truth.judged(make_role(truth, f"{name}-less", allow(*actions[:-1] or ["s3:GetObject"])), **PASSES)
        truth.judged(make_role(truth, f"{name}-denied", allow(*actions), deny(actions[-1])), **PASSES)
        service = actions[-1].partition(":")[0]
        truth.judged(make_role(truth, f"{name}-abroad", allow(*actions, on=f"arn:aws:{service}:*:1:*")), **PASSES)


@holds(services=("iam",))
def passing(truth: Truth) -> None:
    """Each with the role passed to its service, to another one, and without its last action."""
    for service, ways in WITH_A_ROLE.items():
        for number, way in enumerate(ways):
            actions, name = way.split(), f"{service}-{number}"
            here = allow(*actions, on=FIXED)
            passes = allow("iam:PassRole", when=_to(service))
            truth.judged(make_role(truth, name, here, passes), **FAILS)
            less = allow(*actions[:-1] or ["s3:GetObject"], on=FIXED)
            truth.judged(make_role(truth, f"{name}-less", less, passes), **PASSES)
            elsewhere = allow("iam:PassRole", when=_to("rds", "config"))
            truth.judged(make_role(truth, f"{name}-elsewhere", here, elsewhere), **PASSES)


@holds(services=("iam",))
def pinned(truth: Truth) -> None:
    """Where on what, and on which condition, decides."""
    own, account = f"arn:aws:iam::{truth.cloud.account}", truth.cloud.account
    boss = make_role(truth, "boss", attached=(f"{OF_AWS}/AdministratorAccess",))
    truth.judged(boss, skipped="privilege_escalation")
    changing = TAKEOVERS["change-set"].split()
    stack, instance = "arn:aws:cloudformation:*:*:stack", f"arn:aws:ec2:*:{account}:instance"
    any_job = f"arn:aws:batch:*:{account}:job-definition/*"
    queue, config = (
        f"arn:aws:batch:*:{account}:job-queue/q",
        "arn:aws:codedeploy:*:*:deploymentconfig:CodeDeployDefault.*",
    )
    deploy = allow("codedeploy:RegisterApplicationRevision", "codedeploy:CreateDeployment")
    pass_any = allow("iam:PassRole")
    only_boss = document(allow("iam:PassRole", on=boss), allow("ec2:RunInstances"))
    bounds = truth.client("iam").create_policy(PolicyName="bounds", PolicyDocument=only_boss)["Policy"]["Arn"]
    wrong = {
        "any-stack": [allow("cloudformation:UpdateStack", on=f"{stack}/*")],
        "stacks-abroad": [allow("cloudformation:UpdateStack", on=f"arn:aws:cloudformation:{ABROAD}:*:stack/*/*")],
        "any-job-one-queue": [allow("batch:SubmitJob", on=[any_job, queue])],
        "named-config": [deploy, allow("codedeploy:GetDeploymentConfig", on=config)],
        "own-stack-any-role": [pass_any, allow("cloudformation:UpdateStack", on=f"{stack}/mine/*")],
        "pass-but-for-subnets": [pass_any, allow("ec2:RunInstances"), _only("ec2:*", "arn:aws:ec2:*:*:subnet/s")],
    }
    right = {
        "one-stack": [allow("cloudformation:UpdateStack", on=f"{stack}/mine/*")],
        "prefix-of-stacks": [allow("cloudformation:*ChangeSet", on=f"{stack}/team-*/*")],
        "stack-with-role": [allow("cloudformation:UpdateStack", when=_role_is(boss))],
        "all-of-ec2": [allow("ec2:*")],
        "two-regions": [
            allow(changing[0], on=f"arn:aws:cloudformation:{ABROAD}:*:stack/*"),
            allow(changing[1], on="arn:aws:cloudformation:us-east-1:*:stack/*"),
        ],
        "tagged": [allow(*changing, when={"StringEquals": {"aws:ResourceTag/team": "web"}})],
        "one-job": [allow("batch:SubmitJob", on=[any_job.replace("/*", "/one:1"), queue])],
        "queue-alone": [allow("batch:SubmitJob", on=queue)],
        "job-without-queue": [allow("batch:SubmitJob", on=any_job)],
        "patches": [
            allow("ssm:CreateAssociation", on=[f"{instance}/*", "arn:aws:ssm:*:*:document/AWS-RunPatchBaseline"])
        ],
        "set-stack-policy": [allow("cloudformation:SetStackPolicy", "cloudformation:ExecuteChangeSet")],
        "pass-to-nothing": [pass_any, allow("ec2:RunInstances"), deny("ec2:Run*")],
    }
    for name, statements in wrong.items():
        truth.judged(make_role(truth, name, *statements), **FAILS)
    for name, statements in right.items():
        truth.judged(make_role(truth, name, *statements), **PASSES)
    everything = [allow("iam:PassRole", "ec2:RunInstances")]
    truth.judged(make_role(truth, "within-bounds", *everything, PermissionsBoundary=bounds), **FAILS)
    truth.judged(f"{own}:role/within-bounds", passes="no_star_inline")


def _only(action: str, on: str) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "NotResource": on}


def _role_is(arn: str) -> dict[str, Any]:
    return {"StringEquals": {"cloudformation:RoleArn": arn}}


@holds(services=("iam",))
def denied_to_itself(truth: Truth) -> None:
    """Deny statements that an identity can take off itself protect nothing."""
    iam, own = truth.client("iam"), f"arn:aws:iam::{truth.cloud.account}"
    guard = document(deny("iam:CreatePolicyVersion"))
    guarding = iam.create_policy(PolicyName="guard", PolicyDocument=guard)["Policy"]["Arn"]
    policies = allow("iam:CreatePolicyVersion")
    detach = {"Action": "iam:DetachRolePolicy", "Effect": "Allow", "Resource": f"{own}:role/*"}
    other = {"Condition": {"ArnEquals": {"iam:PolicyARN": f"{own}:policy/other"}}}
    cases = {
        "detaches": ([policies, detach], (guarding,), FAILS),
        "detaches-other": ([policies, detach | other], (guarding,), PASSES),
        "detaches-in-vain": ([allow("s3:*"), detach], (guarding,), PASSES),
        "detaches-without-mfa": ([policies, detach, deny("iam:Detach*", when=NO_MFA)], (guarding,), FAILS),
        "guarded": ([policies], (guarding,), PASSES),
        "guarded-itself": ([policies, detach, deny("iam:Detach*")], (guarding,), PASSES),
    }
    for name, (statements, attached, verdict) in cases.items():
        truth.judged(make_role(truth, name, *statements, attached=attached), **verdict)
    for name, verdict in {"deletes": FAILS, "keeps": PASSES}.items():
        iam.create_user(UserName=name)
        on = f"{own}:user/deletes"
        iam.put_user_policy(UserName=name, PolicyName="guard", PolicyDocument=guard)
        granted = document(policies, allow("iam:DeleteUserPolicy", on=on))
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=granted)
        truth.judged(f"{own}:user/{name}", **verdict)
        truth.judged(f"{own}:user/{name}", fails="user_no_direct_policies")


@holds(services=("iam",))
def groups(truth: Truth) -> None:
    """A user's own group, whose ARN has its path."""
    iam, own = truth.client("iam"), f"arn:aws:iam::{truth.cloud.account}"
    iam.create_group(GroupName="devs", Path="/eng/")
    for name, on, verdict in (("ann", "group/eng/devs", FAILS), ("bob", "group/devs", PASSES)):
        iam.create_user(UserName=name)
        granted = document(allow("iam:PutGroupPolicy", on=f"{own}:{on}"))
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=granted)
        iam.add_user_to_group(GroupName="devs", UserName=name)
        truth.judged(f"{own}:user/{name}", **verdict)
        truth.judged(f"{own}:user/{name}", fails="user_no_direct_policies")
