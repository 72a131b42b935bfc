"""Rules on SNS topics."""

from __future__ import annotations

from typing import Any

from nephoscope.domain import Fail, ResourceView, Severity, View, rule
from nephoscope_aws.access_grants import open_grants

TOPIC = "AWS::SNS::Topic"
ARN = "arn:aws:sns:eu-west-1:123456789012:news"


def _policy(principal: Any, condition: dict[str, Any] | None = None, action: Any = "sns:Publish") -> dict[str, Any]:
    """An example: a topic whose policy is one statement."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": ARN}
    return {"Policy": {"Statement": [statement | ({"Condition": condition} if condition else {})]}}


@rule(
    "aws.sns.kms",
    on=TOPIC,
    severity=Severity.MEDIUM,
    link="https://docs.aws.amazon.com/sns/latest/dg/sns-enable-encryption-for-topic.html",
    fix="""
        1. If services such as CloudWatch or S3 publish to the topic, use a customer managed key whose policy allows
           them to use it: they cannot use the key alias/aws/sns.
        2. In the SNS console, open the topic, choose Edit, Encryption, turn it on and select the key.
    """,
    commands="""
        aws sns set-topic-attributes --region={region} --topic-arn={id} --attribute-name=KmsMasterKeyId
          --attribute-value={KEY_ID}
    """,
    inputs={
        "KEY_ID": "the ID or the alias of the KMS key",
    },
    remediations=("aws.sns.encrypt",),
    good=[{"KmsMasterKeyId": "alias/aws/sns"}, {"TopicName": "news", "KmsMasterKeyId": "0d9c7a9e-key"}],
    bad=[{"KmsMasterKeyId": None}, {"TopicName": "news"}, {"KmsMasterKeyId": ""}],
)
def kms(topic: View) -> bool | Fail:
    """SNS topic is not encrypted with a KMS key.

    With a KMS key, reading stored messages requires a separate permission. Every use of the key is logged in
    CloudTrail, and access can be revoked at once.
    """
    return bool(topic["KmsMasterKeyId"]) or Fail("The topic has no KMS key", "KmsMasterKeyId")


@rule(
    "aws.sns.public",
    on=TOPIC,
    severity=Severity.CRITICAL,
    link="https://docs.aws.amazon.com/sns/latest/dg/sns-security-best-practices.html",
    fix="""
        1. In the SNS console, open the topic and choose Edit, Access policy.
        2. Replace the wildcard principal with the accounts, roles or services that use the topic, or add a condition
           with your account ID as AWS:SourceOwner, as in the default policy of new topics.
        3. Check the subscriptions for unknown endpoints: the first command below lists them.
    """,
    commands="""
        aws sns list-subscriptions-by-topic --region={region} --topic-arn={id}

        aws sns set-topic-attributes --region={region} --topic-arn={id} --attribute-name=Policy
          --attribute-value={POLICY_FILE}
    """,
    inputs={
        "POLICY_FILE": "file://policy.json, where policy.json is the complete new policy",
    },
    remediations=("aws.sns.remove_public_access",),
    good=[
        _policy({"AWS": "*"}, {"StringEquals": {"AWS:SourceOwner": "123456789012"}}),
        _policy({"Service": "cloudwatch.amazonaws.com"}),
        _policy({"AWS": "arn:aws:iam::210987654321:root"}, action="sns:Subscribe"),
        {"Policy": None},
        {},
    ],
    bad=[
        _policy({"AWS": "*"}),
        _policy("*", action=["sns:Subscribe", "sns:Receive"]),
        _policy("*", {"StringEquals": {"sns:Protocol": "https"}}, "sns:Subscribe"),
        _policy("*", {"StringLike": {"AWS:SourceOwner": "*"}}),
    ],
)
def public(topic: ResourceView) -> bool | Fail:
    """SNS topic is public.

    Anyone can subscribe and read the messages, or publish messages that your applications and colleagues trust. It
    takes no access to your account.
    """
    for grant in open_grants(topic.key("Policy"), own=topic.id):
        return Fail(f"{grant.who} can use this topic: policy allows {grant.actions}", grant.at)
    return True
