"""The form of an organisation, to connect one and to change one."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from nephoscope.accounts.models import DAILY, Account, AccountGroup
from nephoscope.accounts.queries import provider_of
from nephoscope.alerts.queries import ids
from nephoscope.console.kit.forms import ConsoleForm
from nephoscope.domain import Field
from nephoscope.organisations import services
from nephoscope.organisations.models import Organisation
from nephoscope.policies.queries import policies_for

_TEXTS = ("name", "scan_every")
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
        help_text=_("The connected account that may list the organisation."),
    )
    scan_every = forms.IntegerField(
        label=_("Scan new members every … hours"),
        min_value=0,
        max_value=744,
        initial=DAILY,
        help_text=_("24 is daily, 168 weekly, and the first scan starts at once. 0 scans on demand only."),
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
        help_text=_("Empty: the default policies."),
    )
    regions = Lines(
        label=_("Regions of new members"),
        help_text=_("One per line. Empty: the regions that each member has enabled."),
    )
    include = Lines(
        label=_("Included units"),
        help_text=_("One path per line, such as Workloads/Production. Empty: all."),
    )
    exclude = Lines(
        label=_("Excluded units"),
        help_text=_("Their members are listed but not connected. Connected accounts stay connected."),
    )

    def __init__(self, *args: Any, organisation: Organisation | None, **kwargs: Any) -> None:
        super().__init__(*args, initial=_initial(organisation), **kwargs)
        able = services.able_accounts()
        account, policies = cast(Any, self.fields["account"]), cast(Any, self.fields["policies"])
        account.queryset = able
        chosen = organisation.account if organisation else self._chosen(able)
        self.settings = _settings(chosen, organisation)
        self.intros = services.intros(chosen)
        self.fields.update(self.settings)
        if organisation:
            del self.fields["account"]
        policies.choices = [(each.id, each.name) for each in policies_for(chosen)] if chosen else []
        first = [name for name, field in self.settings.items() if field.required]
        self.order_fields(["name", "account", *first])

    def _chosen(self, able: Any) -> Account | None:
        named = ids(str(self.data.get("account", "")))
        chosen: Account | None = able.filter(pk__in=named).first() or able.first()
        return chosen

    def changes(self) -> dict[str, Any]:
        """Return what was entered, as the services take it."""
        given = dict(self.cleaned_data)
        return {**given, "settings": {name: given.pop(name) for name in self.settings}}


def _settings(account: Account | None, organisation: Organisation | None) -> dict[str, forms.Field]:
    """Return a field for each setting of the provider; what it generates can be entered only at first."""
    source = provider_of(account).organisations if account else None
    return {
        each.name: _secret(each, organisation) if each.secret else _text(each, organisation)
        for each in (source.fields if source else ())
        if not each.generated or not (organisation or each.for_writing)
    }


def _text(field: Field, organisation: Organisation | None) -> forms.Field:
    stored = organisation.settings if organisation else {}
    return forms.CharField(
        label=field.label,
        help_text=field.help,
        required=field.required,
        max_length=2000,
        initial=stored.get(field.name, field.default),
        widget=forms.TextInput(attrs={"class": "neph-input"}),
    )


def _secret(field: Field, organisation: Organisation | None) -> forms.Field:
    """Return a field that shows nothing of what is stored, and keeps it when it is left empty."""
    stored = organisation is not None and organisation.secrets.is_set(field.name)
    placeholder = _("Set. Leave empty to keep it.") if stored else ""
    shown = {"class": "neph-input", "autocomplete": "new-password", "placeholder": placeholder}
    return forms.CharField(
        label=field.label,
        help_text=field.help,
        required=field.required and not stored,
        max_length=2000,
        widget=forms.PasswordInput(attrs=shown),
    )


def _initial(organisation: Organisation | None) -> dict[str, Any]:
    if organisation is None:
        return {}
    return {
        **{name: getattr(organisation, name) for name in _TEXTS},
        **{name: "\n".join(getattr(organisation, name)) for name in _LINES},
        "policies": organisation.policies,
        "groups": organisation.groups.all(),
    }
