"""Setting a rule for an account, an own policy, or everywhere: off, its severity, its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from nephoscope import domain
from nephoscope.accounts.models import Account
from nephoscope.audit.actions import Action
from nephoscope.audit.actions.policies import RULE_RESET, RULE_SET, RULE_SWITCHED_OFF, RULE_SWITCHED_ON
from nephoscope.audit.services import Actor, record, require_reason
from nephoscope.domain import Severity
from nephoscope.policies.models import Policy, RuleSetting
from nephoscope.policies.queries import catalogue
from nephoscope.policies.rejudging import request

LONGEST_REASON = 2000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a setting holds: one account, one own policy, or, with neither, everywhere."""

    account: Account | None = None
    policy: Policy | None = None

    @property
    def named(self) -> dict[str, str]:
        """The place as the audit log keeps it."""
        return {
            "account": self.account.name if self.account else "",
            "policy": self.policy.name if self.policy else "",
        }


EVERYWHERE = Place()


@transaction.atomic
def set_rule(
    actor: Actor,
    rule_id: str,
    place: Place = EVERYWHERE,
    *,
    off: bool = False,
    severity: str = "",
    parameters: Mapping[str, Any] | None = None,
    reason: str = "",
) -> RuleSetting | None:
    """Set a rule in one place to exactly this; what is left out is not set there. Returns None when nothing is.

    :param reason: why; demanded when the rule is switched off.

    :raises ValidationError: an unknown rule, severity or parameter, a value out of bounds, a rule switched off for a
        policy or without a reason; names the field.
    """
    actor.require("set_policies")
    rule = catalogue().rule(rule_id)
    if rule is None:
        raise ValidationError({"rule": [_("There is no rule %(id)s.") % {"id": rule_id}]})
    _check_place(rule, place, off=off)
    if severity and severity not in list(Severity):
        known = ", ".join(Severity)
        raise ValidationError({"severity": [_("There is no such severity. Known: %(known)s.") % {"known": known}]})
    wanted: dict[str, Any] = {"off": off, "severity": severity, "parameters": _checked(rule, parameters or {})}
    reason = require_reason(reason) if off else reason.strip()
    if len(reason) > LONGEST_REASON:
        raise ValidationError({"reason": [_("Write at most %(most)s characters.") % {"most": LONGEST_REASON}]})
    row, _made = RuleSetting.objects.select_for_update(of=("self",)).get_or_create(
        rule_id=rule_id, account=place.account, policy=place.policy
    )
    before = _described(row)
    row.off, row.severity, row.parameters = wanted["off"], wanted["severity"], wanted["parameters"]
    row.reason, row.set_by = reason, actor.name
    return _keep(actor, rule, place, row, before)


def _keep(
    actor: Actor, rule: domain.Rule, place: Place, row: RuleSetting, before: dict[str, Any]
) -> RuleSetting | None:
    after, stays = _described(row), row.off or row.severity or row.parameters
    if after != before and (stays or before["off"] or before["severity"] or before["parameters"]):
        row.save()
        action, data = _told(rule, place, before, after)
        record(actor, action, row, data, account=place.account, reason=row.reason, before=before, after=after)
        request(_judged_otherwise(rule.id, place))
    if stays:
        return row
    row.delete()
    return None


def lift(actor: Actor, row: RuleSetting) -> None:
    """Take back all that is set in one place; what holds elsewhere holds there again.

    A rule that nothing brings any more is simply forgotten.
    """
    actor.require("set_policies")
    if catalogue().rule(row.rule_id):
        set_rule(actor, row.rule_id, Place(row.account, row.policy))
    else:
        with transaction.atomic():
            removed = {"rule": row.rule_id, **Place(row.account, row.policy).named}
            record(actor, RULE_RESET, row, removed, account=row.account, before=_described(row))
            row.delete()


def _check_place(rule: domain.Rule, place: Place, *, off: bool) -> None:
    if place.account and place.policy:
        raise ValidationError({"policy": [_("Name an account or a policy, not both.")]})
    if place.policy and off:
        raise ValidationError({"off": [_("Remove the rule from the policy instead.")]})
    if place.policy and rule.id not in place.policy.to_domain().rules:
        raise ValidationError({"rule": [_("The policy does not include the rule %(id)s.") % {"id": rule.id}]})


def _checked(rule: domain.Rule, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters as they are stored; what is None is not set."""
    known = {each.name: each for each in rule.parameters}
    if strange := sorted(set(parameters) - set(known)):
        message = _("The rule has no such parameter. Known: %(known)s.")
        raise ValidationError({name: [message % {"known": ", ".join(known) or _("none")}] for name in strange})
    found: dict[str, Any] = {}
    for name, value in parameters.items():
        if value is None:
            continue
        try:
            checked = known[name].checked(value)
        except ValueError as error:
            raise ValidationError({name: [str(error)]}) from error
        found[name] = list(checked) if isinstance(checked, tuple) else checked
    return found


def _judged_otherwise(rule: str, place: Place) -> list[Account]:
    """Return the accounts in which the rule may be judged otherwise now."""
    if place.account:
        return [place.account]
    known = catalogue()
    holding = {each.id for each in known.policies.values() if rule in each.rules}
    wanted = {place.policy.key} if place.policy else holding
    return [each for each in Account.objects.present() if wanted & {found.id for found in known.applied(each)}]


def _described(row: RuleSetting) -> dict[str, Any]:
    return {"off": row.off, "severity": row.severity, "parameters": dict(row.parameters), "reason": row.reason}


def _told(
    rule: domain.Rule, place: Place, before: dict[str, Any], after: dict[str, Any]
) -> tuple[Action, dict[str, Any]]:
    """Return the action and what the audit log keeps of it."""
    data = {"title": rule.title, "rule": rule.id, **place.named}
    if after["off"] != before["off"]:
        return RULE_SWITCHED_OFF if after["off"] else RULE_SWITCHED_ON, data
    was, now = _effective(rule, before), _effective(rule, after)
    changes = [{"what": what, "was": was[what], "now": now[what]} for what in was if was[what] != now[what]]
    return RULE_SET, {**data, "changes": changes}


def _effective(rule: domain.Rule, side: Mapping[str, Any]) -> dict[str, Any]:
    """Return severity and parameters, by name, as they are with what is set on one side."""
    values = {each.name: side["parameters"].get(each.name, each.default) for each in rule.parameters}
    listed = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
    return {"severity": side["severity"] or rule.severity.value, **listed}
