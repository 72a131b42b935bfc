"""Queues: who may send to them, and how they are encrypted."""

from __future__ import annotations

import json
from typing import Any

from tests.truth.account import Truth, holds


def _policy(arn: str, principal: Any, **more: Any) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sqs:SendMessage", "Resource": arn, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@holds()
def queues(truth: Truth) -> None:
    """One queue for each way to be open, or to look so."""
    sqs, own = truth.client("sqs"), truth.cloud.account
    people = {
        "anyone": ("*", {}),
        "anyone-named": ({"AWS": "*"}, {}),
        "own": ({"AWS": f"arn:aws:iam::{own}:root"}, {}),
        "own-bucket": ("*", {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::own-bucket"}}),
        "own-topic": ("*", {"ArnEquals": {"aws:SourceArn": f"arn:aws:sns:us-east-1:{own}:news"}}),
        "any-topic": ("*", {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:news"}}),
    }
    for name, (principal, condition) in people.items():
        url = sqs.create_queue(QueueName=name, Attributes={"SqsManagedSseEnabled": "true"})["QueueUrl"]
        arn = f"arn:aws:sqs:us-east-1:{own}:{name}"
        more = {"Condition": condition} if condition else {}
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": _policy(arn, principal, **more)})
        is_open = name.startswith("any")
        truth.judged(name, fails="public" * is_open, passes="encrypted" + " public" * (not is_open))
    for name, attributes in {
        "plain": {"SqsManagedSseEnabled": "false"},
        "keyed": {"KmsMasterKeyId": "alias/q"},
    }.items():
        sqs.create_queue(QueueName=name, Attributes=attributes)
        truth.judged(name, fails="encrypted" * (name == "plain"), passes="encrypted" * (name == "keyed"))
