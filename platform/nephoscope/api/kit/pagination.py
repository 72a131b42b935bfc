"""How lists are cut into pages."""

from __future__ import annotations

from typing import Any

from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response

from nephoscope.api.kit.conditions import in_view


class Pages(PageNumberPagination):
    """``?page=2&page_size=500``; at most 1,000 on one page."""

    page_size_query_param = "page_size"
    max_page_size = 1000


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
