"""The audit log in the console: sentences, to read and never to write."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Func, Q, QuerySet, TextField
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from nephoscope.alerts.queries import ids
from nephoscope.audit.actions import ACTIONS, label_of
from nephoscope.audit.models import Entry
from nephoscope.changes.diff import diff
from nephoscope.console.kit.admin import ConsoleAdmin
from nephoscope.console.kit.filters import LAST_DAYS, Choices, Filter, accounts, by_account, by_field
from nephoscope.console.pages.targets import address_of
from nephoscope.console.templatetags.neph import clock
from nephoscope.searching import having, in_any

MOST = 200
"""Actors and actions offered as filters."""


def _since(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
    days = ids(value)
    return rows.filter(at__gte=timezone.now() - timedelta(days=min(days[0], 36_500))) if days else rows.none()


def _distinct(request: HttpRequest, field: str) -> list[str]:
    rows = Entry.objects.visible_to(request.user).order_by(field).values_list(field, flat=True).distinct()
    return list(rows[:MOST])


def _actors(request: HttpRequest) -> Choices:
    return [(each, each) for each in _distinct(request, "actor")]


def _actions(request: HttpRequest) -> Choices:
    return sorted(((each, label_of(each)) for each in _distinct(request, "action")), key=lambda choice: choice[1])


_TEXTS = Func(
    "data",
    template="""jsonb_path_query_array(%(expressions)s, 'strict $.** ? (@.type() == "string")')::text""",
    output_field=TextField(),
)
"""The texts in an entry's data, without the keys; written as JSON."""


def sentence(entry: Entry) -> str:
    """Return an entry as a sentence: who did what, why, from where."""
    told = str(entry)
    if entry.reason:
        told += f" ({entry.reason[:300]})"
    unsaid = entry.address and entry.address not in told
    return told + (_t(", from %(address)s") % {"address": entry.address} if unsaid else "")


@admin.register(Entry)
class EntryAdmin(ConsoleAdmin):
    list_display = ("moment", "sentence", "shown_action", "shown_account")
    list_display_links = ("sentence",)
    list_select_related = ("account",)
    list_title = _("Audit log")
    in_accounts = False
    nothing = _("Actions are recorded here as they happen.")
    detail_template = "console/entry.html"
    filters = (
        Filter("actor", _("Who"), _actors, by_field("actor")),
        Filter("action", _("What"), _actions, by_field("action")),
        Filter("account", _("Account"), accounts, by_account),
        Filter(
            "since",
            _("Time"),
            LAST_DAYS,
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

    @admin.display(description=_("what"), ordering="action")
    def shown_action(self, entry: Entry) -> str:
        return label_of(entry.action)

    @admin.display(description=_("account"))
    def shown_account(self, entry: Entry) -> str:
        return entry.account.name if entry.account_id and entry.account else "—"

    def narrow(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Beside the filters, ``target=alert:42`` gives the history of one thing; pages link to it."""
        rows = super().narrow(request, rows)
        kind, colon, pk = request.GET.get("target", "").replace("\x00", "").partition(":")
        return rows.filter(target_type=kind, target_id=pk) if colon else rows

    def matching(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        """Narrow to entries with all these words: in names, reason or data, or in what the action is called."""
        named = in_any("summary", "reason", "target", "actor", "action")

        def holds(word: str) -> Q:
            called = [code for code, action in ACTIONS.items() if word.casefold() in str(action.label).casefold()]
            told = Q(texts__icontains=json.dumps(word, ensure_ascii=False)[1:-1])
            return named(word) | Q(action__in=called) | told

        return having(rows.annotate(texts=_TEXTS), text, holds)

    def named(self, shown: Entry) -> str:
        return _t("Entry %(number)s") % {"number": shown.pk}

    def detail(self, request: HttpRequest, shown: Entry) -> dict[str, Any]:
        before, after = shown.changed(request.user)
        changed = before is not None or after is not None
        return {
            "sentence": sentence(shown),
            "label": label_of(shown.action),
            "diff": diff(before, after) if changed else None,
            "target_address": address_of(request.user, shown.target_type, shown.target_id),
        }
