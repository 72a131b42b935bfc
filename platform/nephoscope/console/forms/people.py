"""Forms for users, account groups and signing in."""

from __future__ import annotations

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminOwnPasswordChangeForm, AuthenticationForm

from nephoscope.accounts.models import Account, AccountGroup, User
from nephoscope.accounts.permissions import Role
from nephoscope.audit.services import Actor
from nephoscope.console.kit.forms import ConsoleForm
from nephoscope.people import services as people
from nephoscope.people.door import check_own_password


class SignInForm(AuthenticationForm):
    """Django's form speaks of staff accounts, which nobody here knows of."""

    error_messages = AuthenticationForm.error_messages | {"invalid_login": _("Incorrect user name or password.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("User name")


class OwnPasswordForm(AdminOwnPasswordChangeForm):
    """One's own password; unlike Django's form it leaves an audit entry and ends one's tokens."""

    def __init__(self, user: Any, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.actor = actor

    def clean_old_password(self) -> str:
        old: str = self.cleaned_data["old_password"]
        if not check_own_password(self.user, old):
            raise forms.ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")
        return old

    def save(self, commit: bool = True) -> Any:
        people.change_own_password(self.actor, self.user, self.cleaned_data["new_password1"])
        return self.user


class GroupForm(ConsoleForm):
    name = forms.CharField(label=_("Name"), max_length=100)
    description = forms.CharField(label=_("Description"), max_length=300, required=False)
    accounts = forms.ModelMultipleChoiceField(
        Account.objects.present(), label=_("Accounts"), required=False, widget=forms.CheckboxSelectMultiple
    )
    users = forms.ModelMultipleChoiceField(
        User.objects.order_by("username"),
        label=_("Users"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Those who see these accounts. Administrators see all accounts."),
    )


@cache
def _zones() -> list[tuple[str, str]]:
    return [(zone, zone.replace("_", " ")) for zone in sorted(available_timezones() - {"localtime"})]


def _languages() -> list[tuple[str, Any]]:
    return [("", _("The browser’s language")), *settings.LANGUAGES]


class ProfileForm(ConsoleForm):
    """What users change of themselves."""

    first_name = forms.CharField(label=_("First name"), max_length=150, required=False)
    last_name = forms.CharField(label=_("Last name"), max_length=150, required=False)
    email = forms.EmailField(label=_("Email"), required=False)
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=_zones, initial="UTC")
    language = forms.ChoiceField(label=_("Language"), choices=_languages, required=False)


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
    language = forms.ChoiceField(label=_("Language"), choices=_languages, required=False)
    is_active = forms.BooleanField(
        label=_("Active"),
        required=False,
        initial=True,
        help_text=_("Inactive users cannot sign in or use API tokens."),
    )
    is_staff = forms.BooleanField(label=_("Can sign in to the console"), required=False, initial=True)
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 8 characters, not a commonly used password, and not like the user's name or address."),
    )
    again = forms.CharField(
        label=_("Confirm password"),
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
                "Leave empty to keep the current password. A new one needs at least 8 characters, must not be a common "
                "password or resemble the user's name or email address, and revokes the user's API tokens."
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("password", "") != cleaned.pop("again", ""):
            self.add_error("again", _("The passwords do not match."))
        if not cleaned.get("password"):
            cleaned.pop("password", None)
        return cleaned
