"""Secrets Manager: schedules of rotation, when a secret was last retrieved, and the policies of replicas."""

from __future__ import annotations

import json
from typing import Any

from nephoscope_aws_simulator.corrections.patching import extend


def apply() -> None:
    """What moto leaves out of a secret, and refuses of a replica."""
    _rotation_and_use()
    _policies_of_replicas()


def _rotation_and_use() -> None:
    """moto knows rotation by days only, runs a rotation function in a container, and tells no last retrieval.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html,
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_SecretListEntry.html
    """
    from moto.secretsmanager.models import FakeSecret, SecretsManagerBackend

    @extend(SecretsManagerBackend, "rotate_secret")
    def rotate_secret(moto: Any, self: Any, secret_id: str, *args: Any, **kwargs: Any) -> Any:
        secret, rules = self.secrets[secret_id], kwargs.get("rotation_rules")
        if function := kwargs.get("rotation_lambda_arn"):
            secret.rotation_lambda_arn, secret.rotation_rules = function, rules
            secret.rotation_enabled = secret.rotation_requested = True
            return secret.to_short_dict()
        answer = moto(self, secret_id, *args, **kwargs)
        if rules:
            secret.rotation_rules, secret.rotation_enabled = rules, True
        return answer

    @extend(SecretsManagerBackend, "cancel_rotate_secret")
    def cancel_rotate_secret(moto: Any, self: Any, secret_id: str) -> Any:
        secret = self.secrets[secret_id]
        if not secret.rotation_enabled or secret.rotation_lambda_arn:
            return moto(self, secret_id)
        secret.rotation_enabled = False  # a rotation that needs no function, which moto demands
        return secret.to_short_dict()

    @extend(FakeSecret, "to_dict")
    def to_dict(moto: Any, self: Any) -> Any:
        said = moto(self)
        if rules := vars(self).get("rotation_rules"):
            said["RotationRules"] = rules
        if accessed := vars(self).get("last_accessed"):
            said["LastAccessedDate"] = accessed
        return said


def _policies_of_replicas() -> None:
    """Policies are replicated; moto refuses to tell them.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets.html
    """
    from moto.secretsmanager.models import ReplicaSecret, SecretsManagerBackend

    @extend(SecretsManagerBackend, "get_resource_policy")
    def get_resource_policy(moto: Any, self: Any, secret_id: str) -> Any:
        secret = self.secrets.get(secret_id)
        if not isinstance(secret, ReplicaSecret):
            return moto(self, secret_id)
        policy = secret.source.policy
        return json.dumps({"ARN": secret.arn, "Name": secret.name} | ({"ResourcePolicy": policy} if policy else {}))
