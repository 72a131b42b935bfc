"""Switching automatic fixes on and off, and objecting to what they are about to fix. What they do: automatic_work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from nephoscope import domain
from nephoscope.accounts.holding import hold
from nephoscope.accounts.models import Account
from nephoscope.audit.actions.automatic import (
    AUTOMATIC_OBJECTED,
    AUTOMATIC_OBJECTION_WITHDRAWN,
    AUTOMATIC_OFF,
    AUTOMATIC_ON,
)
from nephoscope.audit.actions.changes import Outcome
from nephoscope.audit.services import Actor, record, require_reason
from nephoscope.changes.automatic_models import AutomaticFix, FixNotice
from nephoscope.changes.models import ChangeState
from nephoscope.changes.planning import completed_inputs
from nephoscope.changes.readiness import offered
from nephoscope.changes.services import finish
from nephoscope.plugins import registry
from nephoscope.policies.queries import catalogue

LONGEST_NOTICE = 90
"""Days of notice at most."""


# -- On and off ------------------------------------------------------------------------------------


def checked(
    actor: Actor,
    *,
    rule: str,
    remediation: str,
    accounts: Iterable[Account],
    notice_days: int,
    inputs: Mapping[str, str] | None = None,
) -> tuple[domain.Rule, domain.Remediation, dict[str, str]]:
    """Return the rule, its fix and the fix's inputs, if it may be fixed automatically in these accounts.

    :raises ValidationError: an unknown rule, no fix of it, an input that is missing or unknown, no account, one of
        another provider, without a fix role, or in which the rule is fixed automatically already; names the field.
    """
    actor.require("administer")
    known, fix = catalogue().rule(rule), registry().remediations.get(remediation)
    if known is None:
        raise ValidationError({"rule": [_("There is no rule “%s”.") % rule]})
    if fix is None or fix.id not in known.remediations:
        raise ValidationError({"remediation": [_("“%s” is not a fix for this rule.") % remediation]})
    if not 0 <= notice_days <= LONGEST_NOTICE:
        raise ValidationError({"notice_days": [_("A whole number from 0 to %s.") % LONGEST_NOTICE]})
    rows = list(accounts)
    said = [_why_not(account, fix) for account in rows] if rows else [_("Choose at least one account.")]
    if why := list(filter(None, said)):
        raise ValidationError({"accounts": why})
    for other in AutomaticFix.objects.in_force().filter(rule=rule, accounts__in=rows).distinct():
        named = ", ".join(other.accounts.filter(pk__in=[each.pk for each in rows]).values_list("name", flat=True))
        message = _("%(fix)s fixes this rule in %(accounts)s already. Switch it off first.")
        raise ValidationError({"accounts": [message % {"fix": other, "accounts": named}]})
    return known, fix, completed_inputs(fix, inputs or {})


def _why_not(account: Account, fix: domain.Remediation) -> str:
    if account.provider != fix.provider:
        return _("%s is of another provider.") % account.name
    found = offered(account, fix)
    return f"{account.name}: {found.why}" if found.allowed is False else ""


@transaction.atomic
def switch_on(
    actor: Actor,
    *,
    rule: str,
    remediation: str,
    accounts: Iterable[Account],
    notice_days: int,
    inputs: Mapping[str, str] | None = None,
) -> AutomaticFix:
    """Have a rule fixed from now on, in these accounts, so many days after notice of each resource was given.

    :raises ValidationError: as :func:`checked`, or an account was removed.
    """
    rows = sorted(accounts, key=lambda account: account.pk)
    for account in rows:  # whoever else switches it on there waits here
        hold(account)
    asked: dict[str, Any] = {"rule": rule, "remediation": remediation, "notice_days": notice_days, "inputs": inputs}
    known, fix, given = checked(actor, accounts=rows, **asked)
    found = AutomaticFix.objects.create(
        rule=known.id,
        remediation=fix.id,
        title=fix.title,
        inputs=given,
        notice_days=notice_days,
        set_by=actor.user,
    )
    found.accounts.set(rows)
    for account in rows:
        data = {"title": fix.title, "rule": known.title, "days": notice_days}
        record(actor, AUTOMATIC_ON, found, data, account=account)
    return found


@transaction.atomic
def switch_off(actor: Actor, found: AutomaticFix) -> int:
    """Fix nothing more by it, and withdraw what no worker has begun; return how many changes were withdrawn.

    Objections are kept: they hold if the rule is fixed automatically again.

    :raises ValidationError: it is off already.
    """
    actor.require("administer")
    accounts = list(Account.objects.select_for_update().filter(automatic_fixes=found).order_by("pk"))
    found = AutomaticFix.objects.select_for_update().get(pk=found.pk)
    if found.off_at:
        raise ValidationError({"automatic_fix": [_("%s is off already.") % found]})
    found.off_by, found.off_at = actor.user, timezone.now()
    found.save(update_fields=["off_by", "off_at"])
    found.notices.filter(change=None, objected_at=None).delete()
    queued = found.changes.select_for_update(of=("self",)).filter(state=ChangeState.APPROVED)
    withdrawn = list(queued.select_related("account", "alert"))
    for change in withdrawn:
        change.undo_by, change.undo_reason = actor.user, _("Automatic fix switched off")
        finish(actor, change, ChangeState.UNDONE, Outcome.WITHDRAWN)
    title = catalogue().title(found.rule)
    for account in accounts:
        count = sum(change.account_id == account.pk for change in withdrawn)
        record(actor, AUTOMATIC_OFF, found, {"title": found.title, "rule": title, "count": count}, account=account)
    return len(withdrawn)


# -- Objecting -------------------------------------------------------------------------------------


@transaction.atomic
def object_to(actor: Actor, notice: FixNotice, *, reason: str) -> FixNotice:
    """Keep a resource from being fixed automatically, until the objection is withdrawn.

    :raises ValidationError: no reason, somebody objected already, it is over, or its change is made already.
    """
    actor.require("suppress")
    reason = require_reason(reason)
    notice = _locked(notice)
    if notice.objected_at:
        raise ValidationError({"notice": [_("%s objected already.") % (notice.objected_by or "—")]})
    if notice.change:
        message = _("%(change)s was planned for %(name)s already; undo or discard it.")
        raise ValidationError({"notice": [message % {"change": notice.change, "name": notice}]})
    notice.objected_by, notice.objected_at, notice.objection = actor.user, timezone.now(), reason
    notice.save(update_fields=["objected_by", "objected_at", "objection"])
    data = {"title": notice.automatic.title, "resource": notice.resource_name}
    record(actor, AUTOMATIC_OBJECTED, notice.alert, data, account=notice.account, reason=reason)
    return notice


@transaction.atomic
def withdraw_objection(actor: Actor, notice: FixNotice) -> FixNotice:
    """Let a resource be fixed automatically after all: once it is due, with a whole period of notice from now on.

    :raises ValidationError: nobody objects to it.
    """
    actor.require("suppress")
    notice = _locked(notice)
    if not notice.objected_at:
        raise ValidationError({"notice": [_("Nobody objects to the automatic fix of %s.") % notice]})
    automatic = notice.automatic
    notice.objected_by, notice.objected_at, notice.objection = None, None, ""
    notice.due_at = timezone.now() + timedelta(days=automatic.notice_days)
    notice.save(update_fields=["objected_by", "objected_at", "objection", "due_at"])
    data = {"title": automatic.title, "resource": notice.resource_name}
    record(actor, AUTOMATIC_OBJECTION_WITHDRAWN, notice.alert, data, account=notice.account)
    return notice


def _locked(notice: FixNotice) -> FixNotice:
    rows = FixNotice.objects.select_for_update(of=("self",)).select_related(
        "automatic", "account", "alert", "change", "objected_by"
    )
    found: FixNotice | None = rows.filter(pk=notice.pk).first()
    if found is None:
        raise ValidationError({"notice": [_("%s is no longer about to be fixed.") % notice]})
    return found
