"""Topics."""

from __future__ import annotations

from typing import Any

from tests.fixes.rounds.policies import open_policy
from tests.fixes.rounds.round import ACCOUNT, Made, goes_round

from nephoscope_aws_simulator.testing import Cloud


def topic(cloud: Cloud, name: str, **attributes: str) -> Made:
    """Make a topic, and one like it beside it; ``{}`` in an attribute stands for its ARN."""
    sns = cloud.client("sns")
    arns = [f"arn:aws:sns:us-east-1:{ACCOUNT}:{each}" for each in (name, f"{name}-beside")]
    for arn in arns:
        given = {key: value.replace("{arn}", arn) for key, value in attributes.items()}
        sns.create_topic(Name=arn.rpartition(":")[2], Attributes=given)

    def now(arn: str) -> Any:
        return sns.get_topic_attributes(TopicArn=arn)["Attributes"]

    return Made("AWS::SNS::Topic", arns[0], name, lambda: now(arns[0]), lambda: now(arns[1]))


@goes_round("aws.sns.remove_public_access", "aws.sns.public")
def public(cloud: Cloud) -> Made:
    return topic(cloud, "round-public", Policy=open_policy("sns:Publish", resource="{arn}"))


@goes_round("aws.sns.encrypt", "aws.sns.kms")
def plain(cloud: Cloud) -> Made:
    return topic(cloud, "round-plain", KmsMasterKeyId="")


@goes_round("aws.sns.encrypt", "aws.sns.kms", inputs={"kms_key": "alias/round-topics"})
def plain_to_be_encrypted_with_an_own_key(cloud: Cloud) -> Made:
    kms = cloud.client("kms")
    kms.create_alias(AliasName="alias/round-topics", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    return topic(cloud, "round-plain-own", KmsMasterKeyId="")
