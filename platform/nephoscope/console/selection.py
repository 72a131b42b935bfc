"""The resources of an alert that a person chose: in the address of a form's page, and in what that form posts."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from nephoscope.alerts.models import Alert, Finding
from nephoscope.alerts.queries import ids
from nephoscope.alerts.suppressions import chosen
from nephoscope.console.kit.admin import attempt
from nephoscope.console.pages.alert import PER_PAGE

MOST = PER_PAGE
"""Findings that an address names; more are chosen by ``all=1``, so that an address stays short."""


def given(request: HttpRequest) -> QueryDict:
    """Return what came with the request: the form that was posted, or the address."""
    return request.POST if request.method == "POST" else request.GET


def named(request: HttpRequest) -> list[int]:
    """Return the findings that the request names by their ids."""
    return [pk for text in given(request).getlist("finding") for pk in ids(text)]


def findings_of(request: HttpRequest, alert: Alert, *, suppressed: bool = False) -> QuerySet[Finding]:
    """Return the findings that the request names, or with ``all=1`` all that count, or all that are suppressed.

    A form posts the ids of what it showed: what was added since is not among them.
    """
    found: QuerySet[Finding] = alert.findings.select_related("resource", "suppression__author")
    found = found.defer("resource__properties").order_by("resource__name", "pk")
    if "all" in given(request):
        return found.filter(failing_since__isnull=False, suppression__isnull=not suppressed)
    return found.filter(pk__in=named(request))


def affected(request: HttpRequest, alert: Alert, *, suppressed: bool = False) -> list[Finding] | None:
    """Return those of the chosen findings that still fail; where there is none, say so and return None."""
    wanted = findings_of(request, alert, suppressed=suppressed)
    if request.method != "POST" and "all" not in request.GET and len(named(request)) > MOST:
        return attempt(request, _too_many)
    failing = list(wanted.filter(failing_since__isnull=False))
    return failing or attempt(request, lambda: chosen(alert, wanted))


def _too_many() -> list[Finding]:
    message = _("Select at most %(most)s resources, or all of them.")
    raise ValidationError({"findings": [message % {"most": MOST}]})
