"""The audit log in the console: sentences, to read and never to write."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from nephoscope.alerts.queries import ids
from nephoscope.audit.models import Entry
from nephoscope.console.kit.admin import ConsoleAdmin
from nephoscope.console.kit.diff import diff
from nephoscope.console.kit.filters import Filter, accounts, by_account, by_field, fixed
from nephoscope.console.pages.targets import address_of
from nephoscope.console.templatetags.neph import clock

MOST = 200
"""Actors and actions offered as filters."""


def _since(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
    days = ids(value)
    return rows.filter(at__gte=timezone.now() - timedelta(days=min(days[0], 36_500))) if days else rows.none()


def _distinct(field: str) -> Any:
    def choices(request: HttpRequest) -> list[tuple[str, str]]:
        rows = Entry.objects.visible_to(request.user).order_by(field).values_list(field, flat=True).distinct()
        return [(each, each) for each in rows[:MOST]]

    return choices


def sentence(entry: Entry) -> str:
    """Return an entry as a sentence: who did what, why, from where."""
    told = str(entry)
    if entry.reason:
        told += f" ({entry.reason[:300]})"
    return told + (_t(", from %(address)s") % {"address": entry.address} if entry.address else "")


@admin.register(Entry)
class EntryAdmin(ConsoleAdmin):
    list_display = ("moment", "sentence", "action", "shown_account")
    list_display_links = ("sentence",)
    list_select_related = ("account",)
    list_title = _("Audit log")
    nothing = _("Whatever anyone does from now on is written down here.")
    detail_template = "console/entry.html"
    filters = (
        Filter("actor", _("Who"), _distinct("actor"), by_field("actor")),
        Filter("action", _("What"), _distinct("action"), by_field("action")),
        Filter("account", _("Account"), accounts, by_account),
        Filter(
            "since",
            _("Time"),
            fixed(
                ("1", _("Last 24 hours")), ("7", _("Last 7 days")), ("30", _("Last 30 days")), ("90", _("Last 90 days"))
            ),
            _since,
            _("Any time"),
        ),
    )

    @admin.display(description=_("time"), ordering="id")
    def moment(self, entry: Entry) -> Any:
        return clock(entry.at)

    @admin.display(description=_("who did what"))
    def sentence(self, entry: Entry) -> SafeString:
        return format_html('<span class="neph-clamp">{}</span>', sentence(entry))

    @admin.display(description=_("account"))
    def shown_account(self, entry: Entry) -> str:
        return entry.account.name if entry.account_id and entry.account else "—"

    def narrow(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Beside the filters, ``target=alert:42`` gives the history of one thing; pages link to it."""
        rows = super().narrow(request, rows)
        kind, colon, pk = request.GET.get("target", "").replace("\x00", "").partition(":")
        return rows.filter(target_type=kind, target_id=pk) if colon else rows

    def matching(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        for word in text.split():
            rows = rows.filter(
                Q(summary__icontains=word)
                | Q(reason__icontains=word)
                | Q(target__icontains=word)
                | Q(actor__icontains=word)
            )
        return rows

    def named(self, shown: Entry) -> str:
        return _t("Entry %(number)s") % {"number": shown.pk}

    def detail(self, request: HttpRequest, shown: Entry) -> dict[str, Any]:
        changed = shown.before is not None or shown.after is not None
        return {
            "sentence": sentence(shown),
            "diff": diff(shown.before, shown.after) if changed else None,
            "target_address": address_of(request.user, shown.target_type, shown.target_id),
        }
