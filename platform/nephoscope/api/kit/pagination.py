"""How lists are cut into pages."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response

from nephoscope.api.kit.conditions import in_view
from nephoscope.api.kit.patterns import WHOLE


class Pages(PageNumberPagination):
    """``?page=2&page_size=500``; at most 1,000 on one page."""

    page_size_query_param = "page_size"
    max_page_size = 1000

    def get_page_number(self, request: Request, paginator: Any) -> int:
        return _number(request, self.page_query_param) or 1

    def get_page_size(self, request: Request) -> int | None:
        return _number(request, self.page_size_query_param, self.max_page_size) or self.page_size

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        page, size = super().get_schema_operation_parameters(view)
        whole = {"type": "integer", "minimum": 1}
        return [
            {**page, "schema": whole, "description": "The page, counted from 1."},
            {**size, "schema": {**whole, "maximum": self.max_page_size}, "description": "How many on one page."},
        ]


def _number(request: Request, name: str, most: int | None = None) -> int | None:
    """Return a parameter that is a number from 1; None where it is not given."""
    text = request.query_params.get(name)
    if text is None:
        return None
    number = int(text[:30]) if WHOLE.fullmatch(text) else 0
    if number < 1 or (most and number > most):
        allowed = _("Give a number from 1 to %(most)s.") % {"most": f"{most:,}"} if most else _("Give a number from 1.")
        raise ValidationError({name: [allowed]})
    return number


class KnownPages(Pages):
    """Of what scans found: says of how many of the accounts that were asked for nothing is known, and counted."""

    def get_paginated_response(self, data: Any) -> Response:
        assert self.request  # it is kept when the page is cut
        answer = super().get_paginated_response(data)
        answer.data["not_scanned"] = sum(not each.known for each in in_view(self.request))
        return answer

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        described: dict[str, Any] = super().get_paginated_response_schema(schema)
        described["properties"]["not_scanned"] = {
            "type": "integer",
            "description": "Accounts that no scan has read, so that nothing of them is counted here.",
        }
        return described
