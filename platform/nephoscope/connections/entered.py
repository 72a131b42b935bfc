"""What people enter of an account or an organisation: checked, laid over what is stored, and kept, secrets apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from nephoscope import domain
from nephoscope.accounts.models import Connected
from nephoscope.vault import SecretUnreadable


def check_names(provider: domain.Provider, fields: Iterable[domain.Field], settings: Mapping[str, Any]) -> None:
    """Raise ValidationError for a setting that the fields do not have, or that is no text; names the field."""
    known = {field.name for field in fields}
    if strange := sorted(set(settings) - known):
        message = _("%(provider)s has no such setting; it has %(known)s.")
        values = {"provider": provider.name, "known": ", ".join(sorted(known))}
        raise ValidationError({name: [message % values] for name in strange})
    if wrong := [name for name, value in settings.items() if not isinstance(value, str)]:
        raise ValidationError({name: [_("Enter text.")] for name in wrong})


def require_fields(fields: Iterable[domain.Field], settings: Mapping[str, str]) -> None:
    """Raise ValidationError for what has to be entered and was not; names the fields."""
    if empty := [each for each in fields if each.required and not settings.get(each.name)]:
        raise ValidationError({each.name: [_("Enter the %s.") % each.label] for each in empty})


def over_stored(stored: Connected, fields: Iterable[domain.Field], given: Mapping[str, str]) -> dict[str, str]:
    """Return what is stored with what was given laid over it. A secret that is given empty stays as it is.

    :raises ConnectionProblem: a secret that is needed cannot be decrypted; one that is given anew is not needed.
    """
    found = {**stored.settings, **given}
    for each in fields:
        if each.secret and not given.get(each.name, "").strip() and each.name in stored.secrets:
            try:
                found[each.name] = stored.secrets[each.name]
            except SecretUnreadable as problem:
                raise domain.ConnectionProblem(each.name, str(problem)) from problem
    return found


def keep(stored: Connected, fields: Iterable[domain.Field], settings: Mapping[str, str]) -> None:
    """Put settings where they belong: secrets where they are encrypted, all else in clear."""
    secret = {each.name for each in fields if each.secret}
    stored.settings = {name: value for name, value in settings.items() if name not in secret}
    stored.secrets = {name: value for name, value in settings.items() if name in secret}


def shown(stored: Connected, fields: Iterable[domain.Field]) -> dict[str, str]:
    """Return the settings that may be shown: all but secrets."""
    secret = {each.name for each in fields if each.secret}
    return {name: value for name, value in stored.settings.items() if name not in secret}
