"""Making policies one's own, and setting to which accounts a policy applies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from nephoscope import domain
from nephoscope.accounts import tags as account_tags
from nephoscope.accounts.holding import reread
from nephoscope.accounts.models import Account
from nephoscope.accounts.queries import provider_named, tag_limits
from nephoscope.audit.actions.policies import (
    POLICY_CHANGED,
    POLICY_CREATED,
    POLICY_REMOVED,
    POLICY_RULE_ADDED,
    POLICY_RULE_REMOVED,
    POLICY_SCOPED,
)
from nephoscope.audit.services import Actor, record
from nephoscope.policies.models import OWN, Policy, PolicyScope
from nephoscope.policies.queries import Catalogue, catalogue
from nephoscope.policies.rejudging import request

ADDED = "added"
"""The id of the control that holds the rules which a person added without naming a control."""


def applied_to(policy: str, known: Catalogue | None = None) -> list[Account]:
    """Return the accounts that a policy applies to, by choice or by tag."""
    known = known or catalogue()
    return [each for each in Account.objects.present() if policy in {found.id for found in known.applied(each)}]


@transaction.atomic
def create_policy(actor: Actor, *, name: str, description: str = "", based_on: str = "", provider: str = "") -> Policy:
    """Make an own policy: a copy of another one (``based_on``), or one without any rule yet.

    :param provider: of a policy that is no copy; needed only where several are enabled.
    :raises ValidationError: a name that is taken, a policy or provider that is not known; names the field.
    """
    actor.require("set_policies")
    known = catalogue()
    source = known.policies.get(based_on)
    if based_on and source is None:
        raise ValidationError({"based_on": [_("There is no policy %(id)s.") % {"id": based_on}]})
    policy = Policy(
        name=name.strip(),
        description=description.strip(),
        provider=provider_named(source.provider if source else provider).id,
        based_on=based_on,
        controls=_as_json(source.controls if source else ()),
        created_by=actor.user,
    )
    policy.key = _free_key(policy.name, known)
    _check(policy, known)
    policy.save()
    copied = {"based_on": source.name if source else ""}
    record(actor, POLICY_CREATED, policy, copied, after=_described(policy))
    return policy


@transaction.atomic
def configure_policy(
    actor: Actor, policy: Policy, *, name: str | None = None, description: str | None = None
) -> Policy:
    """Change an own policy's name or description; its key stays.

    :raises ValidationError: a name that is taken; names the field.
    """
    actor.require("set_policies")
    reread(policy)
    before = _described(policy)
    policy.name = policy.name if name is None else name.strip()
    policy.description = policy.description if description is None else description.strip()
    _check(policy, catalogue())
    if (after := _described(policy)) != before:
        policy.save()
        names = {"was": before["name"], "name": policy.name}
        record(actor, POLICY_CHANGED, policy, names, before=before, after=after)
    return policy


@transaction.atomic
def add_rule(actor: Actor, policy: Policy, rule: str, control: str = "") -> Policy:
    """Add a rule to a control, or, when none is named, to one for added rules.

    :raises ValidationError: the rule or the control is not known, or holds it already; names the field.
    """
    actor.require("set_policies")
    policy = Policy.objects.select_for_update().get(pk=policy.pk)
    known = catalogue().rule(rule)
    if known is None:
        raise ValidationError({"rule": [_("There is no rule %(id)s.") % {"id": rule}]})
    chosen = next((each for each in policy.controls if each["id"] == (control or ADDED)), None)
    if chosen is None and control:
        raise ValidationError({"control": [_("The policy has no control %(id)s.") % {"id": control}]})
    if chosen is None:
        chosen = {"id": ADDED, "title": _("Added rules"), "rules": [], "manual": False, "demands": {}}
        policy.controls.append(chosen)
    if rule in chosen["rules"]:
        raise ValidationError({"rule": [_("The control already includes this rule.")]})
    chosen["rules"].append(rule)
    chosen["manual"] = False
    policy.save()
    added = {"title": known.title, "rule": rule, "control": chosen["title"]}
    record(actor, POLICY_RULE_ADDED, policy, added, after={"rule": rule})
    request(applied_to(policy.key))
    return policy


@transaction.atomic
def remove_rule(actor: Actor, policy: Policy, rule: str) -> Policy:
    """Take a rule out of every control of an own policy.

    :raises ValidationError: the policy does not hold it.
    """
    actor.require("set_policies")
    policy = Policy.objects.select_for_update().get(pk=policy.pk)
    if rule not in policy.to_domain().rules:
        raise ValidationError({"rule": [_("The policy does not include the rule %(id)s.") % {"id": rule}]})
    for control in policy.controls:
        control["rules"] = [each for each in control["rules"] if each != rule]
    policy.controls = [each for each in policy.controls if each["rules"] or each["id"] != ADDED]
    policy.save()
    policy.rule_settings.filter(rule_id=rule).delete()
    removed = {"title": catalogue().title(rule), "rule": rule}
    record(actor, POLICY_RULE_REMOVED, policy, removed, before={"rule": rule})
    request(applied_to(policy.key))
    return policy


@transaction.atomic
def remove_policy(actor: Actor, policy: Policy) -> None:
    """Delete an own policy that applies to no account.

    :raises ValidationError: accounts use it; names them.
    """
    actor.require("set_policies")
    Policy.objects.select_for_update().get(pk=policy.pk)
    used = applied_to(policy.key)
    # Pending accounts have chosen nothing yet, and no provider may be enabled that offers it: look at the rows, too.
    used += [each for each in Account.objects.present().filter(policies__contains=policy.key) if each not in used]
    if used:
        names = ", ".join(each.name for each in used)
        message = _("%(policy)s applies to %(names)s. Remove it there first.")
        raise ValidationError({"policy": [message % {"policy": policy.name, "names": names}]})
    record(actor, POLICY_REMOVED, policy, before=_described(policy))
    PolicyScope.objects.filter(policy=policy.key).delete()
    policy.delete()


@transaction.atomic
def set_scope(actor: Actor, policy: str, tags: Any) -> PolicyScope:
    """Let a policy, own or of a plugin, apply to every account that has all these tags; none take that back.

    :raises ValidationError: the policy is not known, or the tags are malformed; names the field.
    """
    actor.require("set_policies")
    known = catalogue()
    if policy not in known.policies:
        raise ValidationError({"policy": [_("There is no policy %(id)s.") % {"id": policy}]})
    wanted = account_tags.checked(tags, tag_limits(known.policies[policy].provider))
    scope, _made = PolicyScope.objects.select_for_update().get_or_create(policy=policy)
    if scope.tags == wanted:
        return scope
    before, had = scope.tags, {each.pk: each for each in applied_to(policy, known)}
    scope.tags = wanted
    scope.save()
    has = {each.pk: each for each in applied_to(policy)}
    scoped = {"policy": known.policies[policy].name, "tags": account_tags.written(wanted).splitlines()}
    record(actor, POLICY_SCOPED, scope, scoped, before={"tags": before}, after={"tags": wanted})
    request(each for pk, each in {**had, **has}.items() if (pk in had) != (pk in has))
    return scope


def _free_key(name: str, known: Catalogue) -> str:
    stem = f"{OWN}{slugify(name).replace('-', '_') or 'policy'}"[:90]
    key, number = stem, 2
    while key in known.policies:
        key, number = f"{stem}_{number}", number + 1
    return key


def _check(policy: Policy, known: Catalogue) -> None:
    policy.full_clean(exclude=["controls", "created_by"])
    if any(each.name == policy.name for each in known.policies.values() if each.id != policy.key):
        raise ValidationError({"name": [_("A policy named %(name)s already exists.") % {"name": policy.name}]})


def _as_json(controls: Iterable[domain.Control]) -> list[dict[str, Any]]:
    return [
        {
            "id": each.id,
            "title": each.title,
            "rules": list(each.rules),
            "manual": each.manual,
            "demands": {rule: dict(named) for rule, named in each.demands.items()},
        }
        for each in controls
    ]


def _described(policy: Policy) -> Mapping[str, Any]:
    return {
        "name": policy.name,
        "description": policy.description,
        "based_on": policy.based_on,
        "rules": len(policy.to_domain().rules),
    }
