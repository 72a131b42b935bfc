"""What sending a form does, in words: the act, what it is done to, and what was entered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.urls import Resolver404, resolve
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from nephoscope.accounts.models import Account, AccountGroup, User
from nephoscope.accounts.permissions import may
from nephoscope.alerts.models import Finding
from nephoscope.alerts.queries import ids
from nephoscope.changes.models import Change
from nephoscope.people.kept_forms import FilledForm

ACTS: dict[str, Any] = {
    "add": _("Add"),
    "apply": _("Apply"),
    "approve": _("Approve"),
    "cancel": _("Cancel"),
    "change": _("Change"),
    "configure": _("Change"),
    "connect": _("Connect"),
    "discard": _("Discard"),
    "edit": _("Change"),
    "erase": _("Delete for good"),
    "fixing": _("Set up fixes"),
    "new": _("Plan a fix"),
    "plan": _("Plan a fix"),
    "recheck": _("Recheck"),
    "remove": _("Remove"),
    "restore": _("Restore"),
    "revoke": _("Revoke an API token"),
    "scan": _("Scan now"),
    "send": _("Send now"),
    "stop": _("Stop"),
    "suppress": _("Suppress"),
    "sync": _("Sync"),
    "undo": _("Undo"),
    "unsuppress": _("Unsuppress"),
    "verify": _("Verify"),
}
"""What the acts on a model's pages are called, by the last part of the address's name."""

PAGES: dict[str, Any] = {
    "events": _("Event-driven recheck"),
    "logout": _("Log out"),
    "password_change": _("Change password"),
    "policy_add": _("Add a rule to a policy"),
    "policy_delete": _("Delete a policy"),
    "policy_edit": _("Change a policy"),
    "policy_new": _("New policy"),
    "policy_remove": _("Remove a rule from a policy"),
    "policy_scope": _("Change the tags of a policy"),
    "profile": _("My profile"),
    "revoke_token": _("Revoke an API token"),
    "rule_set": _("Change a rule"),
    "rule_automatic": _("Switch on an automatic fix"),
    "second_approver_drop": _("Stop requiring a second approver"),
    "second_approver_require": _("Require a second approver"),
    "tokens": _("New API token"),
}
"""The same of pages that belong to no model, by the address's name."""


LABELS: dict[str, Any] = {
    "again": _("Confirm password"),
    "confirmed": _("Number of resources"),
    "days": _("Expires after days"),
    "finding": _("Resources"),
    "is_active": _("Active"),
    "is_staff": _("Can sign in to the console"),
    "username": _("User name"),
}
"""Fields whose own names say too little."""

_Named = Callable[[Any], QuerySet[Any]]
ROWS: dict[str, tuple[_Named, str]] = {
    "account": (Account.objects.visible_to, "name"),
    "accounts": (Account.objects.visible_to, "name"),
    "account_groups": (lambda user: _if_administrator(user, AccountGroup), "name"),
    "change": (lambda user: Change.objects.visible_to(user), "steps__resource_name"),
    "finding": (lambda user: Finding.objects.visible_to(user), "resource__name"),
    "groups": (lambda user: _if_administrator(user, AccountGroup), "name"),
    "users": (lambda user: _if_administrator(user, User), "username"),
}
"""Fields that hold ids: those that the user may see, and what names them."""


def in_words(request: HttpRequest, path: str) -> str:
    """Return what sending a form to an address does and to what, as far as the user may see that; empty if unknown."""
    try:
        found = resolve(path.partition("?")[0])
    except Resolver404:
        return ""
    name = found.url_name or ""
    if name in PAGES:
        return str(PAGES[name])
    for model, shown in admin.site._registry.items():
        act = name.removeprefix(f"{model._meta.app_label}_{model._meta.model_name}_")
        if act != name and act in ACTS:
            about = _named(request, shown, found.kwargs) or str(model._meta.verbose_name)
            return f"{ACTS[act]}: {about}"
    return ""


def _named(request: HttpRequest, shown: Any, arguments: dict[str, Any]) -> str:
    pk = arguments.get("pk") or arguments.get("object_id")
    try:
        return str(shown.named(shown.find(request, pk))) if pk else ""
    except (Http404, PermissionDenied):
        return ""


def entered(request: HttpRequest, form: FilledForm) -> list[tuple[str, str]]:
    """Return the fields under their labels, several values of one in a row, and rows by their names."""
    values: dict[str, list[str]] = {}
    for name, value in form.fields:
        values.setdefault(name, []).append(value)
    return [(label_of(name), ", ".join(_readable(request.user, name, found))) for name, found in values.items()]


def _readable(user: Any, name: str, values: list[str]) -> list[str]:
    if name not in ROWS:
        return [each for each in values if each]
    rows, named = ROWS[name]
    wanted = {pk for each in values for pk in ids(each)}
    names = {str(pk): str(text) for pk, text in rows(user).filter(pk__in=wanted).values_list("pk", named)}
    return [names.get(each, each) for each in values]


def _if_administrator(user: Any, model: Any) -> QuerySet[Any]:
    rows: QuerySet[Any] = model.objects.all() if may(user, "administer") else model.objects.none()
    return rows


def label_of(name: str) -> str:
    """Return what a field is called."""
    return str(LABELS.get(name) or capfirst(name.replace("_", " ")))
