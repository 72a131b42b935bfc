"""Injected failures, closed regions, counted calls: what tests and the demo switch on and off."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.simulator.documents import refused

from nephoscope_aws_simulator.server import main
from nephoscope_aws_simulator.testing import ControlError, Simulator


@pytest.mark.parametrize(
    ("service", "operation", "action", "denied", "throttled", "not_opted_in"),
    [
        ("iam", "list_users", "iam:ListUsers", "AccessDenied", "Throttling", "OptInRequired"),
        ("ec2", "describe_vpcs", "ec2:DescribeVpcs", "UnauthorizedOperation", "RequestLimitExceeded", "OptInRequired"),
        ("s3", "list_buckets", "s3:ListBuckets", "AccessDenied", "SlowDown", "NotSignedUp"),
        ("kms", "list_keys", "kms:*", "AccessDeniedException", "ThrottlingException", "SubscriptionRequiredException"),
        (
            "lambda",
            "list_functions",
            "lambda:ListFunctions",
            "AccessDeniedException",
            "TooManyRequestsException",
            "SubscriptionRequiredException",
        ),
    ],
)
def test_an_injected_failure_has_the_words_of_its_service(
    simulator: Simulator, service: str, operation: str, action: str, denied: str, throttled: str, not_opted_in: str
) -> None:
    call = getattr(simulator.client(service), operation)
    for error, code in (("AccessDenied", denied), ("Throttling", throttled), ("OptInRequired", not_opted_in)):
        simulator.control("deny", actions=[action], error=error, times=1)
        assert refused(call)["Code"] == code
    call()


def test_a_failure_can_be_confined_to_a_region_a_resource_and_a_number_of_times(simulator: Simulator) -> None:
    simulator.control("deny", actions=["ec2:Describe*"], regions=["eu-west-1"])
    simulator.control("deny", actions=["s3:GetBucketPolicy"], resources=["arn:aws:s3:::northwind-payroll"], times=2)
    simulator.client("ec2").describe_vpcs()
    refused(simulator.client("ec2", "eu-west-1").describe_vpcs)
    s3 = simulator.client("s3")
    s3.get_bucket_policy(Bucket="northwind-invoices")
    for _ in range(2):
        assert "no identity-based policy" in refused(s3.get_bucket_policy, Bucket="northwind-payroll")["Message"]
    s3.get_bucket_policy(Bucket="northwind-payroll")
    simulator.control("reset-denials", {})
    simulator.client("ec2", "eu-west-1").describe_vpcs()


def test_any_other_error_code_can_be_injected(simulator: Simulator) -> None:
    simulator.control("deny", actions=["kms:ListKeys"], error="KMSInternalException")
    assert refused(simulator.client("kms").list_keys)["Code"] == "KMSInternalException"


def test_a_region_that_is_not_enabled_refuses_everything_and_says_so_in_the_list(simulator: Simulator) -> None:
    try:
        simulator.control("regions", disabled=["sa-east-1"])
        assert refused(simulator.client("ec2", "sa-east-1").describe_vpcs)["Code"] == "AuthFailure"
        assert refused(simulator.client("kms", "sa-east-1").list_keys)["Code"] == "UnrecognizedClientException"
        assert refused(simulator.client("sts", "sa-east-1").get_caller_identity)["Code"] == "InvalidClientTokenId"
        ec2 = simulator.client("ec2")
        everything = {r["RegionName"]: r["OptInStatus"] for r in ec2.describe_regions(AllRegions=True)["Regions"]}
        assert everything["sa-east-1"] == "not-opted-in"
        enabled = {region["RegionName"] for region in ec2.describe_regions()["Regions"]}
        assert "sa-east-1" not in enabled and "us-east-1" in enabled
        assert not any(name.startswith(("cn-", "us-gov-")) for name in everything)
    finally:
        simulator.control("regions", disabled=["eu-south-2"])


def test_calls_are_counted_by_operation_and_region(simulator: Simulator) -> None:
    simulator.client("ec2").describe_vpcs()
    for _ in range(2):
        simulator.client("ec2", "eu-west-1").describe_vpcs()
    refused(simulator.client("s3").get_bucket_policy, Bucket="northwind-no-such-bucket")
    counted = simulator.control("calls")
    assert counted["calls"]["ec2:DescribeVpcs"] == {"us-east-1": 1, "eu-west-1": 2}
    assert counted["operations"] == {"ec2:DescribeVpcs": 3, "s3:GetBucketPolicy": 1}
    assert counted["errors"] == {"s3:GetBucketPolicy": {"us-east-1": 1}}
    simulator.control("calls/reset", {})
    assert simulator.control("calls")["total"] == 0


def test_latency_delays_every_call_and_shows_how_many_were_in_flight(simulator: Simulator) -> None:
    kms = simulator.client("kms")
    simulator.control("latency", ms=150)
    started = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: kms.list_keys(), range(4)))
    assert time.monotonic() - started >= 0.15
    assert simulator.control("calls")["max_in_flight"] == {"kms": {"us-east-1": 4}}


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("patch", [{"kind": "moon"}], "known kinds: access_key"),
        ("patch", [{"kind": "user", "name": "nobody", "age_days": 1}], "'nobody' is missing or unknown"),
        ("patch", [{"kind": "user", "name": "alice.meyer", "age_days": "old"}], "unsupported type"),
        ("deny", {"actions": "s3:*"}, "must be a list"),
        ("deny", {"actions": ["s3:*"], "time": 3}, "unknown: time"),
        ("deny", {"actions": ["s3:*"], "times": 0}, "times must be"),
        ("latency", {"ms": -1}, "ms must be"),
        ("regions", {"disabled": ["us-east-1"]}, "us-east-1 cannot"),
        ("nonsense", {}, "404: unknown: POST"),
    ],
)
def test_the_control_plane_says_what_is_wrong(simulator: Simulator, path: str, body: Any, says: str) -> None:
    with pytest.raises(ControlError, match=says):
        simulator.control(path, body)


def test_the_control_plane_answers_bad_json_with_a_400(simulator: Simulator) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{simulator.endpoint}/simulator/deny", data=b"{", timeout=5)
    assert caught.value.code == 400
    assert "not JSON" in caught.value.read().decode()


def test_only_loopback_is_listened_on(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--host", "0.0.0.0"])
    assert "only a loopback address" in capsys.readouterr().err
