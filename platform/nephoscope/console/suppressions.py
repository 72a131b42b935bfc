"""The register of suppressions in the console: what is ignored, why, by whom and until when."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from nephoscope.accounts.permissions import may
from nephoscope.alerts import register
from nephoscope.alerts.models import Suppression, SuppressionState
from nephoscope.audit.services import Actor
from nephoscope.changes import suppressing
from nephoscope.console.alerts import say_done
from nephoscope.console.kit.admin import ConsoleAdmin, attempt
from nephoscope.console.kit.filters import Choices, Filter, accounts, fixed
from nephoscope.console.templatetags.neph import state, when

STATES = fixed(*SuppressionState.choices[1:], (register.ALL, _("All")))
ENDS = fixed(("7", _("In 7 days")), ("30", _("In 30 days")), (register.NO_END, _("No end")))


def _authors(request: HttpRequest) -> Choices:
    return [(each, each) for each in register.authors(request.user)]


@admin.register(Suppression)
class SuppressionAdmin(ConsoleAdmin):
    list_display = ("resource", "shown_alert", "why", "who", "shown_until", "act")
    list_display_links = None
    list_select_related = ("alert__account", "author")
    list_title = _("Suppressions")
    nothing = _("Suppressions appear here when someone suppresses a resource of an alert.")
    filters = (
        Filter("state", _("State"), STATES, register.in_state, SuppressionState.IN_FORCE.label),
        Filter("account", _("Account"), accounts, register.of_account),
        Filter("author", _("Author"), _authors, register.of_author),
        Filter("until", _("Ends"), ENDS, register.until),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        shown: QuerySet[Any] = rows.with_state()
        return shown

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return self.list_display if may(request.user, "suppress") else self.list_display[:-1]

    def narrow(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        rows = super().narrow(request, rows)
        return rows if request.GET.get("state") else register.in_state(rows, SuppressionState.IN_FORCE)

    def matching(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        return register.matching(rows, text)

    @admin.display(description=_("resource"), ordering="resource_name")
    def resource(self, row: Suppression) -> SafeString:
        return format_html('{} <div class="neph-id neph-wrap">{}</div>', row.resource_name, row.resource_id)

    @admin.display(description=_("alert"), ordering="alert__title")
    def shown_alert(self, row: Suppression) -> SafeString:
        text = '<a class="neph-link" href="{}">{}</a> <div class="neph-small neph-subtle">{} · {}</div>'
        return format_html(text, _alert_address(row), row.alert.title, row.alert.account.name, row.alert)

    @admin.display(description=_("reason"))
    def why(self, row: Suppression) -> SafeString:
        return format_html('<span class="neph-clamp">{}</span>', row.reason)

    @admin.display(description=_("by"), ordering="created_at")
    def who(self, row: Suppression) -> SafeString:
        author = row.author.username if row.author else "—"
        return format_html('{} <div class="neph-small neph-subtle">{}</div>', author, when(row.created_at))

    @admin.display(description=_("until"), ordering="expires_at")
    def shown_until(self, row: Any) -> Any:
        if row.state != SuppressionState.IN_FORCE:
            return state("suppression", str(SuppressionState(row.state).label))
        if row.expires_at is None:
            return _t("No end")
        soon = row.expires_at <= timezone.now() + register.SOON
        chip = state("pending", _t("Ends soon")) if soon else ""
        return format_html("{} {}", when(row.expires_at), chip)

    @admin.display(description=_("action"))
    def act(self, row: Any) -> Any:
        if row.state != SuppressionState.IN_FORCE:
            return ""
        address = self.address("unsuppress", row.pk)
        return format_html('<a class="neph-button neph-small" href="{}">{}</a>', address, _t("Unsuppress"))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        asked = {name: str(value) for name, value in request.GET.items() if name in register.FILTERS and value}
        if asked.setdefault("state", SuppressionState.IN_FORCE) == register.ALL:
            del asked["state"]
        export = f"{reverse('suppressions-csv')}?{urlencode(asked)}"
        return super().changelist_view(request, {"exports": [("CSV", export)], **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A suppression has no page of its own: go to its alert's."""
        return HttpResponseRedirect(_alert_address(self.find(request, object_id)))

    # -- Acts ----------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        return [*self.paths("unsuppress", post=False), *super().get_urls()]

    def unsuppress(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what would count again, and be unarchived in the cloud; posted to, do it."""
        actor = Actor.from_request(request)
        actor.require("suppress")
        row, listed = self.find(request, pk), self.address("changelist")
        if request.method == "POST":
            if done := attempt(request, lambda: suppressing.end_suppression(actor, row)):
                say_done(request, _t("Unsuppressed %(n)s resource."), done)
            return HttpResponseRedirect(listed)
        return self.show(
            request,
            row,
            template="console/suppression_end.html",
            title=_t("Unsuppress"),
            alert=row.alert,
            back=listed,
            in_cloud=suppressing.preview_unarchiving(request.user, row.alert, [row]),
        )


def _alert_address(row: Suppression) -> str:
    address = reverse("admin:alerts_alert_change", args=[row.alert_id])
    return f"{address}?suppressed=1#suppressed"
