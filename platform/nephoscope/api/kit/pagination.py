"""How lists are cut into pages."""

from rest_framework.pagination import PageNumberPagination


class Pages(PageNumberPagination):
    """``?page=2&page_size=500``; at most 1,000 on one page."""

    page_size_query_param = "page_size"
    max_page_size = 1000
