"""What a person and then a worker do with a change, in one call."""

from __future__ import annotations

from nephoscope.audit.services import Actor
from nephoscope.changes.applying import work
from nephoscope.changes.approvals import approve_change
from nephoscope.changes.models import Change
from nephoscope.changes.services import request_undo


def apply(actor: Actor, change: Change, reason: str = "nobody needs this") -> Change:
    """Approve the plan, have a worker apply it, and return how it ended."""
    approve_change(actor, change, digest=change.digest, reason=reason)
    return worked(change)


def undo(actor: Actor, change: Change, reason: str = "somebody needs it") -> Change:
    """Ask for the undo, have a worker do it, and return how it ended."""
    request_undo(actor, change, reason=reason)
    return worked(change)


def worked(change: Change) -> Change:
    """Have a worker take the change, and return it as it is then."""
    work(change.pk)
    return Change.objects.get(pk=change.pk)
