"""Alerts and findings in the console."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
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

from nephoscope.alerts import incidents, queries, services
from nephoscope.alerts.compliance import STANDING, Standing
from nephoscope.alerts.models import Alert, AlertState, Finding, KindChoice, SeverityChoice
from nephoscope.audit.services import Actor
from nephoscope.changes.services import plan_change
from nephoscope.console.base import ConsoleAdmin, attempt
from nephoscope.console.filters import Filter, accounts, by_account, by_field, fixed
from nephoscope.console.pages.alert import alert_context, regions
from nephoscope.console.templatetags.neph import VERDICTS, judged, severity, verdict, when
from nephoscope.plugins import registry
from nephoscope.policies.queries import frameworks

EXPORTED = {*queries.FILTERS, "suppressed", "q"}
"""Parameters of the list that the export understands as well."""

PERIODS = fixed(
    ("1", _("Last 24 hours")), ("7", _("Last 7 days")), ("30", _("Last 30 days")), ("90", _("Last 90 days"))
)
SEVERITIES = fixed(*SeverityChoice.choices, ("critical,high", _("Critical and high")))
STATES = fixed(*AlertState.choices[1:], (queries.ALL, _("All")))


def _policies(request: HttpRequest) -> list[tuple[str, str]]:
    return [(each.id, each.name) for each in frameworks().values()]


@admin.register(Alert)
class AlertAdmin(ConsoleAdmin):
    list_display = ("shown_severity", "shown_title", "kind", "account", "affected", "first", "last")
    list_display_links = ("shown_title",)
    list_select_related = ("account",)
    list_title = _("Alerts")
    nothing = _("Alerts appear here when a scan finds something that a policy forbids.")
    detail_template = "console/alert.html"
    filters = (
        Filter("severity", _("Severity"), SEVERITIES, queries.with_severity),
        Filter("kind", _("Kind"), fixed(*KindChoice.choices), queries.of_kind),
        Filter("account", _("Account"), accounts, queries.in_account),
        Filter("region", _("Region"), regions, queries.in_region),
        Filter("policy", _("Policy"), _policies, queries.of_policy),
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
        return super().changelist_view(request, {"switch": switch, "export": export, **(extra_context or {})})

    def detail(self, request: HttpRequest, shown: Alert) -> dict[str, Any]:
        return alert_context(request, shown)

    # -- Acts ----------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        return [*self.paths("suppress", "unsuppress", "recheck", "plan"), *super().get_urls()]

    def _chosen(self, request: HttpRequest, alert: Alert) -> QuerySet[Finding]:
        ids = [pk for text in request.POST.getlist("finding") for pk in queries.ids(text)]
        chosen: QuerySet[Finding] = alert.findings.filter(pk__in=ids)
        return chosen

    def suppress(self, request: HttpRequest, pk: int) -> HttpResponse:
        """First show what would be suppressed and ask for the reason, then do it."""
        alert, actor = self.find(request, pk), Actor.from_request(request)
        actor.demand("suppress")
        findings = attempt(request, lambda: services.chosen(alert, self._chosen(request, alert)))
        if findings is None:
            return self._back_choosing(request, alert)
        errors: dict[str, list[str]] = {}
        if "confirm" in request.POST:
            try:
                until = _end_of(request.POST.get("until", ""))
                count = services.suppress(actor, alert, findings, request.POST.get("reason", ""), until)
            except ValidationError as error:
                errors = error.message_dict
            else:
                text = ngettext("%(n)s resource is suppressed.", "%(n)s resources are suppressed.", count)
                messages.success(request, text % {"n": count})
                for problem in incidents.archive(actor, alert, findings):
                    messages.warning(request, problem)
                return self.back(alert)
        return self.show(
            request, alert, template="console/suppress.html", title=_t("Suppress"), findings=findings, errors=errors
        )

    def unsuppress(self, request: HttpRequest, pk: int) -> HttpResponse:
        alert, actor = self.find(request, pk), Actor.from_request(request)
        findings = list(self._chosen(request, alert))
        count = attempt(request, lambda: services.unsuppress(actor, alert, findings))
        if count is not None:
            text = ngettext("%(n)s resource counts again.", "%(n)s resources count again.", count)
            messages.success(request, text % {"n": count})
            for problem in incidents.archive(actor, alert, findings, archive=False):
                messages.warning(request, problem)
        return self.back(alert)

    def recheck(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Recheck the chosen resources, or all when none is chosen."""
        alert, actor = self.find(request, pk), Actor.from_request(request)
        chosen = self._chosen(request, alert) if request.POST.getlist("finding") else None
        result = attempt(request, lambda: services.recheck(actor, alert, chosen))
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
        """Plan a fix of the chosen resources, and go to the plan."""
        alert, actor = self.find(request, pk), Actor.from_request(request)
        remediation = request.POST.get("remediation", "")
        change = attempt(request, lambda: plan_change(actor, alert, self._chosen(request, alert), remediation))
        return self.back(change) if change is not None else self._back_choosing(request, alert)

    def _back_choosing(self, request: HttpRequest, alert: Alert) -> HttpResponse:
        """Go back to the alert with the same boxes ticked: what was wrong may be put right, or one box too many."""
        chosen = ",".join(str(finding.pk) for finding in self._chosen(request, alert))
        query = urlencode({"chosen": chosen, "p": request.POST.get("p", "")})
        return HttpResponseRedirect(f"{self.address('change', alert.pk)}?{query}")

    def back(self, shown: Any) -> HttpResponseRedirect:
        model_admin: Any = self.admin_site._registry[type(shown)]
        return ConsoleAdmin.back(model_admin, shown)


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
        raise ValidationError({"expires_at": [_t("Write the day like 2027-01-31.")]})
    return timezone.make_aware(datetime.combine(date, time.max))


def _titles(request: HttpRequest) -> list[tuple[str, str]]:
    return sorted(((each.id, each.title) for each in registry().rules.values()), key=lambda pair: pair[1])


@admin.register(Finding)
class FindingAdmin(ConsoleAdmin):
    list_display = ("shown_verdict", "found", "shown_rule", "account", "region", "changed")
    list_display_links = ("found",)
    list_select_related = ("account", "resource")
    list_title = _("Findings")
    nothing = _("A scan writes here what each rule said about each resource.")
    detail_template = "console/finding.html"
    filters = (
        Filter("verdict", _("Verdict"), fixed(*VERDICTS.items()), by_field("verdict")),
        Filter("account", _("Account"), accounts, by_account),
        Filter("region", _("Region"), regions, by_field("resource__region")),
        Filter("rule", _("Rule"), _titles, by_field("rule_id")),
        Filter("policy", _("Policy"), _policies, lambda rows, value: rows.filter(rule_id__in=_rules_of(value))),
        Filter(
            "standing",
            _("For compliance"),
            fixed(*Standing.choices),
            lambda rows, value: rows.annotate(standing=STANDING).filter(standing=value),
        ),
    )

    @admin.display(description=_("verdict"), ordering="verdict")
    def shown_verdict(self, finding: Finding) -> SafeString:
        return verdict(finding)

    @admin.display(description=_("resource"), ordering="resource__name")
    def found(self, finding: Finding) -> SafeString:
        why = _t("missing: %(permission)s") % {"permission": finding.permission} if finding.permission else ""
        text = " · ".join(part for part in (finding.message[:200], why) if part)
        return format_html('{} <div class="neph-small neph-subtle">{}</div>', finding.resource.name, text)

    @admin.display(description=_("rule"), ordering="rule_id")
    def shown_rule(self, finding: Finding) -> SafeString:
        title = judged(finding, registry().rules.get(finding.rule_id))
        return format_html('<div>{}<div class="neph-id">{}</div></div>', title, finding.rule_id)

    @admin.display(description=_("region"), ordering="resource__region")
    def region(self, finding: Finding) -> str:
        return finding.resource.region

    @admin.display(description=_("changed"), ordering="changed_at")
    def changed(self, finding: Finding) -> Any:
        return when(finding.changed_at)

    def matching(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        """Every word in the resource's name, or the rule's id or title."""
        for word in text.split():
            titled = [each.id for each in registry().rules.values() if word.lower() in each.title.lower()]
            found = Q(resource__name__icontains=word) | Q(rule_id__icontains=word) | Q(rule_id__in=titled)
            rows = rows.filter(found)
        return rows

    def detail(self, request: HttpRequest, shown: Finding) -> dict[str, Any]:
        return {"rule": registry().rules.get(shown.rule_id)}

    def named(self, shown: Finding) -> str:
        return shown.resource.name


def _rules_of(framework: str) -> frozenset[str]:
    known = frameworks().get(framework)
    return known.rules if known else frozenset()
