"""Forms whose errors come from the services, so that console and API refuse the same things in the same words."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminOwnPasswordChangeForm, AuthenticationForm

from nephoscope.accounts import people, tags
from nephoscope.accounts.models import AccountGroup
from nephoscope.accounts.permissions import Role
from nephoscope.alerts.models import SeverityChoice
from nephoscope.audit.services import Actor
from nephoscope.domain import Parameter, Value
from nephoscope.parameters import in_words
from nephoscope.policies.queries import SetRule


class ConsoleForm(forms.Form):
    """A form in the console's look."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if not isinstance(field.widget, forms.CheckboxInput | forms.CheckboxSelectMultiple):
                field.widget.attrs.setdefault("class", "neph-input")

    def add_error(self, field: str | None, error: Any) -> None:
        """Begin at the first field that is wrong when the page comes back."""
        super().add_error(field, error)
        if field and not any("autofocus" in each.widget.attrs for each in self.fields.values()):
            self.fields[field].widget.attrs["autofocus"] = True

    def refuse(self, error: ValidationError) -> None:
        """Put what a service said beside the fields that it named."""
        named = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
        for name, said in named.items():
            self.add_error(name if name in self.fields else None, said)


class SignInForm(AuthenticationForm):
    """Django's form speaks of staff accounts, which nobody here knows of."""

    error_messages = AuthenticationForm.error_messages | {
        "invalid_login": _("This user name and password do not belong together.")
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("User name")


class OwnPasswordForm(AdminOwnPasswordChangeForm):
    """One's own password; unlike Django's form it leaves an audit entry and ends one's tokens."""

    def save(self, commit: bool = True) -> Any:
        people.change_own_password(Actor.of(self.user), self.user, self.cleaned_data["new_password1"])
        return self.user


class GroupForm(ConsoleForm):
    name = forms.CharField(label=_("Name"), max_length=100)
    description = forms.CharField(label=_("Description"), max_length=300, required=False)


class PolicyForm(ConsoleForm):
    name = forms.CharField(label=_("Name"), max_length=100)
    description = forms.CharField(
        label=_("Description"), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


class NewPolicyForm(PolicyForm):
    based_on = forms.ChoiceField(
        label=_("Copy of"),
        required=False,
        help_text=_("The copy has the same controls and rules, and none of what was set of them."),
    )


class TagsForm(ConsoleForm):
    tags = forms.CharField(
        label=_("Tags"),
        required=False,
        max_length=25_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("One name=value on a line. The policy applies to accounts that have all of them; empty: to none."),
    )

    def clean_tags(self) -> dict[str, str]:
        try:
            return tags.read(self.cleaned_data["tags"])
        except ValidationError as error:
            raise ValidationError(error.messages) from error


class RuleSettingForm(ConsoleForm):
    """What is set of a rule in one place: a field for each parameter, named as the parameter is."""

    off = forms.BooleanField(label=_("Off: the rule is not checked here"), required=False)
    severity = forms.ChoiceField(label=_("Severity"), required=False)
    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Needed to switch the rule off; it is kept in the audit log."),
    )

    def __init__(self, *args: Any, usual: SetRule, may_be_off: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parameters = {each.name: each for each in usual.rule.parameters}
        reason = self.fields.pop("reason")
        if not may_be_off:
            del self.fields["off"]
            reason.help_text = ""
        severities = dict(SeverityChoice.choices)
        as_it_is = _("Not set here: %(severity)s") % {"severity": severities[usual.severity]}
        self.fields["severity"].choices = [("", as_it_is), *SeverityChoice.choices]  # type: ignore[attr-defined]
        for each in usual.rule.parameters:
            usually = _("Not set here: %(value)s") % {"value": in_words(usual.parameters[each.name])}
            widget = forms.TextInput(attrs={"class": "neph-input", "placeholder": usually})
            self.fields[each.name] = forms.CharField(
                label=each.label, required=False, max_length=2000, widget=widget, help_text=self._bounds(each)
            )
        self.fields["reason"] = reason

    def _bounds(self, parameter: Parameter) -> Any:
        if parameter.kind == "ports":
            return _("Ports, separated by commas.")
        bounds = {"least": parameter.least, "most": parameter.most}
        return _("A whole number from %(least)s to %(most)s.") % bounds

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        values: dict[str, Value] = {}
        for name, parameter in self.parameters.items():
            if text := cleaned.pop(name, ""):
                try:
                    values[name] = parameter.read(text)
                except ValueError as error:
                    self.add_error(name, str(error))
        return {**cleaned, "parameters": values}


def _zones() -> list[tuple[str, str]]:
    return [(zone, zone.replace("_", " ")) for zone in sorted(available_timezones())]


class UserForm(ConsoleForm):
    username = forms.CharField(label=_("User name"), max_length=150)
    first_name = forms.CharField(label=_("First name"), max_length=150, required=False)
    last_name = forms.CharField(label=_("Last name"), max_length=150, required=False)
    email = forms.EmailField(label=_("Email"), required=False)
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)
    account_groups = forms.ModelMultipleChoiceField(
        AccountGroup.objects.all(),
        label=_("Account groups"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("The accounts that this user sees. Administrators see all."),
    )
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=_zones, initial="UTC")
    is_active = forms.BooleanField(
        label=_("Active"),
        required=False,
        initial=True,
        help_text=_("Somebody who is not active can neither sign in nor use an API token."),
    )
    is_staff = forms.BooleanField(label=_("May sign in to the console"), required=False, initial=True)
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 8 characters, not a commonly used password, and not like the user's name or address."),
    )
    again = forms.CharField(
        label=_("Password again"),
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, exists: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if exists:
            for name in ("password", "again"):
                self.fields[name].required = False
            self.fields["password"].label = _("New password")
            self.fields["password"].help_text = _(
                "Left empty, it stays. A new one has at least 8 characters, is not a commonly used password, and not "
                "like the user's name or address; it revokes the user's API tokens."
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("password", "") != cleaned.pop("again", ""):
            self.add_error("again", _("The two passwords differ."))
        if not cleaned.get("password"):
            cleaned.pop("password", None)
        return cleaned
