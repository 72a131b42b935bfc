"""What detectors raise, the clouds' own first, kept as alerts: one alert, finding and resource for each.

The finding bears the kind for a rule, so that counting, suppressing and the audit log work as they do for rules. Only
this module opens and closes it: no policy holds it, and a scan that did not read it leaves it alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import timezone

from nephoscope import domain
from nephoscope.accounts.models import Account
from nephoscope.accounts.queries import provider_of
from nephoscope.alerts.models import DETECTED, Alert, DetectionCursor, Finding, VerdictChoice
from nephoscope.alerts.state import Transitions, refresh
from nephoscope.alerts.suppressions import reapply
from nephoscope.alerts.transitions import of_severity
from nephoscope.audit.actions.alerts import ALERT_UPDATED, Resolution
from nephoscope.audit.services import Actor, record
from nephoscope.domain import Detection, DetectionCleared, Severity
from nephoscope.domain.texts import kept as storable
from nephoscope.domain.texts import text_of
from nephoscope.inventory import store
from nephoscope.inventory.models import Resource

log = logging.getLogger(__name__)

LONGEST_KEY = 200
"""Characters of a detection's key, as of an alert's."""


def source(
    session: domain.Session, account: Account, service: str, region: str
) -> Callable[[], Iterator[Detection | DetectionCleared | domain.Resource]]:
    """Return what reads the detections of a region from where the last complete reading ended."""
    detector = provider_of(account).detections
    assert detector is not None  # a service that brings detections is read by its provider's detector
    cursor = DetectionCursor.objects.filter(account=account, service=service, region=region).first()
    standing = Finding.objects.filter(account=account, rule_id__in=DETECTED, failing_since__isnull=False)
    standing = standing.filter(resource__service=service, resource__region=region)
    known = frozenset(standing.values_list("resource__resource_id", flat=True))
    return partial(detector.read, session, service, region, cursor.since if cursor else None, known)


def advance(account: Account, service: str, region: str, newest: datetime | None, *, whole: bool) -> None:
    """Remember how far a region was read, if nothing of it was hidden; never beyond now, whatever the cloud says."""
    if whole and newest:
        DetectionCursor.objects.update_or_create(
            account=account, service=service, region=region, defaults={"since": min(newest, timezone.now())}
        )


def save(
    account: Account, service: domain.Service, batch: Iterable[Detection | DetectionCleared], actor: Actor
) -> set[int]:
    """Open, update and close the alerts of a batch; return the row ids of the detections that stand.

    One that the database does not take costs the others nothing: it is left out, and logged.
    """
    kept = [_storable(each) for each in batch]
    try:
        return _saved(account, service, kept, actor)
    except (DatabaseError, TypeError, ValueError) as problem:
        if len(kept) > 1:
            return set().union(*(save(account, service, [each], actor) for each in kept))
        log.warning("%s of %s could not be stored: %s", kept[0].key, account, type(problem).__name__)
        return set()


def _storable(each: Detection | DetectionCleared) -> Detection | DetectionCleared:
    """Return the same with texts and documents that PostgreSQL keeps: whoever acts in the cloud chooses them."""
    plain = {field.name: getattr(each, field.name) for field in fields(each)}
    texts: dict[str, Any] = {name: text_of(value) for name, value in plain.items() if type(value) is str}
    texts["key"] = texts["key"][:LONGEST_KEY]
    documents: dict[str, Any] = {
        name: storable(dict(value)) for name, value in plain.items() if isinstance(value, Mapping)
    }
    return replace(each, **texts, **documents)


def _saved(
    account: Account, service: domain.Service, batch: Sequence[Detection | DetectionCleared], actor: Actor
) -> set[int]:
    standing = {each.key: each for each in batch if isinstance(each, Detection) and _counts(each)}
    over = {each.key: each.kind for each in batch if isinstance(each, DetectionCleared) or each.archived}
    now, transitions = timezone.now(), Transitions()
    with transaction.atomic():
        # One writer of an account's findings at a time, as when rules are judged.
        Account.objects.select_for_update().get(pk=account.pk)
        seen = store.save(account, service.id, [_stored(account, service, each) for each in standing.values()])
        _open(account, seen, standing, transitions, actor, now)
        _close(account, service, over, transitions, now)
        refresh(account, transitions, actor, now)
    return seen


def _counts(detection: Detection) -> bool:
    return not detection.archived and (settings.NEPHOSCOPE_SAMPLE_FINDINGS or not detection.sample)


def _stored(account: Account, service: domain.Service, each: Detection) -> domain.Resource:
    name = each.resource_name or each.key
    return domain.Resource(service.types[0], each.key, name, each.region, account.number, each.details)


def _open(
    account: Account,
    seen: set[int],
    standing: dict[str, Detection],
    transitions: Transitions,
    actor: Actor,
    now: datetime,
) -> None:
    known = {each.resource_id: each for each in Finding.objects.filter(resource__in=seen)}
    alerts = {(each.kind, each.key): each for each in Alert.objects.filter(account=account, key__in=list(standing))}
    new = []
    for row in Resource.objects.filter(pk__in=seen):
        detection = standing[row.resource_id]
        alert = _alert(account, alerts.get((detection.kind.value, detection.key)), detection, actor, now)
        if finding := known.get(row.pk):
            if finding.message != detection.description:
                Finding.objects.filter(pk=finding.pk).update(message=detection.description, changed_at=now)
            continue
        new.append(
            Finding(
                account=account,
                rule_id=detection.kind.value,
                resource=row,
                verdict=VerdictChoice.FAIL,
                message=detection.description,
                changed_at=now,
                failing_since=now,
                alert=alert,
            )
        )
        transitions.opened(alert.pk, row.name)
    reapply(new)
    Finding.objects.bulk_create(new)


def _alert(account: Account, alert: Alert | None, detection: Detection, actor: Actor, now: datetime) -> Alert:
    """Return the detection's alert, made or brought up to date; a row is touched only when something changed."""
    content = {
        "title": detection.title[:300],
        "source": detection.source[:60],
        "severity": detection.severity.value,
        "last_seen": detection.last_seen,
        "rank": list(Severity).index(detection.severity),
        "details": {
            "description": detection.description,
            "link": detection.link,
            "guide": detection.guide,
            "count": detection.count,
            "facts": dict(detection.facts),
            "type": detection.type,
            "resource_id": detection.resource_id,
            "resource_type": detection.resource_type,
        },
    }
    if alert is None:
        return Alert.objects.create(
            account=account,
            kind=detection.kind.value,
            key=detection.key,
            first_seen=detection.first_seen,
            opened_at=now,
            **content,
        )
    if any(getattr(alert, name) != value for name, value in content.items()):
        was = alert.severity
        if was != detection.severity.value:
            changed = {"title": detection.title[:300], "was": was, "severity": detection.severity.value}
            record(actor, ALERT_UPDATED, alert, changed, account=account, at=now)
        for name, value in content.items():
            setattr(alert, name, value)
        alert.save(update_fields=list(content))
        if alert.severity != was:
            of_severity(alert, was, now).save()
    return alert


def _close(
    account: Account, service: domain.Service, over: dict[str, domain.Kind], transitions: Transitions, now: datetime
) -> None:
    """Close what no longer stands in the cloud. A suppressed one stays: suppressing is what archived it."""
    findings = Finding.objects.filter(account=account, rule_id__in=set(over.values()), suppression=None)
    findings = findings.filter(resource__type=service.types[0], resource__resource_id__in=list(over))
    for each in findings.select_related("resource", "alert"):
        source = each.alert.kind_name if each.alert else ""
        transitions.closed(each.alert_id, each.resource.name, Resolution.CLEARED, suppressed=False, source=source)
    Resource.objects.filter(findings__in=findings).update(gone_at=now)
    Finding.objects.filter(pk__in=list(findings.values_list("pk", flat=True))).delete()
