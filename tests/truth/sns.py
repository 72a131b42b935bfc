"""Topics: who may publish and subscribe to them, and whether a KMS key encrypts them."""

from __future__ import annotations

from tests.truth.account import ABROAD, ALL_THREE, FAR, HOME, Truth, holds
from tests.truth.people import policies


@holds(regions=ALL_THREE)
def topics(truth: Truth) -> None:
    """One topic for each way to be open or encrypted, or to look so; two regions are hidden."""
    sns = truth.client("sns")
    arn = f"arn:aws:sns:{HOME}:{truth.cloud.account}:{{}}"
    for policy in policies("sns:Publish", arn, "sns:Subscribe"):
        sns.create_topic(Name=policy.name, Attributes={"Policy": policy.text, "KmsMasterKeyId": "alias/news"})
        verdict = "fails" if policy.is_open else "passes"
        truth.judged(policy.name, **{verdict: "public"})
    for name, key in {
        "default": None,
        "no-key": "",
        "aws-key": "alias/aws/sns",
        "alias": "alias/news",
        "key-id": "0d9c7a9e-1111-4222-8333-444455556666",
        "key-arn": f"arn:aws:kms:us-east-1:{truth.cloud.account}:key/0d9c7a9e-1111-4222-8333-444455556666",
    }.items():
        sns.create_topic(Name=name, Attributes={} if key is None else {"KmsMasterKeyId": key})
        truth.judged(name, fails="" if key else "kms", passes="public" + " kms" * bool(key))
    sns.create_topic(Name="keyed-later.fifo", Attributes={"FifoTopic": "true"})
    sns.set_topic_attributes(
        TopicArn=arn.format("keyed-later.fifo"), AttributeName="KmsMasterKeyId", AttributeValue="alias/news"
    )
    sns.create_topic(Name="key-taken-away", Attributes={"KmsMasterKeyId": "alias/news"})
    sns.set_topic_attributes(TopicArn=arn.format("key-taken-away"), AttributeName="KmsMasterKeyId", AttributeValue="")
    truth.judged("keyed-later.fifo", passes="kms")
    truth.judged("key-taken-away", fails="kms")
    truth.client("sns", ABROAD).create_topic(Name="hidden")
    truth.cloud.control("deny", actions=["sns:GetTopicAttributes"], regions=[ABROAD])
    truth.judged("hidden", unknown="public kms")
    truth.cloud.control("deny", actions=["sns:ListTopics"], regions=[FAR])
    truth.judged(f"All AWS::SNS::Topic in {FAR}", unknown="public kms")
