"""Connecting and configuring accounts."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from nephoscope import domain
from nephoscope.accounts import tags as account_tags
from nephoscope.accounts.holding import hold, require_present
from nephoscope.accounts.models import Account, AccountGroup
from nephoscope.accounts.queries import parts_of, provider_named, provider_of, tag_limits
from nephoscope.audit.actions.accounts import ACCOUNT_CONFIGURED, ACCOUNT_CREATED, ACCOUNT_VERIFIED
from nephoscope.audit.services import Actor, record
from nephoscope.connections.entered import check_names, keep, over_stored, require_fields
from nephoscope.connections.fix_access import denied_groups
from nephoscope.connections.reach import note_reached, note_unreachable
from nephoscope.plugins import registry
from nephoscope.policies import rejudging
from nephoscope.policies.queries import catalogue, policies_for
from nephoscope.waiting import in_time


class AlreadyConnected(ValidationError):
    """What leads to an account that is connected, or was removed: ``twin``."""

    def __init__(self, twin: Account) -> None:
        message = _("Account %(number)s is already connected as %(name)s.")
        if twin.removed_at:
            message = _("Account %(number)s was connected as %(name)s, which was removed. Restore it instead.")
        super().__init__({"account": [message % {"number": twin.number, "name": twin.name}]})
        self.twin = twin


def first_policies(account: Account) -> list[str]:
    """Return the policies of an account that is new: those that are so by default, or all."""
    known = policies_for(account)
    return [each.id for each in known if each.default] or [each.id for each in known]


def permissions_for(account: Account, *, writing: bool) -> list[str]:
    """Return the actions that the reading role needs, or the writing role for all that its provider may change."""
    provider = provider_of(account)
    services = provider.services
    if writing:
        groups = registry().fix_groups(account.provider)
        return sorted({action for group in groups for action in group.permissions})
    fixes = [each for each in registry().remediations.values() if each.provider == account.provider]
    lists_members = provider.organisations and hasattr(account, "organisation")
    listing = provider.organisations.permissions if provider.organisations and lists_members else ()
    scanning = (action for service in services for action in service.permissions)
    return sorted({*listing, *scanning, *(action for fix in fixes for action in fix.reads)})


def hindrance(
    provider: domain.Provider, account: Account | None = None, deadline: domain.Deadline | None = None
) -> str:
    """Say why no account of the provider can be reached (with this one's settings), or nothing.

    :param deadline: of the person who waits for it.
    """
    connection = account.shown_connection.until(deadline) if account else domain.Connection("", {}, deadline)
    onboarding = provider.onboarding
    try:
        return in_time(provider, deadline, lambda: onboarding.hindrance(connection)) if onboarding else ""
    except domain.ConnectionProblem as problem:
        return problem.message


def setup_templates(
    account: Account, *, writing: bool = False, deadline: domain.Deadline | None = None
) -> list[domain.SetupTemplate]:
    """Return the setup templates that give access to the account for reading, or for the fixes that are chosen.

    None where the provider needs no such access.

    :param deadline: of the person who waits for it.
    :raises ValidationError: whatever they create, it could not be used, or the cloud was too slow; says why.
    """
    provider = provider_of(account)
    if (provider.writing if writing else provider.onboarding) is None:
        return []
    if why := hindrance(provider, account, deadline):
        raise ValidationError({"provider": [why]})
    connection = account.shown_connection.until(deadline)
    try:
        return in_time(provider, deadline, _templates(account, provider, connection, writing=writing))
    except domain.ConnectionProblem as problem:
        raise ValidationError({problem.field: [problem.message]}) from problem


def _templates(
    account: Account, provider: domain.Provider, connection: domain.Connection, *, writing: bool
) -> Callable[[], list[domain.SetupTemplate]]:
    """Return what asks the provider for its templates, and reads nothing else."""
    if writing and provider.writing:
        return partial(provider.writing.setup_templates, connection, registry().fix_groups(provider.id))
    assert provider.onboarding
    return partial(provider.onboarding.setup_templates, connection, permissions_for(account, writing=False))


def available_regions(account: Account, deadline: domain.Deadline | None = None) -> list[domain.Region]:
    """Ask the cloud which regions can be chosen; none where the provider has no regions.

    :param deadline: of the person who waits for it.
    :raises ValidationError: the account cannot be reached; names the field.
    """
    provider = provider_of(account)
    onboarding = provider.onboarding
    try:
        connection = account.connection.until(deadline)
        return in_time(provider, deadline, lambda: onboarding.regions(connection)) if onboarding else []
    except domain.ConnectionProblem as problem:
        raise ValidationError({problem.field: [problem.message]}) from problem


def _prepared(account: Account, given: Mapping[str, Any]) -> dict[str, str]:
    provider = provider_of(account)
    check_names(provider, provider.fields, given)
    try:
        return provider.prepare(over_stored(account, provider.fields, given))
    except domain.ConnectionProblem as problem:
        raise ValidationError({problem.field: [problem.message]}) from problem


@transaction.atomic
def create_account(
    actor: Actor, *, name: str, provider: str = "", settings: Mapping[str, Any] | None = None
) -> Account:
    """Make a pending account, with its generated settings; :func:`verify_account` connects it.

    :param provider: needed only where several are enabled.
    :raises ValidationError: a name that is taken, an unknown provider, a malformed setting; names the field.
    """
    actor.require("connect")
    account = Account(name=name.strip() if isinstance(name, str) else name, provider=provider_named(provider).id)
    keep(account, provider_of(account).fields, _prepared(account, settings or {}))
    account.full_clean()
    account.save()
    record(actor, ACCOUNT_CREATED, account, account=account)
    return account


def verify_account(
    actor: Actor,
    account: Account,
    settings: Mapping[str, Any] | None = None,
    *,
    writing: bool = False,
    deadline: domain.Deadline | None = None,
) -> domain.Verification:
    """Reach the cloud with the account's settings (changed by ``settings``), and save them when that works.

    The first success chooses all enabled regions and the policies that are so by default, and sets the schedule going.
    When an account that was verified can no longer be reached as it is stored, that is kept and audited.

    :param deadline: of the person who waits for it.
    :raises ValidationError: a malformed setting, a role that cannot be assumed, another account's number, an account
        that is connected already; names the field, and no setting is saved.
    """
    actor.require("connect")
    require_present(account)
    provider = provider_of(account)
    loaded = _stored_settings(account)
    prepared = _prepared(account, settings or {})
    require_fields((each for each in provider.fields if each.for_writing <= writing), prepared)
    connection = domain.Connection(account.number, prepared, deadline)
    try:
        permissions = permissions_for(account, writing=writing)
        found = in_time(provider, deadline, lambda: _verified(provider, connection, permissions, writing=writing))
        regions = account.regions or ([] if writing else _regions(provider, replace(connection, account=found.account)))
    except domain.ConnectionProblem as problem:
        if not settings or prepared == account.all_settings:
            note_unreachable(actor, account, problem.message, writing=writing)
        said = [problem.message]
        if not account.verified_at and (twin := _named_in(account, prepared)):
            said.append(AlreadyConnected(twin).messages[0])
        raise ValidationError({problem.field: said}) from problem
    twins = Account.objects.filter(provider=account.provider, number=found.account).exclude(pk=account.pk)
    if found.account and (twin := twins.first()):
        raise AlreadyConnected(twin)
    with transaction.atomic():
        hold(account)
        if _stored_settings(account) != loaded:
            raise ValidationError({"account": [_("The connection was changed meanwhile. Try again.")]})
        _save_verified(actor, account, found, prepared, regions, writing=writing)
    return found


def _named_in(account: Account, settings: Mapping[str, str]) -> Account | None:
    """Return another account whose number the settings name: it may be what keeps this one from being connected."""
    others = Account.objects.filter(provider=account.provider).exclude(pk=account.pk).exclude(number="")
    text = " ".join(settings.values())
    return next((each for each in others if re.search(rf"\b{re.escape(each.number)}\b", text)), None)


def _stored_settings(account: Account) -> tuple[dict[str, str], dict[str, str]]:
    return account.settings, account.secrets.sealed


def _verified(
    provider: domain.Provider, connection: domain.Connection, permissions: list[str], *, writing: bool
) -> domain.Verification:
    facet = provider.writing if writing else provider.onboarding
    if facet:
        return facet.verify(connection, permissions)
    if writing:
        raise domain.ConnectionProblem("provider", _("Nephoscope cannot change anything in %s.") % provider.name)
    # No access has to be granted: that it can be opened is all there is to verify.
    provider.open(connection).close()
    return domain.Verification(connection.account, "", ())


def _regions(provider: domain.Provider, connection: domain.Connection) -> list[str]:
    onboarding = provider.onboarding
    if onboarding is None:
        return []
    known = in_time(provider, connection.deadline, lambda: onboarding.regions(connection))
    return [each.id for each in known if each.enabled]


def _save_verified(
    actor: Actor,
    account: Account,
    found: domain.Verification,
    settings: dict[str, str],
    regions: list[str],
    *,
    writing: bool,
) -> None:
    keep(account, provider_of(account).fields, settings)
    account.number, account.regions = found.account, account.regions or regions
    account.policies = account.policies or first_policies(account)
    checks = {"principal": found.principal, "checks": [asdict(check) for check in found.checks]}
    account.verification = {**account.verification, "writing" if writing else "reading": checks}
    if writing:
        account.writing_verified_at = timezone.now()
    else:
        if not account.verified_at:
            account.next_scan_at = next_scan(account.scan_every)
        account.verified_at = timezone.now()
    try:
        with transaction.atomic():
            account.save(update_fields=VERIFIED)
    except IntegrityError as error:
        message = _("Account %(number)s is already connected.") % {"number": found.account}
        raise ValidationError({"account": [message]}) from error
    missing = denied_groups(account) if writing else list(found.missing)
    verified = {"number": found.account, "missing": missing, "fixing": writing}
    record(actor, ACCOUNT_VERIFIED, account, verified, account=account)
    note_reached(actor, account, writing=writing)


VERIFIED = (
    "settings",
    "secrets",
    "number",
    "regions",
    "policies",
    "verification",
    "verified_at",
    "writing_verified_at",
    "next_scan_at",
)
"""What verifying changes of an account."""


def configure_account(
    actor: Actor,
    account: Account,
    *,
    name: str | None = None,
    regions: Iterable[str] | None = None,
    services: Iterable[str] | None = None,
    policies: Iterable[str] | None = None,
    groups: Iterable[AccountGroup] | None = None,
    scan_every: int | None = None,
    tags: Mapping[str, str] | None = None,
    deadline: domain.Deadline | None = None,
) -> Account:
    """Change what is given: the name, the regions, services and policies to scan, the groups that see the account.

    When other policies apply than before, what is stored is judged again.

    :param services: none of them, or all: every service, those of later versions too.
    :param scan_every: hours between two scans that start by themselves; 0 for none.
    :param deadline: of the person who waits for it.
    :raises ValidationError: an unknown region, service or policy, none where there are some, a name that is taken, a
        malformed tag, an account that was removed; names the field.
    """
    actor.require("connect")
    require_present(account)
    given: dict[str, Any] = {}
    if name is not None:
        given["name"] = name.strip()
    if regions is not None:
        # Asked before the account is held: the cloud may take its time.
        known_regions = [each.id for each in available_regions(account, deadline) if each.enabled]
        given["regions"] = _chosen("regions", regions, known_regions)
    if services is not None:
        given["services"] = _chosen_services(account, list(services))
    if policies is not None:
        given["policies"] = _chosen("policies", policies, [each.id for each in policies_for(account)])
    if tags is not None:
        given["tags"] = account_tags.checked(tags, tag_limits(account.provider))
    if scan_every is not None:
        given["scan_every"] = scan_every
    return _configured(actor, account, given, groups)


@transaction.atomic
def _configured(
    actor: Actor, account: Account, given: Mapping[str, Any], groups: Iterable[AccountGroup] | None
) -> Account:
    """Write just what was given, whatever else of the account was changed meanwhile."""
    hold(account)
    before, known = _described(account), catalogue()
    applied, scope = known.applied(account), _scope(account)
    every, changed = given.get("scan_every"), list(given)
    if every is not None and (every != account.scan_every or (every and not account.next_scan_at)):
        account.next_scan_at = next_scan(every)
        changed.append("next_scan_at")
    for field, value in given.items():
        setattr(account, field, value)
    account.full_clean()
    account.save(update_fields=changed)
    if not _scope(account) <= scope:
        account.scans.update(whole=False)
    if groups is not None:
        account.groups.set(groups)
    record(
        actor,
        ACCOUNT_CONFIGURED,
        account,
        account=account,
        before=before,
        after=_described(account),
    )
    if known.applied(account) != applied:
        rejudging.request([account])
    return account


def _scope(account: Account) -> set[tuple[str, str]]:
    """Return the services and regions that a whole scan reads."""
    return {(service.id, region) for service, region in parts_of(account)}


def next_scan(every: int) -> datetime | None:
    """Return when to scan next: in so many hours, give or take a tenth, so that accounts do not all start at once."""
    # No secret hangs on this.
    return timezone.now() + timedelta(hours=every * random.uniform(0.9, 1.1)) if every else None  # noqa: S311


def _chosen_services(account: Account, given: list[str]) -> list[str]:
    known = [each.id for each in provider_of(account).services]
    chosen = _chosen("services", given, known) if given else []
    return [] if set(chosen) == set(known) else chosen


def _chosen(field: str, given: Iterable[str], known: list[str]) -> list[str]:
    """Return what was chosen of what is known; at least one, unless there is nothing to choose."""
    chosen = list(dict.fromkeys(given))
    if strange := [each for each in chosen if each not in known]:
        message = _("%(strange)s is not available. Available: %(known)s.")
        raise ValidationError({field: [message % {"strange": ", ".join(map(str, strange)), "known": ", ".join(known)}]})
    if not chosen and known:
        raise ValidationError({field: [_("Select at least one.")]})
    return chosen


def _described(account: Account) -> dict[str, Any]:
    groups = list(account.groups.values_list("name", flat=True))
    return {
        "name": account.name,
        "regions": account.regions,
        "services": account.services,
        "policies": account.policies,
        "groups": groups,
        "scan_every": account.scan_every,
        "tags": account.tags,
    }
