"""Fixes for Amazon SQS queues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nephoscope.domain import Resource
from nephoscope_aws_fixes.public_policy import ClosePolicy
from nephoscope_aws_fixes.setting import Target, operation


class RemovePublicAccess(ClosePolicy):
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html"""

    id = "aws.sqs.remove_public_access"
    title = "Limit the queue’s policy to its own account"
    breaks = "Whoever sends to or reads from the queue only because everyone may can no longer do so."
    group = "Public queues, topics and functions"
    on = ("AWS::SQS::Queue",)
    keys = ("QueueUrl",)
    getter = operation("sqs", "get_queue_attributes", "sqs:GetQueueAttributes")
    setter = operation("sqs", "set_queue_attributes", "sqs:SetQueueAttributes")
    policy_at = ("Attributes", "Policy")
    longest = 20_480

    def names(self, resource: Resource) -> dict[str, Any]:
        return {"QueueUrl": resource.properties["QueueUrl"]}

    def asked(self, target: Target) -> Mapping[str, Any]:
        return {**target.names, "AttributeNames": ["Policy"]}

    def parameters(self, state: Any) -> Mapping[str, Any]:
        return {"Attributes": {"Policy": state}}
