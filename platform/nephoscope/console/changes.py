"""Plans and changes in the console: what exactly will change, and can I take it back?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.changes import ledger
from nephoscope.changes.approvals import approve_change, needs_second, why_not_second
from nephoscope.changes.automatic_models import AutomaticFix
from nephoscope.changes.diff import diff
from nephoscope.changes.giving_up import discard_plan
from nephoscope.changes.models import (
    GIVEN_UP,
    QUEUED,
    UNDER_WAY,
    Change,
    ChangeSet,
    ChangeState,
    ChangeStep,
    StepState,
)
from nephoscope.changes.readiness import readiness
from nephoscope.changes.services import can_undo, request_undo
from nephoscope.changes.stored import undo_digest
from nephoscope.changes.summary import closes, losses, needed
from nephoscope.console.kit.admin import ConsoleAdmin, attempt
from nephoscope.console.kit.filters import LAST_DAYS, Choices, Filter, accounts, fixed
from nephoscope.console.templatetags.neph import state, when
from nephoscope.plugins import registry

UNFOLDED = 3
"""Steps of a plan whose calls are shown at once; of more, each is unfolded."""

NAMED = 3
"""Resources of a change that the list names."""

APPLIED_LATER = (ChangeState.PLANNED, ChangeState.HALF_APPROVED, ChangeState.APPROVED, ChangeState.APPLYING)
"""States in which a step that was not begun, or not ended, still can be."""

INTERRUPTED = {
    StepState.PENDING: _("Not applied"),
    StepState.APPLYING: _("May have been made"),
    StepState.WAITING: _("Made, not confirmed"),
    StepState.UNDOING: _("May have been undone"),
}
"""What a step is called that the worker left so."""


def step_state(change: Change, step: ChangeStep) -> Any:
    """Return how far a step is, in words."""
    undoing = step.state == StepState.UNDOING
    goes_on = change.state == ChangeState.UNDOING if undoing else change.state in APPLIED_LATER
    goes_on = goes_on and not (change.state in UNDER_WAY and not change.held)
    return step.get_state_display() if goes_on else INTERRUPTED.get(StepState(step.state), step.get_state_display())


def shown_steps(change: Change) -> list[dict[str, Any]]:
    """Return the steps with their calls and differences, readable."""
    return [
        {
            "step": step,
            "state": step_state(change, step),
            "call": step.call["label"],
            "inverse": step.inverse["label"] if step.inverse else "",
            "diff": diff(step.before, step.after),
        }
        for step in change.steps.all()
    ]


def named_few(names: Sequence[str]) -> str:
    """Name a few of a change's resources, and say how many more there are."""
    more = _t(" and %(n)s more") % {"n": len(names) - NAMED} if names[NAMED:] else ""
    return ", ".join(names[:NAMED]) + more


def progress(change: Change, steps: list[ChangeStep]) -> str:
    """Say how far a worker is with the change, or how it ended."""
    if change.state in (ChangeState.APPROVED, ChangeState.UNDO_QUEUED):
        return _t("Waiting for a worker.")
    if change.state in UNDER_WAY and not change.held:
        return _t("Its worker has stopped. Each step shows how far it got.")
    if change.quiet_at and change.state == ChangeState.UNDOING and change.quiet_at > timezone.now():
        return _t("Waiting until the last call of the worker that stopped can no longer reach the cloud.")
    if change.state == ChangeState.UNDOING:
        return _at(_t("Undoing step %(n)s of %(all)s."), steps, StepState.UNDOING) or _t("Verifying.")
    if change.state == ChangeState.APPLYING:
        waiting = _at(_t("Waiting for step %(n)s of %(all)s."), steps, StepState.WAITING)
        applying = _at(_t("Applying step %(n)s of %(all)s."), steps, StepState.APPLYING, StepState.PENDING)
        return waiting or applying or _t("Verifying.")
    return change.outcome


def _at(text: str, steps: list[ChangeStep], *states: StepState) -> str:
    """Put the number of the first step that is in one of these states into a text; nothing where none is."""
    number = next((step.position + 1 for step in steps if step.state in states), None)
    return text % {"n": number, "all": len(steps)} if number else ""


def shown_inputs(change: Change | ChangeSet | AutomaticFix) -> list[tuple[str, str]]:
    """Return what was entered for the fix, under its labels."""
    remediation = registry().remediations.get(change.remediation)
    labels = {each.name: each.label for each in remediation.inputs} if remediation else {}
    return [(labels.get(name, name), value) for name, value in change.inputs.items()]


def replannable(user: Any, change: Change) -> list[int]:
    """Return the findings for which the user may plan the fix again, because this change did not do it."""
    if change.state not in GIVEN_UP or not readiness(user, change.alert).ready:
        return []
    resources = {step.resource_id for step in change.steps.all()}
    failing = change.alert.findings.filter(failing_since__isnull=False, suppression=None)
    return list(failing.filter(resource__resource_id__in=resources).values_list("pk", flat=True))


def _users(request: HttpRequest) -> Choices:
    return [(each, each) for each in ledger.users(request.user)]


@admin.register(Change)
class ChangeAdmin(ConsoleAdmin):
    list_display = ("shown_title", "shown_state", "account", "resources", "shown_alert", "who", "planned")
    list_display_links = ("shown_title",)
    list_select_related = ("account", "alert", "planned_by", "approved_by")
    list_title = _("Changes")
    nothing = _("A change appears here when someone plans a fix from an alert.")
    search_hint = _("Fix, alert, reason, resource name or ID")
    detail_template = "console/change.html"
    filters = (
        Filter("state", _("State"), fixed(*ChangeState.choices), ledger.in_state),
        Filter("account", _("Account"), accounts, ledger.of_account),
        Filter("fix", _("Fix"), lambda request: ledger.fixes(request.user), ledger.of_fix),
        Filter("rule", _("Rule"), lambda request: ledger.rules(request.user), ledger.of_rule),
        Filter("user", _("Who"), _users, ledger.by_user),
        Filter("since", _("Time"), LAST_DAYS, ledger.since, _("Any time")),
    )

    @admin.display(description=_("change"), ordering="pk")
    def shown_title(self, change: Change) -> SafeString:
        return format_html('<span class="neph-title">{} <span class="neph-id">{}</span></span>', change.title, change)

    @admin.display(description=_("state"), ordering="state")
    def shown_state(self, change: Change) -> SafeString:
        return state(change.state, change.get_state_display())

    @admin.display(description=_("alert"), ordering="alert")
    def shown_alert(self, change: Change) -> str:
        return f"{change.alert.title} ({change.alert})"

    @admin.display(description=_("who"))
    def who(self, change: Change) -> str:
        user = change.approved_by or change.planned_by or "—"
        return _t("%s (automatic)") % user if change.automatic_id else str(user)

    @admin.display(description=_("planned"), ordering="planned_at")
    def planned(self, change: Change) -> Any:
        return when(change.planned_at)

    @admin.display(description=_("resources"))
    def resources(self, change: Any) -> str:
        return named_few(change.resource_names)

    def narrow(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Beside the filters, ``resource=42`` gives the changes of one resource; its page links to it."""
        rows, resource = super().narrow(request, rows), request.GET.get("resource", "").replace("\x00", "")
        return ledger.of_resource(rows, resource) if resource else rows

    def matching(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        return ledger.matching(rows, text)

    def complete(self, request: HttpRequest, rows: Iterable[Any]) -> None:
        names = ledger.names(rows)
        for each in rows:
            each.resource_names = names.get(each.pk, [])

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        asked = {name: str(value) for name, value in request.GET.items() if name in ledger.FILTERS and value}
        export = f"{reverse('changes-csv')}?{urlencode(asked)}"
        return super().changelist_view(request, {"exports": [("CSV", export)], **(extra_context or {})})

    def detail(self, request: HttpRequest, shown: Change, **more: Any) -> dict[str, Any]:
        steps = shown_steps(shown)
        history = Entry.objects.visible_to(request.user)
        planned = shown.state in (ChangeState.PLANNED, ChangeState.HALF_APPROVED)
        return {
            "title": shown.title,
            "steps": steps,
            "resources": len({each["step"].resource_id for each in steps}),
            "needed": needed(shown),
            "replannable": replannable(request.user, shown),
            "reversible": all(each["step"].inverse for each in steps),
            "losses": losses(shown),
            "closes": closes(shown),
            "inputs": shown_inputs(shown),
            "planned": planned,
            "needs_second": planned and needs_second(shown),
            "not_second": why_not_second(request.user, shown) if shown.state == ChangeState.HALF_APPROVED else "",
            "unfolded": planned and len(steps) <= UNFOLDED,
            "live": shown.state in (*QUEUED, *UNDER_WAY, ChangeState.WAITING),
            "progress": progress(shown, [each["step"] for each in steps]),
            "undoable": can_undo(shown),
            "undo_digest": undo_digest(shown.steps.all()),
            "withdrawable": shown.state == ChangeState.APPROVED,
            "history": history.filter(target_type="change", target_id=str(shown.pk))[:50],
            **more,
        }

    # -- Acts ----------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        return [*self.paths("apply", "discard", "undo"), *super().get_urls()]

    def apply(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Approve the plan by its digest, and queue it; one that cannot be wholly undone is asked about twice."""
        change, actor = self.find(request, pk), Actor.from_request(request)
        actor.require("change")
        digest, reason = request.POST.get("digest", ""), request.POST.get("reason", "")
        try:
            approve_change(actor, change, digest=digest, reason=reason, irreversible="irreversible" in request.POST)
        except ValidationError as error:
            return self._again(request, change, error.message_dict)
        return self.back(change)

    def discard(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Throw the plan away."""
        change, actor = self.find(request, pk), Actor.from_request(request)
        if attempt(request, lambda: discard_plan(actor, change)):
            messages.success(request, _t("Discarded the plan."))
        return self.back(change)

    def undo(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Queue that what was before is put back."""
        change, actor = self.find(request, pk), Actor.from_request(request)
        try:
            request_undo(actor, change, reason=request.POST.get("reason", ""), digest=request.POST.get("digest"))
        except ValidationError as error:
            return self._again(request, change, {"undo": error.messages})
        return self.back(change)

    def _again(self, request: HttpRequest, change: Change, errors: dict[str, list[str]]) -> HttpResponse:
        """Show the page again with what is wrong; errors of no field of the form stand above it."""
        change.refresh_from_db()
        for field in errors.keys() - {"reason", "irreversible", "undo"}:
            for message in errors[field]:
                messages.error(request, message)
        return self.show(request, change, **self.detail(request, change, errors=errors))
