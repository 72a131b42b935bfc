"""The published paths to administrator permissions, as data: which actions, and on what.

They are those that were published since 2018 (https://rhinosecuritylabs.com/aws/aws-privilege-escalation-methods-mitigation/
and https://pathfinding.cloud/paths/); what AWS documents of the actions and the resources that they are allowed on is
at https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nephoscope_aws.identity_policies import ANY_NAME, GROUP, POLICY, ROLE, USER

GRANTING = {
    "iam:CreatePolicyVersion": POLICY,
    "iam:SetDefaultPolicyVersion": POLICY,
    "iam:AttachUserPolicy": USER,
    "iam:PutUserPolicy": USER,
    "iam:AttachGroupPolicy": GROUP,
    "iam:PutGroupPolicy": GROUP,
    "iam:AttachRolePolicy": ROLE,
    "iam:PutRolePolicy": ROLE,
}
"""What gives an identity permissions; one's own counts as much as that of others."""

OF_POLICIES = tuple(action for action, type in GRANTING.items() if type == POLICY)

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

UNDENYING = {
    USER: ("iam:DeleteUserPolicy", "iam:DetachUserPolicy"),
    ROLE: ("iam:DeleteRolePolicy", "iam:DetachRolePolicy"),
}
"""What takes an inline policy off an identity, and what takes a managed one off, with its Deny statements."""

GRANTED = ("AdministratorAccess", "IAMFullAccess")
"""AWS's policies of which an intruder would attach one."""

PASS, TRUST = "iam:PassRole", "iam:UpdateAssumeRolePolicy"


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
        "ec2:CreateLaunchTemplate autoscaling:UpdateAutoScalingGroup",
        "ec2:CreateLaunchTemplateVersion autoscaling:UpdateAutoScalingGroup",
        "elasticmapreduce:RunJobFlow",
        "datapipeline:CreatePipeline datapipeline:PutPipelineDefinition",
        "imagebuilder:CreateComponent imagebuilder:CreateImageRecipe imagebuilder:CreateInfrastructureConfiguration"
        " imagebuilder:CreateImage",
    ),
    *_passing(
        "lambda",
        "lambda:CreateFunction lambda:InvokeFunction",
        "lambda:CreateFunction lambda:AddPermission",
        "lambda:CreateFunction lambda:CreateEventSourceMapping",
        "lambda:CreateFunction lambda:CreateFunctionUrlConfig",
        "lambda:UpdateFunctionConfiguration lambda:UpdateFunctionCode",
    ),
    *_passing(
        "cloudformation",
        "cloudformation:CreateStack",
        "cloudformation:UpdateStack",
        "cloudformation:CreateStackSet cloudformation:CreateStackInstances",
        "cloudformation:UpdateStackSet",
        "cloudformation:CreateChangeSet cloudformation:ExecuteChangeSet",
    ),
    *_passing(
        "glue",
        "glue:CreateDevEndpoint",
        "glue:CreateJob glue:StartJobRun",
        "glue:CreateJob glue:CreateTrigger",
        "glue:UpdateJob glue:StartJobRun",
        "glue:UpdateJob glue:CreateTrigger",
        "glue:CreateSession glue:RunStatement",
    ),
    *_passing(
        "sagemaker",
        "sagemaker:CreateNotebookInstance sagemaker:CreatePresignedNotebookInstanceUrl",
        "sagemaker:CreateNotebookInstance sagemaker:CreateNotebookInstanceLifecycleConfig",
        "sagemaker:CreateTrainingJob",
        "sagemaker:CreateProcessingJob",
        "sagemaker:CreateDomain sagemaker:CreateUserProfile sagemaker:CreatePresignedDomainUrl",
    ),
    *_passing(
        "codebuild",
        "codebuild:CreateProject codebuild:StartBuild",
        "codebuild:UpdateProject codebuild:StartBuild",
        "codebuild:CreateProject codebuild:StartBuildBatch",
        "codebuild:UpdateProject codebuild:StartBuildBatch",
    ),
    *_passing(
        "ecs-tasks",
        "ecs:RunTask",
        "ecs:StartTask",
        "ecs:RegisterTaskDefinition ecs:CreateService",
        "ecs:RegisterTaskDefinition ecs:UpdateService",
        "batch:RegisterJobDefinition batch:SubmitJob",
    ),
    *_passing("datapipeline", "datapipeline:CreatePipeline datapipeline:PutPipelineDefinition"),
    *_passing("codestar", "codestar:CreateProject"),
    *_passing("tasks.apprunner", "apprunner:CreateService", "apprunner:UpdateService"),
    *_passing("elasticmapreduce", "elasticmapreduce:RunJobFlow"),
    *_passing("emr-serverless", "emr-serverless:CreateApplication emr-serverless:StartJobRun"),
    *_passing(
        "states",
        "states:CreateStateMachine states:StartExecution",
        "states:UpdateStateMachine states:StartExecution",
    ),
    *_passing("scheduler", "scheduler:CreateSchedule", "scheduler:UpdateSchedule"),
    *_passing("ssm", "ssm:StartAutomationExecution"),
    *_passing(
        "bedrock-agentcore",
        "bedrock-agentcore:CreateCodeInterpreter bedrock-agentcore:StartCodeInterpreterSession"
        " bedrock-agentcore:InvokeCodeInterpreter",
        "bedrock-agentcore:CreateAgentRuntime bedrock-agentcore:CreateAgentRuntimeEndpoint"
        " bedrock-agentcore:CreateWorkloadIdentity bedrock-agentcore:InvokeAgentRuntimeCommand",
        "bedrock-agentcore:CreateBrowser bedrock-agentcore:StartBrowserSession"
        " bedrock-agentcore:ConnectBrowserAutomationStream",
    ),
    *_passing("cognito-identity", "cognito-identity:SetIdentityPoolRoles"),
    *_passing("braket", "braket:CreateJob"),
    *_passing("omics", "omics:CreateWorkflow omics:StartRun s3:GetObject"),
    *_passing("kinesisanalytics", "kinesisanalytics:CreateApplication kinesisanalytics:StartApplication"),
    *_passing("gamelift", "gamelift:CreateBuild gamelift:RequestUploadCredentials gamelift:CreateFleet"),
)


@dataclass(frozen=True, slots=True)
class Use:
    """An action on things whose ARNs go on with ``kind`` after the account. ``any`` or just one of them has to do.

    ``service`` is the one in the ARN, where it is not that of the action.
    """

    action: str
    kind: str
    any: bool = True
    service: str = ""


def _all(kind: str, *actions: str, service: str = "") -> tuple[Use, ...]:
    return tuple(Use(action, kind, service=service) for action in actions)


_INTERPRETING = ("bedrock-agentcore:StartCodeInterpreterSession", "bedrock-agentcore:InvokeCodeInterpreter")
_BROWSING = ("bedrock-agentcore:StartBrowserSession", "bedrock-agentcore:ConnectBrowserAutomationStream")

EXISTING = (
    _all("function:", "lambda:UpdateFunctionCode"),
    _all("function:", "lambda:UpdateFunctionConfiguration"),
    _all("devEndpoint/", "glue:UpdateDevEndpoint"),
    _all("notebook-instance/", "sagemaker:CreatePresignedNotebookInstanceUrl"),
    (
        Use("sagemaker:CreateNotebookInstanceLifecycleConfig", "notebook-instance-lifecycle-config/", any=False),
        *_all(
            "notebook-instance/",
            "sagemaker:StopNotebookInstance",
            "sagemaker:UpdateNotebookInstance",
            "sagemaker:StartNotebookInstance",
        ),
    ),
    _all("project/", "codebuild:StartBuild"),
    _all("project/", "codebuild:StartBuildBatch"),
    _all("instance/", "ssm:SendCommand", service="ec2"),
    _all("instance/", "ssm:CreateAssociation", service="ec2"),
    _all("instance/", "ssm:StartSession", service="ec2"),
    _all("instance/", "ec2-instance-connect:SendSSHPublicKey", service="ec2"),
    _all(f"task/{ANY_NAME}/", "ecs:ExecuteCommand"),
    (Use("batch:SubmitJob", "job-definition/"), Use("batch:SubmitJob", "job-queue/", any=False)),
    _all(f"service/{ANY_NAME}/", "apprunner:UpdateService"),
    _all(f"stack/{ANY_NAME}/", "cloudformation:UpdateStack"),
    _all(f"stack/{ANY_NAME}/", "cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet"),
    _all("stateMachine:", "states:UpdateStateMachine", "states:StartExecution"),
    (
        Use("codedeploy:RegisterApplicationRevision", "application:"),
        Use("codedeploy:CreateDeployment", f"deploymentgroup:{ANY_NAME}/"),
        Use("codedeploy:GetDeploymentConfig", "deploymentconfig:", any=False),
    ),
    *(_all(kind, *_INTERPRETING) for kind in ("code-interpreter/", "code-interpreter-custom/")),
    _all("runtime/", "bedrock-agentcore:InvokeAgentRuntimeCommand"),
    *(_all(kind, *_BROWSING) for kind in ("browser/", "browser-custom/")),
)
"""What has code run with the role that something has already: all uses of a way are needed, in one region.

Changing the user data of an instance, or its launch template, is left out: whoever administers EC2 may do that, and
whether it is a way depends on the instances that there are.
"""

SCRIPTED = ("ssm:SendCommand", "ssm:CreateAssociation")
SCRIPTS = ("AWS-RunShellScript", "AWS-RunPowerShellScript", ANY_NAME)
"""Documents by which Systems Manager runs what it is told; ``SCRIPTED`` need to be allowed for one of them, too.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html"""
