"""Forms for policies and rules."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from nephoscope.accounts import tags
from nephoscope.alerts.models import SeverityChoice
from nephoscope.console.kit.forms import ConsoleForm
from nephoscope.domain import Framework, Parameter, Provider, Value, in_words
from nephoscope.policies.queries import EffectiveRule


class PolicyForm(ConsoleForm):
    name = forms.CharField(label=_("Name"), max_length=100)
    description = forms.CharField(
        label=_("Description"), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


class NewPolicyForm(PolicyForm):
    based_on = forms.ChoiceField(
        label=_("Clone of"),
        required=False,
        help_text=_("The clone has the same controls and rules, without their settings."),
    )
    provider = forms.ChoiceField(
        label=_("Provider"), required=False, help_text=_("For a policy that starts without rules.")
    )

    def __init__(
        self, *args: Any, policies: Iterable[Framework], providers: Collection[Provider], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        based_on, provider = cast(Any, self.fields["based_on"]), cast(Any, self.fields["provider"])
        based_on.choices = [("", _("None: start without rules")), *((each.id, each.name) for each in policies)]
        provider.choices = [(each.id, each.name) for each in providers]
        if len(providers) == 1:
            del self.fields["provider"]


class TagsForm(ConsoleForm):
    tags = forms.CharField(
        label=_("Tags"),
        required=False,
        max_length=25_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_(
            "One name=value per line. The policy applies to accounts that have all of these tags. Empty: none."
        ),
    )

    def clean_tags(self) -> dict[str, str]:
        try:
            return tags.read(self.cleaned_data["tags"])
        except ValidationError as error:
            raise ValidationError(error.messages) from error


class RuleSettingForm(ConsoleForm):
    """What is set of a rule in one place: a field for each parameter, named as the parameter is."""

    off = forms.BooleanField(label=_("Turn this rule off here"), required=False)
    severity = forms.ChoiceField(label=_("Severity"), required=False)
    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Required to turn the rule off. Recorded in the audit log."),
    )

    def __init__(self, *args: Any, usual: EffectiveRule, may_be_off: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parameters = {each.name: each for each in usual.rule.parameters}
        reason = self.fields.pop("reason")
        if not may_be_off:
            del self.fields["off"]
            reason.help_text = ""
        severities = dict(SeverityChoice.choices)
        as_it_is = _("Inherited: %(severity)s") % {"severity": severities[usual.severity]}
        self.fields["severity"].choices = [("", as_it_is), *SeverityChoice.choices]  # type: ignore[attr-defined]
        for each in usual.rule.parameters:
            usually = _("Inherited: %(value)s") % {"value": in_words(usual.parameters[each.name])}
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
