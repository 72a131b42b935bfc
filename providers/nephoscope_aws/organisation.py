"""The accounts of an organisation, listed through its management account or a delegated administrator's.

Calls: 1 for which account manages it, 1 for its root, 1 per 20 accounts, per unit (the root is one) 1 per 20 accounts
and 1 per 20 units right in it, and 1 per account for its tags. Asking each account for its parents instead would take
as many calls as there are accounts, times how deep they are.

ListAccounts alone says who is a member: an account that is moved while the units are walked may be met in none of them.
https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from nephoscope.domain import Connection, ConnectionProblem, Member, MemberState, completed
from nephoscope_aws.answers import Unavailable
from nephoscope_aws.api import Api, Denied, code_of
from nephoscope_aws.clients import home_region, new_session
from nephoscope_aws.settings import ORGANISATION_FIELDS, check_external_ids, parse_role_arn
from nephoscope_aws.settings import prepare as prepared

READS = {
    ("organizations", "describe_organization"): "organizations:DescribeOrganization",
    ("organizations", "list_accounts"): "organizations:ListAccounts",
    ("organizations", "list_roots"): "organizations:ListRoots",
    ("organizations", "list_accounts_for_parent"): "organizations:ListAccountsForParent",
    ("organizations", "list_organizational_units_for_parent"): "organizations:ListOrganizationalUnitsForParent",
    ("organizations", "list_tags_for_resource"): "organizations:ListTagsForResource",
}
"""What listing the members calls; only the account that an organisation is read through needs to be allowed it."""

DEEPEST = 10
"""Units within units that are followed; AWS allows 5.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
"""

_NOBODY = "0" * 12
"""A number that no account has, to try a pattern of roles with."""

_STATES = {each.name: each for each in MemberState}
_NUMBER = re.compile(r"\d{12}", re.ASCII)
# https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
_PATH = re.compile(r"(?:/[\w+=,.@-]+)*/", re.ASCII)

Units = dict[str, tuple[str, ...]]
"""Account number -> the names of the units that it is in, from the top."""


def members(api: Api) -> Iterator[Member]:
    """Yield every account of the organisation.

    :raises ConnectionProblem: the account is in no organisation, or may not list it; names the missing permission.
    """
    try:
        manager = str(api.call("organizations", "describe_organization")["Organization"]["MasterAccountId"])
        listed = [each for each in api.pages("organizations", "list_accounts", "Accounts") if _is_account(each)]
        units = _units(api)
        _check_whole(manager, listed, units)
        tags = list(api.map(lambda each: _tags(api, each), listed))
    except Denied as denied:
        raise ConnectionProblem(
            "account",
            f"{denied.message[:1].upper()}{denied.message[1:]}. An organisation is listed through its management "
            "account, or through a member that it has made a delegated administrator, by a role with this permission.",
        ) from None
    except Unavailable as problem:
        raise ConnectionProblem("account", f"The organisation could not be listed: {problem.message}.") from None
    except ClientError as error:
        raise _refused(error) from None
    for each, its_tags in zip(listed, tags, strict=True):
        number = str(each["Id"])
        yield Member(
            number,
            str(each.get("Name", "")),
            _state(each),
            units.get(number, ()),
            its_tags,
            management=number == manager,
        )


def _check_whole(manager: str, listed: list[Any], units: Units) -> None:
    """Raise Unavailable when accounts are known to be there that ListAccounts did not list: it was cut."""
    if lacking := {manager, *filter(_NUMBER.fullmatch, units)} - {str(each["Id"]) for each in listed}:
        raise Unavailable(f"list_accounts: AWS's answer lacks {len(lacking)} accounts of the organisation")


def _is_account(listed: Mapping[str, Any]) -> bool:
    return _NUMBER.fullmatch(str(listed.get("Id", ""))) is not None


def _state(listed: Mapping[str, Any]) -> MemberState:
    """Read ``State``, or ``Status`` where an older service still says it so. A state yet unknown is not active."""
    return _STATES.get(str(listed.get("State") or listed.get("Status")), MemberState.SUSPENDED)


def _units(api: Api) -> Units:
    """Walk from the root down, level by level, all units of one level side by side."""
    level: list[tuple[str, tuple[str, ...]]] = [
        (str(root["Id"]), ()) for root in api.pages("organizations", "list_roots", "Roots")
    ]
    found: Units = {}
    for _deep in range(DEEPEST):
        below: list[tuple[str, tuple[str, ...]]] = []
        for path, accounts, units in api.map(lambda unit: _inside(api, *unit), level):
            found.update(dict.fromkeys(accounts, path))
            below += [(id, (*path, name)) for id, name in units]
        level = below
    return found


def _inside(api: Api, id: str, path: tuple[str, ...]) -> tuple[tuple[str, ...], list[str], list[tuple[str, str]]]:
    accounts = api.pages("organizations", "list_accounts_for_parent", "Accounts", ParentId=id)
    units = api.pages("organizations", "list_organizational_units_for_parent", "OrganizationalUnits", ParentId=id)
    return path, [str(each["Id"]) for each in accounts], [(str(each["Id"]), str(each["Name"])) for each in units]


def _tags(api: Api, listed: Mapping[str, Any]) -> dict[str, str]:
    tags = api.pages("organizations", "list_tags_for_resource", "Tags", ResourceId=str(listed["Id"]))
    return {str(each["Key"]): str(each["Value"]) for each in tags}


def _refused(error: ClientError) -> ConnectionProblem:
    code = code_of(error)
    if code == "AWSOrganizationsNotInUseException":
        return ConnectionProblem("account", "This account belongs to no organisation.")
    return ConnectionProblem("account", f"AWS answered {code} when the organisation was listed.")


def prepare(connection: Connection, settings: Mapping[str, str]) -> dict[str, str]:
    """Check and complete what was entered of an organisation, by making a member's settings of it."""
    ready = completed(ORGANISATION_FIELDS, settings)
    check_external_ids(ready)
    member_settings(connection, ready, _NOBODY)
    return ready


def member_settings(connection: Connection, settings: Mapping[str, str], number: str) -> dict[str, str]:
    """Return the settings of a member: its roles' ARNs from the pattern, in the partition of the listing account."""
    profile = connection.settings.get("profile", "")
    partition = _partition(connection.settings.get("role_arn", ""), profile)
    found = {
        "role_arn": _arn("role_name", partition, number, settings),
        "external_id": settings["external_id"],
        "profile": profile,
    }
    if settings["write_role_name"]:
        found["write_role_arn"] = _arn("write_role_name", partition, number, settings)
        found["write_external_id"] = settings["write_external_id"]
    try:
        return prepared(found)
    except ConnectionProblem as problem:
        field = {"write_role_arn": "write_role_name"}.get(problem.field, problem.field)
        raise ConnectionProblem(field, problem.message) from None


def _check_path(field: str, path: str) -> None:
    if len(path) > 512 or not _PATH.fullmatch(path):
        raise ConnectionProblem(
            field, "A role's path begins and ends with a slash, like /service/; without one it is just a slash."
        )


def _arn(field: str, partition: str, number: str, settings: Mapping[str, str]) -> str:
    _check_path("role_path", settings["role_path"])
    try:
        return parse_role_arn(field, f"arn:{partition}:iam::{number}:role{settings['role_path']}{settings[field]}").arn
    except ConnectionProblem:
        raise ConnectionProblem(
            field, "The name of a role has 1 to 64 characters, only letters, digits and + = , . @ _ -"
        ) from None


def _partition(role_arn: str, profile: str) -> str:
    if role_arn:
        return parse_role_arn("role_arn", role_arn).partition
    session = new_session(profile)
    return str(session.get_partition_for_region(home_region(session, "")))
