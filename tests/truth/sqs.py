"""Queues: who may send to them, and how they are encrypted."""

from __future__ import annotations

from tests.truth.account import ABROAD, ALL_THREE, FAR, HOME, Truth, holds
from tests.truth.people import policies


@holds(regions=ALL_THREE)
def queues(truth: Truth) -> None:
    """One queue for each way to be open or encrypted, or to look so; two regions are hidden."""
    _opened(truth)
    _encrypted(truth)
    _hidden(truth)


def _opened(truth: Truth) -> None:
    sqs = truth.client("sqs")
    arn = f"arn:aws:sqs:{HOME}:{truth.cloud.account}:{{}}"
    for policy in policies("sqs:SendMessage", arn, "sqs:ReceiveMessage"):
        url = sqs.create_queue(QueueName=policy.name)["QueueUrl"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy.text})
        verdict = "fails" if policy.is_open else "passes"
        truth.judged(policy.name, **{verdict: "public"})


def _encrypted(truth: Truth) -> None:
    for name, attributes, right in [
        ("by-default", {}, True),
        ("by-sqs", {"SqsManagedSseEnabled": "true"}, True),
        ("by-key", {"KmsMasterKeyId": "alias/q"}, True),
        ("by-own-key.fifo", {"KmsMasterKeyId": "0d9c7a9e-1111-4222-8333-444455556666", "FifoQueue": "true"}, True),
        ("by-aws-key", {"SqsManagedSseEnabled": "false", "KmsMasterKeyId": "alias/aws/sqs"}, True),
        ("plain", {"SqsManagedSseEnabled": "false"}, False),
        ("plain.fifo", {"SqsManagedSseEnabled": "false", "FifoQueue": "true"}, False),
        ("no-key", {"SqsManagedSseEnabled": "false", "KmsMasterKeyId": ""}, False),
    ]:
        truth.client("sqs").create_queue(QueueName=name, Attributes=attributes)
        verdict = "passes" if right else "fails"
        truth.judged(name, **{verdict: "encrypted"}, skipped="")


def _hidden(truth: Truth) -> None:
    truth.client("sqs", ABROAD).create_queue(QueueName="hidden", Attributes={"SqsManagedSseEnabled": "false"})
    truth.cloud.control("deny", actions=["sqs:GetQueueAttributes"], regions=[ABROAD])
    truth.judged("hidden", unknown="public encrypted")
    truth.cloud.control("deny", actions=["sqs:ListQueues"], regions=[FAR])
    truth.judged(f"All AWS::SQS::Queue in {FAR}", unknown="public encrypted")
