"""Connecting, configuring and removing organisations; :mod:`nephoscope.organisations.sync` keeps them in step."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from nephoscope import domain
from nephoscope.accounts.models import Account, AccountGroup
from nephoscope.accounts.queries import provider_of
from nephoscope.audit.services import Actor, record
from nephoscope.connections.services import available_regions, permissions_for
from nephoscope.organisations.models import Organisation
from nephoscope.plugins import registry
from nephoscope.policies.queries import policies_for
from nephoscope.queue.dispatch import dispatch

NOBODY = "0" * 12
"""A number that no account has, to try a pattern of roles with."""

MOST_UNITS = 100
LONGEST_UNIT = 500


def able_accounts() -> QuerySet[Account]:
    """Return the connected accounts that an organisation could be read through."""
    able = [id for id, provider in registry().providers.items() if provider.member_permissions]
    return Account.objects.filter(provider__in=able, verified_at__isnull=False, organisation=None)


def kits(organisation: Organisation) -> list[domain.Kit]:
    """Return the ready things that roll out the roles; the ids of those for fixes begin with ``fix-``."""
    provider, connection = provider_of(organisation.account), organisation.account.connection

    def rolled_out(role: domain.MemberRole, *, writing: bool) -> list[domain.Kit]:
        return provider.member_kits(connection, role, _needed(organisation.account, writing), writing=writing)

    found = rolled_out(organisation.reading_role, writing=False)
    if role := organisation.writing_role:
        found += [
            replace(kit, id=f"fix-{kit.id}", title=_("%(kit)s, for fixes") % {"kit": kit.title})
            for kit in rolled_out(role, writing=True)
        ]
    return found


def _needed(account: Account, writing: bool) -> list[str]:
    """Members list no members, so what only their organisation's account needs is not asked of them."""
    own = () if writing else provider_of(account).member_permissions
    return [each for each in permissions_for(account, writing=writing) if each not in own]


@transaction.atomic
def create_organisation(
    actor: Actor, *, name: str, account: Account, external_id: str = "", **settings: Any
) -> Organisation:
    """Connect the organisation that ``account`` can list; nothing is asked of the cloud before the first sync.

    :param external_id: one that the members' roles ask for already; made when it is empty.
    :param settings: as for :func:`configure_organisation`.

    :raises ValidationError: a name or account that is taken, an account that is pending or of a provider without
        organisations, a role that cannot be; names the field.
    """
    actor.demand("connect")
    if not account.verified_at:
        raise ValidationError({"account": [_("Verify the connection of %(name)s first.") % {"name": account.name}]})
    if not provider_of(account).member_permissions:
        message = _("%(provider)s keeps no accounts in organisations.")
        raise ValidationError({"account": [message % {"provider": provider_of(account).name}]})
    organisation = Organisation(
        account=account,
        name=name.strip(),
        external_id=external_id.strip() or secrets.token_hex(16),
        write_external_id=secrets.token_hex(16),
    )
    _configure(organisation, settings)
    record(
        actor,
        "organisation.created",
        organisation,
        f"began to connect the organisation {organisation.name}",
        account=account,
        after=_described(organisation),
    )
    return organisation


@transaction.atomic
def configure_organisation(actor: Actor, organisation: Organisation, **settings: Any) -> Organisation:
    """Change what is given: ``name``, ``role_name``, ``role_path``, ``write_role_name``, ``include``, ``exclude``,
    ``regions``, ``policies``, ``scan_every``, ``groups``. It holds for members that are connected from now on.

    ``include`` and ``exclude`` are units, by their path of names as ``Workloads/Production``, with all below them. No
    regions: those that each member has enabled. No policies: those that are so by default.

    :raises ValidationError: a name that is taken, an unknown region or policy, a role that cannot be; names the field.
    """
    actor.demand("connect")
    before = _described(organisation)
    _configure(organisation, settings)
    record(
        actor,
        "organisation.configured",
        organisation,
        f"changed the settings of {organisation.name}",
        account=organisation.account,
        before=before,
        after=_described(organisation),
    )
    return organisation


def _configure(organisation: Organisation, settings: dict[str, Any]) -> None:
    given = {name: value for name, value in settings.items() if value is not None}
    groups: Iterable[AccountGroup] | None = given.pop("groups", None)
    for name in ("name", "role_name", "role_path", "write_role_name"):
        if name in given:
            given[name] = given[name].strip()
    if "role_path" in given:
        given["role_path"] = given["role_path"] or "/"
    for name in ("include", "exclude"):
        if name in given:
            given[name] = _units(name, given[name])
    if "policies" in given:
        given["policies"] = _known("policies", given["policies"], [x.id for x in policies_for(organisation.account)])
    if given.get("regions"):
        regions = [each.id for each in available_regions(organisation.account)]
        given["regions"] = _known("regions", given["regions"], regions)
    for name, value in given.items():
        setattr(organisation, name, value)
    try:
        settings_of(organisation, NOBODY)
    except domain.ConnectionProblem as problem:
        raise ValidationError({problem.field: [problem.message]}) from problem
    organisation.full_clean()
    organisation.save()
    if groups is not None:
        organisation.groups.set(groups)


def settings_of(organisation: Organisation, number: str) -> dict[str, str]:
    """Return the settings that reach a member. Raises ConnectionProblem."""
    return provider_of(organisation.account).member_settings(
        organisation.account.connection, number, organisation.reading_role, organisation.writing_role
    )


def _units(field: str, given: Iterable[str]) -> list[str]:
    units = list(dict.fromkeys(unit.strip().strip("/") for unit in given if unit.strip().strip("/")))
    if len(units) > MOST_UNITS or any(len(unit) > LONGEST_UNIT for unit in units):
        message = _("Name at most %(most)s units, each with at most %(longest)s characters.")
        raise ValidationError({field: [message % {"most": MOST_UNITS, "longest": LONGEST_UNIT}]})
    return units


def _known(field: str, given: Iterable[str], known: list[str]) -> list[str]:
    chosen = list(dict.fromkeys(given))
    if strange := [each for each in chosen if each not in known]:
        message = _("%(strange)s cannot be chosen. Known: %(known)s.")
        raise ValidationError({field: [message % {"strange": ", ".join(map(str, strange)), "known": ", ".join(known)}]})
    return chosen


def _described(organisation: Organisation) -> dict[str, Any]:
    names = (
        "name",
        "role_name",
        "role_path",
        "write_role_name",
        "include",
        "exclude",
        "regions",
        "policies",
        "scan_every",
    )
    groups = list(organisation.groups.values_list("name", flat=True))
    return {**{name: getattr(organisation, name) for name in names}, "groups": groups}


@transaction.atomic
def remove_organisation(actor: Actor, organisation: Organisation) -> None:
    """Forget an organisation and who its members are. Their accounts stay as they are."""
    actor.demand("connect")
    record(
        actor,
        "organisation.removed",
        organisation,
        f"removed the organisation {organisation.name}",
        account=organisation.account,
    )
    organisation.delete()


@transaction.atomic
def request_sync(actor: Actor, organisation: Organisation) -> None:
    """Have a worker sync the organisation now.

    :raises ValidationError: a sync is under way.
    """
    actor.demand("connect")
    if organisation.syncing:
        raise ValidationError({"organisation": [_("A sync of %(name)s is under way.") % {"name": organisation.name}]})
    record(
        actor,
        "organisation.sync_requested",
        organisation,
        f"asked for a sync of {organisation.name}",
        account=organisation.account,
    )
    enqueue(organisation)


def enqueue(organisation: Organisation) -> None:
    """Ask the queue for a sync; one that comes while another is under way ends at once."""
    dispatch(
        "sync_organisation",
        organisation.pk,
        name=f"sync organisation {organisation.pk}",
    )
