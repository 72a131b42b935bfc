"""The form of an automatic fix."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from nephoscope import domain
from nephoscope.accounts.models import Account
from nephoscope.changes.automatic import LONGEST_NOTICE
from nephoscope.console.kit.forms import ConsoleForm


class AutomaticForm(ConsoleForm):
    """In which accounts a rule is fixed, and after which notice. The service checks both."""

    accounts = forms.ModelMultipleChoiceField(
        Account.objects.none(), label=_("Accounts"), required=False, widget=forms.CheckboxSelectMultiple
    )
    notice_days = forms.IntegerField(
        label=_("Days of notice"),
        min_value=0,
        max_value=LONGEST_NOTICE,
        initial=7,
        widget=forms.NumberInput(attrs={"style": "max-width:8rem"}),
        help_text=_("Until then, anyone who may suppress can object. 0: fixes at once, without notice."),
    )

    def __init__(self, *args: Any, fix: domain.Remediation, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        accounts = Account.objects.visible_to(user).filter(provider=fix.provider)
        fields["accounts"].queryset = accounts.filter(writing_verified_at__isnull=False)
        if without := accounts.filter(writing_verified_at=None).count():
            fields["accounts"].help_text = _("Accounts without a fix role are left out: %s.") % without

    def clean_accounts(self) -> list[Account]:
        return list(self.cleaned_data["accounts"])
