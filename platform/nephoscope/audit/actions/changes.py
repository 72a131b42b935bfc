"""What is recorded of changes."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from nephoscope.audit.actions.registry import register

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
    title=_TITLE,
)
CHANGE_APPLIED = register(
    "change.applied",
    _("Change applied, not verified"),
    _("applied %(target)s “%(title)s”: %(outcome)s"),
    title=_TITLE,
    outcome="Applied, but not verified: logs-prod",
)
CHANGE_FAILED = register(
    "change.failed",
    _("Change failed"),
    _("failed to complete %(target)s “%(title)s”: %(outcome)s"),
    title=_TITLE,
    outcome="the role may not write the policy of logs-prod",
)
CHANGE_REFUSED = register(
    "change.refused",
    _("Change not applied"),
    _("did not apply %(target)s “%(title)s”: %(outcome)s"),
    title=_TITLE,
    outcome="logs-prod has changed since the plan was made",
)
CHANGE_UNDO_REQUESTED = register(
    "change.undo_requested",
    _("Undo of a change requested"),
    _("requested the undo of %(target)s “%(title)s” for %(alert)s"),
    title=_TITLE,
    alert="A-000042",
)
CHANGE_UNDONE = register("change.undone", _("Change undone"), _("undid %(target)s “%(title)s”"), title=_TITLE)
CHANGE_UNDO_REFUSED = register(
    "change.undo_refused",
    _("Undo of a change failed"),
    _("could not undo %(target)s “%(title)s”: %(outcome)s"),
    title=_TITLE,
    outcome="logs-prod has changed since the fix",
)
