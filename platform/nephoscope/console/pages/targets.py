"""From what an audit entry names to that thing's page."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from nephoscope.accounts.models import Account, AccountGroup, User
from nephoscope.accounts.permissions import may
from nephoscope.alerts.models import Alert
from nephoscope.changes.models import Change
from nephoscope.inventory.models import Scan
from nephoscope.policies.models import Policy, PolicyScope, RuleSetting
from nephoscope.reports.models import ReportSchedule

_VISIBLE: dict[str, Any] = {
    "account": Account,
    "alert": Alert,
    "change": Change,
    "scan": Scan,
    "reportschedule": ReportSchedule,
}
_PEOPLE: dict[str, Any] = {"user": User, "accountgroup": AccountGroup}


def address_of(user: Any, kind: str, pk: str) -> str:
    """Return the address of the thing's page; empty when it is gone or the user may not see it."""
    if not pk.isdecimal():
        return ""
    if kind == "policy":
        key = Policy.objects.filter(pk=int(pk)).values_list("key", flat=True).first()
        return reverse("admin:policy", args=[key]) if key else ""
    if kind == "policyscope":
        policy = PolicyScope.objects.filter(pk=int(pk)).values_list("policy", flat=True).first()
        return reverse("admin:policy", args=[policy]) if policy else ""
    if kind == "rulesetting":
        rule = RuleSetting.objects.visible_to(user).filter(pk=int(pk)).values_list("rule_id", flat=True).first()
        return reverse("admin:rule", args=[rule]) if rule else ""
    if kind == "secondapproval":
        return reverse("admin:second_approvers")
    if kind in _VISIBLE:
        model = _VISIBLE[kind]
        rows = model.objects.visible_to(user)
    elif kind in _PEOPLE and may(user, "administer"):
        model = _PEOPLE[kind]
        rows = model.objects.all()
    else:
        return ""
    if not rows.filter(pk=int(pk)).exists():
        return ""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[pk])
