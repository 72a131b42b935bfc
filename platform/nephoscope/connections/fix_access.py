"""What an account's access for fixes allows, by groups of fixes, as its last verification found."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from nephoscope import domain
from nephoscope.accounts.models import Account
from nephoscope.plugins import registry


@dataclass(frozen=True, slots=True)
class GroupAccess:
    """What the access allows of one group: a check for each of its permissions."""

    group: domain.FixGroup
    checks: tuple[domain.Check, ...]

    @property
    def allowed(self) -> bool | None:
        """Whether all of the group is allowed; None when that is not known."""
        return _all_allowed(self.checks)


def group_access(account: Account) -> list[GroupAccess]:
    """Return what the account's access for fixes allows of every group of its provider."""
    return [
        GroupAccess(group, _checks(account, group.permissions)) for group in registry().fix_groups(account.provider)
    ]


def denied_groups(account: Account) -> list[str]:
    """Return the titles of the groups that the access is known not to allow, or not as a whole."""
    return [each.group.title for each in group_access(account) if each.allowed is False]


def allows(account: Account, fix: domain.Remediation) -> bool | None:
    """Whether the access allows all that a fix writes; None when that is not known."""
    return _all_allowed(_checks(account, fix.writes))


def denied(account: Account, fix: domain.Remediation) -> list[str]:
    """Return what a fix writes with and the access is known not to allow."""
    return [check.permission for check in _checks(account, fix.writes) if check.allowed is False]


def allow_command(account: Account, fix: domain.Remediation) -> str:
    """Return the command that has the access allow a fix, and what it allows now; empty where there is none."""
    provider = registry().providers.get(account.provider)
    if provider is None or provider.writing is None:
        return ""
    wanted = domain.group_id(fix.group)
    groups = [each.group for each in group_access(account) if each.allowed or each.group.id == wanted]
    return provider.writing.allow_command(account.shown_connection, groups)


def _checks(account: Account, permissions: tuple[str, ...]) -> tuple[domain.Check, ...]:
    """Return what was found of these permissions; one that was not verified yet is not known."""
    found = {each["permission"]: each for each in account.verification.get("writing", {}).get("checks", [])}
    new = {"allowed": None, "detail": _("not verified yet")}
    return tuple(domain.Check(**{**new, **found.get(each, {}), "permission": each}) for each in permissions)


def _all_allowed(checks: tuple[domain.Check, ...]) -> bool | None:
    states = {check.allowed for check in checks}
    return False if False in states else None if None in states else True
