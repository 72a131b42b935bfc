"""Fixes for Amazon SNS topics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nephoscope.domain import Field, FixRequest, LiveSession, PlanProblem, Resource
from nephoscope_aws_fixes.kms_input import READS_KEY, key_arn
from nephoscope_aws_fixes.policy_text import listed, named
from nephoscope_aws_fixes.public_policy import ClosePolicy, parsed
from nephoscope_aws_fixes.setting import Setting, Target, at, operation

TOPIC = "AWS::SNS::Topic"
AWS_KEY = "alias/aws/sns"


class TopicSetting(Setting):
    """An attribute of a topic. https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html"""

    on = (TOPIC,)
    keys = ("TopicArn", "AttributeName")
    attribute: str
    getter = operation("sns", "get_topic_attributes", "sns:GetTopicAttributes")
    setter = operation("sns", "set_topic_attributes", "sns:SetTopicAttributes")

    def names(self, resource: Resource) -> dict[str, Any]:
        return {"TopicArn": resource.id, "AttributeName": self.attribute}

    def asked(self, target: Target) -> Mapping[str, Any]:
        return {"TopicArn": target.names["TopicArn"]}

    def parameters(self, state: Any) -> Mapping[str, Any]:
        return {"AttributeValue": state}


class RemovePublicAccess(TopicSetting, ClosePolicy):
    """Policies of topics have up to 30 KB.

    https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-language-api-permissions-reference.html
    """

    id = "aws.sns.remove_public_access"
    title = "Limit the topic’s policy to its own account"
    breaks = (
        "Whoever publishes or subscribes to the topic only because everyone may can no longer do so. Users and roles "
        "of the account itself then need an IAM policy that allows it."
    )
    group = "Public queues, topics and functions"
    attribute = "Policy"
    policy_at = ("Attributes", "Policy")
    longest = 30_720


class Encrypt(TopicSetting):
    """https://docs.aws.amazon.com/sns/latest/dg/sns-server-side-encryption.html"""

    id = "aws.sns.encrypt"
    title = "Encrypt the topic with a KMS key"
    summary = "Sets the KMS key by which SNS encrypts the messages that it stores."
    breaks = (
        "Publishers need kms:GenerateDataKey and kms:Decrypt on the key. AWS services such as CloudWatch, EventBridge "
        "and S3 cannot use the key alias/aws/sns: they need a customer managed key whose policy allows them."
    )
    group = "Queue and topic encryption"
    inputs = (
        Field(
            "kms_key",
            "KMS key",
            "The ARN, ID or alias of a symmetric key: a customer managed one where AWS services publish.",
            default=AWS_KEY,
        ),
    )
    attribute = "KmsMasterKeyId"
    also_reads = (READS_KEY,)

    def found(self, answer: Mapping[str, Any]) -> Any:
        return {"KmsMasterKeyId": at(answer, ("Attributes", "KmsMasterKeyId")) or ""}

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        if before is None:
            raise PlanProblem("it does not exist any more.")
        if before["KmsMasterKeyId"]:
            return before
        given = request.inputs["kms_key"]
        # Asking for the key that AWS manages would make it where it is not there yet.
        return {"KmsMasterKeyId": given if given == AWS_KEY else key_arn(given, request.resource.region, session)}

    def parameters(self, state: Any) -> Mapping[str, Any]:
        return {"AttributeValue": state["KmsMasterKeyId"]}

    def show(self, properties: dict[str, Any], state: Any) -> None:
        properties["KmsMasterKeyId"] = state["KmsMasterKeyId"] or None

    def uses(self, request: FixRequest, session: LiveSession) -> list[str]:
        answer = session.read(self.getter.on(self.target(request.resource), {"TopicArn": request.resource.id}))
        policy = at(answer, ("Attributes", "Policy"))
        found = ", ".join(_services(parsed(policy))) if policy else ""
        return [f"Its policy lets in {found}, which then need access to the key."] if found else []


def _services(policy: Any) -> list[str]:
    """Return the AWS services that a policy lets in."""
    found = (
        name
        for each in listed(policy.get("Statement", []))
        if each.get("Effect") == "Allow"
        for kind, name in named(each.get("Principal"))
        if kind == "Service"
    )
    return sorted(set(found))
