"""The form in the console's look; its errors come from the services, so that console and API refuse alike."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError


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
