"""Plans and changes in the console: what exactly will change, and can I take it back?"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.changes.models import Change, ChangeState, StepState
from nephoscope.changes.services import UNDOABLE, apply_change, readiness, undo_change
from nephoscope.console.kit.admin import ConsoleAdmin
from nephoscope.console.kit.diff import diff
from nephoscope.console.kit.filters import Filter, accounts, by_account, by_field, fixed
from nephoscope.console.templatetags.neph import state, when

OVER = (ChangeState.APPLIED, ChangeState.VERIFIED, ChangeState.FAILED, ChangeState.REFUSED, ChangeState.UNDONE)
"""States in which a step that was not begun never will be."""

TOUCHED = (StepState.APPLIED, StepState.APPLYING)
"""Steps that may have changed the cloud: one that was cut off is undone as well."""


def shown_steps(change: Change) -> list[dict[str, Any]]:
    """Return the steps with their calls and differences, readable."""
    return [
        {
            "step": step,
            "state": _t("Not applied")
            if step.state == StepState.PENDING and change.state in OVER
            else step.get_state_display(),
            "call": step.call["label"],
            "inverse": step.inverse["label"] if step.inverse else "",
            "diff": diff(step.before, step.after),
        }
        for step in change.steps.all()
    ]


def needed(change: Change) -> dict[str, list[str]]:
    """Return the actions that a change needs, each once, with what it needs them on."""
    found: dict[str, list[str]] = {}
    for each in change.permissions:
        resources = found.setdefault(each["action"], [])
        if each["resource"] not in resources:
            resources.append(each["resource"])
    return found


def replannable(user: Any, change: Change) -> list[int]:
    """Return the findings for which the user may plan the fix again, because this change did not do it."""
    if change.state not in (ChangeState.REFUSED, ChangeState.FAILED) or not readiness(user, change.alert).ready:
        return []
    resources = {step.resource_id for step in change.steps.all()}
    failing = change.alert.findings.filter(failing_since__isnull=False, suppression=None)
    return list(failing.filter(resource__resource_id__in=resources).values_list("pk", flat=True))


@admin.register(Change)
class ChangeAdmin(ConsoleAdmin):
    list_display = ("shown_title", "shown_state", "account", "shown_alert", "who", "planned")
    list_display_links = ("shown_title",)
    list_select_related = ("account", "alert", "planned_by", "approved_by")
    list_title = _("Changes")
    nothing = _("A change appears here when someone plans a fix from an alert.")
    detail_template = "console/change.html"
    filters = (
        Filter("state", _("State"), fixed(*ChangeState.choices), by_field("state")),
        Filter("account", _("Account"), accounts, by_account),
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
        return str(change.approved_by or change.planned_by or "—")

    @admin.display(description=_("planned"), ordering="planned_at")
    def planned(self, change: Change) -> Any:
        return when(change.planned_at)

    def matching(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        for word in text.split():
            rows = (
                rows.filter(title__icontains=word)
                | rows.filter(alert__title__icontains=word)
                | rows.filter(steps__resource_name__icontains=word)
            ).distinct()
        return rows

    def detail(self, request: HttpRequest, shown: Change, **more: Any) -> dict[str, Any]:
        steps = shown_steps(shown)
        history = Entry.objects.visible_to(request.user)
        return {
            "title": shown.title,
            "steps": steps,
            "resources": len({each["step"].resource_id for each in steps}),
            "needed": needed(shown),
            "replannable": replannable(request.user, shown),
            "reversible": all(each["step"].inverse for each in steps),
            "planned": shown.state == ChangeState.PLANNED,
            "undoable": shown.state in UNDOABLE and any(each["step"].state in TOUCHED for each in steps),
            "history": history.filter(target_type="change", target_id=str(shown.pk))[:50],
            **more,
        }

    # -- Acts ----------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        return [*self.paths("apply", "undo"), *super().get_urls()]

    def apply(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Apply the plan whose digest was approved; one that cannot be undone is asked about twice."""
        change, actor = self.find(request, pk), Actor.from_request(request)
        actor.require("change")
        errors: dict[str, list[str]] = {}
        if not all(step.inverse for step in change.steps.all()) and "irreversible" not in request.POST:
            errors["irreversible"] = [_t("Confirm that you know this.")]
        else:
            try:
                done = apply_change(
                    actor, change, digest=request.POST.get("digest", ""), reason=request.POST.get("reason", "")
                )
            except ValidationError as error:
                errors = error.message_dict
            else:
                good = done.state == ChangeState.VERIFIED
                messages.add_message(request, messages.SUCCESS if good else messages.WARNING, done.outcome)
                return self.back(done)
        return self._again(request, change, errors)

    def undo(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Put back what was before."""
        change, actor = self.find(request, pk), Actor.from_request(request)
        actor.require("change")
        reason = request.POST.get("reason", "").strip()
        if not reason:
            return self._again(request, change, {"undo": [_t("Give a reason; it is kept in the audit log.")]})
        try:
            done = undo_change(actor, change, reason=reason)
        except ValidationError as error:
            return self._again(request, change, {"undo": error.messages})
        good = done.state == ChangeState.UNDONE
        messages.add_message(request, messages.SUCCESS if good else messages.WARNING, done.outcome)
        return self.back(done)

    def _again(self, request: HttpRequest, change: Change, errors: dict[str, list[str]]) -> HttpResponse:
        """Show the page again with what is wrong; errors of no field of the form stand above it."""
        change.refresh_from_db()
        for field in errors.keys() - {"reason", "irreversible", "undo"}:
            for message in errors[field]:
                messages.error(request, message)
        return self.show(request, change, **self.detail(request, change, errors=errors))
