"""Resources in the console."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, F, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from nephoscope.alerts.commands import commands_of
from nephoscope.changes import ledger
from nephoscope.changes.models import Change
from nephoscope.changes.services import can_undo
from nephoscope.console.kit.admin import ConsoleAdmin
from nephoscope.console.kit.catalogue import catalogue_of
from nephoscope.console.kit.filters import Filter, accounts, by_account, by_field, fixed
from nephoscope.console.pages.alert import regions
from nephoscope.console.templatetags.neph import type_name, when
from nephoscope.domain import together
from nephoscope.inventory import queries
from nephoscope.inventory.models import Resource
from nephoscope.plugins import registry

CHANGES = 10
"""Changes that a resource's page shows; the list has all."""


def _types(request: HttpRequest) -> list[tuple[str, str]]:
    types = {type for provider in registry().providers.values() for each in provider.services for type in each.types}
    return [(each, type_name(each)) for each in sorted(types)]


@admin.register(Resource)
class ResourceAdmin(ConsoleAdmin):
    list_display = ("shown_name", "shown_type", "region", "account", "shown_tags", "shown_failing", "changed")
    list_display_links = ("shown_name",)
    list_select_related = ("account",)
    list_title = _("Resources")
    nothing = _("Resources appear here after a scan.")
    search_hint = _("Name, ID, type or tag, such as env=prod")
    of_accounts = True
    detail_template = "console/resource.html"
    filters = (
        Filter("type", _("Type"), _types, by_field("type")),
        Filter("account", _("Account"), accounts, by_account),
        Filter("region", _("Region"), regions, by_field("region")),
        Filter(
            "gone", _("State"), fixed(("1", _("Deleted"))), lambda rows, value: rows.exclude(gone_at=None), _("Active")
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("properties")

    def narrow(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        rows = super().narrow(request, rows)
        rows = rows.annotate(failing=Count("findings", Q(findings__failing_since__isnull=False)))
        return rows if request.GET.get("gone") else rows.filter(gone_at=None)

    def matching(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        return queries.matching(rows, text)

    @admin.display(description=_("name"), ordering="name")
    def shown_name(self, resource: Resource) -> str:
        return resource.name

    @admin.display(description=_("type"), ordering="type")
    def shown_type(self, resource: Resource) -> str:
        return type_name(resource.type)

    @admin.display(description=_("tags"))
    def shown_tags(self, resource: Resource) -> SafeString:
        tags = [f"{key}={value}" for key, value in sorted(resource.tags.items())[:4]]
        return format_html_join(" ", '<span class="neph-chip" title="{}">{}</span>', ((tag, tag) for tag in tags))

    @admin.display(description=_("failing"), ordering="failing")
    def shown_failing(self, resource: Any) -> int:
        return int(resource.failing)

    @admin.display(description=_("changed"), ordering="changed_at")
    def changed(self, resource: Resource) -> Any:
        return when(resource.changed_at)

    def detail(self, request: HttpRequest, shown: Resource) -> dict[str, Any]:
        rows = shown.findings.select_related("alert", "resource").defer("resource__properties")
        findings = list(rows.order_by(F("failing_since").desc(nulls_last=True), "rule_id"))
        known = catalogue_of(request)
        blocks = commands_of(findings, known)
        changes = ledger.of_resource(Change.objects.visible_to(request.user), str(shown.pk))
        changes = changes.select_related("planned_by", "approved_by", "undo_by").prefetch_related("steps")
        newest = list(changes[: CHANGES + 1])
        return {
            "changes": [(each, can_undo(each)) for each in newest[:CHANGES]],
            "more_changes": len(newest) > CHANGES,
            "findings": [(each, known.rule(each.rule_id)) for each in findings],
            "commands": [
                (known.title(each.rule_id), each.pk, blocks[each.pk]) for each in findings if each.pk in blocks
            ],
            "all_commands": together(blocks.values()),
        }
