"""What is recorded of changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db.models import TextChoices
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nephoscope.audit.actions.registry import Data, register

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


class Outcome(TextChoices):
    """How a change ended, as its page says it; ``problem`` is what a cloud, or a check, said."""

    VERIFIED = "verified", _("Applied and verified.")
    PASSES = "passes", _("Applied and verified: the resources now pass.")
    NOT_VERIFIED = "not_verified", _("Applied, but not verified: %(problem)s")
    WAITING = "waiting", _("Applied. Waiting until the new values show.")
    CALLS_FAILED = "calls_failed", _("Some calls failed. See the steps.")
    INTERRUPTED = "interrupted", _("Interrupted: its worker stopped. Each step shows how far it got.")
    PROBLEM = "problem", "%(problem)s"
    UNDONE = "undone", _("Undone: the resources are as they were before.")
    WITHDRAWN = "withdrawn", _("Withdrawn before anything changed.")
    APPROVAL_EXPIRED = "approval_expired", _("Expired: no worker applied it within 24 hours. Nothing was changed.")
    NOT_AS_BEFORE = "not_as_before", _("Undone, but not verified: %(problem)s is not as it was before.")
    LATE_CALL = "late_call", _("A call landed after the undo: %(problem)s is not as it was before. Undo again.")
    PARTLY_UNDONE = "partly_undone", _("Some steps could not be undone. See the steps.")


def _approved(sentence: StrPromise) -> Callable[[Data], str]:
    """Make a sentence that ends with who approved the change."""
    return lambda data: _by(sentence % data, data)


def _by(sentence: str, data: Data) -> str:
    """Add who approved the change; entries of before do not hold it."""
    if not data.get("approved_by"):
        return sentence
    words = {"sentence": sentence, "approved_by": data["approved_by"]}
    return gettext("%(sentence)s, approved by %(approved_by)s") % words


def _requested(sentence: str, data: Data) -> str:
    """Add who asked for the undo; entries of before do not hold it."""
    if not data.get("requested_by"):
        return sentence
    words = {"sentence": sentence, "requested_by": data["requested_by"]}
    return gettext("%(sentence)s, requested by %(requested_by)s") % words


def _failed(data: Data) -> str:
    sentences = {
        Outcome.CALLS_FAILED: gettext("failed to complete %(target)s “%(title)s”: some calls failed"),
        Outcome.INTERRUPTED: gettext("failed to complete %(target)s “%(title)s”: its worker stopped"),
        Outcome.PROBLEM: gettext("failed to complete %(target)s “%(title)s”: %(problem)s"),
        Outcome.NOT_AS_BEFORE: gettext("failed to undo %(target)s “%(title)s”: %(problem)s is not as it was before"),
        Outcome.LATE_CALL: gettext(
            "reported that a call of %(target)s “%(title)s” reached the cloud after its undo: "
            "%(problem)s is not as it was before"
        ),
        Outcome.PARTLY_UNDONE: gettext("failed to undo %(target)s “%(title)s”: some calls failed"),
    }
    return _by(sentences[data["outcome"]] % data, data)


def _undone(data: Data) -> str:
    if data["outcome"] == Outcome.WITHDRAWN:
        sentence = gettext("withdrew %(target)s “%(title)s” before it was applied") % data
    else:
        sentence = _requested(gettext("undid %(target)s “%(title)s”") % data, data)
    if not data.get("approved_for"):
        return sentence
    return gettext("%(sentence)s; it had been approved by %(by)s: “%(reason)s”") % {
        "sentence": sentence,
        "by": data["approved_by"] or "—",
        "reason": data["approved_for"],
    }


def _undo_refused(data: Data) -> str:
    return _requested(gettext("could not undo %(target)s “%(title)s”: %(problem)s") % data, data)


def _ended(outcome: Outcome, problem: str = "") -> dict[str, Any]:
    return {"title": _TITLE, "outcome": outcome.value, "problem": problem, "approved_by": "ada"}


_TITLE = "Block public access"

CHANGE_PLANNED = register(
    "change.planned",
    _("Change planned"),
    _("planned %(target)s “%(title)s” for %(alert)s"),
    title=_TITLE,
    alert="A-000042",
)
CHANGE_APPROVED = register(
    "change.approved",
    _("Change approved"),
    _("approved %(target)s “%(title)s” for %(alert)s"),
    title=_TITLE,
    alert="A-000042",
)
CHANGE_APPROVED_FIRST = register(
    "change.approved_first",
    _("Change approved, needs a second approval"),
    _("approved %(target)s “%(title)s” for %(alert)s; it needs a second approver"),
    title=_TITLE,
    alert="A-000042",
)
SECOND_APPROVER_REQUIRED = register(
    "approval.second_required",
    _("Second approver required"),
    _("required a second approver for changes of “%(what)s”"),
    what="prod",
)
SECOND_APPROVER_DROPPED = register(
    "approval.second_dropped",
    _("Second approver no longer required"),
    _("no longer requires a second approver for changes of “%(what)s”"),
    what="prod",
)
CHANGE_DISCARDED = register(
    "change.discarded",
    _("Plan discarded"),
    _("discarded the plan %(target)s “%(title)s” for %(alert)s"),
    title=_TITLE,
    alert="A-000042",
)
CHANGE_EXPIRED = register(
    "change.expired",
    _("Plan expired"),
    _("let the plan %(target)s “%(title)s” for %(alert)s expire: nobody approved it in time"),
    title=_TITLE,
    alert="A-000042",
)
CHANGE_APPROVAL_EXPIRED = register(
    "change.approval_expired",
    _("Approval of a change expired"),
    _("let the approval of %(target)s “%(title)s” for %(alert)s expire: no worker applied it in time"),
    title=_TITLE,
    alert="A-000042",
)
CHANGE_VERIFIED = register(
    "change.verified",
    _("Change applied and verified"),
    _approved(_("applied and verified %(target)s “%(title)s”")),
    **_ended(Outcome.PASSES),
)
CHANGE_APPLIED = register(
    "change.applied",
    _("Change applied, not verified"),
    _approved(_("applied %(target)s “%(title)s”, not verified: %(problem)s")),
    **_ended(Outcome.NOT_VERIFIED, "logs-prod"),
)
CHANGE_WAITING = register(
    "change.waiting",
    _("Change applied, waiting"),
    _approved(_("applied %(target)s “%(title)s”; the new values do not show yet")),
    title=_TITLE,
    approved_by="ada",
)
CHANGE_FAILED = register("change.failed", _("Change failed"), _failed, **_ended(Outcome.CALLS_FAILED))
CHANGE_REFUSED = register(
    "change.refused",
    _("Change not applied"),
    _approved(_("did not apply %(target)s “%(title)s”: %(problem)s")),
    **_ended(Outcome.PROBLEM, "logs-prod has changed since the plan was made"),
)
CHANGE_UNDO_REQUESTED = register(
    "change.undo_requested",
    _("Undo of a change requested"),
    _("requested the undo of %(target)s “%(title)s” for %(alert)s"),
    title=_TITLE,
    alert="A-000042",
)
CHANGE_UNDONE = register(
    "change.undone",
    _("Change undone"),
    _undone,
    approved_for="nobody reads it",
    requested_by="ada",
    **_ended(Outcome.UNDONE),
)
CHANGE_UNDO_REFUSED = register(
    "change.undo_refused",
    _("Undo of a change failed"),
    _undo_refused,
    title=_TITLE,
    requested_by="ada",
    problem="logs-prod has changed since the fix",
)

SET_PLANNED = register(
    "changeset.planned",
    _("Bulk change planned"),
    _("planned the bulk change %(target)s “%(title)s” for %(count)s resources"),
    title=_TITLE,
    count=340,
)
SET_APPROVED_FIRST = register(
    "changeset.approved_first",
    _("Bulk change approved, needs a second approval"),
    _("approved the bulk change %(target)s “%(title)s” of %(count)s resources; it needs a second approver"),
    title=_TITLE,
    count=340,
)
SET_APPROVED = register(
    "changeset.approved",
    _("Bulk change approved"),
    _("approved the bulk change %(target)s “%(title)s” of %(count)s resources"),
    title=_TITLE,
    count=340,
)
SET_STOPPED = register(
    "changeset.stopped",
    _("Bulk change stopped"),
    _("stopped the bulk change %(target)s “%(title)s”; %(count)s of its changes were withdrawn"),
    title=_TITLE,
    count=12,
)
SET_DISCARDED = register(
    "changeset.discarded",
    _("Bulk change discarded"),
    _("discarded the bulk change %(target)s “%(title)s”"),
    title=_TITLE,
)
SET_EXPIRED = register(
    "changeset.expired",
    _("Bulk change expired"),
    _("let the bulk change %(target)s “%(title)s” expire: nobody approved it in time"),
    title=_TITLE,
)
SET_UNDO_REQUESTED = register(
    "changeset.undo_requested",
    _("Undo of a bulk change requested"),
    _("requested the undo of %(count)s changes of the bulk change %(target)s “%(title)s”"),
    title=_TITLE,
    count=340,
)
