"""What is about to be fixed automatically, said on the page of what it is about."""

from __future__ import annotations

from typing import Any

from django import template
from django.db.models import Min

from nephoscope.accounts.models import Account
from nephoscope.accounts.permissions import may
from nephoscope.alerts.models import Alert
from nephoscope.changes.automatic_models import AutomaticFix, FixNotice

register = template.Library()


@register.inclusion_tag("console/upcoming.html", takes_context=True)
def upcoming_fixes(context: template.Context, alert: Alert | None = None, account: Account | None = None) -> Any:
    """Show how many resources of an alert, or an account, are about to be fixed; nothing where none is."""
    rows = FixNotice.objects.upcoming().filter(automatic__in=AutomaticFix.objects.in_force())
    rows = rows.filter(alert=alert) if alert else rows.filter(account=account)
    of = alert.account_id if alert else account.pk if account else 0
    rule = alert.key if alert else ""
    may_object = may(context["request"].user, "suppress")
    return {"count": rows.count(), **rows.aggregate(first=Min("due_at")), "of": of, "rule": rule, "may": may_object}


@register.inclusion_tag("console/automatic_of_rule.html", takes_context=True)
def automatic_fixes(context: template.Context, rule: str) -> Any:
    """Show what fixes a rule automatically; nothing where nothing does."""
    return {"rows": AutomaticFix.objects.visible_to(context["request"].user).in_force().filter(rule=rule)}
