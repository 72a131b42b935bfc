"""The form of what a fix needs to know."""

from __future__ import annotations

from django import forms
from django.http import QueryDict

from nephoscope import domain
from nephoscope.console.kit.forms import ConsoleForm


class InputsForm(ConsoleForm):
    """One field for each of a fix's inputs; bound when the request came from this form. The service checks them."""

    prefix = "input"

    def __init__(self, remediation: domain.Remediation, given: QueryDict) -> None:
        initial = {each.name: given.get(f"input-{each.name}", each.default) for each in remediation.inputs}
        super().__init__(given if "inputs" in given else None, initial=initial)
        for each in remediation.inputs:
            widget = forms.TextInput(attrs={"class": "neph-input", "required": each.required})
            self.fields[each.name] = forms.CharField(
                label=each.label, help_text=each.help, required=False, max_length=2000, widget=widget
            )

    @property
    def inputs(self) -> dict[str, str]:
        """What was entered, by name."""
        return getattr(self, "cleaned_data", {})
