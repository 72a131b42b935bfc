"""What is recorded of changes."""

from __future__ import annotations

from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nephoscope.audit.actions.registry import Data, register


class Outcome(TextChoices):
    """How a change ended, as its page says it; ``problem`` is what a cloud, or a check, said."""

    VERIFIED = "verified", _("Applied and verified.")
    PASSES = "passes", _("Applied and verified: the resources now pass.")
    NOT_VERIFIED = "not_verified", _("Applied, but not verified: %(problem)s")
    CALLS_FAILED = "calls_failed", _("Some calls failed. See the steps.")
    INTERRUPTED = "interrupted", _("Interrupted: its worker stopped. Each step shows how far it got.")
    PROBLEM = "problem", "%(problem)s"
    UNDONE = "undone", _("Undone: the resources are as they were before.")
    WITHDRAWN = "withdrawn", _("Withdrawn before anything changed.")
    PARTLY_UNDONE = "partly_undone", _("Some steps could not be undone. See the steps.")


def _failed(data: Data) -> str:
    sentences = {
        Outcome.CALLS_FAILED: gettext("failed to complete %(target)s “%(title)s”: some calls failed"),
        Outcome.INTERRUPTED: gettext("failed to complete %(target)s “%(title)s”: its worker stopped"),
        Outcome.PROBLEM: gettext("failed to complete %(target)s “%(title)s”: %(problem)s"),
        Outcome.PARTLY_UNDONE: gettext("failed to undo %(target)s “%(title)s”: some calls failed"),
    }
    return sentences[data["outcome"]] % data


def _undone(data: Data) -> str:
    if data["outcome"] == Outcome.WITHDRAWN:
        return gettext("withdrew %(target)s “%(title)s” before it was applied") % data
    return gettext("undid %(target)s “%(title)s”") % data


def _ended(outcome: Outcome, problem: str = "") -> dict[str, Any]:
    return {"title": _TITLE, "outcome": outcome.value, "problem": problem}


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
CHANGE_VERIFIED = register(
    "change.verified",
    _("Change applied and verified"),
    _("applied and verified %(target)s “%(title)s”"),
    **_ended(Outcome.PASSES),
)
CHANGE_APPLIED = register(
    "change.applied",
    _("Change applied, not verified"),
    _("applied %(target)s “%(title)s”, not verified: %(problem)s"),
    **_ended(Outcome.NOT_VERIFIED, "logs-prod"),
)
CHANGE_FAILED = register("change.failed", _("Change failed"), _failed, **_ended(Outcome.CALLS_FAILED))
CHANGE_REFUSED = register(
    "change.refused",
    _("Change not applied"),
    _("did not apply %(target)s “%(title)s”: %(problem)s"),
    **_ended(Outcome.PROBLEM, "logs-prod has changed since the plan was made"),
)
CHANGE_UNDO_REQUESTED = register(
    "change.undo_requested",
    _("Undo of a change requested"),
    _("requested the undo of %(target)s “%(title)s” for %(alert)s"),
    title=_TITLE,
    alert="A-000042",
)
CHANGE_UNDONE = register("change.undone", _("Change undone"), _undone, **_ended(Outcome.UNDONE))
CHANGE_UNDO_REFUSED = register(
    "change.undo_refused",
    _("Undo of a change failed"),
    _("could not undo %(target)s “%(title)s”: %(problem)s"),
    title=_TITLE,
    problem="logs-prod has changed since the fix",
)
