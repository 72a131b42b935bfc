"""The tools of ``make bench-aws``: what they count and inject is what a client sees, and no call goes unexplained."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from aws import builder, calls
from aws.measure import Proxied
from aws.run import proxy
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

from nephoscope_aws.provider import reads
from nephoscope_aws_simulator.testing import Simulator, env_for

ROOT = Path(__file__).parents[2]
PREFIXES = {"monitoring": "cloudwatch"}


@pytest.fixture(scope="module")
def proxied(company: Simulator) -> Iterator[Proxied]:
    with proxy(company.endpoint.removeprefix("http://")) as proxied:
        yield proxied


@pytest.fixture
def client(proxied: Proxied, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in env_for(proxied.endpoint).items():
        monkeypatch.setenv(name, value)
    config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    return lambda service: boto3.client(service, config=config)


def test_an_account_has_as_many_things_as_were_asked_for() -> None:
    assert sum(builder.SHARES.values()) == 100
    assert set(builder.SHARES) == set(builder.MAKERS)
    for size in (300, 777, 3000):
        assert sum(builder.planned(size).values()) == size


def test_what_was_recorded_is_replayed_after_the_delay_and_counted(proxied: Proxied, client: Any) -> None:
    proxied.manner(replay=False)
    recorded = [each["Name"] for each in client("s3").list_buckets()["Buckets"]]
    assert (len(recorded) > 5, proxied.counts()["missed"]) == (True, 1)
    proxied.manner(replay=True, delay=0.2)
    assert [each["Name"] for each in client("s3").list_buckets()["Buckets"]] == recorded
    counts = proxied.counts()
    assert (counts["calls"], counts["missed"], counts["in_flight"]) == (1, 0, 0)
    assert counts["by_operation"] == {"s3:ListBuckets": 1}


@pytest.mark.parametrize(
    ("service", "operation", "throttled", "denied"),
    [
        ("s3", "list_buckets", "SlowDown", "AccessDenied"),
        ("ec2", "describe_vpcs", "RequestLimitExceeded", "UnauthorizedOperation"),
        ("iam", "list_users", "Throttling", "AccessDenied"),
        ("kms", "list_keys", "ThrottlingException", "AccessDeniedException"),
        ("lambda", "list_functions", "TooManyRequestsException", "AccessDeniedException"),
    ],
)
def test_refusals_are_in_the_words_of_each_protocol(
    proxied: Proxied, client: Any, service: str, operation: str, throttled: str, denied: str
) -> None:
    for manner, code in (({"throttled": 1.0}, throttled), ({"denied": "*:*"}, denied)):
        proxied.manner(replay=True, **manner)
        with pytest.raises(ClientError) as error:
            getattr(client(service), operation)()
        assert error.value.response["Error"]["Code"] == code


def test_what_is_not_simulated_is_refused_and_tried_once(proxied: Proxied, client: Any) -> None:
    proxied.manner(replay=False)
    with pytest.raises(ClientError, match="AccessDenied"):
        client("rds").describe_db_engine_versions()
    assert proxied.counts()["calls"] == 1


def test_every_declared_call_is_explained_in_the_table_of_calls() -> None:
    session = botocore.session.get_session()
    declared = set()
    for service, operation in reads():
        model = session.get_service_model(service)
        name = next(each for each in model.operation_names if xform_name(each) == operation)
        prefix = service if service == "s3control" else PREFIXES.get(model.signing_name, model.signing_name)
        declared.add(f"{prefix}:{name}")
    assert declared - calls.ONLY_AGAIN - NEVER_IN_A_SCAN <= set(calls.NEEDS)
    assert set(calls.NEEDS) - declared == {"sts:GetCallerIdentity"}
    page = (ROOT / "docs" / "api-calls.md").read_text()
    assert [name for name in calls.NEEDS if f"| `{name}` |" not in page] == []


NEVER_IN_A_SCAN = {"ec2:DescribeRegions", "iam:SimulatePrincipalPolicy", "tagging:GetResources"}
"""Asked when an account is connected."""
