"""A simulated account in which a scan takes a moment."""

from __future__ import annotations

import json

import pytest
from tests.conftest import use
from tests.scanning import SMALL

from nephoscope_aws_simulator.testing import Cloud, Simulator

BUCKETS = ("open-house", "open-door", "open-end")


def _for_everyone(action: str, resource: str) -> str:
    statement = {"Effect": "Allow", "Principal": "*", "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="session")
def small_account(company: Simulator) -> Cloud:
    """Three buckets that anyone can read and two keys that anyone can use; else what every account has."""
    cloud = company.other(SMALL)
    s3 = cloud.client("s3")
    for bucket in BUCKETS:
        s3.create_bucket(Bucket=bucket)
        s3.delete_public_access_block(Bucket=bucket)
        s3.put_bucket_policy(Bucket=bucket, Policy=_for_everyone("s3:GetObject", f"arn:aws:s3:::{bucket}/*"))
    for _key in range(2):
        cloud.client("kms").create_key(Policy=_for_everyone("kms:*", "*"))
    return cloud


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, small_account: Cloud) -> Cloud:
    """The small account, which this process reaches as it would reach AWS."""
    use(monkeypatch, small_account)
    return small_account
