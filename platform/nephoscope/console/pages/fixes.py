"""The catalogue of fixes, and one fix: what it does, what it needs, which rules offer it, and what became of it."""

from __future__ import annotations

from itertools import groupby

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from nephoscope.accounts.permissions import require
from nephoscope.changes.catalogue import Listed, listed, narrowed
from nephoscope.changes.models import Change
from nephoscope.console.kit.admin import page
from nephoscope.searching import MOST_WORDS, is_cut

FILTERS = ("provider", "group", "service")
NEWEST = 10
"""Changes that a fix's page shows; the list has all."""


def shown_list(request: HttpRequest) -> HttpResponse:
    """List the fixes by provider and group."""
    require(request.user, "view")
    rows, wanted = listed(request.user), request.GET.get("q", "")
    asked = {name: request.GET.get(name, "") for name in FILTERS}
    found = narrowed(rows, q=wanted, **asked)
    groups = [(provider, group, list(each)) for (provider, group), each in groupby(found, key=_heading)]
    choices = {
        "provider": (_("Provider"), {each.fix.provider: each.provider for each in rows}),
        "group": (_("Group"), {each.fix.group: each.fix.group for each in rows}),
        "service": (_("Service"), {one.id: one.name for each in rows for one in each.services}),
    }
    return page(
        request,
        "console/fixes.html",
        _("Fixes"),
        groups=groups,
        count=len(found),
        providers=len(choices["provider"][1]),
        filters=[
            (name, label, sorted(of.items(), key=lambda choice: choice[1]), asked[name])
            for name, (label, of) in choices.items()
            if len(of) > 1 or asked[name]
        ],
        wanted=wanted,
        cut=is_cut(wanted) and MOST_WORDS,
        narrowed=bool(wanted or any(asked.values())),
    )


def _heading(each: Listed) -> tuple[str, str]:
    return each.provider, each.fix.group


def shown(request: HttpRequest, fix_id: str) -> HttpResponse:
    """Show all that is known of one fix."""
    require(request.user, "view")
    each = next((each for each in listed(request.user) if each.fix.id == fix_id), None)
    if each is None:
        raise Http404
    changes = Change.objects.visible_to(request.user).filter(remediation=fix_id)
    return page(
        request,
        "console/fix.html",
        each.fix.title,
        crumbs=[(_("Fixes"), reverse("admin:fixes")), (each.fix.title, "")],
        each=each,
        changes=changes.select_related("account", "planned_by", "approved_by")[:NEWEST],
    )
