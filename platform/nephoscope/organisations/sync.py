"""Keeping an organisation in step: who its members are, and connecting those that can be reached.

A listing that fails changes nothing. Nothing is ever deleted. One member that fails never stops the others.
"""

from __future__ import annotations

import logging
import random
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from nephoscope import domain
from nephoscope.accounts.queries import provider_of
from nephoscope.audit.services import Actor
from nephoscope.organisations import joining
from nephoscope.organisations.joining import ConnectionAttempt
from nephoscope.organisations.members import reconcile
from nephoscope.organisations.models import ACTIVE, Member, Organisation, Standing
from nephoscope.organisations.services import enqueue, organisations_of
from nephoscope.queue import lease

log = logging.getLogger(__name__)

LANES = 8
"""Members that one sync tries to reach at a time."""

PATIENCE = 300.0
"""Seconds after which a sync begins with no further member; those that are left come first in the next one."""


@dataclass(frozen=True, slots=True)
class Synced:
    """What one sync did."""

    members: int
    connected: int
    waiting: int


def sync_organisation(actor: Actor, organisation: Organisation) -> Synced:
    """List the members, note who came, went or changed, and connect the active ones that are not connected yet.

    :raises ValidationError: another sync of it is under way, or the members could not be listed: then nothing changes
        but the problem that the organisation shows.
    """
    actor.require("connect")
    owner, rows = uuid.uuid4(), Organisation.objects.filter(pk=organisation.pk)
    if not lease.claim(rows, owner, next_sync_at=_next()):
        raise ValidationError(
            {"organisation": [_("A sync of %(name)s is already running.") % {"name": organisation.name}]}
        )
    try:
        with lease.holding(rows, owner):
            return _sync(actor, organisation)
    finally:
        organisation.refresh_from_db()


def sync_due() -> int:
    """Have those organisations synced whose time has come; run every minute by the queue. Returns how many."""
    due = 0
    for organisation in Organisation.objects.filter(Q(next_sync_at=None) | Q(next_sync_at__lte=timezone.now())):
        # Whoever moves the time has the turn: several workers do the housekeeping.
        mine = Organisation.objects.filter(pk=organisation.pk, next_sync_at=organisation.next_sync_at)
        if mine.update(next_sync_at=_next()):
            enqueue(organisation)
            due += 1
    return due


def _next() -> datetime:
    """Return when to sync next, give or take a tenth, so that organisations do not all come at once."""
    # No secret hangs on this.
    minutes = settings.NEPHOSCOPE_ORGANISATION_SYNC_MINUTES * random.uniform(0.9, 1.1)  # noqa: S311
    return timezone.now() + timedelta(minutes=minutes)


def _sync(actor: Actor, organisation: Organisation) -> Synced:
    try:
        listed, settings = _listed(organisation), organisation.all_settings
    except domain.ConnectionProblem as problem:
        Organisation.objects.filter(pk=organisation.pk).update(problem=problem.message)
        raise ValidationError({problem.field: [problem.message]}) from problem
    with transaction.atomic():
        reconcile(actor, organisation, listed)
        Organisation.objects.filter(pk=organisation.pk).update(problem="", synced_at=timezone.now())
    connected = _connect(actor, organisation, settings)
    members = organisation.members.filter(left_at=None)
    return Synced(members.count(), connected, members.with_standing().filter(standing=Standing.PENDING).count())


def _listed(organisation: Organisation) -> list[domain.Member]:
    """Return the members; a listing that cannot be whole counts as one that failed."""
    account = organisation.account
    try:
        listed = {each.number: each for each in organisations_of(account).members(account.connection)}
    except domain.ConnectionProblem:
        raise
    except Exception as problem:
        log.exception("organisation %s could not be listed", organisation)
        raise domain.ConnectionProblem("account", f"{type(problem).__name__}: {problem}") from problem
    if account.number not in listed:
        message = _("The member list does not include %(name)s itself, so it is incomplete.")
        raise domain.ConnectionProblem("account", message % {"name": account.name})
    return list(listed.values())


def _connect(actor: Actor, organisation: Organisation, settings: Mapping[str, str]) -> int:
    """Try the members that wait to be connected, those that waited longest first. Returns how many were."""
    waiting = organisation.members.filter(ACTIVE, account=None, linked_at=None, management=False, excluded=False)
    rows = list(waiting.order_by(F("tried_at").asc(nulls_first=True), "pk"))
    connected = 0
    for member, attempt in _attempts(organisation, settings, rows):
        member.tried_at = timezone.now()
        if not attempt.problem:
            try:
                joining.join(actor, organisation, member, attempt)
                connected += 1
                continue
            except ValidationError as problem:
                attempt = ConnectionAttempt({}, problem=" ".join(problem.messages))
        member.problem = attempt.problem
        member.save(update_fields=["problem", "tried_at"])
    return connected


def _attempts(
    organisation: Organisation, settings: Mapping[str, str], members: Sequence[Member]
) -> Iterator[tuple[Member, ConnectionAttempt]]:
    """Try to reach the members side by side and yield what came of each. The threads touch no database."""
    account, connection = organisation.account, organisation.account.connection
    provider, source = provider_of(account), organisations_of(account)
    regions, until = tuple(organisation.regions), time.monotonic() + PATIENCE
    with ThreadPoolExecutor(LANES, "nephoscope-members") as pool:
        running = {}
        for member in members:
            reached_by = source.member_settings(connection, settings, member.number)
            running[pool.submit(partial(_attempt, provider, member.number, reached_by, regions, until))] = member
        for future in as_completed(running):
            if (attempt := future.result()) is not None:
                yield running[future], attempt


def _attempt(
    provider: domain.Provider, number: str, settings: dict[str, str], regions: tuple[str, ...], until: float
) -> ConnectionAttempt | None:
    """Prove that the member can be reached, and its number; None when there was no time left to.

    Its permissions are not tried one by one: they are those of the setup template, and what one lacks, a scan names as
    unknown.
    """
    if time.monotonic() > until:
        return None
    try:
        connection = domain.Connection(number, settings)
        if provider.onboarding is None:
            provider.open(connection).close()
            return ConnectionAttempt(settings, "", regions)
        found = provider.onboarding.verify(connection, [])
        if not regions:
            regions = tuple(each.id for each in provider.onboarding.regions(connection) if each.enabled)
        return ConnectionAttempt(settings, found.principal, regions)
    except domain.ConnectionProblem as problem:
        why = _("Access to it is not set up yet, or is misconfigured: run the setup template for all members. %(why)s")
        return ConnectionAttempt(settings, problem=why % {"why": problem.message})
    except Exception as problem:
        log.exception("member %s could not be reached", number)
        return ConnectionAttempt(settings, problem=f"{type(problem).__name__}: {problem}")
