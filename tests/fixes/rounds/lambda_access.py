"""Functions that everyone can invoke."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from tests.fixes.rounds.round import ACCOUNT, Made, goes_round

from nephoscope_aws_simulator.testing import Cloud

PARTNER = {"StatementId": "partner", "Action": "lambda:InvokeFunction", "Principal": "210987654321"}
ANYONE = {"StatementId": "anyone", "Action": "lambda:InvokeFunction", "Principal": "*"}
OWN_TOPIC = {**ANYONE, "StatementId": "topic", "SourceArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:news"}
ANY_TOPIC = {**ANYONE, "StatementId": "topics", "SourceArn": "arn:aws:sns:*:*:*"}
URL = {**ANYONE, "StatementId": "url", "Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"}
BY_URL = {**ANYONE, "StatementId": "by-url", "InvokedViaFunctionUrl": True}
BUCKET = {**ANYONE, "StatementId": "bucket", "Principal": "s3.amazonaws.com", "SourceArn": "arn:aws:s3:::uploads"}
ANY_BUCKET = {**BUCKET, "StatementId": "buckets", "SourceArn": "arn:aws:s3:::*"}


def function(cloud: Cloud, name: str) -> Any:
    """Make a function with an alias, and return the client."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("f.py", "")
    iam, client = cloud.client("iam"), cloud.client("lambda")
    if "runs" not in [role["RoleName"] for role in iam.list_roles()["Roles"]]:
        iam.create_role(RoleName="runs", AssumeRolePolicyDocument="{}")
    role = f"arn:aws:iam::{ACCOUNT}:role/runs"
    code = {"Code": {"ZipFile": held.getvalue()}, "Runtime": "python3.13", "Handler": "f.f"}
    client.create_function(FunctionName=name, Role=role, **code)
    client.publish_version(FunctionName=name)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    return client


def statements(client: Any, name: str, **qualifier: str) -> Any:
    """A policy's statements in the order of their Sids: one that is put back comes last."""
    try:
        policy = json.loads(client.get_policy(FunctionName=name, **qualifier)["Policy"])
    except client.exceptions.ResourceNotFoundException:
        return []
    return sorted(policy["Statement"], key=lambda each: str(each["Sid"]))


def with_permissions(cloud: Cloud, name: str, *permissions: dict[str, Any], **qualifier: str) -> Made:
    for each in (name, f"{name}-beside"):
        client = function(cloud, each)
        for permission in permissions:
            client.add_permission(FunctionName=each, **permission, **qualifier)

    def now(name: str) -> Any:
        return statements(client, name), statements(client, name, Qualifier="live")

    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}"
    return Made("AWS::Lambda::Function", arn, name, lambda: now(name), lambda: now(f"{name}-beside"))


@goes_round("aws.lambda.remove_public_access", "aws.lambda.public")
def anyone(cloud: Cloud) -> Made:
    return with_permissions(cloud, "round-anyone", PARTNER, ANYONE, OWN_TOPIC, ANY_TOPIC)


@goes_round("aws.lambda.remove_public_access", "aws.lambda.public")
def by_url(cloud: Cloud) -> Made:
    return with_permissions(cloud, "round-by-url", URL, BY_URL, PARTNER)


@goes_round("aws.lambda.remove_public_access", "aws.lambda.public")
def any_bucket(cloud: Cloud) -> Made:
    return with_permissions(cloud, "round-bucket", ANY_BUCKET, PARTNER)


@goes_round("aws.lambda.remove_public_access", "aws.lambda.public")
def alias(cloud: Cloud) -> Made:
    return with_permissions(cloud, "round-alias", PARTNER, ANYONE, ANY_BUCKET, Qualifier="live")


@goes_round("aws.lambda.require_url_auth", "aws.lambda.url_auth")
def unsigned(cloud: Cloud) -> Made:
    return url(cloud, "round-unsigned")


def url(cloud: Cloud, name: str) -> Made:
    """Make a function with a URL that everyone can call, and one like it beside it."""
    names = (name, f"{name}-beside")
    for name in names:
        client = function(cloud, name)
        client.create_function_url_config(FunctionName=name, AuthType="NONE", Cors={"AllowOrigins": ["*"]})

    def now(name: str) -> Any:
        found = client.get_function_url_config(FunctionName=name)
        return {key: found[key] for key in ("FunctionUrl", "AuthType", "Cors", "InvokeMode")}

    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{names[0]}"
    properties = {"TargetFunctionArn": arn, "Qualifier": None}
    return Made(
        "AWS::Lambda::Url", f"{arn}/url", names[0], lambda: now(names[0]), lambda: now(names[1]), properties=properties
    )
