"""Writing the audit log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from nephoscope.audit.actions import Action, Data
from nephoscope.audit.actors import Actor
from nephoscope.audit.canonical import address_as_stored, as_stored
from nephoscope.audit.chain import GENESIS
from nephoscope.audit.models import Entry
from nephoscope.domain.texts import text_of

__all__ = ["Actor", "append", "entry", "record", "recorded_together", "require_reason"]

_LOCK = 7_201_936
"""Key of the advisory lock that puts entries in one order; any constant that nothing else here uses."""


NO_REASON = gettext_lazy("Enter a reason. It is recorded in the audit log.")


def require_reason(reason: object) -> str:
    """Return a reason that a person gave, without the space around it.

    :raises ValidationError: there is none, or it holds a NUL character, which PostgreSQL cannot store.
    """
    if not isinstance(reason, str) or not reason.strip():
        raise ValidationError({"reason": [NO_REASON]})
    if "\0" in reason:
        raise ValidationError({"reason": [_("Null characters are not allowed.")]})
    return reason.strip()


def entry(
    actor: Actor,
    action: Action,
    target: models.Model,
    data: Data | None = None,
    *,
    account: Any = None,
    reason: str = "",
    before: Any = None,
    after: Any = None,
    at: datetime | None = None,
) -> Entry:
    """Make an entry that :func:`append` will write, with its values as they will be read back: they are hashed so.

    :param data: what the action's sentence tells, as plain JSON; see :attr:`Action.example`.

    :raises ValueError: the action is not registered, or the data are not what it takes.
    """
    data = data or {}
    action.check(data)
    return Entry(
        at=(at or timezone.now()).astimezone(UTC),
        user=actor.user,
        actor=text_of(actor.name)[:200],
        action=action.code,
        account=account,
        target_type=str(target._meta.model_name),
        target_id=str(target.pk),
        target=text_of(target)[:400],
        data=as_stored({**data, "task": dict(actor.task)} if actor.task else data),
        reason=text_of(reason),
        address=address_as_stored(actor.address),
        before=as_stored(before),
        after=as_stored(after),
    )


@transaction.atomic
def append(entries: Sequence[Entry]) -> None:
    """Write entries, each chained to the one before; part of the caller's transaction.

    So the act and its entry stand or fall together.
    """
    if not entries:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    previous = Entry.objects.order_by("-id").values_list("digest", flat=True).first() or GENESIS
    for each in entries:
        each.previous = previous
        previous = each.digest = each.compute_digest()
    Entry.objects.bulk_create(entries)


_together: ContextVar[list[Entry] | None] = ContextVar("recorded together", default=None)


@contextmanager
def recorded_together() -> Iterator[None]:
    """Write the entries that are recorded in the block at its end, in one go: for acts on hundreds of things.

    The block is within the transaction of what it records.
    """
    entries = list[Entry]()
    token = _together.set(entries)
    try:
        yield
    finally:
        _together.reset(token)
    append(entries)


def record(actor: Actor, action: Action, target: models.Model, data: Data | None = None, **details: Any) -> Entry:
    """Append one entry; takes what :func:`entry` takes."""
    made = entry(actor, action, target, data, **details)
    together = _together.get()
    if together is None:
        append([made])
    else:
        together.append(made)
    return made
