"""Tags of accounts: names with values, within the limits that AWS sets for its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

MOST = 50
"""https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html says which limits hold."""

LONGEST_NAME, LONGEST_VALUE = 128, 256

_CHARACTERS = re.compile(r"[\w .:/=+\-@]*")


def checked(tags: Any) -> dict[str, str]:
    """Return tags in order of their names, without the space around names and values.

    :raises ValidationError: too many, or one that AWS would not take; names ``tags``.
    """
    if not isinstance(tags, Mapping):
        raise _wrong(_("Enter names with values."))
    found: dict[str, str] = {}
    for name, value in tags.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise _wrong(_("Enter names with values."))
        name, value = name.strip(), value.strip()
        if not name or len(name) > LONGEST_NAME or len(value) > LONGEST_VALUE:
            message = _("A tag has a name of 1 to %(name)s characters and a value of up to %(value)s: %(tag)s")
            raise _wrong(message % {"name": LONGEST_NAME, "value": LONGEST_VALUE, "tag": f"{name}={value}"[:60]})
        if not (_CHARACTERS.fullmatch(name) and _CHARACTERS.fullmatch(value)):
            message = _("A tag holds letters, digits, spaces and _ . : / = + - @ only: %(tag)s")
            raise _wrong(message % {"tag": f"{name}={value}"[:60]})
        if name in found:
            raise _wrong(_("The tag %(name)s is there twice.") % {"name": name})
        found[name] = value
    if len(found) > MOST:
        raise _wrong(_("There are %(count)s tags; at most %(most)s are kept.") % {"count": len(found), "most": MOST})
    return dict(sorted(found.items()))


def read(text: str) -> dict[str, str]:
    """Return the tags that a person typed, one ``name=value`` on a line.

    :raises ValidationError: a line without ``=``, or as :func:`checked`.
    """
    found: dict[str, str] = {}
    for line in text.replace("\x00", "").splitlines():
        if not line.strip():
            continue
        name, equals, value = line.partition("=")
        if not equals:
            raise _wrong(_("Write name=value on a line of its own: %(line)s") % {"line": line.strip()[:60]})
        if name.strip() in found:
            raise _wrong(_("The tag %(name)s is there twice.") % {"name": name.strip()[:60]})
        found[name.strip()] = value
    return checked(found)


def written(tags: Mapping[str, str]) -> str:
    """Return tags as a person types them."""
    return "\n".join(f"{name}={value}" for name, value in tags.items())


def _wrong(message: str) -> ValidationError:
    return ValidationError({"tags": [message]})
