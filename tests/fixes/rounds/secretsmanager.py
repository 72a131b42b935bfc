"""Secrets."""

from __future__ import annotations

from typing import Any

from tests.fixes.rounds.policies import open_policy
from tests.fixes.rounds.round import ACCOUNT, Made, goes_round

from nephoscope_aws_simulator.testing import Cloud


@goes_round("aws.secretsmanager.remove_public_access", "aws.secretsmanager.public")
def public(cloud: Cloud) -> Made:
    api = cloud.client("secretsmanager")
    names = ("round-public", "round-public-beside")
    arn, beside = (api.create_secret(Name=name, SecretString="not-a-secret")["ARN"] for name in names)
    for each in (arn, beside):
        api.put_resource_policy(SecretId=each, ResourcePolicy=open_policy("secretsmanager:GetSecretValue"))

    def now(arn: str) -> Any:
        return api.get_resource_policy(SecretId=arn)["ResourcePolicy"], api.get_secret_value(SecretId=arn)["VersionId"]

    return Made("AWS::SecretsManager::Secret", arn, "round-public", lambda: now(arn), lambda: now(beside))


FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:rotates"


@goes_round(
    "aws.secretsmanager.rotate",
    "aws.secretsmanager.rotation",
    inputs={"function": FUNCTION},
    dependent=("lambda:InvokeFunction",),
)
def does_not_rotate(cloud: Cloud) -> Made:
    return still(cloud, "round-still")


def still(cloud: Cloud, name: str) -> Made:
    """Make a secret that does not rotate, and one like it beside it."""
    api = cloud.client("secretsmanager")
    names = (name, f"{name}-beside")
    arn, beside = (api.create_secret(Name=name, SecretString="not-a-secret")["ARN"] for name in names)

    def now(arn: str) -> Any:
        found = api.describe_secret(SecretId=arn)
        return found.get("RotationEnabled") or False, found["VersionIdsToStages"]

    return Made("AWS::SecretsManager::Secret", arn, names[0], lambda: now(arn), lambda: now(beside))
