"""Fixes for Amazon SQS queues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nephoscope.domain import FixRequest, LiveSession, PlanProblem, Resource
from nephoscope_aws_fixes.public_policy import ClosePolicy
from nephoscope_aws_fixes.setting import Setting, Target, operation

QUEUE = "AWS::SQS::Queue"
GETTER = operation("sqs", "get_queue_attributes", "sqs:GetQueueAttributes")
SETTER = operation("sqs", "set_queue_attributes", "sqs:SetQueueAttributes")


class RemovePublicAccess(ClosePolicy):
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html"""

    id = "aws.sqs.remove_public_access"
    title = "Limit the queue’s policy to its own account"
    breaks = "Whoever sends to or reads from the queue only because everyone may can no longer do so."
    group = "Public queues, topics and functions"
    on = (QUEUE,)
    keys = ("QueueUrl",)
    getter = GETTER
    setter = SETTER
    policy_at = ("Attributes", "Policy")
    longest = 20_480

    def names(self, resource: Resource) -> dict[str, Any]:
        return {"QueueUrl": resource.properties["QueueUrl"]}

    def asked(self, target: Target) -> Mapping[str, Any]:
        return {**target.names, "AttributeNames": ["Policy"]}

    def parameters(self, state: Any) -> Mapping[str, Any]:
        return {"Attributes": {"Policy": state}}


class Encrypt(Setting):
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-sqs-sse-queue.html"""

    id = "aws.sqs.encrypt"
    title = "Encrypt the queue with the SQS-managed key"
    summary = "Turns on server-side encryption with the key that SQS manages, which is free."
    breaks = "Nothing stops working. Messages that are in the queue already stay unencrypted."
    group = "Queue and topic encryption"
    on = (QUEUE,)
    keys = ("QueueUrl",)
    getter = GETTER
    setter = SETTER

    def names(self, resource: Resource) -> dict[str, Any]:
        return {"QueueUrl": resource.properties["QueueUrl"]}

    def asked(self, target: Target) -> Mapping[str, Any]:
        return {**target.names, "AttributeNames": ["SqsManagedSseEnabled", "KmsMasterKeyId"]}

    def found(self, answer: Mapping[str, Any]) -> Any:
        attributes = answer.get("Attributes", {})
        return {"SqsManagedSseEnabled": attributes.get("SqsManagedSseEnabled", "false")} | (
            {"KmsMasterKeyId": attributes["KmsMasterKeyId"]} if attributes.get("KmsMasterKeyId") else {}
        )

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        if before is None:
            raise PlanProblem("it does not exist any more.")
        return before if "KmsMasterKeyId" in before else {"SqsManagedSseEnabled": "true"}

    def parameters(self, state: Any) -> Mapping[str, Any]:
        return {"Attributes": state}

    def show(self, properties: dict[str, Any], state: Any) -> None:
        properties["SqsManagedSseEnabled"] = state["SqsManagedSseEnabled"] == "true"
