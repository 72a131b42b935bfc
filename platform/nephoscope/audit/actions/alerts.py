"""What is recorded of alerts."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy as _n

from nephoscope.audit.actions.registry import Data, register
from nephoscope.audit.actions.wording import SEVERITIES, readable, resources


class Resolution(TextChoices):
    """Why a resource no longer counts in an alert."""

    FIXED = "fixed", _("fixed")
    GONE = "gone", _("gone")
    NO_LONGER_CHECKED = "no_longer_checked", _("no longer checked")
    CLEARED = "cleared", _("archived or removed at its source")


class InCloud(TextChoices):
    """What suppressing or unsuppressing a detection does in the cloud that raised it; nothing where it is empty."""

    NOTHING = "", ""
    ARCHIVES = "archives", _("to be archived in %(source)s")
    NOT_ARCHIVED = "not_archived", _("not archived in %(source)s")
    UNARCHIVES = "unarchives", _("to be unarchived in %(source)s")
    STAYS_ARCHIVED = "stays_archived", _("stays archived in %(source)s")


def _with_cloud(sentence: str, data: Data) -> str:
    """Add what happens in the cloud; entries of before do not hold it."""
    if not data.get("in_cloud"):
        return sentence
    in_cloud = InCloud(data["in_cloud"]).label % data
    return gettext("%(sentence)s (%(in_cloud)s)") % {"sentence": sentence, "in_cloud": in_cloud}


def _suppressed(data: Data) -> str:
    sentence = ngettext(
        "suppressed %(count)s resource of %(target)s: %(resources)s",
        "suppressed %(count)s resources of %(target)s: %(resources)s",
        data["count"],
    )
    return _with_cloud(sentence % readable(data), data)


def _unsuppressed(data: Data) -> str:
    sentence = ngettext(
        "unsuppressed %(count)s resource of %(target)s: %(resources)s",
        "unsuppressed %(count)s resources of %(target)s: %(resources)s",
        data["count"],
    )
    return _with_cloud(sentence % readable(data), data)


def _expired(data: Data) -> str:
    return _with_cloud(gettext("unsuppressed %(resource)s of %(target)s: the suppression expired") % data, data)


def _resolution(data: Data) -> str:
    why = str(Resolution(data["why"]).label)
    if data["source"]:
        why = gettext("archived or removed in %(source)s") % data
    return gettext("%(why)s, was suppressed") % {"why": why} if data["suppressed"] else why


def _left(data: Data) -> str:
    sentence = ngettext(
        "resolved %(count)s resource of %(target)s (%(why)s): %(resources)s",
        "resolved %(count)s resources of %(target)s (%(why)s): %(resources)s",
        data["count"],
    )
    return sentence % {**readable(data), "why": _resolution(data)}


def _graded(data: Data) -> str:
    words = {"was": SEVERITIES[data["was"]], "severity": SEVERITIES[data["severity"]]}
    sentence = gettext("changed the severity of %(target)s “%(title)s” from %(was)s to %(severity)s")
    return sentence % {**data, **words}


_TITLE = "Bucket is publicly readable"
_SOME = resources(["logs-prod", "assets-prod"])

ALERT_OPENED = register(
    "alert.opened", _("Alert opened"), _("opened %(target)s “%(title)s”: %(resources)s"), title=_TITLE, **_SOME
)
ALERT_REOPENED = register(
    "alert.reopened", _("Alert reopened"), _("reopened %(target)s “%(title)s”: %(resources)s"), title=_TITLE, **_SOME
)
ALERT_ADDED = register(
    "alert.added",
    _("Resources added to an alert"),
    _n(
        "added %(count)s resource to %(target)s “%(title)s”: %(resources)s",
        "added %(count)s resources to %(target)s “%(title)s”: %(resources)s",
        "count",
    ),
    title=_TITLE,
    **_SOME,
)
ALERT_LEFT = register(
    "alert.left",
    _("Resources of an alert resolved"),
    _left,
    why=Resolution.CLEARED.value,
    source="Threat detector",
    suppressed=False,
    **_SOME,
)
ALERT_RESOLVED = register("alert.resolved", _("Alert resolved"), _("resolved %(target)s “%(title)s”"), title=_TITLE)
ALERT_GRADED = register(
    "alert.graded", _("Alert’s severity changed"), _graded, title=_TITLE, was="critical", severity="high"
)
ALERT_UPDATED = register(
    "alert.updated",
    _("Alert’s severity changed at its source"),
    _graded,
    title="Instance mines Bitcoin",
    was="medium",
    severity="critical",
)
ALERT_SUPPRESSED = register(
    "alert.suppressed",
    _("Resources suppressed"),
    _suppressed,
    in_cloud=InCloud.ARCHIVES.value,
    source="Threat detector",
    **_SOME,
)
ALERT_UNSUPPRESSED = register(
    "alert.unsuppressed",
    _("Resources unsuppressed"),
    _unsuppressed,
    in_cloud=InCloud.UNARCHIVES.value,
    source="Threat detector",
    **_SOME,
)
ALERT_SUPPRESSION_EXPIRED = register(
    "alert.suppression_expired",
    _("Suppression expired"),
    _expired,
    resource="logs-prod",
    in_cloud=InCloud.NOTHING.value,
    source="",
)
ALERT_RECHECKED = register(
    "alert.rechecked",
    _("Resources rechecked"),
    _n(
        "rechecked %(count)s resource of %(target)s: %(resources)s",
        "rechecked %(count)s resources of %(target)s: %(resources)s",
        "count",
    ),
    **_SOME,
)
