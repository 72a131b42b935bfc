"""Having a rule fixed automatically: the form, what it would have done, and the confirmation."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from nephoscope import domain
from nephoscope.audit.services import Actor
from nephoscope.changes.automatic import checked, switch_on
from nephoscope.changes.automatic_preview import DAYS, Preview, preview
from nephoscope.changes.automatic_queries import most_an_hour
from nephoscope.console.forms.automatic import AutomaticForm
from nephoscope.console.forms.changes import InputsForm
from nephoscope.console.kit.admin import page
from nephoscope.plugins import registry
from nephoscope.policies.queries import catalogue

SHOWN = 100
"""Resources that a preview lists of the past, and of now; the others are counted."""


def switch(request: HttpRequest, rule_id: str) -> HttpResponse:
    """Ask where and after which notice; posted to, show what it would do; confirmed, switch it on."""
    actor = Actor.from_request(request)
    actor.require("administer")
    rule, fix = _found(request, rule_id)
    posted = request.POST if request.method == "POST" else None
    form, inputs = AutomaticForm(posted, fix=fix, user=request.user), InputsForm(fix, posted, {})
    shown: Preview | None = None
    if form.is_valid() and inputs.is_valid() and "back" not in request.POST:
        asked = {"rule": rule.id, "remediation": fix.id, **form.cleaned_data, "inputs": inputs.cleaned_data}
        try:
            if "confirm" in request.POST:
                made = switch_on(actor, **asked)
                messages.success(request, _("Switched on."))
                return redirect("admin:changes_automaticfix_change", made.pk)
            checked(actor, **asked)
            shown = preview(rule, fix, asked["accounts"], asked["notice_days"])
        except ValidationError as error:
            _refuse(form, inputs, error)
    template = "console/automatic_preview.html" if shown else "console/automatic_form.html"
    return page(
        request,
        template,
        _("Fix automatically"),
        crumbs=_crumbs(rule),
        rule=rule,
        fix=fix,
        form=form,
        inputs=inputs,
        most=most_an_hour(),
        **(_forecasts(shown) if shown else {}),
    )


def _found(request: HttpRequest, rule_id: str) -> tuple[domain.Rule, domain.Remediation]:
    """Return the rule and the fix of it that the address names; its first one, where none is named."""
    rule, known = catalogue().rule(rule_id), registry().remediations
    fixes = [known[id] for id in (rule.remediations if rule else ()) if id in known]
    wanted = request.GET.get("fix") or (fixes[0].id if fixes else "")
    fix = next((each for each in fixes if each.id == wanted), None)
    if rule is None or fix is None:
        raise Http404
    return rule, fix


def _crumbs(rule: domain.Rule) -> list[tuple[Any, str]]:
    rules, shown = reverse("admin:rules"), reverse("admin:rule", args=[rule.id])
    return [(_("Rules"), rules), (rule.title, shown), (_("Fix automatically"), "")]


def _refuse(form: AutomaticForm, inputs: InputsForm, error: ValidationError) -> None:
    """Put what the service said beside the fields of whichever form has them."""
    for name, said in error.message_dict.items():
        (inputs if name in inputs.fields else form).refuse(ValidationError({name: said}))


def _forecasts(shown: Preview) -> dict[str, Any]:
    return {
        "days": DAYS,
        "now": shown.now[:SHOWN],
        "now_count": sum(each.count for each in shown.now),
        "now_fixed": shown.now_fixed,
        "past": shown.past[:SHOWN],
        "past_count": sum(each.count for each in shown.past),
        "past_fixed": shown.past_fixed,
        "shown": SHOWN,
        "more_now": max(0, len(shown.now) - SHOWN),
        "more_past": max(0, len(shown.past) - SHOWN),
    }
