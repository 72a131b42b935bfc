"""Which account and which administrator stand behind an access key."""

from __future__ import annotations

import re

DEFAULT_ACCOUNT = "123456789012"
BASE_ACCESS_KEY = "AKIASIMULATORBASE000"
BASE_SECRET_KEY = "simulator"

_ADMINISTRATOR_KEY = re.compile(r"AKIA(\d{12})BASE")


def administrator_key(account: str) -> str:
    """The access key of the administrator of `account`: twenty characters, as AWS's are."""
    return BASE_ACCESS_KEY if account == DEFAULT_ACCOUNT else f"AKIA{account}BASE"


def account_of(access_key: str) -> str:
    """The account a long-lived access key belongs to; an unknown key is the default account's."""
    from moto.iam.models import iam_backends

    if match := _ADMINISTRATOR_KEY.fullmatch(access_key):
        return match.group(1)
    for account, backends in list(iam_backends.items()):
        if access_key in backends["aws"].access_keys:
            return str(account)
    return DEFAULT_ACCOUNT


def administrator_arn(account: str) -> str:
    """Who calls with a key that no role session owns. Not an IAM user of the account: scans do not see it."""
    return f"arn:aws:iam::{account}:user/simulator-administrator"
