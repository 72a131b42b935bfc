"""Fixes for AWS Secrets Manager, none of which reads or changes what a secret holds."""

from __future__ import annotations

from typing import Any

from nephoscope.domain import FixRequest, LiveSession, PlanProblem, Resource
from nephoscope_aws_fixes.public_policy import ClosePolicy
from nephoscope_aws_fixes.setting import operation


class RemovePublicAccess(ClosePolicy):
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutResourcePolicy.html"""

    id = "aws.secretsmanager.remove_public_access"
    title = "Limit the secret’s policy to its own account"
    breaks = (
        "Whoever reads the secret only because everyone may can no longer do so. Users and roles of the account itself "
        "then need an IAM policy that allows it."
    )
    group = "Secrets"
    on = ("AWS::SecretsManager::Secret",)
    keys = ("SecretId",)
    getter = operation("secretsmanager", "get_resource_policy", "secretsmanager:GetResourcePolicy")
    setter = operation("secretsmanager", "put_resource_policy", "secretsmanager:PutResourcePolicy")
    policy_at = ("ResourcePolicy",)
    sent_as = "ResourcePolicy"
    shown_at = "ResourcePolicy"
    longest = 20_480

    def names(self, resource: Resource) -> dict[str, Any]:
        return {"SecretId": resource.id}

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        secret = request.resource
        primary = secret.properties.get("Observed", {}).get("PrimaryRegion")
        if primary not in (None, secret.region):
            # https://docs.aws.amazon.com/secretsmanager/latest/userguide/create-manage-multi-region-secrets.html
            raise PlanProblem(f"it is a replica, which has the policy of its original: fix that one in {primary}.")
        return super().wanted(before, request, session)
