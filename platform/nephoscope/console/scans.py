"""Resources and scans in the console."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from nephoscope.audit.services import Actor
from nephoscope.console.kit.admin import ConsoleAdmin, attempt
from nephoscope.console.kit.filters import Filter, accounts, by_account, by_field, fixed
from nephoscope.console.templatetags.neph import state, when
from nephoscope.domain import ALL_REGIONS
from nephoscope.inventory.models import JUDGE, Scan, ScanState, Shard, ShardState
from nephoscope.plugins import registry
from nephoscope.scans import services as scans
from nephoscope.searching import having, in_any


def described(found: scans.Progress) -> str:
    """Return a scan's progress in words; one that failed and read nothing has no number to show."""
    if found.failed and not found.resources and found.percent == 100:
        return found.phase
    resources = ngettext("%(n)s resource", "%(n)s resources", found.resources) % {"n": found.resources}
    return f"{found.phase} · {found.percent}% · {resources}"


def _parts(shards: list[Shard], names: dict[str, str]) -> list[dict[str, Any]]:
    """Gather the shards by service; one that is not simply done stays in sight."""
    parts: dict[str, dict[str, Any]] = {}
    for shard in shards:
        name = _t("Evaluating") if shard.service == JUDGE else names.get(shard.service, shard.service)
        part = parts.setdefault(
            shard.service, {"id": shard.service, "name": name, "shards": [], "resources": 0, "done": 0}
        )
        part["shards"].append(shard)
        part["resources"] += shard.resources
        part["done"] += shard.state == ShardState.DONE
    for part in parts.values():
        part["known"] = bool(part["done"] or part["resources"])
    return list(parts.values())


def _failures(shards: list[Shard], names: dict[str, str]) -> list[tuple[str, list[str]]]:
    """Return what went wrong, each error once with the parts that it stopped."""
    found: dict[str, list[str]] = {}
    for shard in shards:
        if shard.error:
            name = _t("Evaluating") if shard.service == JUDGE else names.get(shard.service, shard.service)
            part = name if shard.region == ALL_REGIONS else f"{name}, {shard.region}"
            found.setdefault(shard.error, []).append(part)
    return sorted(found.items(), key=lambda one: -len(one[1]))


def _gaps(shards: list[Shard], names: dict[str, str]) -> list[tuple[str, str, dict[str, str]]]:
    """Return what could not be read: service, regions, and what and why; equal ones of several regions as one."""
    found: dict[tuple[str, ...], tuple[dict[str, str], list[str]]] = {}
    for shard in shards:
        for gap in shard.gaps:
            key = (shard.service, gap["type"], gap["permission"], gap["reason"])
            regions = found.setdefault(key, (gap, []))[1]
            if shard.region not in (ALL_REGIONS, *regions):
                regions.append(shard.region)
    return [(names.get(key[0], key[0]), ", ".join(regions), gap) for key, (gap, regions) in found.items()]


@admin.register(Scan)
class ScanAdmin(ConsoleAdmin):
    list_display = ("shown_name", "shown_state", "account", "who", "requested", "took")
    list_display_links = ("shown_name",)
    list_select_related = ("account", "requested_by")
    list_title = _("Scans")
    nothing = _("Connect an account, then click “Scan now” on its page.")
    detail_template = "console/scan.html"
    filters = (
        Filter("state", _("State"), fixed(*ScanState.choices), by_field("state")),
        Filter("account", _("Account"), accounts, by_account),
    )

    @admin.display(description=_("scan"), ordering="pk")
    def shown_name(self, scan: Scan) -> str:
        return _t("Scan %(number)s") % {"number": scan.pk}

    @admin.display(description=_("state"), ordering="state")
    def shown_state(self, scan: Scan) -> SafeString:
        return state(scan.state, scan.get_state_display())

    @admin.display(description=_("requested by"))
    def who(self, scan: Scan) -> str:
        return str(scan.requested_by or "—")

    @admin.display(description=_("requested"), ordering="created_at")
    def requested(self, scan: Scan) -> Any:
        return when(scan.created_at)

    @admin.display(description=_("duration"))
    def took(self, scan: Scan) -> str:
        if not (scan.started_at and scan.finished_at):
            return "—"
        return _t("%(seconds).1f s") % {"seconds": (scan.finished_at - scan.started_at).total_seconds()}

    def matching(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        return having(rows, text, in_any("account__name"))

    def named(self, shown: Scan) -> str:
        return self.shown_name(shown)

    def detail(self, request: HttpRequest, shown: Scan) -> dict[str, Any]:
        found = scans.progress(shown)
        names = {each.id: each.name for provider in registry().providers.values() for each in provider.services}
        shards = list(shown.shards.all())
        return {
            "progress": found,
            "progress_text": described(found),
            "parts": _parts(shards, names),
            "failures": _failures(shards, names),
            "gaps": _gaps(shards, names),
        }

    def get_urls(self) -> list[Any]:
        return [*self.paths("cancel"), *self.paths("progress", post=False), *super().get_urls()]

    def cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        scan, actor = self.find(request, pk), Actor.from_request(request)
        if attempt(request, lambda: scans.cancel_scan(actor, scan)) is not None:
            messages.success(request, _t("Cancelling the scan. Nothing is closed by it."))
        return self.back(scan)

    @method_decorator(require_safe)
    def progress(self, request: HttpRequest, pk: int) -> JsonResponse:
        """Say how far the scan is, for the script that follows it."""
        scan = self.find(request, pk)
        found = scans.progress(scan)
        return JsonResponse({"active": scan.active, "percent": found.percent, "text": described(found)})
