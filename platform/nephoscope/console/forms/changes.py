"""The form of what a fix needs to know."""

from __future__ import annotations

from collections.abc import Mapping

from django import forms
from django.http import QueryDict

from nephoscope import domain
from nephoscope.console.kit.forms import ConsoleForm


class InputsForm(ConsoleForm):
    """One field for each of a fix's inputs. The service checks them."""

    prefix = "input"

    def __init__(self, remediation: domain.Remediation, posted: QueryDict | None, known: Mapping[str, str]) -> None:
        initial = {each.name: known.get(each.name, each.default) for each in remediation.inputs}
        super().__init__(posted, initial=initial)
        for each in remediation.inputs:
            widget = forms.TextInput(attrs={"class": "neph-input", "required": each.required})
            self.fields[each.name] = forms.CharField(
                label=each.label, help_text=each.help, required=False, max_length=2000, widget=widget
            )
