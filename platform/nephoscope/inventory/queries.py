"""Reading resources: the search that the console and the API share."""

from __future__ import annotations

import re
from typing import Any

from django.db.models import Q, QuerySet

from nephoscope.searching import words

_WORD = re.compile(r'(?:[^\s"]|"[^"]*")+')


def matching(resources: QuerySet[Any], text: str) -> QuerySet[Any]:
    """Every word in the name, id or type, or a tag's key or value; ``key=value`` is a tag with exactly this value.

    Quotation marks hold words together: ``"Cost Centre=Research 7"``, ``owner="Jane Doe"``.
    """
    return resources.filter(*(_holds(word.replace('"', "")) for word in words(text, _WORD)))


def _holds(word: str) -> Q:
    key, equals, value = word.partition("=")
    if key and equals:
        return Q(tags__contains={key: value})
    found = Q(name__icontains=word) | Q(resource_id__icontains=word) | Q(type__icontains=word)
    return found | Q(tags__icontains=word)
