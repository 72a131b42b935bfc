"""Reading chosen resources again and judging them now, without a scan: for the button, for changes and for events."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from itertools import islice

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from nephoscope import domain
from nephoscope.accounts.models import Account
from nephoscope.accounts.queries import patience, provider_of
from nephoscope.alerts.models import Alert, Finding
from nephoscope.alerts.suppressions import chosen
from nephoscope.audit.actions.alerts import ALERT_RECHECKED
from nephoscope.audit.actions.wording import resources
from nephoscope.audit.services import Actor, record
from nephoscope.domain import ChangedResource, Verdict
from nephoscope.inventory import store
from nephoscope.inventory.models import Resource
from nephoscope.judging import losses
from nephoscope.judging.services import judge_resources
from nephoscope.waiting import open_in_time

log = logging.getLogger(__name__)

LANES = 8
"""Resources that are read at a time."""

BATCH = 100
"""Resources of a whole service that are stored at a time."""


@dataclass(slots=True)
class Reading:
    """The rows that were read again, those that are gone, and what could not be read."""

    read: list[int] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def as_changed(row: Resource) -> ChangedResource:
    """Name a stored resource."""
    return ChangedResource(row.service, row.region, row.type, row.resource_id, row.name)


def recheck_resources(
    account: Account,
    actor: Actor,
    wanted: Iterable[ChangedResource],
    *,
    beat: Callable[[], object] = lambda: None,
    session: domain.Session | None = None,
) -> Reading:
    """Read resources again (:func:`reread`) and judge them, and those beside them whose rules read these.

    :param beat: called now and then while it takes long.
    :param session: the account, where it is open already.
    :raises ValidationError: the account cannot be reached.
    """
    result = reread(account, wanted, beat=beat, session=session)
    judge_resources(account, actor, result.read, result.gone)
    return result


def reread(
    account: Account,
    wanted: Iterable[ChangedResource],
    *,
    beat: Callable[[], object] = lambda: None,
    session: domain.Session | None = None,
    deadline: domain.Deadline | None = None,
) -> Reading:
    """Read resources again, known ones, new ones and whole services, and store what was found.

    What cannot be read stays as it is.

    :param deadline: of the person who waits for it.
    :raises ValidationError: the account cannot be reached.
    """
    result, wanted = Reading(), list(dict.fromkeys(wanted))
    if session is not None:
        _read_again(account, session, wanted, result, beat)
    elif wanted:
        with closing(_open(account, deadline)) as opened:
            _read_again(account, opened, wanted, result, beat)
    return result


def _open(account: Account, deadline: domain.Deadline | None) -> domain.Session:
    try:
        return open_in_time(provider_of(account), account.connection.until(deadline))
    except domain.ConnectionProblem as problem:
        raise ValidationError({problem.field: [problem.message]}) from problem


def _read_again(
    account: Account,
    session: domain.Session,
    wanted: list[ChangedResource],
    result: Reading,
    beat: Callable[[], object],
) -> None:
    whole = {(each.service, each.region) for each in wanted if each.whole_service}
    ones: dict[tuple[str, str], tuple[str, domain.Resource]] = {}
    for each in wanted:
        if (each.service, each.region) in whole:
            continue
        known = list(_known(account, each))
        ones |= {(one.type, one.id): (each.service, one) for one in known}
        if not known:
            whole.add((each.service, each.region))
    _read_ones(account, session, list(ones.values()), result, beat)
    for service, region in sorted(whole):
        _read_whole(account, session, service, region, result, beat)


def _known(account: Account, wanted: ChangedResource) -> Iterator[domain.Resource]:
    """Yield the stored resources that are meant; for an unknown one with an id, what it takes to read it."""
    rows = Resource.objects.filter(account=account, service=wanted.service).select_related("account")
    if wanted.id:
        row = rows.filter(type=wanted.type, resource_id=wanted.id).first()
        yield (
            row.to_domain()
            if row
            else domain.Resource(wanted.type, wanted.id, wanted.name, wanted.region, account.number, {})
        )
        return
    rows = rows.filter(name=wanted.name, gone_at=None)
    rows = rows.filter(type=wanted.type) if wanted.type else rows
    rows = rows if wanted.region == domain.ALL_REGIONS else rows.filter(region=wanted.region)
    yield from (row.to_domain() for row in rows)


def _read_ones(
    account: Account,
    session: domain.Session,
    ones: list[tuple[str, domain.Resource]],
    result: Reading,
    beat: Callable[[], object],
) -> None:
    """Read them many at a time; threads only wait on the cloud."""

    def read(one: domain.Resource) -> domain.Resource | Exception | None:
        try:
            found = session.reread(one)
            if found is None and session.is_gone(one) is False:
                return LookupError(_("It was not found, but still exists."))
            return found
        except Exception as problem:
            return problem

    failed: dict[str, list[str]] = {}
    with ThreadPoolExecutor(LANES) as pool:
        for (service, one), found in zip(ones, pool.map(read, [one for _, one in ones]), strict=True):
            beat()
            if isinstance(found, Exception):
                log.info("%s of %s could not be read again", one.id, account, exc_info=found)
                failed.setdefault(str(found), []).append(one.name or one.id)
            elif found is None:
                rows = Resource.objects.filter(account=account, type=one.type, resource_id=one.id, gone_at=None)
                result.gone += rows.values_list("pk", flat=True)
                rows.update(gone_at=timezone.now())
            else:
                result.read += store.save(account, service, [found])
    result.problems += [f"{', '.join(names)}: {why}" for why, names in failed.items()]


def _read_whole(
    account: Account, session: domain.Session, name: str, region: str, result: Reading, beat: Callable[[], object]
) -> None:
    """Read a service in a region as a scan does; only one read to its end marks what it no longer found as gone."""
    service = next(each for each in provider_of(account).services if each.id == name)
    began = timezone.now()
    before = set(Resource.objects.filter(account=account, service=name, gone_at=None).values_list("pk", flat=True))
    seen: set[int] = set()
    try:
        found = session.collect(name, region)
        while batch := list(islice(found, BATCH)):
            seen |= store.save(account, name, batch)
            beat()
    except Exception as problem:
        log.warning("%s in %s of %s could not be read again", name, region, account, exc_info=True)
        result.problems.append(f"{service.name} in {region}: {problem}")
    else:
        [lost] = store.missing(account, {0: store.Reading(service, region, seen)}).values()
        held = losses.settle(account, lost, since=began, open=lambda: nullcontext(session))
        result.problems += [f"{service.name} in {region}: {each.reason}" for each in held]
        result.gone += Resource.objects.filter(pk__in=before, gone_at__isnull=False).values_list("pk", flat=True)
    result.read += seen


MAX_RECHECKED = 50
"""Resources that one recheck reads while the person waits; more are a scan's work."""


@dataclass(slots=True)
class Recheck:
    """How many of the resources are right now, still count as wrong, or are gone; and what could not be judged."""

    closed: int = 0
    still: int = 0
    gone: int = 0
    problems: list[str] = field(default_factory=list)


def recheck(actor: Actor, alert: Alert, findings: Iterable[Finding] | None = None) -> Recheck:
    """Read an alert's resources (all, or the chosen) again and judge them now, without a scan.

    What cannot be read stays as it is and is named in ``problems``.

    :raises ValidationError: the account cannot be reached, or more resources than are read while one waits.
    """
    actor.require("recheck")
    failing = alert.findings.filter(failing_since__isnull=False).select_related("resource__account")
    rows = list(failing.filter(suppression=None)) if findings is None else chosen(alert, findings)
    if len(rows) > MAX_RECHECKED:
        message = _("%(count)s resources are too many to recheck at once. Select up to %(most)s or start a scan.")
        raise ValidationError({"findings": [message % {"count": len(rows), "most": MAX_RECHECKED}]})
    reading = reread(alert.account, [as_changed(each.resource) for each in rows], deadline=patience())
    record(actor, ALERT_RECHECKED, alert, resources([each.resource.name for each in rows]), account=alert.account)
    judge_resources(alert.account, Actor.of_task("recheck", by=actor.name), reading.read, reading.gone)
    left = list(failing.filter(pk__in=[each.pk for each in rows]))
    alert.refresh_from_db()
    gone, still = len(reading.gone), len(left)
    unjudged = [f"{each.resource.name}: {each.message}" for each in left if each.verdict != Verdict.FAIL]
    return Recheck(closed=len(rows) - still - gone, still=still, gone=gone, problems=reading.problems + unjudged)
