"""The states of controls and findings, in words, and the score."""

from __future__ import annotations

from django.db import models
from django.db.models import Case, Value, When
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from nephoscope.alerts.models import VerdictChoice


class ControlState(models.TextChoices):
    FAIL = "fail", _("Fail")
    UNKNOWN = "unknown", _("Unknown")
    PASS = "pass", _("Pass")
    NO_RESOURCES = "no_resources", _("No resources")
    MANUAL = "manual", _("Manual")
    NOT_COVERED = "not_covered", _("Not covered")
    NOT_CHECKED = "not_checked", _("Not checked")


MEANINGS = {
    ControlState.FAIL: _("At least one resource fails a rule of this control."),
    ControlState.UNKNOWN: _(
        "No known failures, but something could not be read, or was not checked as the control requires. "
        "This is not a pass."
    ),
    ControlState.PASS: _("Every resource that its rules apply to was read and passes or was accepted."),
    ControlState.NO_RESOURCES: _("Its rules ran and no resources apply."),
    ControlState.MANUAL: _("No rule can check this. It needs a manual check."),
    ControlState.NOT_COVERED: _("Nephoscope has no rule for this yet."),
    ControlState.NOT_CHECKED: _("Not evaluated in this account."),
}


class Standing(models.TextChoices):
    """What a finding means for its control. A failure that somebody suppressed is accepted, and fails nothing."""

    FAILED = "failed", _("Failing")
    ACCEPTED = "accepted", _("Accepted")
    UNKNOWN = "unknown", _("Unknown")
    PASSED = "passed", _("Passing")


STANDING = Case(
    When(failing_since__isnull=False, suppression=None, then=Value(Standing.FAILED.value)),
    When(failing_since__isnull=False, then=Value(Standing.ACCEPTED.value)),
    When(verdict=VerdictChoice.PASS, then=Value(Standing.PASSED.value)),
    default=Value(Standing.UNKNOWN.value),
)
"""A finding that failed and became unknown still fails, as its alert stays open."""


def percent(passed: int, failed: int) -> int | None:
    """Return the score: passed of those that pass or fail, rounded down so that 100 means all; None without any."""
    return 100 * passed // (passed + failed) if passed + failed else None


def in_percent(score: int | None) -> str:
    """Return a score as every page and file prints it."""
    return "—" if score is None else f"{score}%"


def result(state: ControlState, accepted: int) -> str:
    """Return a control's state, with how many of its failures were accepted: it may pass by nothing else."""
    if not accepted:
        return str(state.label)
    return _t("%(state)s, %(n)s accepted") % {"state": state.label, "n": accepted}
