"""Free-text search: how the text of a search field is read, the same on every page and in the API."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q, QuerySet

MOST_WORDS = 10
"""Distinct words that a search looks for; what follows them is left out: each word costs the database a condition."""

LONGEST_WORD = 200
"""Characters of a word that are looked for."""

WORD = re.compile(r"\S+")


def words(text: str, word: re.Pattern[str] = WORD) -> list[str]:
    """Return the first :data:`MOST_WORDS` distinct words of a search."""
    found = dict.fromkeys(word.findall(text.replace("\x00", "")))
    return [each[:LONGEST_WORD] for each in list(found)[:MOST_WORDS]]


def is_cut(text: str) -> bool:
    """Whether a search has more words than are looked for."""
    return len(set(WORD.findall(text.replace("\x00", "")))) > MOST_WORDS


def having(rows: QuerySet[Any], text: str, condition: Callable[[str], Q]) -> QuerySet[Any]:
    """Narrow to the rows for which the condition holds with every word."""
    return rows.filter(*(condition(word) for word in words(text)))


def in_any(*fields: str) -> Callable[[str], Q]:
    """Return the condition that a word is somewhere in one of the fields."""
    return lambda word: reduce(or_, (Q((f"{field}__icontains", word)) for field in fields))
