"""Policies: all of them, one with its rules as they are set, and what makes one a person's own."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from nephoscope import domain
from nephoscope.accounts.models import Account
from nephoscope.accounts.permissions import require
from nephoscope.accounts.tags import written
from nephoscope.audit.services import Actor
from nephoscope.compliance.scores import by_rule, scores
from nephoscope.console.forms.policies import NewPolicyForm, PolicyForm, TagsForm
from nephoscope.console.kit.admin import attempt, page
from nephoscope.console.kit.forms import ConsoleForm
from nephoscope.plugins import registry
from nephoscope.policies import services
from nephoscope.policies.models import Policy
from nephoscope.policies.queries import Catalogue, catalogue, effective_rules, scope_for


def listed(request: HttpRequest) -> HttpResponse:
    """List the policies, own ones first, with their scores and to how many accounts each applies."""
    require(request.user, "view")
    known, accounts = catalogue(), list(Account.objects.visible_to(request.user))
    applied = [policy.id for account in accounts for policy in known.applied(account)]
    found = scores(accounts, known)
    own = set(Policy.objects.values_list("key", flat=True))
    shown = sorted(known.policies.values(), key=lambda each: each.id not in own)
    rows = [(each, found.get(each.id), each.id in own, applied.count(each.id)) for each in shown]
    return page(request, "console/policies.html", _("Policies"), policies=rows)


def _find(policy_id: str, known: Catalogue) -> domain.Framework:
    if policy_id not in known.policies:
        raise Http404
    return known.policies[policy_id]


def shown(request: HttpRequest, policy_id: str) -> HttpResponse:
    """Show a policy's controls, the rules that answer each, as they are set, and how those stand."""
    require(request.user, "view")
    known = catalogue()
    policy, accounts = _find(policy_id, known), Account.objects.visible_to(request.user).select_related("rejudging")
    found, score = by_rule(accounts), scores(accounts, known, policy=policy_id).get(policy_id)
    own = Policy.objects.filter(key=policy_id).select_related("created_by").first()
    rules = effective_rules(policy, known)
    controls = [
        (
            control,
            score.controls[control.id] if score and score.judged else None,
            [(*rules[id], found[id]) for id in control.rules if id in rules],
        )
        for control in policy.controls
    ]
    tagged = [each for each in accounts if policy in known.by_tag(each)]
    others = sorted((each for each in known.rules.values() if each.id not in policy.rules), key=lambda r: r.title)
    return page(
        request,
        "console/policy.html",
        policy.name,
        crumbs=[(_("Policies"), reverse("admin:policies")), (policy.name, "")],
        policy=policy,
        own=own,
        score=score,
        controls=controls,
        source=known.policies.get(own.based_on) if own else None,
        tags=scope_for(request.user, policy_id, known.scopes),
        tagged=tagged,
        others=others,
        chosen=[each for each in accounts if policy_id in each.policies],
    )


def _form(request: HttpRequest, form: ConsoleForm, title: str, cancel: str, intro: str = "") -> HttpResponse:
    return page(request, "console/form.html", title, form=form, list_address=cancel, intro=intro)


def _to(policy: Policy) -> HttpResponseRedirect:
    answer: HttpResponseRedirect = redirect("admin:policy", policy.key)
    return answer


def _address(policy: str) -> str:
    return str(redirect("admin:policy", policy).url)


def say_judged_again(request: HttpRequest, accounts: int) -> None:
    """Say that something was saved, and what follows from it."""
    again = ngettext(
        "Re-evaluating %(n)s account without a new scan.",
        "Re-evaluating %(n)s accounts without a new scan.",
        accounts,
    )
    messages.success(request, _("Saved.") + (" " + again % {"n": accounts} if accounts else ""))


def new(request: HttpRequest) -> HttpResponse:
    """Make an own policy, most often as a copy of another."""
    actor, known = Actor.from_request(request), catalogue()
    actor.require("set_policies")
    source = known.policies.get(request.GET.get("based_on", ""))
    initial = {"based_on": source.id, "name": _("%(name)s (custom)") % {"name": source.name}} if source else {}
    policies, providers = known.policies.values(), registry().providers.values()
    form = NewPolicyForm(request.POST or None, initial=initial, policies=policies, providers=providers)
    if request.method == "POST" and form.is_valid():
        try:
            policy = services.create_policy(actor, **form.cleaned_data)
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(
                request, _("Created %(name)s. It does not apply to any account yet.") % {"name": policy.name}
            )
            return _to(policy)
    intro = _("Custom policies can be changed: add and remove rules, set their severity and parameters.")
    return _form(request, form, _("New policy"), _address(source.id) if source else "..", intro)


def _own(request: HttpRequest, policy_id: str) -> tuple[Actor, Policy]:
    actor = Actor.from_request(request)
    actor.require("set_policies")
    return actor, get_object_or_404(Policy, key=policy_id)


def edit(request: HttpRequest, policy_id: str) -> HttpResponse:
    """Change an own policy's name and description."""
    actor, policy = _own(request, policy_id)
    form = PolicyForm(request.POST or None, initial={"name": policy.name, "description": policy.description})
    if request.method == "POST" and form.is_valid():
        try:
            services.configure_policy(actor, policy, **form.cleaned_data)
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, _("Saved."))
            return _to(policy)
    return _form(request, form, _("Change %(name)s") % {"name": policy.name}, _address(policy_id))


def delete(request: HttpRequest, policy_id: str) -> HttpResponse:
    """Ask, then delete an own policy."""
    actor, policy = _own(request, policy_id)
    if request.method == "POST":
        if attempt(request, lambda: services.remove_policy(actor, policy) or True) is None:
            return _to(policy)
        messages.success(request, _("%(name)s was removed.") % {"name": policy.name})
        return redirect("admin:policies")
    rules = len(policy.to_domain().rules)
    lost = [ngettext("Its list of %(n)s rule is deleted.", "Its list of %(n)s rules is deleted.", rules) % {"n": rules}]
    if settings := policy.rule_settings.count():
        said = ngettext("So is %(n)s rule setting.", "So are %(n)s rule settings.", settings)
        lost.append(said % {"n": settings})
    back = _address(policy_id)
    return page(request, "console/remove.html", policy.name, name=policy.name, back=back, lost=lost)


def scope(request: HttpRequest, policy_id: str) -> HttpResponse:
    """Set which tags bring a policy to accounts."""
    actor, known = Actor.from_request(request), catalogue()
    actor.require("set_policies")
    policy = _find(policy_id, known)
    form = TagsForm(request.POST or None, initial={"tags": written(known.scopes.get(policy_id, {}))})
    if request.method == "POST" and form.is_valid():
        before = {each.pk for each in services.applied_to(policy_id, known)}
        try:
            services.set_scope(actor, policy_id, form.cleaned_data["tags"])
        except ValidationError as error:
            form.refuse(error)
        else:
            say_judged_again(request, len(before ^ {each.pk for each in services.applied_to(policy_id)}))
            return redirect("admin:policy", policy_id)
    title = _("Accounts that %(name)s applies to by tag") % {"name": policy.name}
    return _form(request, form, title, _address(policy_id))


def add(request: HttpRequest, policy_id: str) -> HttpResponse:
    """Add a rule to an own policy."""
    actor, policy = _own(request, policy_id)
    asked: dict[str, Any] = {name: request.POST.get(name, "") for name in ("rule", "control")}
    if request.method == "POST" and attempt(request, lambda: services.add_rule(actor, policy, **asked)) is not None:
        say_judged_again(request, len(services.applied_to(policy_id)))
    return _to(policy)


def remove(request: HttpRequest, policy_id: str, rule_id: str) -> HttpResponse:
    """Show which controls a rule answers, then take it out of all of them."""
    actor, policy = _own(request, policy_id)
    if request.method == "POST":
        if attempt(request, lambda: services.remove_rule(actor, policy, rule_id)) is not None:
            say_judged_again(request, len(services.applied_to(policy_id)))
        return _to(policy)
    controls = [each for each in policy.to_domain().controls if rule_id in each.rules]
    if not controls:
        raise Http404
    return page(
        request,
        "console/policy_remove.html",
        policy.name,
        policy=policy,
        rule=catalogue().rule(rule_id),
        rule_id=rule_id,
        controls=controls,
        accounts=services.applied_to(policy_id),
    )
