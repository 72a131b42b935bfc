"""The addresses of all pages of the console, read from its URL patterns, so that a new page is among them by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
OUTSIDE = ("api/", "events/<slug:provider>", "r/")
"""What belongs to programs, and redirections to pages that are here."""


def pages(client: Client, given: dict[str, str]) -> list[str]:
    """Return what a person can open: what answers with a page and not with a file, a redirection or a refusal.

    An object's page is opened for the first object there is of its model; raises AssertionError where there is none.
    ``given`` has the values of the other parameters, and by the name of a page the id of what it is for where that has
    no list in the admin; raises KeyError for one that is missing.
    """
    found = dict.fromkeys(_address(pattern, name, given) for pattern, name in _patterns(get_resolver().url_patterns))
    return [each for each in found if _is_page(client.get(each))]


def _patterns(patterns: list[Any], before: str = "") -> Iterator[tuple[str, str]]:
    for each in patterns:
        pattern = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from _patterns(each.url_patterns, pattern)
        elif isinstance(each, URLPattern) and each.name and not pattern.startswith(OUTSIDE) and "(" not in pattern:
            yield pattern, each.name


def _address(pattern: str, name: str, given: dict[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        if found[1] in ("pk", "object_id"):
            return given.get(name) or _first_of(name)
        return given[found[1]]

    return "/" + PARAMETER.sub(value, pattern)


def _first_of(name: str) -> str:
    """Return the id of an object of the model whose page has this name, such as ``alerts_alert_change``."""
    for model in admin.site._registry:
        if name.startswith(f"{model._meta.app_label}_{model._meta.model_name}_"):
            first = model._default_manager.order_by("pk").first()
            assert first, f"the tests have no {model._meta.verbose_name} to open {name} with"
            return str(first.pk)
    raise AssertionError(f"no model has the page {name}")


def _is_page(answer: Any) -> bool:
    return not answer.streaming and answer.status_code == 200 and b"</html>" in answer.content
