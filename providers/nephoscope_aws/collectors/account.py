"""The account itself: root user, password policy, account-wide S3 block.

Calls: 7, whatever the size of the account (8 or a few more when AWS has to make the credential report first).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from nephoscope.domain import ALL_REGIONS, Resource, Service
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.account_wide import (
    CREDENTIAL_REPORT_READS,
    PUBLIC_ACCESS_BLOCK_READS,
    account_public_access_block,
    credential_report,
)
from nephoscope_aws.collectors.shape import actions, needed, part, picked

ACCOUNT = "AWS::::Account"

READS = {
    ("iam", "get_account_summary"): "iam:GetAccountSummary",
    ("iam", "get_account_password_policy"): "iam:GetAccountPasswordPolicy",
    ("iam", "list_account_aliases"): "iam:ListAccountAliases",
    ("iam", "list_virtual_mfa_devices"): "iam:ListVirtualMFADevices",
    **CREDENTIAL_REPORT_READS,
    **PUBLIC_ACCESS_BLOCK_READS,
}

SYNTHETIC = {ACCOUNT: ("AccountSummary", "VirtualMFADevices", "PasswordPolicy", "PublicAccessBlockConfiguration")}
"""Properties that no CloudFormation schema has; the type itself is the one AWS Config uses for the account."""

_PARTS: dict[str, Callable[[Api], Any]] = {
    "AccountSummary": lambda api: api.call("iam", "get_account_summary")["SummaryMap"],
    "VirtualMFADevices": lambda api: _virtual_mfa_devices(api),
    "PasswordPolicy": lambda api: _password_policy(api),
    "PublicAccessBlockConfiguration": account_public_access_block,
    "Observed": lambda api: {"RootCredentials": part(lambda: _root_credentials(api))},
    "name": lambda api: next(api.pages("iam", "list_account_aliases", "AccountAliases"), None),
}


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the one account; whatever was denied is unknown on it."""
    yield _account(api)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read the account again; the credential report is no newer than AWS makes it."""
    return _account(api)


def _account(api: Api) -> Resource:
    read = dict(zip(_PARTS, api.map(lambda ask: part(lambda: ask(api)), _PARTS.values()), strict=True))
    alias = read.pop("name")
    name = alias if isinstance(alias, str) else api.account
    return Resource(ACCOUNT, f"arn:aws:iam::{api.account}:root", name, ALL_REGIONS, api.account, read)


def _virtual_mfa_devices(api: Api) -> list[dict[str, Any]]:
    devices = api.pages("iam", "list_virtual_mfa_devices", "VirtualMFADevices", AssignmentStatus="Assigned")
    return [{"SerialNumber": each["SerialNumber"], "UserArn": each["User"]["Arn"]} for each in devices]


def _password_policy(api: Api) -> dict[str, Any] | None:
    answer = api.maybe("iam", "get_account_password_policy", ("NoSuchEntity",))
    optional = dict.fromkeys(("MaxPasswordAge", "PasswordReusePrevention", "HardExpiry"))
    if not answer:
        return None
    policy = answer["PasswordPolicy"]
    return {**optional, **policy, **needed(policy, "MinimumPasswordLength")}


def _root_credentials(api: Api) -> dict[str, Any]:
    row = credential_report(api).of(f"arn:aws:iam::{api.account}:root")
    return picked(row, "PasswordLastUsed", "AccessKeys", "MfaActive")


COLLECTOR = Collector(
    Service("account", "Account", (ACCOUNT,), actions(READS), regional=False),
    READS,
    collect,
    reread,
)
