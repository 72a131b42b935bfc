"""What the tests of the simulator share: policy documents, refusals and the credential report."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from nephoscope_aws_simulator.testing import Simulator

ACCOUNT = "123456789012"
OTHER_ACCOUNT = "666666666666"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"


def document(action: Any, resource: Any = "*", effect: str = "Allow", **more: Any) -> dict[str, Any]:
    statement = {"Effect": effect, "Action": action, "Resource": resource, **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


def trust(principal: str = ROOT, **condition: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    if condition:
        statement["Condition"] = condition
    return {"Version": "2012-10-17", "Statement": [statement]}


def refused(call: Any, **arguments: Any) -> dict[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error: dict[str, str] = caught.value.response["Error"]
    return error


def report(simulator: Simulator) -> dict[str, dict[str, str]]:
    iam = simulator.client("iam")
    iam.generate_credential_report()
    text = iam.get_credential_report()["Content"].decode()
    return {row["user"]: row for row in csv.DictReader(io.StringIO(text))}


def days_since(timestamp: str) -> int:
    return (datetime.now(UTC) - datetime.fromisoformat(timestamp)).days
