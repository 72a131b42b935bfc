"""Connecting, configuring and removing organisations; :mod:`nephoscope.organisations.sync` keeps them in step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from nephoscope import domain
from nephoscope.accounts.holding import reread
from nephoscope.accounts.models import Account, AccountGroup
from nephoscope.accounts.queries import patience, provider_of
from nephoscope.audit.actions.organisations import (
    ORGANISATION_CONFIGURED,
    ORGANISATION_CREATED,
    ORGANISATION_REMOVED,
    ORGANISATION_SYNC_REQUESTED,
)
from nephoscope.audit.services import Actor, record
from nephoscope.connections.entered import check_names, keep, over_stored, require_fields
from nephoscope.connections.services import available_regions, permissions_for
from nephoscope.organisations.models import Organisation
from nephoscope.plugins import registry
from nephoscope.policies.queries import policies_for
from nephoscope.queue.dispatch import dispatch
from nephoscope.waiting import in_time

MOST_UNITS = 100
LONGEST_UNIT = 500


def able_accounts() -> QuerySet[Account]:
    """Return the connected accounts that an organisation could be read through."""
    able = [id for id, provider in registry().providers.items() if provider.organisations]
    return Account.objects.present().filter(provider__in=able, verified_at__isnull=False, organisation=None)


def intros(account: Account | None) -> list[str]:
    """Return what the account's provider says of organisations, or without an account what every provider says."""
    known = [provider_of(account)] if account else registry().providers.values()
    return [each.organisations.intro for each in known if each.organisations and each.organisations.intro]


def organisations_of(account: Account) -> domain.OrganisationSource:
    """Return how the account's provider keeps accounts in organisations.

    :raises ValidationError: it does not.
    """
    provider = provider_of(account)
    if provider.organisations is None:
        message = _("%(provider)s does not support organisations.")
        raise ValidationError({"account": [message % {"provider": provider.name}]})
    return provider.organisations


def setup_templates(organisation: Organisation, deadline: domain.Deadline | None = None) -> list[domain.SetupTemplate]:
    """Return the setup templates that give access to all members.

    :param deadline: of the person who waits for it.
    :raises ValidationError: the cloud was too slow; says so.
    """
    account = organisation.account
    source = organisations_of(account)
    # Members list no members, so what only their organisation's account needs is not asked of them.
    reading = [each for each in permissions_for(account, writing=False) if each not in source.permissions]
    writing = registry().fix_groups(account.provider)
    connection, entered = account.shown_connection.until(deadline), organisation.settings
    try:
        return in_time(
            provider_of(account), deadline, lambda: source.setup_templates(connection, entered, reading, writing)
        )
    except domain.ConnectionProblem as problem:
        raise ValidationError({problem.field: [problem.message]}) from problem


@transaction.atomic
def create_organisation(
    actor: Actor, *, name: str, account: Account, settings: Mapping[str, Any] | None = None, **changes: Any
) -> Organisation:
    """Connect the organisation that ``account`` can list; nothing is asked of the cloud before the first sync.

    :param settings: the provider's, see :attr:`nephoscope.domain.OrganisationSource.fields`.
    :param changes: as for :func:`configure_organisation`.

    :raises ValidationError: a name or account that is taken, an account that is pending or of a provider without
        organisations, a setting that cannot be; names the field.
    """
    actor.require("connect")
    if not account.verified_at:
        raise ValidationError({"account": [_("Verify the connection of %(name)s first.") % {"name": account.name}]})
    organisations_of(account)
    organisation = Organisation(account=account, name=name.strip())
    _configure(organisation, {**changes, "settings": settings or {}})
    record(actor, ORGANISATION_CREATED, organisation, account=account, after=_described(organisation))
    return organisation


@transaction.atomic
def configure_organisation(actor: Actor, organisation: Organisation, **changes: Any) -> Organisation:
    """Change what is given: ``name``, ``settings``, ``include``, ``exclude``, ``regions``, ``policies``,
    ``scan_every``, ``groups``. It holds for members that are connected from now on. Settings that are left out stay.

    ``include`` and ``exclude`` are units, by their path of names as ``Workloads/Production``, with all below them. No
    regions: those that each member has enabled. No policies: those that are so by default.

    :raises ValidationError: a name that is taken, an unknown region or policy, a setting that cannot be; names the
        field.
    """
    actor.require("connect")
    before = _described(organisation)
    _configure(organisation, changes)
    record(
        actor,
        ORGANISATION_CONFIGURED,
        organisation,
        account=organisation.account,
        before=before,
        after=_described(organisation),
    )
    return organisation


def _configure(organisation: Organisation, changes: dict[str, Any]) -> None:
    given = {name: value for name, value in changes.items() if value is not None}
    groups: Iterable[AccountGroup] | None = given.pop("groups", None)
    if "name" in given:
        given["name"] = given["name"].strip()
    for name in ("include", "exclude"):
        if name in given:
            given[name] = _units(name, given[name])
    if "policies" in given:
        given["policies"] = _known("policies", given["policies"], [x.id for x in policies_for(organisation.account)])
    if given.get("regions"):
        regions = [each.id for each in available_regions(organisation.account, patience())]
        given["regions"] = _known("regions", given["regions"], regions)
    source, prepared = organisations_of(organisation.account), None
    if "settings" in given:
        prepared = _prepared(organisation, source, given.pop("settings"))
    if organisation.pk:
        reread(organisation)
    if prepared is not None:
        keep(organisation, source.fields, prepared)
    for name, value in given.items():
        setattr(organisation, name, value)
    organisation.full_clean()
    organisation.save()
    if groups is not None:
        organisation.groups.set(groups)


def _prepared(
    organisation: Organisation, source: domain.OrganisationSource, given: Mapping[str, Any]
) -> dict[str, str]:
    account = organisation.account
    check_names(provider_of(account), source.fields, given)
    try:
        prepared = source.prepare(account.connection, over_stored(organisation, source.fields, given))
    except domain.ConnectionProblem as problem:
        raise ValidationError({problem.field: [problem.message]}) from problem
    require_fields(source.fields, prepared)
    return prepared


def _units(field: str, given: Iterable[str]) -> list[str]:
    units = list(dict.fromkeys(unit.strip().strip("/") for unit in given if unit.strip().strip("/")))
    if len(units) > MOST_UNITS or any(len(unit) > LONGEST_UNIT for unit in units):
        message = _("Name at most %(most)s units, each with at most %(longest)s characters.")
        raise ValidationError({field: [message % {"most": MOST_UNITS, "longest": LONGEST_UNIT}]})
    return units


def _known(field: str, given: Iterable[str], known: list[str]) -> list[str]:
    chosen = list(dict.fromkeys(given))
    if strange := [each for each in chosen if each not in known]:
        message = _("%(strange)s is not available. Available: %(known)s.")
        raise ValidationError({field: [message % {"strange": ", ".join(map(str, strange)), "known": ", ".join(known)}]})
    return chosen


def _described(organisation: Organisation) -> dict[str, Any]:
    names = ("name", "include", "exclude", "regions", "policies", "scan_every")
    fields = organisations_of(organisation.account).fields
    settings = {
        each.name: organisation.settings.get(each.name, "") for each in fields if not (each.generated or each.secret)
    }
    groups = list(organisation.groups.values_list("name", flat=True))
    return {**{name: getattr(organisation, name) for name in names}, "settings": settings, "groups": groups}


@transaction.atomic
def remove_organisation(actor: Actor, organisation: Organisation) -> None:
    """Forget an organisation and who its members are. Their accounts stay as they are."""
    actor.require("connect")
    record(actor, ORGANISATION_REMOVED, organisation, account=organisation.account)
    organisation.delete()


@transaction.atomic
def request_sync(actor: Actor, organisation: Organisation) -> None:
    """Have a worker sync the organisation now.

    :raises ValidationError: a sync is under way.
    """
    actor.require("connect")
    if organisation.syncing:
        raise ValidationError(
            {"organisation": [_("A sync of %(name)s is already running.") % {"name": organisation.name}]}
        )
    record(actor, ORGANISATION_SYNC_REQUESTED, organisation, account=organisation.account)
    enqueue(organisation)


def enqueue(organisation: Organisation) -> None:
    """Ask the queue for a sync; one that comes while another is under way ends at once."""
    dispatch(
        "sync_organisation",
        organisation.pk,
        name=f"sync organisation {organisation.pk}",
    )
