"""What an action is, and which there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nephoscope.audit.actions.wording import readable

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Action:
    """Something that can be recorded. Made with :func:`register`."""

    code: str
    label: StrPromise
    sentence: StrPromise | Callable[[Data], str]
    example: Data
    whole: bool = False
    """Whether the sentence is one by itself, because nobody who is known did it."""

    def describe(self, data: Data) -> str:
        """Return the sentence in the active language.

        :param data: what an entry holds, and ``target``, what the entry is about.
        """
        if callable(self.sentence):
            return self.sentence(data)
        return str(self.sentence % readable(data))

    def check(self, data: Data) -> None:
        """:raises ValueError: the action is not registered, or the data lack a key or have one too many."""
        if ACTIONS.get(self.code) is not self:
            raise ValueError(f"the action {self.code} is not registered")
        if wrong := sorted(data.keys() ^ self.example.keys()):
            raise ValueError(f"{self.code} takes {', '.join(self.example) or 'no data'}; wrong: {', '.join(wrong)}")


ACTIONS: dict[str, Action] = {}
"""Every action by its code."""


def label_of(code: str) -> str:
    """Return what an action is called, in the active language; its code where nobody registers it any more."""
    return str(ACTIONS[code].label) if code in ACTIONS else code


def register(
    code: str,
    label: StrPromise,
    sentence: StrPromise | Callable[[Data], str],
    *,
    whole: bool = False,
    **example: Any,
) -> Action:
    """Make an action known, and return it for those who record it.

    :param code: ``noun.verb``, as API clients filter by it.
    :param sentence: the rest of a sentence that begins with who did it: a template with a placeholder for each key of
        the data and ``target``, or a function from them to the finished sentence.
    :param whole: the sentence begins with a capital and stands without who did it.
    :param example: data as an entry would hold them. An entry has these keys and no others; values are plain JSON
        without secrets, and what needs translation is stored as a code.

    :raises ValueError: the code is taken.
    """
    if code in ACTIONS:
        raise ValueError(f"the action {code} is registered already")
    ACTIONS[code] = made = Action(code, label, sentence, example, whole)
    return made
