"""Keys with a policy that lets everyone in."""

from __future__ import annotations

from typing import Any

from tests.fixes.rounds.policies import OWN, open_policy
from tests.fixes.rounds.round import Made, goes_round

from nephoscope_aws_simulator.testing import Cloud

ADMIN = {"Sid": "Owner", "Effect": "Allow", "Principal": {"AWS": OWN}, "Action": "kms:*", "Resource": "*"}


@goes_round("aws.kms.remove_public_access", "aws.kms.public")
def public(cloud: Cloud) -> Made:
    kms = cloud.client("kms")
    policy = open_policy("kms:Decrypt", ADMIN)
    key, beside = (kms.create_key(Policy=policy)["KeyMetadata"] for _ in range(2))

    def now(key: Any) -> Any:
        return kms.get_key_policy(KeyId=key["KeyId"], PolicyName="default")["Policy"]

    return Made("AWS::KMS::Key", key["Arn"], key["KeyId"], lambda: now(key), lambda: now(beside))
