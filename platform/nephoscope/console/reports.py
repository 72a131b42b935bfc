"""Report schedules in the console: what leaves by itself, to whom, and what became of it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from nephoscope.alerts.queries import ids
from nephoscope.audit.services import Actor
from nephoscope.console.forms.reports import ScheduleForm, shown_values
from nephoscope.console.kit.admin import ConsoleAdmin, attempt, page
from nephoscope.console.kit.filters import Filter, fixed
from nephoscope.console.templatetags.neph import state, when
from nephoscope.policies.queries import catalogue
from nephoscope.reports import services
from nephoscope.reports.making import NotSent, wanted
from nephoscope.reports.models import ReportRun, ReportSchedule, RunState
from nephoscope.searching import having, in_any

SHOWN = 20
"""Runs, and reports of the next one, that a page names."""


@admin.register(ReportSchedule)
class ReportScheduleAdmin(ConsoleAdmin):
    list_display = ("shown_name", "shown_form", "when_sent", "shown_to", "owner", "next_turn", "last_outcome")
    list_display_links = ("shown_name",)
    list_select_related = ("owner",)
    list_title = _("Report schedules")
    add_title = _("Add schedule")
    in_accounts = False
    nothing = _("Send compliance reports by mail or to a folder every day, week or month.")
    detail_template = "console/report_schedule.html"
    change_list_template = "console/people.html"
    filters = (
        Filter(
            "active",
            _("On"),
            fixed(("1", _("Yes")), ("0", _("No"))),
            lambda rows, value: rows.filter(active=value == "1"),
        ),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.may("schedule"))  # type: ignore[union-attr]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if self.has_add_permission(request):
            return super().changelist_view(request, extra_context)
        return super().changelist_view(request, {"nothing": _("Scheduling reports requires the Analyst role.")})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        last = ReportRun.objects.filter(schedule=OuterRef("pk")).order_by("-pk")
        rows: QuerySet[Any] = super().get_queryset(request).select_related("owner")
        annotated: QuerySet[Any] = rows.annotate(
            **{f"last_{name}": Subquery(last.values(name)[:1]) for name in ("state", "queued_at")}
        )
        return annotated

    @admin.display(description=_("name"), ordering="name")
    def shown_name(self, schedule: ReportSchedule) -> SafeString:
        return format_html('<span class="neph-title">{}</span>', schedule.name)

    @admin.display(description=_("as"), ordering="form")
    def shown_form(self, schedule: ReportSchedule) -> str:
        return schedule.form.upper()

    @admin.display(description=_("when"))
    def when_sent(self, schedule: ReportSchedule) -> str:
        return f"{schedule.get_every_display()}, {schedule.hour:02}:00"

    @admin.display(description=_("to"))
    def shown_to(self, schedule: ReportSchedule) -> SafeString:
        parts = [*schedule.mail_to, *([_t("folder %(name)s") % {"name": schedule.folder}] if schedule.folder else [])]
        return format_html('<span class="neph-clamp">{}</span>', ", ".join(parts))

    @admin.display(description=_("next"), ordering="next_run_at")
    def next_turn(self, schedule: ReportSchedule) -> Any:
        return when(schedule.next_run_at) if schedule.active else _t("off")

    @admin.display(description=_("last"))
    def last_outcome(self, schedule: Any) -> Any:
        if not schedule.last_state:
            return _t("never sent")
        label = str(RunState(schedule.last_state).label)
        return format_html("{} {}", state(schedule.last_state, label), when(schedule.last_queued_at))

    def matching(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        return having(rows, text, in_any("name", "folder", "mail_to", "owner__username"))

    def detail(self, request: HttpRequest, shown: ReportSchedule) -> dict[str, Any]:
        known = catalogue().policies
        return {
            "schedule": shown,
            "policies": [(id, known[id].name if id in known else id) for id in shown.policies],
            "runs": shown.runs.select_related("requested_by")[: services.RUNS_KEPT],
            "may_change": request.user.may("schedule"),  # type: ignore[union-attr]
            **contents(shown),
        }

    # -- Acts ----------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        return [*self.paths("edit", "send", "remove", post=False), *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return self._edited(request, None)

    def edit(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self._edited(request, self.find(request, pk))

    def _edited(self, request: HttpRequest, shown: ReportSchedule | None) -> HttpResponse:
        actor = Actor.from_request(request)
        actor.require("schedule")
        initial = (
            shown_values(shown)
            if shown
            else {"policies": request.GET.getlist("policy"), "accounts": ids(request.GET.get("account", ""))}
        )
        form = ScheduleForm(request.POST or None, initial=initial, owner=shown.owner if shown else request.user)
        if request.method == "POST" and form.is_valid():
            try:
                saved = services.save_schedule(actor, shown or ReportSchedule(), **form.cleaned_data)
            except ValidationError as error:
                form.refuse(error)
            else:
                messages.success(request, _t("Saved."))
                return self.back(saved)
        crumbs = self.crumbs(shown) if shown else [(self.list_title, self.address("changelist")), (self.add_title, "")]
        return page(
            request,
            "console/form.html",
            crumbs[-1][0],
            crumbs=crumbs,
            form=form,
            list_address=self.address("change", shown.pk) if shown else self.address("changelist"),
            remove_address=self.address("remove", shown.pk) if shown else "",
        )

    def send(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what would go to whom, then send it."""
        schedule, actor = self.find(request, pk), Actor.from_request(request)
        actor.require("schedule")
        if request.method == "POST":
            if attempt(request, lambda: services.send_now(actor, schedule)):
                messages.success(request, _t("Sending. See the history for the result."))
            return self.back(schedule)
        return self.show(
            request,
            schedule,
            template="console/report_send.html",
            title=_t("Send now"),
            schedule=schedule,
            **contents(schedule),
        )

    def remove(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, then delete."""
        schedule, actor = self.find(request, pk), Actor.from_request(request)
        actor.require("schedule")
        if request.method == "POST":
            services.remove_schedule(actor, schedule)
            messages.success(request, _t("%(name)s was removed.") % {"name": schedule})
            return HttpResponseRedirect(self.address("changelist"))
        return self.show(
            request,
            schedule,
            template="console/remove.html",
            name=str(schedule),
            back=self.address("change", schedule.pk),
            lost=[_t("No more reports are sent, and its history is deleted.")],
            stays=_t("Reports that were sent or written to a folder stay there."),
        )


def contents(schedule: ReportSchedule) -> dict[str, Any]:
    """Return what would be in the next mail: the first reports by name, how many more, or why there is none."""
    try:
        found = wanted(schedule)
    except NotSent as problem:
        return {"contents": [], "more": 0, "count": 0, "why_not": str(problem)}
    return {"contents": found[:SHOWN], "more": max(0, len(found) - SHOWN), "count": len(found), "why_not": ""}
