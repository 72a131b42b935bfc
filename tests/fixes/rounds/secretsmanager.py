"""Secrets."""

from __future__ import annotations

from typing import Any

from tests.fixes.rounds.policies import open_policy
from tests.fixes.rounds.round import Made, goes_round

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
