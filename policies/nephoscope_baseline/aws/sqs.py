"""Rules on SQS queues."""

from __future__ import annotations

from typing import Any

from nephoscope.domain import Fail, NotKnown, ResourceView, Severity, View, rule
from nephoscope_aws.access_grants import open_grants

QUEUE = "AWS::SQS::Queue"
ARN = "arn:aws:sqs:eu-west-1:123456789012:jobs"


def _policy(principal: Any, condition: dict[str, Any] | None = None, action: Any = "sqs:SendMessage") -> dict[str, Any]:
    """An example: a queue whose policy is one statement."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": ARN}
    return {"Policy": {"Statement": [statement | ({"Condition": condition} if condition else {})]}}


@rule(
    "aws.sqs.encrypted",
    on=QUEUE,
    severity=Severity.MEDIUM,
    link="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-sqs-sse-queue.html",
    fix="""
        1. In the SQS console, open the queue, choose Edit, Encryption, and turn on Server-side encryption with the SQS
           key, or with a KMS key of your own.
        2. With a KMS key, allow senders and receivers to use it: kms:GenerateDataKey and kms:Decrypt.
    """,
    commands="""
        aws sqs set-queue-attributes --region={region} --queue-url={QueueUrl} --attributes=SqsManagedSseEnabled=true
    """,
    remediations=("aws.sqs.encrypt",),
    good=[
        {"SqsManagedSseEnabled": True, "KmsMasterKeyId": None},
        {"SqsManagedSseEnabled": False, "KmsMasterKeyId": "alias/aws/sqs"},
        {"SqsManagedSseEnabled": "true"},
        {"QueueName": "jobs"},
    ],
    bad=[
        {"SqsManagedSseEnabled": False, "KmsMasterKeyId": None},
        {"SqsManagedSseEnabled": "false"},
        {"SqsManagedSseEnabled": False, "KmsMasterKeyId": ""},
    ],
)
def encrypted(queue: View) -> bool | Fail:
    """SQS queue is not encrypted at rest.

    Messages often carry form or order data. Encryption with the SQS-managed key is free, and auditors ask for it.
    """
    gap: NotKnown | None = None
    try:
        # A queue that does not say is encrypted by SQS.
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-sqs-queue.html
        if str(queue.get("SqsManagedSseEnabled", True)).lower() == "true":
            return True
    except NotKnown as problem:
        gap = problem
    if queue["KmsMasterKeyId"]:
        return True
    if gap:
        raise gap
    return Fail("Server-side encryption is off", "SqsManagedSseEnabled", "KmsMasterKeyId")


@rule(
    "aws.sqs.public",
    on=QUEUE,
    severity=Severity.CRITICAL,
    link="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-security-best-practices.html",
    fix="""
        1. In the SQS console, open the queue and choose Access policy, Edit.
        2. Replace the wildcard principal with the accounts or roles that use the queue. If a service such as SNS or S3
           sends to it, name the service and add a condition with the sender's aws:SourceArn.
    """,
    commands="""
        aws sqs set-queue-attributes --region={region} --queue-url={QueueUrl} --attributes={ATTRIBUTES_FILE}
    """,
    inputs={
        "ATTRIBUTES_FILE": "file://attributes.json: a JSON object with the new policy, as text, under Policy",
    },
    remediations=("aws.sqs.remove_public_access",),
    good=[
        _policy({"AWS": "arn:aws:iam::123456789012:root"}),
        _policy("*", {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:eu-west-1:123456789012:news"}}),
        _policy({"Service": "sns.amazonaws.com"}),
        {"Policy": None},
        {},
    ],
    bad=[
        _policy("*"),
        _policy({"AWS": "*"}, action="sqs:*"),
        _policy("*", {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:*"}}),
        _policy("*", {"Bool": {"aws:SecureTransport": "true"}}, ["sqs:ReceiveMessage", "sqs:DeleteMessage"]),
    ],
)
def public(queue: ResourceView) -> bool | Fail:
    """SQS queue is public.

    Anyone can read messages before your applications do, delete them, or send forged ones that your applications then
    act on. It takes no access to your account.
    """
    for grant in open_grants(queue.key("Policy"), own=queue.id):
        return Fail(f"{grant.who} can use this queue: policy allows {grant.actions}", grant.at)
    return True
