"""Taking in one event: is it from the account, is it new, is it about something that is collected?

Nothing that it says is believed, beyond where to look. Who is not the account learns nothing: an address that does not
exist, a signature that does not fit and a clock that is off are answered alike.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from nephoscope.accounts.models import Account
from nephoscope.accounts.queries import in_scope, provider_of
from nephoscope.domain import Event, EventSource
from nephoscope.events.models import Delivery, DeliveryState, Listener
from nephoscope.events.services import secret_of
from nephoscope.plugins import registry
from nephoscope.queue.dispatch import dispatch

SKEW = 300
"""Seconds by which the sender's clock may be off, and for which a delivery could be sent again."""

MAX_PER_MINUTE = 3_000
MAX_QUEUED = 10_000
"""Events of one account: beyond, the sender is asked to try again later."""

_SIGNATURE = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})", re.ASCII)
_NOBODY = Listener(address="nobody", salt="")


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    detail: str


UNSIGNED = Answer(401, "Unknown address or wrong signature.")
BUSY = Answer(429, "Too many events; try again in a minute.")


def receive(provider: str, address: str, signature: str, body: bytes) -> Answer:
    """Take in an event as it arrived; what is new is queued."""
    rows = Listener.objects.select_related("account").filter(address=address, account__provider=provider)
    rows = rows.filter(account__removed_at=None)
    listener = rows.first()
    if problem := _unsigned(listener, signature, body):
        # Also for an address that does not exist, which takes as long.
        _refused(address, problem)
        return UNSIGNED
    assert listener is not None
    try:
        message = json.loads(body)
        event = _source(listener).parse(message if isinstance(message, dict) else {})
    except (ValueError, RecursionError) as problem:
        _refused(address, f"not an event: {problem}")
        return Answer(400, f"Not an event: {problem}.")
    except ValidationError as problem:
        _refused(address, " ".join(problem.messages))
        return Answer(503, "This account's provider is not enabled.")
    if event.account != listener.account.number:
        _refused(address, f"an event of account {event.account}")
        return Answer(400, "An event of another account.")
    return _taken(listener, event)


def largest(provider: str) -> int:
    """Return how many bytes a message of a provider's accounts may have; 0 for one that sends none."""
    known = registry().providers.get(provider)
    return known.events.largest if known and known.events else 0


def _source(listener: Listener) -> EventSource:
    source = provider_of(listener.account).events
    if source is None:
        raise ValidationError({"provider": ["It tells of no changes."]})
    return source


def _unsigned(listener: Listener | None, signature: str, body: bytes) -> str:
    """Return what is wrong with the signature, or nothing."""
    found = _SIGNATURE.fullmatch(signature)
    stamp, given = found.groups() if found else ("0", "0" * 64)
    secret = secret_of(listener or _NOBODY)
    signed = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(signed, given) or listener is None:
        return "the signature does not fit: is it the newest secret?"
    off = int(stamp) - int(timezone.now().timestamp())
    return f"signed {abs(off)} seconds {'ahead' if off > 0 else 'ago'}; at most {SKEW} are taken" * (abs(off) > SKEW)


def _refused(address: str, why: str) -> None:
    Listener.objects.filter(address=address).update(last_refused_at=timezone.now(), last_refusal=why[:300])


def _taken(listener: Listener, event: Event) -> Answer:
    now, seen = timezone.now(), Listener.objects.filter(pk=listener.pk)
    changed = tuple(each for each in event.changed if in_scope(listener.account, each.service, each.region))
    if not changed:
        seen.update(last_delivery_at=now, ignored=F("ignored") + 1)
        return Answer(200, "Not about a collected resource.")
    if listener.deliveries.filter(event_id=event.id).exists():
        return Answer(200, "Known already.")
    waiting = listener.deliveries.filter(state=DeliveryState.QUEUED)
    recent = listener.deliveries.filter(received_at__gt=now - timedelta(minutes=1))
    if recent.count() >= MAX_PER_MINUTE or waiting.count() >= MAX_QUEUED:
        _refused(listener.address, f"too many: {MAX_PER_MINUTE} a minute, or {MAX_QUEUED} waiting")
        return BUSY
    try:
        with transaction.atomic():
            delivery = Delivery.objects.create(
                listener=listener,
                event_id=event.id,
                name=event.name[:200],
                region=event.region[:60],
                changed=Delivery.stored(changed),
            )
    except IntegrityError:
        return Answer(200, "Known already.")
    seen.update(last_delivery_at=now)
    # Whoever works on those that wait already looks again before it ends.
    if not waiting.filter(pk__lt=delivery.pk).exists():
        wake(listener.account)
    return Answer(202, "Queued.")


def wake(account: Account) -> None:
    """Ask the queue for a worker."""
    dispatch("work_on_events", account.pk, name=f"events of account {account.pk}")
