"""Bulk changes in the console: one fix for many resources, reviewed, approved, followed and undone as one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from nephoscope.alerts.models import Finding
from nephoscope.alerts.queries import ids
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.changes import sets
from nephoscope.changes.approvals import any_needs_second, why_not_second
from nephoscope.changes.giving_up import discard_plan
from nephoscope.changes.models import ChangeSet, ChangeState, SetItem, SetState
from nephoscope.changes.set_queries import (
    NAMED,
    STAGES,
    WRONG,
    Progress,
    items_of,
    left_out,
    progress,
    reach,
    review,
    with_stage,
)
from nephoscope.console.changes import shown_inputs
from nephoscope.console.forms.changes import InputsForm
from nephoscope.console.kit.admin import ConsoleAdmin, attempt, page
from nephoscope.console.kit.filters import Filter, accounts, fixed
from nephoscope.console.templatetags.neph import state, when
from nephoscope.plugins import registry
from nephoscope.policies.queries import catalogue
from nephoscope.searching import having, in_any

PER_PAGE = 50
"""Resources of a set on one page."""

UNDOABLE = (ChangeState.APPROVED, ChangeState.APPLIED, ChangeState.VERIFIED, ChangeState.FAILED)


def _of_account(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
    items = SetItem.objects.filter(change_set=OuterRef("pk"), account__in=ids(value))
    return rows.filter(Exists(items))


@admin.register(ChangeSet)
class ChangeSetAdmin(ConsoleAdmin):
    list_display = ("shown_title", "shown_state", "shown_resources", "who", "planned")
    list_display_links = ("shown_title",)
    list_select_related = ("planned_by", "approved_by")
    list_title = _("Bulk changes")
    nothing = _("A bulk change appears here when someone plans a fix for many resources, from an alert or a rule.")
    detail_template = "console/changeset.html"
    search_hint = _("Title, rule or resource name")
    filters = (
        Filter("state", _("State"), fixed(*STAGES), lambda rows, value: rows.filter(stage=value)),
        Filter("account", _("Account"), accounts, _of_account),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return with_stage(super().get_queryset(request))

    @admin.display(description=_("bulk change"), ordering="pk")
    def shown_title(self, found: ChangeSet) -> SafeString:
        return format_html('<span class="neph-title">{} <span class="neph-id">{}</span></span>', found.title, found)

    @admin.display(description=_("state"))
    def shown_state(self, found: Any) -> SafeString:
        return state(found.stage, str(dict(STAGES)[found.stage]))

    @admin.display(description=_("resources"), ordering="resources")
    def shown_resources(self, found: Any) -> int:
        count: int = found.resources
        return count

    @admin.display(description=_("who"))
    def who(self, found: ChangeSet) -> str:
        return str(found.approved_by or found.planned_by or "—")

    @admin.display(description=_("planned"), ordering="planned_at")
    def planned(self, found: ChangeSet) -> Any:
        return when(found.planned_at)

    def matching(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        items = SetItem.objects.filter(change_set=OuterRef("pk"))

        def holds(word: str) -> Q:
            return in_any("title", "rule")(word) | Q(Exists(items.filter(resource_name__icontains=word)))

        return having(rows, text, holds)

    def detail(self, request: HttpRequest, shown: Any, **more: Any) -> dict[str, Any]:
        counted = progress(shown)
        live = shown.state == SetState.PLANNING or counted.moving > 0
        planned = shown.state in (SetState.PLANNED, SetState.HALF_APPROVED)
        waiting = shown.changes.filter(state=ChangeState.PLANNED)
        history = Entry.objects.visible_to(request.user).filter(target_type="changeset", target_id=str(shown.pk))
        return {
            "title": shown.title,
            "stage": dict(STAGES)[shown.stage],
            "inputs": shown_inputs(shown),
            "rule": catalogue().rule(shown.rule),
            "counted": counted,
            "count": counted.of(ChangeState.PLANNED),
            "states": _states(counted),
            "progress": said(shown, counted),
            "done": counted.looked_at if shown.state == SetState.PLANNING else counted.over,
            "all": counted.resources if shown.state == SetState.PLANNING else counted.changes,
            "live": live,
            "planned": planned,
            "review": None if shown.state == SetState.PLANNING else review(shown),
            "left_out": left_out(shown),
            "rows": _page(request, shown, live),
            "wrong": items_of(shown, *WRONG)[:NAMED] if live and counted.wrong else [],
            "needs_second": planned and any_needs_second(waiting),
            "not_second": why_not_second(request.user, shown) if shown.state == SetState.HALF_APPROVED else "",
            "most": sets.most_at_once(),
            "must_confirm": counted.of(ChangeState.PLANNED) > sets.most_at_once(),
            "undoable": any(counted.of(each) for each in UNDOABLE),
            "history": history[:50],
            **more,
        }

    # -- Acts ----------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        new = path("new/", self.admin_site.admin_view(self.new), name=self._name("new"))
        return [new, *self.paths("approve", "stop", "discard", "remove", "undo"), *super().get_urls()]

    def new(self, request: HttpRequest) -> HttpResponse:
        """Say what a fix would be planned for, and ask what it needs to know; posted to, go to the bulk change.

        The address names the rule, the fix, and either findings or the filters of the list of findings.
        """
        actor = Actor.from_request(request)
        actor.require("change")
        rule = catalogue().rule(request.GET.get("rule", ""))
        remediation = registry().remediations.get(request.GET.get("remediation", ""))
        if rule is None or remediation is None or remediation.id not in rule.remediations:
            messages.error(request, _t("Choose the fix on the page of a rule or an alert."))
            return HttpResponseRedirect(reverse("admin:rules"))
        findings = self._findings(request)
        found = reach(findings)
        form = InputsForm(remediation, request.POST if request.method == "POST" else None, {})
        if form.is_valid():
            try:
                return self.back(sets.plan_set(actor, findings, remediation.id, form.cleaned_data))
            except ValidationError as error:
                form.refuse(error)
        rows = sets.fixable(findings).filter(account__in=[each.pk for each, _count in found.ready])
        crumbs = [(self.list_title, self.address("changelist")), (remediation.title, "")]
        return page(
            request,
            "console/changeset_new.html",
            remediation.title,
            crumbs=crumbs,
            rule=rule,
            remediation=remediation,
            reach=found,
            findings=rows.select_related("resource", "account").defer("resource__properties")[:PER_PAGE],
            more=max(0, found.count - PER_PAGE),
            form=form,
        )

    def _findings(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the findings that the address names, by their ids or as the list of findings is filtered."""
        if chosen := [pk for text in request.GET.getlist("finding") for pk in ids(text)]:
            return Finding.objects.visible_to(request.user).filter(rule_id=request.GET["rule"], pk__in=chosen)
        findings: Any = self.admin_site._registry[Finding]
        found: QuerySet[Any] = findings.listed(request)
        return found

    def approve(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Approve all plans by the digest over theirs; what cannot be wholly undone is asked about twice."""
        found, actor = self.find(request, pk), Actor.from_request(request)
        actor.require("change")
        confirmed = request.POST.get("confirmed", "").strip()
        number = int(confirmed) if confirmed.isdecimal() and len(confirmed) < 10 else None
        given = {name: request.POST.get(name, "") for name in ("digest", "reason")}
        understood = "irreversible" in request.POST
        try:
            sets.approve_set(actor, found, confirmed=number, irreversible=understood, **given)
        except ValidationError as error:
            return self._again(request, found, error.message_dict)
        return self.back(found)

    def stop(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take what no worker has begun out of the queue, or end the planning."""
        found, actor = self.find(request, pk), Actor.from_request(request)
        count = attempt(request, lambda: sets.stop_set(actor, found))
        if count is not None:
            text = ngettext("Stopped. %(n)s change was withdrawn.", "Stopped. %(n)s changes were withdrawn.", count)
            messages.success(request, text % {"n": count})
        return self.back(found)

    def discard(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Throw all plans away."""
        found, actor = self.find(request, pk), Actor.from_request(request)
        if attempt(request, lambda: sets.discard_set(actor, found)):
            messages.success(request, _t("Discarded the bulk change."))
        return self.back(found)

    def remove(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Throw one plan away; the bulk change goes on without it."""
        found, actor = self.find(request, pk), Actor.from_request(request)
        actor.require("change")
        change = found.changes.filter(pk__in=ids(request.POST.get("change", ""))).select_related("item").first()
        if change is None:
            raise Http404
        if attempt(request, lambda: discard_plan(actor, change)):
            messages.success(request, _t("Removed %(name)s.") % {"name": change.item.resource_name})
        return self.back(found)

    def undo(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Queue that what was before is put back, of all that can be undone."""
        found, actor = self.find(request, pk), Actor.from_request(request)
        try:
            count, problems = sets.undo_set(actor, found, reason=request.POST.get("reason", ""))
        except ValidationError as error:
            return self._again(request, found, {"undo": error.messages})
        text = ngettext("Undoing %(n)s change.", "Undoing %(n)s changes.", count)
        messages.success(request, text % {"n": count})
        for problem in problems[:5]:
            messages.warning(request, problem)
        return self.back(found)

    def _again(self, request: HttpRequest, found: ChangeSet, errors: dict[str, list[str]]) -> HttpResponse:
        """Show the page again with what is wrong; errors of no field of the form stand above it."""
        found = self.find(request, found.pk)
        for field in errors.keys() - {"reason", "irreversible", "confirmed", "undo"}:
            for message in errors[field]:
                messages.error(request, message)
        return self.show(request, found, **self.detail(request, found, errors=errors))


def _page(request: HttpRequest, found: ChangeSet, live: bool) -> Any:
    """Return a page of a set's changes: those first that need a person, but in their order while they change."""
    wanted = request.GET.get("state", "")
    rows = items_of(found, *([wanted] if wanted in ChangeState.values else []))
    return Paginator(rows.order_by("pk") if live else rows, PER_PAGE).get_page(request.GET.get("p"))


def _states(counted: Progress) -> list[tuple[str, Any, int]]:
    """Return how many changes are in each state, to be chosen among; nothing where all are in one."""
    rows = [(each.value, each.label, counted.of(each)) for each in ChangeState if counted.of(each)]
    return rows if len(rows) > 1 else []


def said(found: ChangeSet, counted: Progress) -> str:
    """Say how far a set is."""
    if found.state == SetState.PLANNING:
        return _t("Planned %(n)s of %(all)s resources.") % {"n": counted.looked_at, "all": counted.resources}
    if not counted.moving:
        rows = [(each.label, counted.of(each)) for each in ChangeState if counted.of(each)]
        return " · ".join(f"{label}: {count}" for label, count in rows) or _t("Nothing was changed.")
    parts = [_t("%(n)s of %(all)s done.") % {"n": counted.over, "all": counted.changes}]
    for count, text in (
        (counted.of(ChangeState.FAILED), _t("%(n)s failed.")),
        (counted.of(ChangeState.REFUSED), _t("%(n)s refused.")),
        (counted.of(ChangeState.APPROVED) + counted.of(ChangeState.UNDO_QUEUED), _t("%(n)s queued.")),
        (counted.of(ChangeState.APPLYING) + counted.of(ChangeState.UNDOING), _t("%(n)s in progress.")),
        (counted.of(ChangeState.WAITING), _t("%(n)s applied, waiting.")),
    ):
        parts += [text % {"n": count}] if count else []
    return " ".join(parts)
