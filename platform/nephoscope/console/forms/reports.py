"""The form of a report schedule."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from nephoscope.accounts.models import Account, AccountGroup
from nephoscope.console.kit.forms import ConsoleForm
from nephoscope.policies.queries import catalogue
from nephoscope.reports.models import Every, Form, ReportSchedule
from nephoscope.reports.services import groups_of

ALL_OF_THEM = _("If none is selected: all policies selected for each account.")


def _hours() -> list[tuple[int, str]]:
    return [(hour, f"{hour:02}:00") for hour in range(24)]


class ScheduleForm(ConsoleForm):
    name = forms.CharField(label=_("Name"), max_length=100)
    active = forms.BooleanField(label=_("Enabled"), required=False, initial=True)
    every = forms.ChoiceField(label=_("When"), choices=Every.choices, initial=Every.WEEK)
    hour = forms.TypedChoiceField(label=_("Time"), choices=_hours, coerce=int, initial=6)
    form = forms.ChoiceField(label=_("Format"), choices=Form.choices)
    mail_to = forms.CharField(
        label=_("Recipients"), required=False, max_length=6000, widget=forms.Textarea(attrs={"rows": 3})
    )
    folder = forms.CharField(label=_("Folder"), required=False, max_length=64)
    keep = forms.IntegerField(
        label=_("Runs to keep in the folder"),
        min_value=1,
        max_value=400,
        initial=12,
        help_text=_("Number of runs to keep. Older files are deleted."),
    )
    policies = forms.MultipleChoiceField(
        label=_("Policies"), required=False, widget=forms.CheckboxSelectMultiple, help_text=ALL_OF_THEM
    )
    accounts = forms.ModelMultipleChoiceField(
        Account.objects.none(), label=_("Accounts"), required=False, widget=forms.CheckboxSelectMultiple
    )
    groups = forms.ModelMultipleChoiceField(
        AccountGroup.objects.none(), label=_("Account groups"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, owner: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        accounts = Account.objects.visible_to(owner)
        fields["accounts"].queryset, fields["groups"].queryset = accounts, groups_of(owner)
        fields["groups"].help_text = _(
            "If no account and no group is selected: all that %(owner)s can see when it is sent."
        ) % {"owner": owner or "—"}
        fields["hour"].help_text = _("Time zone: %(zone)s.") % {"zone": owner.time_zone if owner else "—"}
        known = catalogue()
        applied = {each.id for account in accounts for each in known.applied(account)}
        offered = applied | {*self.initial.get("policies", ())}
        fields["policies"].choices = [(each.id, each.name) for each in known.policies.values() if each.id in offered]
        if not settings.EMAIL_HOST:
            _off(fields["mail_to"], _("No mail server is configured. Set NEPHOSCOPE_EMAIL_URL to enable mail."))
        else:
            fields["mail_to"].help_text = _(
                "One address per line. Files over 10 MB are not attached; the mail links to them."
            )
        if not settings.NEPHOSCOPE_REPORTS_DIR:
            _off(fields["folder"], _("Folders are off. Set NEPHOSCOPE_REPORTS_DIR to enable them."))
        else:
            fields["folder"].help_text = _("A folder name inside the reports folder of the server.")

    def clean_accounts(self) -> list[int]:
        return [each.pk for each in self.cleaned_data["accounts"]]

    def clean_groups(self) -> list[int]:
        return [each.pk for each in self.cleaned_data["groups"]]

    def clean_mail_to(self) -> list[str]:
        return [each for each in re.split(r"[\s,;]+", self.cleaned_data["mail_to"]) if each]


def _off(field: Any, why: Any) -> None:
    """Say why nothing can be typed here; what stands there already is sent again and may be taken away."""
    field.help_text = why
    field.widget.attrs["placeholder"] = "—"


def shown_values(schedule: ReportSchedule) -> dict[str, Any]:
    """Return what the form begins with."""
    return {
        "name": schedule.name,
        "active": schedule.active,
        "every": schedule.every,
        "hour": schedule.hour,
        "form": schedule.form,
        "mail_to": "\n".join(schedule.mail_to),
        "folder": schedule.folder,
        "keep": schedule.keep,
        "policies": schedule.policies,
        "accounts": schedule.accounts.present(),
        "groups": schedule.groups.all(),
    }
