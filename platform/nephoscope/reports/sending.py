"""Mailing reports: one mail for each address, so that each is told apart when a server refuses one."""

from __future__ import annotations

from collections.abc import Sequence
from smtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from nephoscope.reports.making import Report
from nephoscope.reports.models import ReportSchedule

MOST_ATTACHED = 10 * 1024 * 1024
"""Bytes of files that are attached at most; many servers refuse more."""

LONGEST = 300
"""Characters of a server's answer that are kept."""


def is_on() -> bool:
    """Whether a mail server is configured."""
    return bool(settings.EMAIL_HOST)


def send(schedule: ReportSchedule, reports: Sequence[Report]) -> tuple[list[str], list[str]]:
    """Mail the reports; return the addresses that the server took, and what went wrong with the others, in words."""
    if not is_on():
        return [], [_("no mail server is configured")] if schedule.mail_to else []
    subject = _("Compliance: %(name)s, %(day)s") % {
        "name": schedule.name,
        "day": date_format(timezone.localtime(), "j F Y"),
    }
    attached = sum(each.path.stat().st_size for each in reports) <= MOST_ATTACHED
    body = _body(schedule, reports, attached=attached)
    sent, problems = [], []
    for address in schedule.mail_to:
        message = EmailMessage(subject, body, to=[address], headers={"Auto-Submitted": "auto-generated"})
        for each in reports if attached else ():
            message.attach_file(str(each.path))
        try:
            message.send()
        except (SMTPException, OSError) as problem:
            problems.append(_("%(address)s: %(why)s") % {"address": address, "why": _said(problem)})
        else:
            sent.append(address)
    return sent, problems


def _body(schedule: ReportSchedule, reports: Sequence[Report], *, attached: bool) -> str:
    lines = [
        ngettext("%(n)s report of the schedule “%(name)s”:", "%(n)s reports of the schedule “%(name)s”:", len(reports))
        % {"n": len(reports), "name": schedule.name},
        "",
        *(f"- {each.told}" for each in reports),
        "",
    ]
    if not attached:
        lines += [_("The files are too large to attach."), _fetch(schedule), ""]
    about = _("They show what %(owner)s can see in Nephoscope. Schedule: %(where)s")
    page = address(reverse("admin:reports_reportschedule_change", args=[schedule.pk]))
    lines.append(about % {"owner": schedule.owner, "where": page})
    return "\n".join(lines) + "\n"


def _fetch(schedule: ReportSchedule) -> str:
    told = _("Download them from the console: %(where)s") % {"where": address(reverse("admin:compliance"))}
    return told + (_(" or from the folder %(name)s.") % {"name": schedule.folder} if schedule.folder else "")


def address(path: str) -> str:
    """Return where people find a page, as far as the settings say where the console is."""
    origins = [each for each in settings.CSRF_TRUSTED_ORIGINS if "*" not in each]
    return origins[0].rstrip("/") + path if origins else path


def _said(problem: Exception) -> str:
    """Return what a server said; never what was sent to it."""
    text: bytes | str
    if isinstance(problem, SMTPRecipientsRefused):
        code, text = next(iter(problem.recipients.values()))
    elif isinstance(problem, SMTPResponseException):
        code, text = problem.smtp_code, problem.smtp_error
    elif isinstance(problem, OSError) and not isinstance(problem, SMTPException):
        return str(problem.strerror or _("no answer in time"))[:LONGEST]
    else:
        return str(problem)[:LONGEST] or type(problem).__name__
    answer = text.decode(errors="replace") if isinstance(text, bytes) else str(text)
    return " ".join(f"{code} {answer}".split())[:LONGEST]
