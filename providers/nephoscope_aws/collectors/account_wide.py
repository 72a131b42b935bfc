"""What belongs to the whole account and is used by several services: credential report and S3 public access block."""

from __future__ import annotations

import csv
import io
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nephoscope_aws.answers import Unavailable
from nephoscope_aws.api import Api
from nephoscope_aws.collectors.shape import moment, needed, one_of

PUBLIC_ACCESS_BLOCK_READS = {("s3control", "get_public_access_block"): "s3:GetAccountPublicAccessBlock"}

CREDENTIAL_REPORT_READS = {
    ("iam", "generate_credential_report"): "iam:GenerateCredentialReport",
    ("iam", "get_credential_report"): "iam:GetCredentialReport",
}

PATIENCE = 60.0
"""Seconds to wait for a credential report; AWS makes one in seconds, for thousands of users in up to a minute."""


def public_access_block(answer: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the four switches of an account, a bucket or an access point; None when there are none."""
    if answer is None:
        return None
    block = answer["PublicAccessBlockConfiguration"]
    return needed(block, "BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


def account_public_access_block(api: Api) -> dict[str, Any] | None:
    """Return the account's public access block, None when there is none; every region answers the same."""
    missing = ("NoSuchPublicAccessBlockConfiguration",)
    return public_access_block(api.maybe("s3control", "get_public_access_block", missing, AccountId=api.account))


@dataclass(frozen=True)
class CredentialReport:
    """The rows of a credential report by ARN, and the time at which it was made.

    AWS makes a new one at most every four hours, so that is how old it can be.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
    """

    made: str
    rows: dict[str, dict[str, Any]]

    def of(self, arn: str) -> dict[str, Any]:
        """Return a user's row (the root user's ARN ends with ``:root``); Unavailable for one that is too young."""
        if arn not in self.rows:
            raise Unavailable(f"the credential report of {self.made} does not hold this user yet")
        return self.rows[arn]


def credential_report(api: Api) -> CredentialReport:
    """Return the account's credential report, read once per session.

    Raises Unavailable when it is not ready after :data:`PATIENCE` seconds.
    """
    return api.once("iam.credential_report", lambda: _report(api))


def _report(api: Api) -> CredentialReport:
    give_up, pause = time.monotonic() + PATIENCE, 0.25
    while _state(api) != "COMPLETE":
        if time.monotonic() > give_up:
            raise Unavailable(f"the credential report was not ready after {PATIENCE:.0f} seconds")
        time.sleep(pause)
        pause = min(2 * pause, 4.0)
    answer = api.call("iam", "get_credential_report")
    rows = csv.DictReader(io.StringIO(answer["Content"].decode(), newline=""))
    made = moment(answer.get("GeneratedTime"))
    return CredentialReport(made if isinstance(made, str) else "", {row["arn"]: _row(row) for row in rows})


def _state(api: Api) -> Any:
    return one_of(api.call("iam", "generate_credential_report"), "State", "STARTED", "INPROGRESS", "COMPLETE")


def _row(row: dict[str, str]) -> dict[str, Any]:
    keys = [_key(row, f"access_key_{number}") for number in (1, 2)]
    return {
        "PasswordEnabled": _true(row["password_enabled"]),
        "PasswordLastUsed": _time(row["password_last_used"]),
        "PasswordLastChanged": _time(row["password_last_changed"]),
        "MfaActive": _true(row["mfa_active"]),
        "AccessKeys": [key for key in keys if key["Active"] or key["LastRotated"]],
        "UserCreationTime": _time(row["user_creation_time"]),
    }


def _key(row: dict[str, str], slot: str) -> dict[str, Any]:
    return {
        "Active": _true(row[f"{slot}_active"]),
        "LastRotated": _time(row[f"{slot}_last_rotated"]),
        "LastUsedDate": _time(row[f"{slot}_last_used_date"]),
    }


def _true(text: str) -> bool:
    return text.lower() == "true"


def _time(text: str) -> Any:
    """Return a time of the report; it says ``N/A``, ``no_information`` or ``not_supported`` where there is none."""
    try:
        return moment(datetime.fromisoformat(text))
    except ValueError:
        return None
