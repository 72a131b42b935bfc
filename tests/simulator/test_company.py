"""The company's account: some of it right, some of it wrong, and all of it kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from tests.simulator.documents import ROOT, days_since, document, refused, report

from nephoscope_aws_simulator.company import seed
from nephoscope_aws_simulator.company.buckets import BUCKETS
from nephoscope_aws_simulator.testing import Simulator

SEEN_AS_PUBLIC = {
    "northwind-public-assets",
    "northwind-open-tariffs",
    "northwind-driver-manuals",
    "northwind-claims-archive",
    "northwind-tracking-export",
    "northwind-returns-photos",
    "northwind-marketing-site",
    "northwind-press-kit",  # its policy is; its public access block keeps it private
}


def test_the_company_is_seeded_once(simulator: Simulator) -> None:
    assert simulator.control("health") == {"ready": True, "seeded": True}
    assert seed(simulator.endpoint).total == 0


def test_the_companys_buckets_are_public_or_look_so(simulator: Simulator) -> None:
    s3 = simulator.client("s3")
    public = set()
    for bucket in BUCKETS:
        if bucket.statements and s3.get_bucket_policy_status(Bucket=bucket.name)["PolicyStatus"]["IsPublic"]:
            public.add(bucket.name)
    assert public == SEEN_AS_PUBLIC
    policy = s3.get_bucket_policy(Bucket="northwind-backup-2019")["Policy"]
    assert 17_000 < len(policy) < 20_480


def test_somebody_left_markup_in_the_companys_tags(simulator: Simulator) -> None:
    tags = simulator.client("s3").get_bucket_tagging(Bucket="northwind-legacy-uploads")["TagSet"]
    assert {"Key": "Owner", "Value": "<script>alert(1)</script>"} in tags


def test_the_companys_instances_are_of_both_kinds(simulator: Simulator) -> None:
    running = [{"Name": "instance-state-name", "Values": ["running", "stopped"]}]
    found = []
    for region in ("us-east-1", "eu-west-1", "ap-southeast-2"):
        reservations = simulator.client("ec2", region).describe_instances(Filters=running)["Reservations"]
        found += [instance for reservation in reservations for instance in reservation["Instances"]]
    assert len(found) == 15
    assert {instance["MetadataOptions"]["HttpTokens"] for instance in found} == {"required", "optional"}
    assert {"PublicIpAddress" in instance for instance in found} == {True, False}
    ages = {(datetime.now(UTC) - instance["LaunchTime"]).days for instance in found}
    assert {15, 1900} <= ages


def test_the_account_is_kept_from_one_start_to_the_next(tmp_path: Path) -> None:
    state = tmp_path / "account.state"
    policy = json.dumps(document("s3:GetObject", "arn:aws:s3:::kept-bucket/*", Principal={"AWS": ROOT}))
    with Simulator(state=state, disabled_regions=("sa-east-1",)) as first:
        first.client("s3").create_bucket(Bucket="kept-bucket")
        first.client("s3").put_object(Bucket="kept-bucket", Key="a/b", Body=b"content")
        first.client("s3").put_bucket_policy(Bucket="kept-bucket", Policy=policy)
        iam = first.client("iam")
        iam.create_user(UserName="kept")
        key = iam.create_access_key(UserName="kept")["AccessKey"]["AccessKeyId"]
        iam.attach_user_policy(UserName="kept", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
        first.control("patch", [{"kind": "access_key", "id": key, "age_days": 200}, {"kind": "root", "mfa": True}])
        made = first.client("kms").create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
        signing = made["KeyMetadata"]["KeyId"]
        first.client("sqs").create_queue(QueueName="kept")
        groups = first.client("ec2").describe_security_groups()["SecurityGroups"]
    with Simulator(state=state) as second:
        assert second.client("s3").get_bucket_policy(Bucket="kept-bucket")["Policy"] == policy
        assert second.client("s3").get_object(Bucket="kept-bucket", Key="a/b")["Body"].read() == b"content"
        rows = report(second)
        assert days_since(rows["kept"]["access_key_1_last_rotated"]) == 200
        assert rows["<root_account>"]["mfa_active"] == "true"
        policies = second.client("iam").list_policies(OnlyAttached=True)["Policies"]
        assert [(p["PolicyName"], p["AttachmentCount"]) for p in policies] == [("ReadOnlyAccess", 1)]
        message = {"KeyId": signing, "Message": b"m", "SigningAlgorithm": "ECDSA_SHA_256"}
        assert second.client("kms").sign(**message)["Signature"]
        assert second.client("sqs").list_queues()["QueueUrls"]
        assert second.client("ec2").describe_security_groups()["SecurityGroups"] == groups
        assert refused(second.client("kms", "sa-east-1").list_keys)["Code"] == "UnrecognizedClientException"
    assert [path.name for path in tmp_path.iterdir()] == ["account.state"]
