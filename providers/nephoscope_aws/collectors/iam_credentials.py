"""What is known of a user's password, MFA and access keys."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from operator import itemgetter
from typing import Any

from nephoscope.domain import ALL_REGIONS, Resource
from nephoscope_aws.api import Api
from nephoscope_aws.collectors.account_wide import CREDENTIAL_REPORT_READS, credential_report
from nephoscope_aws.collectors.iam_shapes import ACCESS_KEY, access_key
from nephoscope_aws.collectors.odd import each
from nephoscope_aws.collectors.shape import PROBLEMS, existing, moment, part, parts, unreadable

CREDENTIAL_READS = {
    ("iam", "list_access_keys"): "iam:ListAccessKeys",
    ("iam", "get_access_key_last_used"): "iam:GetAccessKeyLastUsed",
    ("iam", "get_login_profile"): "iam:GetLoginProfile",
    ("iam", "list_mfa_devices"): "iam:ListMFADevices",
    **CREDENTIAL_REPORT_READS,
}

Item = dict[str, Any]

_FROM_REPORT = {name: itemgetter(name) for name in ("PasswordLastUsed", "PasswordLastChanged", "UserCreationTime")}


def reported_credentials(api: Api, arn: str) -> Item:
    """Return a user's row of the credential report, or what stands for it."""
    row: Item = part(lambda: credential_report(api).of(arn))
    return row


def live_credentials(api: Api, arn: str, name: str) -> Item:
    """Return what the credential report would say of one user now, so that a fix shows at once.

    When the password was last used or changed still comes from the report. Calls: 3, and 1 for each access key.
    """
    return {
        **parts(lambda: credential_report(api).of(arn), _FROM_REPORT),
        "PasswordEnabled": part(lambda: _has_password(api, name)),
        "MfaActive": part(lambda: any(api.pages("iam", "list_mfa_devices", "MFADevices", UserName=name))),
        "AccessKeys": part(lambda: [_key(api, key) for key in access_keys(api, name)]),
    }


def access_keys(api: Api, name: str) -> Iterator[Item]:
    """Yield the access keys of one user as ListAccessKeys gives them."""
    return api.pages("iam", "list_access_keys", "AccessKeyMetadata", UserName=name)


def access_keys_of(api: Api, user: Resource) -> list[Resource]:
    """Return the access keys of one user, none when it is gone, or the stand-in for what could not be listed."""
    try:
        keys = existing(lambda: list(access_keys(api, user.name)))
    except PROBLEMS as problem:
        return [unreadable(api, ALL_REGIONS, ACCESS_KEY, problem)]
    return list(each(api, ALL_REGIONS, ACCESS_KEY, partial(access_key, api.account, user.id), keys or ()))


def may_have_access_keys(user: Resource) -> bool:
    """Whether the credential report says that a user has an access key, or does not say."""
    return bool(user.properties["Observed"]["CredentialReport"].get("AccessKeys", True))


def _has_password(api: Api, name: str) -> bool:
    return api.maybe("iam", "get_login_profile", ("NoSuchEntity",), UserName=name) is not None


def _key(api: Api, key: Item) -> Item:
    used = api.call("iam", "get_access_key_last_used", AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]
    return {
        "Active": key["Status"] == "Active",
        "LastRotated": moment(key["CreateDate"]),
        "LastUsedDate": moment(used.get("LastUsedDate")),
    }
