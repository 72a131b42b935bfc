"""The form of an organisation, to connect one and to change one."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from nephoscope.accounts.models import Account, AccountGroup
from nephoscope.console.kit.forms import ConsoleForm
from nephoscope.organisations import services
from nephoscope.organisations.models import Organisation
from nephoscope.policies.queries import policies_for

_TEXTS = ("name", "role_name", "role_path", "write_role_name", "scan_every")
_LINES = ("include", "exclude", "regions")


class Lines(forms.CharField):
    """A list, one entry a line."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=10_000, widget=forms.Textarea(attrs={"rows": 2}), **kwargs)

    def clean(self, value: Any) -> list[str]:
        return [line.strip() for line in super().clean(value).splitlines() if line.strip()]


class OrganisationForm(ConsoleForm):
    name = forms.CharField(label=_("Name"), max_length=100)
    account = forms.ModelChoiceField(
        Account.objects.none(),
        label=_("Read through"),
        empty_label=None,
        help_text=_(
            "The connected account that may list the organisation: its management account or a delegated administrator."
        ),
    )
    role_name = forms.CharField(
        label=_("Role"),
        max_length=64,
        initial="nephoscope-read",
        help_text=_("Its name in every member; the StackSet of the next step creates it."),
    )
    scan_every = forms.IntegerField(
        label=_("Scan new members every … hours"),
        min_value=0,
        max_value=744,
        initial=0,
        help_text=_("24 is daily, 168 weekly, and the first scan starts at once; 0: only when somebody starts one."),
    )
    groups = forms.ModelMultipleChoiceField(
        AccountGroup.objects.all(),
        label=_("Account groups of new members"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    policies = forms.MultipleChoiceField(
        label=_("Policies of new members"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None: those that a new account has by default."),
    )
    regions = Lines(
        label=_("Regions of new members"),
        help_text=_("One a line, as eu-west-1. None: those that each member has enabled."),
    )
    include = Lines(
        label=_("Only these units"),
        help_text=_("One a line, by their names from the top, as Workloads/Production. None: all."),
    )
    exclude = Lines(
        label=_("Not these units"),
        help_text=_("Their members are shown and not connected. Those that are connected stay so."),
    )
    role_path = forms.CharField(label=_("Path of the roles"), max_length=512, required=False, initial="/")
    write_role_name = forms.CharField(
        label=_("Role for fixes"),
        max_length=64,
        required=False,
        help_text=_("Optional. A second StackSet creates it; fixing is then verified account by account."),
    )
    external_id = forms.CharField(
        label=_("External ID"),
        max_length=1224,
        required=False,
        help_text=_("It is made for you; enter one only if the roles ask for another already."),
    )

    def __init__(self, *args: Any, organisation: Organisation | None, **kwargs: Any) -> None:
        super().__init__(*args, initial=_initial(organisation), **kwargs)
        able = services.able_accounts()
        account, policies = cast(Any, self.fields["account"]), cast(Any, self.fields["policies"])
        account.queryset = able
        if organisation:
            del self.fields["account"], self.fields["external_id"]
        first = organisation.account if organisation else able.first()
        policies.choices = [(each.id, each.name) for each in policies_for(first)] if first else []


def _initial(organisation: Organisation | None) -> dict[str, Any]:
    if organisation is None:
        return {}
    return {
        **{name: getattr(organisation, name) for name in _TEXTS},
        **{name: "\n".join(getattr(organisation, name)) for name in _LINES},
        "policies": organisation.policies,
        "groups": organisation.groups.all(),
    }
