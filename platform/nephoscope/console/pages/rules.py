"""Rules: all of them, one with how it is set and where, and setting it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from nephoscope import domain
from nephoscope.accounts.models import Account
from nephoscope.accounts.permissions import require
from nephoscope.alerts.models import Finding, SeverityChoice
from nephoscope.alerts.queries import ids
from nephoscope.audit.services import Actor
from nephoscope.changes.set_queries import reach
from nephoscope.compliance.scores import answered, by_rule
from nephoscope.console.forms.policies import RuleSettingForm
from nephoscope.console.kit.admin import page
from nephoscope.console.pages.alert import steps
from nephoscope.domain import in_words
from nephoscope.plugins import registry
from nephoscope.policies import rule_settings
from nephoscope.policies.demands import by_message, unmet
from nephoscope.policies.models import Policy, RuleSetting
from nephoscope.policies.queries import Catalogue, EffectiveRule, catalogue, override, plain
from nephoscope.policies.rule_settings import Place
from nephoscope.searching import MOST_WORDS, is_cut, words

NAMED = 10
"""Controls that are named after saving; the rule's page has all."""


def listed(request: HttpRequest) -> HttpResponse:
    """List the rules, with the severity that holds everywhere."""
    require(request.user, "view")
    wanted, severity = words(request.GET.get("q", "").lower()), request.GET.get("severity", "")
    found = by_rule(Account.objects.visible_to(request.user))
    everywhere = {row.rule_id: row for row in RuleSetting.objects.filter(account=None, policy=None)}
    shown = [
        (
            each,
            found[each.id],
            override(plain(each), everywhere.get(each.id)).severity,
            each.id in everywhere and everywhere[each.id].off,
        )
        for each in catalogue().rules.values()
        if all(word in f"{each.id} {each.title}".lower() for word in wanted)
    ]
    return page(
        request,
        "console/rules.html",
        _("Rules"),
        rules=[each for each in shown if severity in ("", each[2])],
        severities=SeverityChoice.choices,
        wanted=request.GET.get("q", ""),
        cut=is_cut(request.GET.get("q", "")) and MOST_WORDS,
        severity=severity,
        narrowed=bool(wanted or severity),
    )


def _find(rule_id: str, known: Catalogue) -> domain.Rule:
    rule = known.rule(rule_id)
    if rule is None:
        raise Http404
    return rule


def values(rule: domain.Rule, row: RuleSetting) -> list[tuple[str, str]]:
    """Return what a row sets of a rule's parameters, in words."""
    set_there = override(plain(rule), row).parameters
    return [(each.label, in_words(set_there[each.name])) for each in rule.parameters if each.name in row.parameters]


def shown(request: HttpRequest, rule_id: str) -> HttpResponse:
    """Show what a rule checks, why, how to fix it manually, and where it is set otherwise."""
    require(request.user, "view")
    known = catalogue()
    rule = _find(rule_id, known)
    accounts = list(Account.objects.visible_to(request.user))
    fixes = [registry().remediations[id] for id in rule.remediations if id in registry().remediations]
    rows = RuleSetting.objects.visible_to(request.user).filter(rule_id=rule_id).select_related("account", "policy")
    places = sorted(rows, key=lambda row: (row.account_id is not None, row.policy_id is not None, row.place))
    everywhere = next((row for row in places if row.account is None and row.policy is None), None)
    effective = override(plain(rule), everywhere)
    return page(
        request,
        "console/rule.html",
        rule.title,
        crumbs=[(_("Rules"), reverse("admin:rules")), (rule.title, "")],
        rule=rule,
        steps=steps(rule.fix),
        templates=_templates(rule),
        fixes=fixes,
        reach=reach(Finding.objects.visible_to(request.user).filter(rule_id=rule_id)) if fixes else None,
        answers=_answers(rule, accounts, known),
        counted=by_rule(accounts)[rule.id],
        effective=effective,
        parameters=[(each.label, in_words(effective.parameters[each.name])) for each in rule.parameters],
        everywhere=everywhere,
        places=[(row, values(rule, row)) for row in places],
        unmet=by_message(unmet(rule, accounts, known)),
        accounts=accounts,
        policies=[each for each in Policy.objects.all() if rule_id in each.to_domain().rules],
    )


def _answers(rule: domain.Rule, accounts: list[Account], known: Catalogue) -> list[tuple[Any, Any, str]]:
    """Return the controls that the rule answers, and how each stands where its policy applies."""
    standing = {(policy.id, each.control.id): each.result for policy, each in answered(accounts, rule.id, known)}
    rows = known.answers.get(rule.id, ())
    return [(policy, control, standing.get((policy.id, control.id), "")) for policy, control in rows]


def _warn(request: HttpRequest, rule: domain.Rule, place: Place) -> None:
    """Name the controls that do not pass by the rule as it is set now."""
    accounts = [place.account] if place.account else Account.objects.visible_to(request.user)
    if names := [f"{each.policy.name} {each.control.id}" for each in unmet(rule, accounts)]:
        named = ", ".join(names[:NAMED]) + (_(" and %(n)s more") % {"n": len(names) - NAMED} if names[NAMED:] else "")
        message = _("These controls require a stricter value, so a pass does not count for them: %(controls)s.")
        messages.warning(request, message % {"controls": named})


def _templates(rule: domain.Rule) -> list[tuple[list[str], str]]:
    """Return the templates of the rule's commands, each with the types that it is for."""
    by_type = rule.commands.templates if rule.commands else {}
    return [
        ([type for type, text in by_type.items() if text == template], template)
        for template in dict.fromkeys(by_type.values())
    ]


def _place(request: HttpRequest) -> Place:
    """Return the place that the address names: ``?account=3``, ``?policy=own_ours``, or neither."""
    if account := request.GET.get("account", ""):
        rows = Account.objects.visible_to(request.user).filter(pk__in=ids(account)[:1])
        return Place(account=get_object_or_404(rows))
    if policy := request.GET.get("policy", ""):
        return Place(policy=get_object_or_404(Policy, key=policy))
    return rule_settings.EVERYWHERE


def _titled(rule: domain.Rule, place: Place) -> str:
    if place.account:
        return _("“%(rule)s” in %(place)s") % {"rule": rule.title, "place": place.account.name}
    if place.policy:
        return _("“%(rule)s” in the policy %(place)s") % {"rule": rule.title, "place": place.policy.name}
    return _("“%(rule)s” in all accounts") % {"rule": rule.title}


def set_rule(request: HttpRequest, rule_id: str) -> HttpResponse:
    """Set a rule in one place, or take back what was set there."""
    actor = Actor.from_request(request)
    actor.require("set_policies")
    rule, place = _find(rule_id, catalogue()), _place(request)
    row = RuleSetting.objects.filter(rule_id=rule_id, account=place.account, policy=place.policy).first()
    back = redirect("admin:policy", place.policy.key) if place.policy else redirect("admin:rule", rule_id)
    if request.method == "POST" and "lift" in request.POST:
        if row:
            rule_settings.lift(actor, row)
            messages.success(request, _("Reset. Re-evaluating stored resources."))
        return back
    form = RuleSettingForm(
        request.POST or None, usual=_usual(rule, place), may_be_off=not place.policy, initial=_initial(rule, row)
    )
    if request.method == "POST" and form.is_valid():
        try:
            rule_settings.set_rule(actor, rule_id, place, **form.cleaned_data)
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, _("Saved. Re-evaluating stored resources without a new scan."))
            _warn(request, rule, place)
            return back
    return page(
        request, "console/rule_set.html", _titled(rule, place), form=form, list_address=back.url, row=row, rule=rule
    )


def _usual(rule: domain.Rule, place: Place) -> EffectiveRule:
    """Return how the rule is set where nothing is set in this place."""
    if place == rule_settings.EVERYWHERE:
        return plain(rule)
    return override(plain(rule), RuleSetting.objects.filter(rule_id=rule.id, account=None, policy=None).first())


def _initial(rule: domain.Rule, row: RuleSetting | None) -> dict[str, Any]:
    if row is None:
        return {}
    set_there = override(plain(rule), row).parameters
    shown = {name: in_words(set_there[name]) for name in row.parameters if name in set_there}
    return {"off": row.off, "severity": row.severity, "reason": row.reason, **shown}
