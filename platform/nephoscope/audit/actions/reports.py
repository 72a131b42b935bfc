"""What is recorded of report schedules."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy as _n

from nephoscope.audit.actions.registry import Data, register
from nephoscope.audit.actions.wording import readable

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


def _where(data: Data) -> str:
    if data["mail_to"] and data["folder"]:
        return gettext("to %(mail_to)s and into the folder %(folder)s") % readable(data)
    if data["mail_to"]:
        return gettext("to %(mail_to)s") % readable(data)
    return gettext("into the folder %(folder)s") % data


def _addressed(sentence: StrPromise) -> Callable[[Data], str]:
    return lambda data: str(sentence % {**data, "where": _where(data)})


_WHERE: dict[str, Any] = {"mail_to": ["auditor@example.org"], "folder": "auditor"}

SCHEDULE_CREATED = register(
    "schedule.created",
    _("Report schedule added"),
    _addressed(_("added the report schedule %(target)s, %(where)s")),
    **_WHERE,
)
SCHEDULE_CONFIGURED = register(
    "schedule.configured",
    _("Report schedule changed"),
    _addressed(_("changed the report schedule %(target)s, %(where)s")),
    **_WHERE,
)
SCHEDULE_REMOVED = register(
    "schedule.removed", _("Report schedule removed"), _("removed the report schedule %(target)s")
)
SCHEDULE_REQUESTED = register(
    "schedule.requested",
    _("Reports requested"),
    _addressed(_("started sending the reports of %(target)s %(where)s")),
    **_WHERE,
)
SCHEDULE_SENT = register(
    "schedule.sent",
    _("Reports sent"),
    _addressed(
        _n("sent %(count)s report of %(target)s %(where)s", "sent %(count)s reports of %(target)s %(where)s", "count")
    ),
    count=3,
    **_WHERE,
)
SCHEDULE_FAILED = register(
    "schedule.failed",
    _("Reports not sent"),
    _("could not send all reports of %(target)s: %(outcome)s"),
    outcome="Not mailed: connection refused",
)
