"""Findings in the console."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from nephoscope import domain
from nephoscope.accounts.permissions import may, require
from nephoscope.alerts.commands import commands_of
from nephoscope.alerts.exports import as_json
from nephoscope.alerts.models import Finding, VerdictChoice
from nephoscope.alerts.queries import findings_matching
from nephoscope.api.kit.downloads import download
from nephoscope.changes.sets import fixable
from nephoscope.compliance.states import STANDING, Standing
from nephoscope.console.kit.admin import ConsoleAdmin
from nephoscope.console.kit.catalogue import catalogue_of
from nephoscope.console.kit.filters import Filter, accounts, by_account, by_field, fixed, policies
from nephoscope.console.pages.alert import regions
from nephoscope.console.templatetags.neph import VERDICTS, judged, verdict, when
from nephoscope.plugins import registry
from nephoscope.policies.demands import by_message, unmet
from nephoscope.policies.queries import catalogue


def _titles(request: HttpRequest) -> list[tuple[str, str]]:
    rules = catalogue_of(request).rules.values()
    return sorted(((each.id, each.title) for each in rules), key=lambda pair: pair[1])


@admin.register(Finding)
class FindingAdmin(ConsoleAdmin):
    list_display = ("shown_verdict", "found", "shown_rule", "account", "region", "changed")
    list_display_links = ("found",)
    list_select_related = ("account", "resource")
    list_title = _("Findings")
    nothing = _("Findings appear here after a scan: each rule's verdict on each resource.")
    of_accounts = True
    detail_template = "console/finding.html"
    search_hint = _("Resource name or ID, or rule")
    filters = (
        Filter("verdict", _("Verdict"), fixed(*VERDICTS.items()), by_field("verdict")),
        Filter("account", _("Account"), accounts, by_account),
        Filter("region", _("Region"), regions, by_field("resource__region")),
        Filter("rule", _("Rule"), _titles, by_field("rule_id")),
        Filter("policy", _("Policy"), policies, lambda rows, value: rows.filter(rule_id__in=_rules_of(value))),
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
    def shown_rule(self, finding: Any) -> SafeString:
        title = judged(finding, finding.rule)
        return format_html('<div>{}<div class="neph-id">{}</div></div>', title, finding.rule_id)

    @admin.display(description=_("region"), ordering="resource__region")
    def region(self, finding: Finding) -> str:
        return finding.resource.region

    @admin.display(description=_("changed"), ordering="changed_at")
    def changed(self, finding: Finding) -> Any:
        return when(finding.changed_at)

    def complete(self, request: HttpRequest, rows: Iterable[Any]) -> None:
        known = catalogue_of(request)
        for each in rows:
            each.rule = known.rule(each.rule_id)

    def matching(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        return findings_matching(rows, text)

    @admin.display(description=_("select"))
    def box(self, finding: Finding) -> SafeString | str:
        if not finding.failing_since or finding.suppression_id or finding.resource.gone_at:
            return ""
        text = '<input type="checkbox" form="fix-form" name="finding" value="{}" aria-label="{}">'
        return format_html(text, finding.pk, _t("Choose %(name)s") % {"name": finding.resource.name})

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return ("box", *self.list_display) if self._fixes(request) else self.list_display

    def _fixes(self, request: HttpRequest) -> list[domain.Remediation]:
        """Return what fixes the findings of the list, where it is narrowed to one rule and the user may."""
        rule = catalogue_of(request).rule(request.GET.get("rule", ""))
        known = registry().remediations
        wanted = rule.remediations if rule and may(request.user, "change") else ()
        return [known[id] for id in wanted if id in known]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        query = f"?{request.GET.urlencode()}" if request.GET else ""
        exports = [(each.name, self.address("export", each.id) + query) for each in registry().exports.values()]
        count = fixable(self.listed(request)).count() if self._fixes(request) else 0
        shown = {"exports": exports, "fixes": self._fixes(request) if count else [], "fixable": count}
        return super().changelist_view(request, {**shown, **(extra_context or {})})

    def listed(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the findings that the user may see, narrowed as the request says."""
        rows = self.narrow(request, self.get_queryset(request))
        found: QuerySet[Any] = self.get_search_results(request, rows, request.GET.get("q", "").strip())[0]
        return found

    def get_urls(self) -> list[Any]:
        view = self.looking(self.export)
        return [path("export/<slug:form>/", view, name=self._name("export")), *super().get_urls()]

    def export(self, request: HttpRequest, form: str) -> StreamingHttpResponse:
        """Answer with all findings of the list, as it is narrowed, that an export fits."""
        export = registry().exports.get(form)
        if export is None:
            raise Http404
        require(request.user, "view")
        return download(as_json(self.listed(request), export), export.media_type, f"findings{export.suffix}")

    def detail(self, request: HttpRequest, shown: Finding) -> dict[str, Any]:
        known = catalogue_of(request)
        blocks, rule = commands_of([shown], known), known.rule(shown.rule_id)
        passes = shown.verdict == VerdictChoice.PASS
        return {
            "rule": rule,
            "unmet": by_message(unmet(rule, [shown.account], known)) if rule and passes else {},
            "commands": [(shown.resource.name, *each) for each in blocks.items()],
        }

    def named(self, shown: Finding) -> str:
        return shown.resource.name


def _rules_of(framework: str) -> frozenset[str]:
    known = catalogue().policies.get(framework)
    return known.rules if known else frozenset()
