"""The credential report, with the root user, which moto lacks, and quoted as CSV.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
"""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta
from typing import Any

from nephoscope_aws_simulator.world import Root

_KEY_COLUMNS = ("active", "last_rotated", "last_used_date", "last_used_region", "last_used_service")
_COLUMNS = (
    "user",
    "arn",
    "user_creation_time",
    "password_enabled",
    "password_last_used",
    "password_last_changed",
    "password_next_rotation",
    "mfa_active",
    *(f"access_key_{number}_{column}" for number in (1, 2) for column in _KEY_COLUMNS),
    *(f"cert_{number}_{column}" for number in (1, 2) for column in ("active", "last_rotated")),
)


def _time(value: datetime | None, absent: str = "N/A") -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%S+00:00") if value else absent


def _flag(value: Any) -> str:
    return "true" if value else "false"


def _key(number: int, key: Any) -> dict[str, str]:
    used = key.last_used if key else None
    return {
        f"access_key_{number}_active": _flag(key and key.status == "Active"),
        f"access_key_{number}_last_rotated": _time(key.create_date if key else None),
        f"access_key_{number}_last_used_date": _time(used.timestamp if used else None),
        f"access_key_{number}_last_used_region": used.region if used else "N/A",
        f"access_key_{number}_last_used_service": used.service if used else "N/A",
    }


def _root(account: str, root: Root) -> dict[str, str]:
    return {
        "user": "<root_account>",
        "arn": f"arn:aws:iam::{account}:root",
        "user_creation_time": _time(root.created),
        "password_enabled": _flag(root.password),
        "password_last_used": _time(root.password_used, "no_information"),
        "password_last_changed": "not_supported",
        "password_next_rotation": "not_supported",
        "mfa_active": _flag(root.mfa),
        "access_key_1_active": _flag(root.access_key),
        "access_key_1_last_rotated": _time(root.access_key_rotated),
        "access_key_1_last_used_date": _time(root.access_key_used),
    }


def _user(user: Any, password_max_age: int | None) -> dict[str, str]:
    changed = getattr(user, "password_last_changed", user.create_date) if user.password else None
    rotation = changed + timedelta(days=password_max_age) if changed and password_max_age else None
    certificates = [*user.signing_certificates.values(), None, None]
    row = {
        "user": user.name,
        "arn": user.arn,
        "user_creation_time": _time(user.create_date),
        "password_enabled": _flag(user.password),
        "password_last_used": _time(user.password_last_used, "no_information") if user.password else "N/A",
        "password_last_changed": _time(changed),
        "password_next_rotation": _time(rotation),
        "mfa_active": _flag(user.mfa_devices),
    }
    for number, key in enumerate([*user.access_keys, None, None][:2], 1):
        row |= _key(number, key)
    for number, certificate in enumerate(certificates[:2], 1):
        row[f"cert_{number}_active"] = _flag(certificate and certificate.status == "Active")
        row[f"cert_{number}_last_rotated"] = _time(certificate.upload_date if certificate else None)
    return row


def credential_report(backend: Any, root: Root) -> str:
    """The report as CSV text."""
    policy = backend.account_password_policy
    max_age = policy.max_password_age if policy and policy.max_password_age else None
    nothing = {c: "false" if c.endswith("_active") else "N/A" for c in _COLUMNS}
    rows = [_root(backend.account_id, root), *(_user(user, max_age) for user in backend.users.values())]
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(nothing | row for row in rows)
    return text.getvalue()
