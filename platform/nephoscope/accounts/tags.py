"""Tags of accounts: names with values, within the limits that a provider sets for its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from nephoscope.domain import TagLimits

USUAL = TagLimits(100, 200, 500, r"[^\x00-\x1f\x7f-\x9f]*", "printable characters")
"""What is kept of a provider that sets no limits."""


def checked(tags: Any, limits: TagLimits | None) -> dict[str, str]:
    """Return tags in order of their names, without the space around names and values.

    :param limits: those of the provider whose accounts bear them; None for the usual ones.
    :raises ValidationError: too many, or one that the provider would not take; names ``tags``.
    """
    if not isinstance(tags, Mapping):
        raise _wrong(_("Enter tags as names and values."))
    limits = limits or USUAL
    found: dict[str, str] = {}
    for name, value in tags.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise _wrong(_("Enter tags as names and values."))
        name, value = name.strip(), value.strip()
        _check(name, value, limits)
        if name in found:
            raise _wrong(_("The tag %(name)s is given twice.") % {"name": name})
        found[name] = value
    if len(found) > limits.most:
        values = {"count": len(found), "most": limits.most}
        raise _wrong(_("%(count)s tags given. The limit is %(most)s.") % values)
    return dict(sorted(found.items()))


def _check(name: str, value: str, limits: TagLimits) -> None:
    tag = f"{name}={value}"[:60]
    if not name or len(name) > limits.longest_name or len(value) > limits.longest_value:
        message = _("A tag has a name of 1 to %(name)s characters and a value of up to %(value)s: %(tag)s")
        raise _wrong(message % {"name": limits.longest_name, "value": limits.longest_value, "tag": tag})
    if not all(re.fullmatch(limits.characters, each) for each in (name, value)):
        raise _wrong(_("A tag holds %(characters)s only: %(tag)s") % {"characters": limits.shown, "tag": tag})


def read(text: str) -> dict[str, str]:
    """Return the tags that a person typed, one ``name=value`` on a line; :func:`checked` says whether they will do.

    :raises ValidationError: a line without ``=``, or a name that is there twice; names ``tags``.
    """
    found: dict[str, str] = {}
    for line in text.replace("\x00", "").splitlines():
        if not line.strip():
            continue
        name, equals, value = line.partition("=")
        if not equals:
            raise _wrong(_("Write one name=value per line: %(line)s") % {"line": line.strip()[:60]})
        if name.strip() in found:
            raise _wrong(_("The tag %(name)s is given twice.") % {"name": name.strip()[:60]})
        found[name.strip()] = value
    return found


def written(tags: Mapping[str, str]) -> str:
    """Return tags as a person types them."""
    return "\n".join(f"{name}={value}" for name, value in tags.items())


def _wrong(message: str) -> ValidationError:
    return ValidationError({"tags": [message]})
