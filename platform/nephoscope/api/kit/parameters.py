"""Parameters in addresses: text that stands for a number or a switch, each taken only as it is described."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from nephoscope.api.kit.fields import IdField, Switch
from nephoscope.api.kit.patterns import SWITCHES, WHOLE


def refuse_unknown(request: Request, known: Iterable[str]) -> None:
    """Refuse a parameter that an address does not have, by name.

    :raises ValidationError: it names what there is.
    """
    names = sorted(known)
    if strange := sorted(set(request.query_params) - set(names)):
        message = _("Unknown parameter. Known: %(known)s.") % {"known": ", ".join(names) or _("none")}
        raise ValidationError({name: [message] for name in strange})


def refuse_repeated(request: Request) -> None:
    """Refuse a parameter that is given twice: it is not said which of its values counts.

    :raises ValidationError: it names them.
    """
    if repeated := sorted(name for name, values in request.query_params.lists() if len(values) > 1):
        message = _("Give this parameter once; separate several values by commas where it takes them.")
        raise ValidationError({name: [message] for name in repeated})


class IdParameter(IdField):
    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, str) or not WHOLE.fullmatch(data):
            self.fail("invalid")
        return super().to_internal_value(int(data[:30]))


class SwitchParameter(Switch):
    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, str) or data.lower() not in SWITCHES:
            self.fail("invalid", input=data)
        return SWITCHES[data.lower()]
