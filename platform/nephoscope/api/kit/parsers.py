"""Reading a request's body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from nephoscope.domain.texts import kept


class CarefulJSONParser(JSONParser):
    """JSON, refused when nesting it would exhaust the stack, or when it holds what cannot be stored.

    That is numbers that are not finite (``1e999``) or too large, and NUL and lone surrogates in texts; those in a field
    of its own are refused by the field's name.
    """

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            body = super().parse(stream, media_type, parser_context)
            storable = _is_storable(body)
        except RecursionError as error:
            raise ParseError(_("The JSON is nested too deeply.")) from error
        if not storable:
            raise ParseError(_("The JSON has a null character, a lone surrogate, or a number or nesting out of range."))
        return body


def _is_storable(body: Any) -> bool:
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if not isinstance(value, str)}
    return bool(kept(body) == body)
