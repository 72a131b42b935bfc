"""Alerts and findings in the console."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from nephoscope.accounts.permissions import may
from nephoscope.accounts.queries import patience
from nephoscope.alerts import queries
from nephoscope.alerts.models import Alert, AlertState, Finding, SeverityChoice
from nephoscope.alerts.suppressions import of_findings
from nephoscope.audit.services import Actor
from nephoscope.changes import suppressing
from nephoscope.changes.planning import plan_change
from nephoscope.changes.readiness import FixNotAllowed, readiness
from nephoscope.changes.services import remediation_of
from nephoscope.console.forms.changes import InputsForm
from nephoscope.console.kit.admin import ConsoleAdmin, attempt
from nephoscope.console.kit.filters import Filter, accounts, fixed, policies
from nephoscope.console.pages.alert import alert_context, regions
from nephoscope.console.selection import MOST, affected, findings_of, given, named
from nephoscope.console.templatetags.neph import severity, when
from nephoscope.domain import Deadline
from nephoscope.judging.rechecks import recheck

EXPORTED = {*queries.FILTERS, "suppressed", "q"}
"""Parameters of the list that the export understands as well."""

PERIODS = fixed(
    ("1", _("Last 24 hours")), ("7", _("Last 7 days")), ("30", _("Last 30 days")), ("90", _("Last 90 days"))
)
SEVERITIES = fixed(*SeverityChoice.choices, ("critical,high", _("Critical and high")))
STATES = fixed(*AlertState.choices[1:], (queries.ALL, _("All")))


@admin.register(Alert)
class AlertAdmin(ConsoleAdmin):
    list_display = ("shown_severity", "shown_title", "shown_kind", "account", "shown_affected", "first", "last")
    list_display_links = ("shown_title",)
    list_select_related = ("account",)
    list_title = _("Alerts")
    nothing = _("Alerts appear here when a scan finds resources that fail a rule.")
    of_accounts = True
    detail_template = "console/alert.html"
    search_hint = _("Title, rule, account, or resource name or ID")
    smallest_first = ("shown_severity",)  # the worst has the smallest rank
    filters = (
        Filter("severity", _("Severity"), SEVERITIES, queries.with_severity),
        Filter("kind", _("Kind"), lambda request: queries.kind_choices(), queries.of_kind),
        Filter("account", _("Account"), accounts, queries.in_account),
        Filter("region", _("Region"), regions, queries.in_region),
        Filter("policy", _("Policy"), policies, queries.of_policy),
    )

    @admin.display(description=_("severity"), ordering="rank")
    def shown_severity(self, alert: Alert) -> SafeString:
        return severity(alert.severity)

    @admin.display(description=_("title"), ordering="title")
    def shown_title(self, alert: Alert) -> SafeString:
        state = "" if alert.state == AlertState.OPEN else alert.get_state_display()
        chip = format_html('<span class="neph-chip">{}</span>', state) if state else ""
        return format_html(
            '<span class="neph-title">{} <span class="neph-id">{}</span> {}</span>', alert.title, alert, chip
        )

    @admin.display(description=_("kind"), ordering="kind")
    def shown_kind(self, alert: Alert) -> str:
        return alert.kind_name

    @admin.display(description=_("affected"), ordering="affected")
    def shown_affected(self, alert: Alert) -> SafeString | int:
        if not alert.suppressed:
            return alert.affected
        suppressed = _t("%(n)s suppressed") % {"n": alert.suppressed}
        return format_html('{} <div class="neph-small neph-subtle">{}</div>', alert.affected, suppressed)

    @admin.display(description=_("first seen"), ordering="first_seen")
    def first(self, alert: Alert) -> Any:
        return when(alert.first_seen)

    @admin.display(description=_("last seen"), ordering="last_seen")
    def last(self, alert: Alert) -> Any:
        return when(alert.last_seen)

    def filters_for(self, request: HttpRequest) -> tuple[Filter, ...]:
        if request.GET.get("state") == AlertState.RESOLVED:
            time = Filter("resolved", _("Resolved"), PERIODS, queries.resolved_within, _("Any time"))
        else:
            time = Filter("opened", _("Opened"), PERIODS, queries.opened_within, _("Any time"))
        return (*self.filters, time, Filter("state", _("State"), STATES, queries.with_state, _("Open")))

    def narrow(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        rows = super().narrow(request, rows)
        if request.GET.get("state"):
            return rows
        return queries.with_state(rows, "open,suppressed" if request.GET.get("suppressed") else "open")

    def matching(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        return queries.matching(rows, text)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        switch = None
        if not request.GET.get("state"):
            on, parameters = bool(request.GET.get("suppressed")), request.GET.copy()
            parameters["suppressed"] = "" if on else "1"
            switch = {
                "name": "suppressed",
                "on": on,
                "label": _("Show suppressed"),
                "href": f"?{parameters.urlencode()}" if not on else f"?{_without(parameters, 'suppressed')}",
            }
        asked = {name: str(value) for name, value in request.GET.items() if name in EXPORTED and value}
        export = f"{reverse('alerts-csv')}?{urlencode(asked)}"
        shown = {"switch": switch, "exports": [("CSV", export)], **(extra_context or {})}
        return super().changelist_view(request, shown)

    def detail(self, request: HttpRequest, shown: Alert) -> dict[str, Any]:
        return alert_context(request, shown)

    # -- Acts ----------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        forms = self.paths("suppress", "unsuppress", "plan", post=False)
        return [*forms, *self.paths("recheck"), *super().get_urls()]

    def suppress(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what would be suppressed, and archived in the cloud, and ask for the reason; posted to, do it."""
        alert, actor = self.find(request, pk), Actor.from_request(request)
        actor.require("suppress")
        findings = affected(request, alert)
        if findings is None:
            return self._back_choosing(request, alert)
        counting = [each for each in findings if each.suppression_id is None]
        if not counting:
            messages.info(request, _t("These resources are suppressed already."))
            return self.back(alert)
        errors: dict[str, list[str]] = {}
        deadline = patience()
        if request.method == "POST":
            try:
                self._suppress(request, alert, counting, deadline)
            except ValidationError as error:
                errors = error.message_dict
            else:
                return self.back(alert)
        for field in errors.keys() - {"findings", "reason", "expires_at"}:
            for message in errors[field]:
                messages.error(request, message)
        return self.show(
            request,
            alert,
            template="console/suppress.html",
            title=_t("Suppress"),
            findings=counting,
            archiving=suppressing.preview_archiving(actor, alert, counting, deadline),
            errors=errors,
        )

    def _suppress(self, request: HttpRequest, alert: Alert, findings: list[Finding], deadline: Deadline) -> None:
        digest = request.POST.get("digest", "")
        done = suppressing.suppress(
            Actor.from_request(request),
            alert,
            findings,
            request.POST.get("reason", ""),
            _end_of(request.POST.get("until", "")),
            archive=bool(digest),
            digest=digest,
            deadline=deadline,
        )
        say_done(request, ngettext("Suppressed %(n)s resource.", "Suppressed %(n)s resources.", done.count), done)

    def unsuppress(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what would count again, and be unarchived in the cloud; posted to, do it."""
        alert, actor = self.find(request, pk), Actor.from_request(request)
        actor.require("suppress")
        findings = affected(request, alert, suppressed=True)
        if findings is None:
            return self.back(alert)
        if request.method == "POST":
            done = attempt(request, lambda: suppressing.unsuppress(actor, alert, findings))
            if done is not None:
                text = ngettext("Unsuppressed %(n)s resource.", "Unsuppressed %(n)s resources.", done.count)
                say_done(request, text, done)
            return self.back(alert)
        return self.show(
            request,
            alert,
            template="console/unsuppress.html",
            title=_t("Unsuppress"),
            findings=findings,
            in_cloud=suppressing.preview_unarchiving(request.user, alert, of_findings(findings)),
        )

    def recheck(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Recheck the chosen resources, or all when none is chosen."""
        alert, actor = self.find(request, pk), Actor.from_request(request)
        some = "finding" in request.POST and "all" not in request.POST
        result = attempt(request, lambda: recheck(actor, alert, findings_of(request, alert) if some else None))
        if result is not None:
            text = _t("Rechecked: %(closed)s fixed, %(gone)s gone, %(still)s still affected.")
            level = messages.WARNING if result.still or result.problems else messages.SUCCESS
            messages.add_message(
                request, level, text % {"closed": result.closed, "gone": result.gone, "still": result.still}
            )
            for problem in result.problems:
                messages.error(request, problem)
        return self.back(alert)

    def plan(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say what a fix does to the chosen resources and ask what it needs to know; posted to, go to its plan."""
        alert, actor = self.find(request, pk), Actor.from_request(request)
        actor.require("change")
        findings = affected(request, alert)
        remediation = attempt(request, lambda: remediation_of(alert, given(request).get("remediation", "")))
        if findings is None or remediation is None:
            return self._back_choosing(request, alert)
        found = readiness(request.user, alert)
        if found.lacks_role and may(request.user, "connect"):
            return self._set_up_fixes(request, alert)
        if why := found.why_not(remediation):
            messages.error(request, why)
            return self._back_choosing(request, alert)
        posted, not_allowed = request.POST if request.method == "POST" else None, None
        form = InputsForm(remediation, posted, _entered_before(request, alert))
        if form.is_valid():
            try:
                return self.back(plan_change(actor, alert, findings, remediation.id, form.cleaned_data))
            except ValidationError as error:
                form.refuse(error)
                not_allowed = error.offered if isinstance(error, FixNotAllowed) else None
        return self.show(
            request,
            alert,
            template="console/plan.html",
            title=remediation.title,
            remediation=remediation,
            not_allowed=not_allowed,
            findings=findings,
            form=form,
        )

    def _set_up_fixes(self, request: HttpRequest, alert: Alert) -> HttpResponse:
        """Go to where the account's fix role is set up, which leads back to the same fix of the same resources."""
        asked = given(request)
        kept = {name: str(asked[name]) for name in ("remediation", "all", "again") if name in asked}
        kept |= {"finding": ",".join(map(str, named(request)))} if named(request) else {}
        plan = f"{self.address('plan', alert.pk)}?{urlencode(kept)}"
        query = urlencode({"next": plan, "back": self._back_choosing(request, alert)["Location"]})
        return HttpResponseRedirect(f"{reverse('admin:accounts_account_fixing', args=[alert.account_id])}?{query}")

    def _back_choosing(self, request: HttpRequest, alert: Alert) -> HttpResponse:
        """Go back to the alert with the same boxes ticked: what was wrong may be put right, or one box too many."""
        chosen = ",".join(str(pk) for pk in named(request)[:MOST])
        query = urlencode(
            {name: value for name, value in (("chosen", chosen), ("p", given(request).get("p"))) if value}
        )
        return HttpResponseRedirect(self.address("change", alert.pk) + (f"?{query}" if query else ""))

    def back(self, shown: Any) -> HttpResponseRedirect:
        model_admin: Any = self.admin_site._registry[type(shown)]
        return ConsoleAdmin.back(model_admin, shown)


def say_done(request: HttpRequest, text: str, done: suppressing.Done) -> None:
    """Say what was done, and what was not done in the cloud."""
    messages.success(request, text % {"n": done.count})
    for note in done.notes:
        messages.warning(request, note)


def _entered_before(request: HttpRequest, alert: Alert) -> dict[str, str]:
    """Return what was entered for the change that is planned again."""
    change = alert.changes.filter(pk__in=queries.ids(request.GET.get("again", ""))[:1]).first()
    return dict(change.inputs) if change else {}


def _without(parameters: Any, name: str) -> str:
    parameters.pop(name, None)
    return str(parameters.urlencode())


def _end_of(day: str) -> datetime | None:
    """Return the end of the day in the user's time zone; None when no day is given."""
    if not day:
        return None
    try:
        date = parse_date(day)
    except ValueError:
        date = None
    if date is None:
        raise ValidationError({"expires_at": [_t("Enter a date such as 2027-01-31.")]})
    return timezone.make_aware(datetime.combine(date, time.max))
