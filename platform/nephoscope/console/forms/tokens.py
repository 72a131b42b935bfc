"""The form of an API token."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from nephoscope.accounts.permissions import Scope, scopes_of
from nephoscope.console.kit.forms import ConsoleForm
from nephoscope.people.tokens import DAYS, DEFAULT_DAYS

_SCOPES = {
    Scope.READ: _("Read: see what you see"),
    Scope.TRIAGE: _("Triage: also suppress, recheck, scan and schedule reports"),
    Scope.CHANGE: _("Change: also plan, apply and undo changes"),
    Scope.ADMINISTER: _("Administer: everything that administrators may do"),
}


def _expiries() -> list[tuple[str, Any]]:
    return [*((str(days), _("%(days)s days") % {"days": days}) for days in DAYS), ("", _("No expiry"))]


class TokenForm(ConsoleForm):
    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("What the token is for."))
    scope = forms.ChoiceField(label=_("Scope"), initial=Scope.READ)
    days = forms.TypedChoiceField(
        label=_("Expires after"), choices=_expiries, coerce=int, empty_value=None, required=False, initial=DEFAULT_DAYS
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        scope: Any = self.fields["scope"]
        scope.choices = [(each.value, _SCOPES[each]) for each in scopes_of(user)]
