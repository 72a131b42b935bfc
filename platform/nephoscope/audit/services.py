"""Writing the audit log, and checking that nobody altered it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from nephoscope.accounts.permissions import require
from nephoscope.audit.models import Entry

_LOCK = 7_201_936
"""Key of the advisory lock that puts entries in one order; any constant that nothing else here uses."""

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a user from an address, or a part of Nephoscope (``Actor.system("scan 12")``)."""

    name: str
    user: Any = None
    address: str | None = None

    @classmethod
    def system(cls, name: str = "Nephoscope") -> Actor:
        return cls(name)

    @classmethod
    def of(cls, user: Any, address: str | None = None) -> Actor:
        return cls(user.get_username(), user, address)

    @classmethod
    def from_request(cls, request: Any) -> Actor:
        """The signed-in user at the address that the web server saw."""
        return cls.of(request.user, request.META.get("REMOTE_ADDR") or None)

    def require(self, act: str) -> None:
        """Raise PermissionDenied unless the user's role includes the act; Nephoscope itself may do everything."""
        if self.user is not None:
            require(self.user, act)


def require_reason(reason: object) -> str:
    """Return a reason that a person gave, without the space around it.

    :raises ValidationError: there is none.
    """
    if not isinstance(reason, str) or not reason.strip():
        raise ValidationError({"reason": [_("Give a reason; it is kept in the audit log.")]})
    return reason.strip()


def entry(
    actor: Actor,
    action: str,
    target: models.Model,
    summary: str,
    *,
    account: Any = None,
    reason: str = "",
    before: Any = None,
    after: Any = None,
    at: datetime | None = None,
) -> Entry:
    """Make an entry that :func:`append` will write.

    :param action: ``noun.verb``, for example ``alert.suppressed``.
    :param summary: the rest of a sentence that begins with the actor's name.
    """
    return Entry(
        at=at or timezone.now(),
        user=actor.user,
        actor=actor.name,
        action=action,
        account=account,
        target_type=str(target._meta.model_name),
        target_id=str(target.pk),
        target=str(target)[:400],
        summary=summary,
        reason=reason,
        address=actor.address,
        before=before,
        after=after,
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


def record(actor: Actor, action: str, target: models.Model, summary: str, **details: Any) -> Entry:
    """Append one entry; takes what :func:`entry` takes."""
    made = entry(actor, action, target, summary, **details)
    append([made])
    return made


def first_broken() -> Entry | None:
    """Return the first entry that does not follow from the one before it, or None when the chain is whole."""
    previous = GENESIS
    for each in Entry.objects.order_by("id").iterator(chunk_size=1000):
        if each.previous != previous or each.digest != each.compute_digest():
            return each
        previous = each.digest
    return None
