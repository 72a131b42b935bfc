"""The fix for policies of KMS keys."""

from __future__ import annotations

from typing import Any

from nephoscope.domain import Resource
from nephoscope_aws_fixes.public_policy import ClosePolicy
from nephoscope_aws_fixes.setting import operation


class RemovePublicAccess(ClosePolicy):
    """The account that owns the key stands where everyone stood, so nobody in it is locked out for good.

    KMS itself refuses a policy that the caller could not change any more; that check is never bypassed.
    https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
    """

    id = "aws.kms.remove_public_access"
    title = "Limit the key’s policy to its own account"
    breaks = (
        "Whoever uses the key only because everyone may can no longer decrypt what it encrypts. Users and roles of the "
        "account itself then need an IAM policy that allows it."
    )
    group = "KMS keys"
    on = ("AWS::KMS::Key",)
    keys = ("KeyId", "PolicyName")
    getter = operation("kms", "get_key_policy", "kms:GetKeyPolicy")
    setter = operation("kms", "put_key_policy", "kms:PutKeyPolicy")
    policy_at = ("Policy",)
    shown_at = "KeyPolicy"
    longest = 32_768
    """https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html#key-policy-limit"""

    def names(self, resource: Resource) -> dict[str, Any]:
        return {"KeyId": resource.id, "PolicyName": "default"}
