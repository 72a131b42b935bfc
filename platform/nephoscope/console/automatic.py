"""Automatic fixes in the console: which rules fix themselves, and what they are about to fix."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from nephoscope.accounts.models import Account
from nephoscope.accounts.permissions import may
from nephoscope.alerts.queries import ids
from nephoscope.audit.services import Actor
from nephoscope.changes.automatic import object_to, switch_off, withdraw_objection
from nephoscope.changes.automatic_models import AutomaticFix, FixNotice, NoticeState
from nephoscope.changes.models import Change
from nephoscope.console.changes import shown_inputs
from nephoscope.console.kit.admin import ConsoleAdmin, attempt
from nephoscope.console.kit.catalogue import catalogue_of
from nephoscope.console.kit.filters import Choices, Filter, accounts, by_account, by_field, fixed
from nephoscope.console.templatetags.neph import state, when
from nephoscope.searching import having, in_any

SHOWN = 50
"""Changes that an automatic fix's page names."""


def notice_words(days: int) -> str:
    """Return how long before a fix notice is given."""
    return ngettext("%(n)s day of notice", "%(n)s days of notice", days) % {"n": days} if days else _t("at once")


def on_or_off(automatic: AutomaticFix) -> SafeString:
    return state("suppression", _t("Off")) if automatic.off_at else state("done", _t("On"))


@admin.register(AutomaticFix)
class AutomaticFixAdmin(ConsoleAdmin):
    list_display = ("shown_rule", "shown_state", "shown_fix", "shown_accounts", "shown_notice", "who")
    list_display_links = ("shown_rule",)
    list_select_related = ("set_by",)
    list_title = _("Automatic fixes")
    nothing = _("Administrators switch on automatic fixes on the page of a rule that Nephoscope can fix.")
    detail_template = "console/automatic_fix.html"
    change_list_template = "console/automatic_fixes.html"
    filters = (
        Filter(
            "on",
            _("State"),
            fixed(("1", _("On")), ("0", _("Off"))),
            lambda rows, value: rows.filter(off_at__isnull=value == "1"),
        ),
        Filter("account", _("Account"), accounts, lambda rows, value: rows.filter(accounts__in=ids(value)).distinct()),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.prefetch_related(Prefetch("accounts", Account.objects.visible_to(request.user)))

    def complete(self, request: HttpRequest, rows: Iterable[Any]) -> None:
        for row in rows:
            row.rule_title = catalogue_of(request).title(row.rule)

    def matching(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        return having(rows, text, in_any("rule", "title"))

    @admin.display(description=_("rule"), ordering="rule")
    def shown_rule(self, row: Any) -> SafeString:
        return format_html('<span class="neph-title">{} <span class="neph-id">{}</span></span>', row.rule_title, row)

    @admin.display(description=_("state"), ordering="off_at")
    def shown_state(self, row: AutomaticFix) -> SafeString:
        return on_or_off(row)

    @admin.display(description=_("fix"), ordering="title")
    def shown_fix(self, row: AutomaticFix) -> str:
        return row.title

    @admin.display(description=_("accounts"))
    def shown_accounts(self, row: AutomaticFix) -> SafeString:
        return format_html('<span class="neph-clamp">{}</span>', ", ".join(each.name for each in row.accounts.all()))

    @admin.display(description=_("notice"), ordering="notice_days")
    def shown_notice(self, row: AutomaticFix) -> str:
        return notice_words(row.notice_days)

    @admin.display(description=_("by"), ordering="set_at")
    def who(self, row: AutomaticFix) -> SafeString:
        return format_html('{} <div class="neph-small neph-subtle">{}</div>', row.set_by or "—", when(row.set_at))

    def named(self, shown: AutomaticFix) -> str:
        return str(shown)

    def detail(self, request: HttpRequest, shown: AutomaticFix) -> dict[str, Any]:
        notices = FixNotice.objects.visible_to(request.user).filter(automatic=shown)
        changes = Change.objects.visible_to(request.user).filter(automatic=shown)
        return {
            "automatic": shown,
            "rule_title": catalogue_of(request).title(shown.rule),
            "shown_state": on_or_off(shown),
            "notice": notice_words(shown.notice_days),
            "inputs": shown_inputs(shown),
            "upcoming": notices.upcoming().count(),
            "left": notices.filter(change__automatic=None).count(),
            "changes": changes.select_related("account").prefetch_related("steps")[:SHOWN],
            "change_count": changes.count(),
        }

    # -- Acts ----------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        return [*self.paths("off"), *super().get_urls()]

    def off(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Switch it off."""
        actor, shown = Actor.from_request(request), self.find(request, pk)
        actor.require("administer")
        withdrawn = attempt(request, lambda: switch_off(actor, shown))
        if withdrawn is not None:
            said = ngettext(
                "Switched off. %(n)s queued change was withdrawn.",
                "Switched off. %(n)s queued changes were withdrawn.",
                withdrawn,
            )
            messages.success(request, said % {"n": withdrawn} if withdrawn else _t("Switched off."))
        return self.back(shown)


def _rules(request: HttpRequest) -> Choices:
    rules = AutomaticFix.objects.visible_to(request.user).order_by("rule").values_list("rule", flat=True).distinct()
    return [(rule, catalogue_of(request).title(rule)) for rule in rules]


COLOURS = {
    NoticeState.UPCOMING: "pending",
    NoticeState.KEPT_BACK: "suppression",
    NoticeState.OBJECTED: "suppression",
    NoticeState.NEEDS_APPROVAL: "partial",
    NoticeState.CHANGED: "done",
}


@admin.register(FixNotice)
class FixNoticeAdmin(ConsoleAdmin):
    list_display = ("resource", "shown_alert", "shown_fix", "shown_due", "shown_state", "act")
    list_display_links = None
    list_select_related = ("alert__account", "automatic", "change", "objected_by")
    list_title = _("Upcoming automatic fixes")
    smallest_first = ("shown_due",)
    nothing = _("Resources appear here when an automatic fix is about to change them.")
    filters = (
        Filter("state", _("State"), fixed(*NoticeState.choices), by_field("state"), _("Not fixed yet")),
        Filter("account", _("Account"), accounts, by_account),
        Filter("rule", _("Rule"), _rules, by_field("automatic__rule")),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        shown: QuerySet[Any] = rows.with_state()
        return shown

    def narrow(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        rows = super().narrow(request, rows)
        return rows if request.GET.get("state") else rows.exclude(state=NoticeState.CHANGED)

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return self.list_display if may(request.user, "suppress") else self.list_display[:-1]

    def matching(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        return having(rows, text, in_any("resource_name", "resource_id", "alert__title"))

    @admin.display(description=_("resource"), ordering="resource_name")
    def resource(self, row: FixNotice) -> SafeString:
        return format_html('{} <div class="neph-id neph-wrap">{}</div>', row.resource_name, row.resource_id)

    @admin.display(description=_("alert"), ordering="alert__title")
    def shown_alert(self, row: FixNotice) -> SafeString:
        address = reverse("admin:alerts_alert_change", args=[row.alert_id])
        text = '<a class="neph-link" href="{}">{}</a> <div class="neph-small neph-subtle">{} · {}</div>'
        return format_html(text, address, row.alert.title, row.account.name, row.alert)

    @admin.display(description=_("fix"), ordering="automatic")
    def shown_fix(self, row: FixNotice) -> SafeString:
        address = reverse("admin:changes_automaticfix_change", args=[row.automatic_id])
        return format_html('<a class="neph-link" href="{}">{}</a>', address, row.automatic.title)

    @admin.display(description=_("due"), ordering="due_at")
    def shown_due(self, row: Any) -> Any:
        waits = row.state == NoticeState.KEPT_BACK
        return when(row.retry_at if waits else row.due_at if row.state == NoticeState.UPCOMING else None)

    @admin.display(description=_("state"))
    def shown_state(self, row: Any) -> SafeString:
        chip = state(COLOURS[row.state], str(NoticeState(row.state).label))
        said = _t("%(user)s: %(reason)s") % {"user": row.objected_by or "—", "reason": row.objection}
        why = said if row.objected_at else row.problem
        text = format_html('{}<div class="neph-small neph-subtle neph-clamp">{}</div>', chip, why)
        if row.change is None:
            return format_html("<div>{}</div>", text)
        address = reverse("admin:changes_change_change", args=[row.change_id])
        return format_html('<div>{}<a class="neph-link neph-small" href="{}">{}</a></div>', text, address, row.change)

    @admin.display(description=_("action"))
    def act(self, row: Any) -> Any:
        if row.objected_at:
            name, text = "withdraw", _t("Withdraw objection")
        elif row.change is None:
            name, text = "object", _t("Object")
        else:
            return ""
        return format_html('<a class="neph-button neph-small" href="{}">{}</a>', self.address(name, row.pk), text)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A notice has no page of its own: go to its alert's."""
        found = self.find(request, object_id)
        return HttpResponseRedirect(reverse("admin:alerts_alert_change", args=[found.alert_id]))

    # -- Acts ----------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        return [*self.paths("object", "withdraw", post=False), *super().get_urls()]

    def object(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask why; posted to, object."""
        actor, row = self._asked(request, pk)
        errors: dict[str, list[str]] = {}
        if request.method == "POST":
            try:
                object_to(actor, row, reason=request.POST.get("reason", ""))
            except ValidationError as error:
                errors = error.message_dict
            else:
                messages.success(request, _t("%s is not fixed automatically.") % row)
                return HttpResponseRedirect(self.address("changelist"))
        return self._form(request, row, _t("Object"), "console/fix_object.html", errors=errors)

    def withdraw(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the objection; posted to, withdraw it."""
        actor, row = self._asked(request, pk)
        if request.method == "POST":
            if attempt(request, lambda: withdraw_objection(actor, row)):
                messages.success(request, _t("Withdrew the objection."))
            return HttpResponseRedirect(self.address("changelist"))
        return self._form(request, row, _t("Withdraw objection"), "console/fix_withdraw.html")

    def _asked(self, request: HttpRequest, pk: int) -> tuple[Actor, FixNotice]:
        actor = Actor.from_request(request)
        actor.require("suppress")
        return actor, self.find(request, pk)

    def _form(self, request: HttpRequest, row: FixNotice, title: str, template: str, **more: Any) -> HttpResponse:
        automatic = row.automatic
        shown = {"alert": row.alert, "notice": row, "automatic": automatic, "days": notice_words(automatic.notice_days)}
        return self.show(request, row, template=template, title=title, back=self.address("changelist"), **shown, **more)
