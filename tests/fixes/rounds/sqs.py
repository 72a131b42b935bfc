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
