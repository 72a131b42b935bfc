"""What an access for fixes allows: fixes by their groups."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nephoscope.domain.fixes import Remediation


@dataclass(frozen=True, slots=True)
class FixGroup:
    """Fixes that are allowed together, with all that applying and undoing them needs.

    :raises ValueError: the title is not one printable line, or its id would not begin with a letter.
    """

    title: str
    permissions: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.title.isprintable() or not self.id[:1].isalpha():
            raise ValueError(f"{self.title!r} cannot be the group of a fix: it is one line that begins with a letter")

    @property
    def id(self) -> str:
        """The title in letters and digits, as an access names it: "Open the doors" is ``OpenTheDoors``."""
        return group_id(self.title)


def group_id(title: str) -> str:
    """Return the id of the group of a title, in ASCII letters and digits; empty where the title has none."""
    return "".join(word[0].upper() + word[1:] for word in re.findall(r"[A-Za-z0-9]+", title))


def grouped(fixes: Iterable[Remediation]) -> list[FixGroup]:
    """Return the groups of some fixes by title; titles that lead to the same id are one group, in the first's words.

    :raises ValueError: the group of a fix has a title that cannot be.
    """
    found: dict[str, FixGroup] = {}
    for fix in sorted(fixes, key=lambda fix: fix.id):
        own = FixGroup(fix.group, fix.writes)
        known = found.setdefault(own.id, own)
        found[own.id] = FixGroup(known.title, tuple(sorted({*known.permissions, *own.permissions})))
    return sorted(found.values(), key=lambda group: group.title.lower())
