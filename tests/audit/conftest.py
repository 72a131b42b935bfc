"""A reader of another language, without a catalogue of one: whatever is translated is put between ‹ and ›."""

from __future__ import annotations

from collections.abc import Iterator
from gettext import NullTranslations

import pytest
from django.test import override_settings
from django.utils.translation import trans_real

LANGUAGE = "eo"


class Marked(NullTranslations):
    def gettext(self, message: str) -> str:
        return f"‹{message}›"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"‹{msgid1 if n == 1 else msgid2}›"

    def pgettext(self, context: str, message: str) -> str:
        return self.gettext(message)

    def npgettext(self, context: str, msgid1: str, msgid2: str, n: int) -> str:
        return self.ngettext(msgid1, msgid2, n)

    def language(self) -> str:
        return LANGUAGE

    to_language = language


@pytest.fixture
def another_language(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The code of a language that readers can choose."""
    with override_settings(LANGUAGES=[("en", "English"), (LANGUAGE, "Esperanto")]):  # which forgets all catalogues
        monkeypatch.setitem(trans_real._translations, LANGUAGE, Marked())
        yield LANGUAGE
