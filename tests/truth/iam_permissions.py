"""Who is an administrator by inline policies, and who can become one."""

from __future__ import annotations

import json
from typing import Any

from tests.truth.account import ABROAD, Truth, holds

TRUST = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
OF_AWS = "arn:aws:iam::aws:policy"
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
RUNNING = (
    "lambda:*",
    "ssm:*",
    "ec2:*",
    "ec2-instance-connect:*",
    "codebuild:*",
    "ecs:*",
    "glue:*",
    "sagemaker:*",
    "apprunner:*",
    "bedrock-agentcore:*",
    "batch:*",
    "cloudformation:*",
    "codedeploy:*",
    "states:*",
)
"""The services in which something runs with a role of its own."""

NO_MFA = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str, on: Any = "*", when: Any = None) -> dict[str, Any]:
    return _statement("Allow", actions, on, when)


def deny(*actions: str, on: Any = "*", when: Any = None) -> dict[str, Any]:
    return _statement("Deny", actions, on, when)


def _statement(effect: str, actions: tuple[str, ...], on: Any, when: Any) -> dict[str, Any]:
    found = {"Effect": effect, "Action": list(actions), "Resource": on}
    return found | ({"Condition": when} if when else {})


def _all_but(effect: str, *actions: str) -> dict[str, Any]:
    return {"Effect": effect, "NotAction": list(actions), "Resource": "*"}


def make_role(truth: Truth, name: str, *statements: dict[str, Any], attached: tuple[str, ...] = (), **more: str) -> str:
    iam = truth.client("iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(TRUST), **more)["Role"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(*statements))
    for arn in attached:
        iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    return str(role["Arn"])


@holds(services=("iam",))
def administrators(truth: Truth) -> None:
    """Inline policies that allow all, or look so."""
    wrong = {
        "all": [EVERYTHING],
        "all-colon": [allow("*:*", on=["*"])],
        "all-arns": [allow("*", on="arn:aws:*:*:*:*")],
        "all-but-billing": [_all_but("Allow", "aws-portal:*")],
        "all-but-one-bucket": [{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::audit/*"}],
        "all-with-mfa": [EVERYTHING, deny("*", when=NO_MFA)],
        "all-but-s3": [EVERYTHING, deny("s3:*")],
        "all-in-two": [allow("s3:Get*"), EVERYTHING],
        "deny-elsewhere": [EVERYTHING, deny("*", on="arn:aws:s3:::audit/*")],
    }
    right = {
        "some": [allow("s3:*", "dynamodb:*")],
        "all-denied": [EVERYTHING, deny("*")],
        "all-denied-but-reading": [EVERYTHING, _all_but("Deny", "s3:Get*", "s3:List*")],
        "all-denied-in-two": [EVERYTHING, _all_but("Deny", "iam:*", "ec2:*"), deny("iam:*", "ec2:*")],
        "all-on-one": [allow("*", on="arn:aws:s3:::audit/*")],
        "denied-but-one": [EVERYTHING, {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::audit/*"}],
        "power": [_all_but("Allow", "iam:*", "organizations:*", "account:*"), deny(*RUNNING)],
    }
    for name, statements in wrong.items():
        truth.judged(make_role(truth, name, *statements), fails="no_star_inline", skipped="privilege_escalation")
    for name, statements in right.items():
        truth.judged(make_role(truth, name, *statements), passes="no_star_inline privilege_escalation")
    reading = make_role(truth, "bounded", EVERYTHING, PermissionsBoundary=f"{OF_AWS}/ReadOnlyAccess")
    truth.judged(reading, passes="no_star_inline privilege_escalation")
    unbounded = make_role(truth, "bounded-by-all", EVERYTHING, PermissionsBoundary=f"{OF_AWS}/AdministratorAccess")
    truth.judged(unbounded, fails="no_star_inline", skipped="privilege_escalation")
    denied = make_role(truth, "denied-by-aws", EVERYTHING, attached=(f"{OF_AWS}/AWSDenyAll",))
    truth.judged(denied, passes="no_star_inline privilege_escalation")
    group = truth.client("iam").create_group(GroupName="admins")["Group"]["Arn"]
    truth.client("iam").put_group_policy(GroupName="admins", PolicyName="own", PolicyDocument=document(EVERYTHING))
    truth.judged(group, fails="no_star_inline")


@holds(services=("iam",))
def escalating(truth: Truth) -> None:
    """Roles that can become administrators, and those that only look so."""
    own = f"arn:aws:iam::{truth.cloud.account}"
    boss = make_role(truth, "boss", attached=(f"{OF_AWS}/AdministratorAccess",))
    truth.judged(boss, skipped="privilege_escalation")
    function = f"arn:aws:lambda:*:{truth.cloud.account}:function:f"
    instances = f"arn:aws:ec2:{ABROAD}:{truth.cloud.account}:instance/*"
    worker = make_role(truth, "worker", allow("s3:GetObject"))
    pass_any, run = allow("iam:PassRole"), allow("ec2:RunInstances")
    to_ec2 = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    to_rds = {"StringEquals": {"iam:PassedToService": "rds.amazonaws.com"}}
    bounded = {"StringEquals": {"iam:PermissionsBoundary": f"{own}:policy/limit"}}
    unbounded = {"StringNotEquals": {"iam:PermissionsBoundary": f"{own}:policy/limit"}}
    harmless = {"ArnEquals": {"iam:PolicyARN": f"{OF_AWS}/ReadOnlyAccess"}}
    any_policy = {"ArnLike": {"iam:PolicyARN": f"{OF_AWS}/*"}}
    wrong = {
        **{action.partition(":")[2]: [allow(action)] for action in ALONE},
        **{f"pass-{number}": [pass_any, allow(*actions.split())] for number, actions in enumerate(WITH_A_ROLE)},
        "pass-wildcards": [allow("iam:Pass*"), allow("lambda:*")],
        "pass-all-roles": [allow("iam:PassRole", on=f"{own}:role/*"), run],
        "pass-boss": [allow("iam:PassRole", on=[boss, worker]), run],
        "pass-boss-to-cluster": [allow("iam:PassRole", on=boss), allow("elasticmapreduce:RunJobFlow")],
        "pass-pattern": [allow("iam:PassRole", on=f"{own}:role/bo*"), run],
        "pass-none-but-boss": [pass_any, run, {"Effect": "Deny", "Action": "iam:PassRole", "NotResource": boss}],
        "pass-to-ec2": [allow("iam:PassRole", when=to_ec2), run],
        "pass-if-mfa": [allow("iam:PassRole", when={"Bool": {"aws:MultiFactorAuthPresent": "true"}}), run],
        "all-of-iam": [allow("iam:*")],
        "own-role": [allow("iam:AttachRolePolicy", on=f"{own}:role/own-role")],
        "any-policy": [allow("iam:AttachRolePolicy", when=any_policy)],
        "trust": [allow("iam:UpdateAssumeRolePolicy", "sts:AssumeRole")],
        "trust-alone": [allow("iam:UpdateAssumeRolePolicy")],
        "trust-of-boss": [allow("iam:UpdateAssumeRolePolicy", on=boss)],
        "functions-abroad": [allow("lambda:UpdateFunctionCode", on=f"arn:aws:lambda:{ABROAD}:*:function:*")],
        "commands-abroad": [allow("ssm:SendCommand", on=[instances, f"arn:aws:ssm:{ABROAD}::document/AWS-Run*Script"])],
        "denied-elsewhere": [allow("iam:CreatePolicyVersion"), deny("iam:CreatePolicyVersion", on=f"{own}:policy/a")],
        "denied-without-mfa": [allow("iam:PutRolePolicy"), deny("iam:*", when=NO_MFA)],
        "function-of-a-name": [
            pass_any,
            allow("lambda:*Function", on=f"arn:aws:lambda:*:{truth.cloud.account}:function:f"),
        ],
    }
    right = {
        "reads": [allow("iam:Get*", "iam:List*", "ec2:Describe*")],
        "passes-alone": [pass_any],
        "runs-alone": [run],
        "pass-worker": [allow("iam:PassRole", on=worker), run],
        "pass-nobody": [allow("iam:PassRole", on=f"{own}:role/gone"), run],
        "pass-to-rds": [allow("iam:PassRole", when=to_rds), run],
        "pass-denied": [pass_any, run, deny("iam:PassRole")],
        "pass-none-but-worker": [pass_any, run, {"Effect": "Deny", "Action": "iam:*", "NotResource": worker}],
        "run-denied": [pass_any, run, deny("ec2:Run*")],
        "pass-boss-denied": [allow("iam:PassRole", on=[boss]), run, deny("iam:PassRole", on=boss)],
        "only-harmless": [allow("iam:AttachRolePolicy", when=harmless)],
        "only-bounded": [allow("iam:PutRolePolicy", "iam:AttachRolePolicy", when=bounded)],
        "denied-unbounded": [allow("iam:PutRolePolicy"), deny("iam:PutRolePolicy", when=unbounded)],
        "one-policy": [allow("iam:CreatePolicyVersion", on=f"{own}:policy/other")],
        "function-without-run": [pass_any, allow("lambda:CreateFunction")],
        "trust-of-worker": [allow("iam:UpdateAssumeRolePolicy", on=worker)],
        "patches": [allow("ssm:SendCommand", on=[instances, f"arn:aws:ssm:{ABROAD}::document/AWS-RunPatchBaseline"])],
        "pass-boss-to-lambda": [allow("iam:PassRole", on=boss), allow("lambda:*Function")],
        "one-function": [allow("lambda:UpdateFunctionCode", on=function)],
        "all-but-iam": [_all_but("Allow", "iam:*", "sts:*", *RUNNING)],
    }
    for name, statements in wrong.items():
        truth.judged(make_role(truth, name, *statements), fails="privilege_escalation", passes="no_star_inline")
    for name, statements in right.items():
        truth.judged(make_role(truth, name, *statements), passes="privilege_escalation")
    bounded_role = make_role(truth, "limited", allow("iam:*"), PermissionsBoundary=f"{OF_AWS}/PowerUserAccess")
    truth.judged(bounded_role, passes="privilege_escalation")
    for name, limit in BOUNDED.items():
        document_of = document(*(_owned(each, f"{own}:role/{name}", f"{own}:policy/{name}") for each in limit))
        arn = truth.client("iam").create_policy(PolicyName=name, PolicyDocument=document_of)["Policy"]["Arn"]
        role = make_role(truth, name, EVERYTHING, PermissionsBoundary=arn)
        opens = {name.startswith("opens"): "privilege_escalation"}
        truth.judged(role, fails=opens.get(True, ""), passes=f"no_star_inline {opens.get(False, '')}")
    attached = make_role(truth, "full-iam", attached=(f"{OF_AWS}/IAMFullAccess",))
    truth.judged(attached, fails="privilege_escalation")
    reader = make_role(truth, "reader", attached=(f"{OF_AWS}/ReadOnlyAccess", f"{OF_AWS}/SecurityAudit"))
    truth.judged(reader, passes="privilege_escalation")


ROLE, POLICY = "the role", "the boundary"
S3 = allow("s3:*")
TO_THE_SAME = {"StringEquals": {"iam:PermissionsBoundary": POLICY}}

BOUNDED: dict[str, list[dict[str, Any]]] = {
    "opens-by-deleting": [S3, allow("iam:DeleteRolePermissionsBoundary", on=ROLE)],
    "opens-by-another": [S3, allow("iam:PutRolePermissionsBoundary")],
    "opens-by-a-version": [S3, allow("iam:CreatePolicyVersion", on=POLICY)],
    "holds-on-itself": [S3, allow("iam:PutRolePolicy", "iam:AttachRolePolicy", on=ROLE)],
    "holds-by-the-same": [S3, allow("iam:PutRolePermissionsBoundary", "iam:PutRolePolicy", when=TO_THE_SAME)],
}
"""What the boundaries of roles allow that are themselves allowed everything, and whether that opens them."""


def _owned(statement: dict[str, Any], role: str, policy: str) -> Any:
    return json.loads(json.dumps(statement).replace(ROLE, role).replace(POLICY, policy))


ALONE = (
    "iam:CreatePolicyVersion",
    "iam:SetDefaultPolicyVersion",
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:UpdateLoginProfile",
    "iam:AttachUserPolicy",
    "iam:AttachGroupPolicy",
    "iam:AttachRolePolicy",
    "iam:PutUserPolicy",
    "iam:PutGroupPolicy",
    "iam:PutRolePolicy",
    "iam:AddUserToGroup",
    "lambda:UpdateFunctionCode",
    "glue:UpdateDevEndpoint",
    "ssm:SendCommand",
    "ssm:StartSession",
    "ec2-instance-connect:SendSSHPublicKey",
    "codebuild:StartBuild",
)

WITH_A_ROLE = (
    "ec2:RunInstances",
    "lambda:CreateFunction lambda:InvokeFunction",
    "lambda:CreateFunction lambda:CreateEventSourceMapping",
    "glue:CreateDevEndpoint",
    "cloudformation:CreateStack",
    "datapipeline:CreatePipeline datapipeline:PutPipelineDefinition",
    "sagemaker:CreateNotebookInstance sagemaker:CreatePresignedNotebookInstanceUrl",
    "sagemaker:CreateTrainingJob",
    "codebuild:CreateProject codebuild:StartBuild",
    "ecs:RegisterTaskDefinition ecs:RunTask",
    "autoscaling:CreateLaunchConfiguration autoscaling:CreateAutoScalingGroup",
    "apprunner:CreateService",
    "states:CreateStateMachine states:StartExecution",
)


@holds(services=("iam",))
def users(truth: Truth) -> None:
    """What users may do with themselves, and by their groups."""
    iam, own = truth.client("iam"), f"arn:aws:iam::{truth.cloud.account}"
    himself = f"{own}:user/${{aws:username}}"
    policy = iam.create_policy(PolicyName="mine", PolicyDocument=document(allow("s3:GetObject")))["Policy"]["Arn"]
    wrong = {
        "granter": [allow("iam:PutUserPolicy", on=himself)],
        "attacher": [allow("iam:AttachUserPolicy", on=f"{own}:user/attacher")],
        "key-maker": [allow("iam:CreateAccessKey", on=f"{own}:user/*")],
        "versioner": [allow("iam:CreatePolicyVersion", on=policy)],
    }
    right = {
        "self-manager": [allow("iam:CreateAccessKey", "iam:*LoginProfile", "iam:*MFADevice", on=himself)],
        "other-versioner": [allow("iam:CreatePolicyVersion", on=f"{policy}-other")],
    }
    iam.create_group(GroupName="openers")
    iam.put_group_policy(GroupName="openers", PolicyName="own", PolicyDocument=document(allow("iam:PutGroupPolicy")))
    for name, statements in {**wrong, **right, "member": []}.items():
        arn = iam.create_user(UserName=name)["User"]["Arn"]
        if name == "member":
            iam.add_user_to_group(GroupName="openers", UserName=name)
        else:
            iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(*statements))
        if name == "versioner":
            iam.attach_user_policy(UserName=name, PolicyArn=policy)
        wrongly = "" if name in right else "privilege_escalation"
        direct = "" if name == "member" else " user_no_direct_policies"
        truth.judged(arn, fails=f"{wrongly}{direct}", passes="" if wrongly else "privilege_escalation")
