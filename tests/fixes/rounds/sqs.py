"""Queues."""

from __future__ import annotations

import json
from typing import Any

from tests.fixes.rounds.round import ACCOUNT, Made, goes_round

from nephoscope_aws_simulator.testing import Cloud


@goes_round("aws.sqs.remove_public_access", "aws.sqs.public")
def beside_a_partner(cloud: Cloud) -> Made:
    sqs = cloud.client("sqs")
    urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("round-public", "round-public-beside")}
    for name, url in urls.items():
        arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"
        everyone = {"Sid": "All", "Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
        partner = {**everyone, "Sid": "Partner", "Principal": {"AWS": "arn:aws:iam::210987654321:root"}}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [partner, everyone]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})

    def attributes(name: str) -> Any:
        return sqs.get_queue_attributes(QueueUrl=urls[name], AttributeNames=["Policy", "VisibilityTimeout"])[
            "Attributes"
        ]

    arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:round-public"
    return Made(
        "AWS::SQS::Queue",
        arn,
        "round-public",
        lambda: attributes("round-public"),
        lambda: attributes("round-public-beside"),
        properties={"QueueUrl": urls["round-public"]},
    )


@goes_round("aws.sqs.encrypt", "aws.sqs.encrypted")
def plain(cloud: Cloud) -> Made:
    sqs = cloud.client("sqs")
    names = ("round-plain", "round-plain-beside")
    url, beside = (
        sqs.create_queue(QueueName=name, Attributes={"SqsManagedSseEnabled": "false"})["QueueUrl"] for name in names
    )

    def attributes(url: str) -> Any:
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return {name: value for name, value in found.items() if "Timestamp" not in name}

    arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:round-plain"
    return Made(
        "AWS::SQS::Queue",
        arn,
        "round-plain",
        lambda: attributes(url),
        lambda: attributes(beside),
        properties={"QueueUrl": url},
    )
