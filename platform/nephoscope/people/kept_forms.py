"""Forms that came without a valid session or CSRF token: what they held, for the person who filled them in.

Nothing here executes a form: what is kept is shown after the next sign-in in the same browser, with a button.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone

from nephoscope.accounts.models import KeptForm
from nephoscope.plugins import registry

if TYPE_CHECKING:
    from django.http import HttpRequest

MOST_BYTES = 100_000
"""Of all names and values of a form that is kept."""

VALID = timedelta(hours=1)

MOST_KEPT = 200
"""Forms kept at a time for all browsers together: whoever has no session must not fill the database."""

_MOST_PER_BROWSER = 10
_KEY = "kept_forms"
_PASSWORDS = {"password", "again", "old_password", "new_password1", "new_password2"}


@dataclass(frozen=True, slots=True)
class FilledForm:
    """Where a form was sent, its fields in order, and the names of those that held a secret and are left out."""

    path: str
    fields: list[tuple[str, str]]
    left_out: list[str]


def filled_form(request: HttpRequest) -> FilledForm | None:
    """Return what a posted form held, or None if it cannot be sent again.

    That is one that did not surely come from a page of this site, holds files, or is too large.
    """
    if not sent_from_here(request) or request.FILES:
        return None
    given = [
        (name.replace("\0", ""), str(value).replace("\0", ""))  # PostgreSQL stores no null character
        for name, values in request.POST.lists()
        for value in values
        if name != "csrfmiddlewaretoken"
    ]
    if sum(len(name.encode()) + len(value.encode()) for name, value in given) > MOST_BYTES:
        return None
    secret = secret_names()
    fields = [each for each in given if each[0] not in secret]
    left_out = dict.fromkeys(name for name, value in given if name in secret and value)
    return FilledForm(request.get_full_path(), fields, list(left_out))


def sent_from_here(request: HttpRequest) -> bool:
    """Whether the browser says that a page of this very site sent the request; a missing Origin says nothing.

    Browsers send ``Origin`` with every POST, and ``Sec-Fetch-Site`` where they have a secure context:
    https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header
    """
    ours = {f"{request.scheme}://{request.get_host()}", *settings.CSRF_TRUSTED_ORIGINS}
    referer = request.headers.get("Referer")
    return (
        request.headers.get("Origin", "") in ours
        and request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"
        and (referer is None or _origin(referer) in ours)
    )


def _origin(address: str) -> str:
    """Return the scheme and host of an address, or nothing where it has none or is malformed."""
    try:
        found = urlsplit(address)
    except ValueError:
        return ""
    return f"{found.scheme}://{found.netloc}" if found.netloc else ""


def secret_names() -> set[str]:
    """Return the names of all fields that hold passwords or secrets; those are never kept."""
    fields = [each for provider in registry().providers.values() for each in provider.fields]
    for provider in registry().providers.values():
        fields += provider.organisations.fields if provider.organisations else ()
    return _PASSWORDS | {each.name for each in fields if each.secret}


def keep_form(request: HttpRequest, form: FilledForm) -> uuid.UUID | None:
    """Keep a form for this browser; return its id, or None while too many are kept."""
    forget_old_forms()
    if KeptForm.objects.count() >= MOST_KEPT:
        return None
    kept = KeptForm.objects.create(path=form.path, fields=form.fields, left_out=form.left_out)
    request.session[_KEY] = [*request.session.get(_KEY, []), str(kept.pk)][-_MOST_PER_BROWSER:]
    return kept.pk


def take_form(request: HttpRequest, kept: uuid.UUID) -> FilledForm | None:
    """Return a form that this browser sent and forget it; None if it did not, took it already, or it is too old."""
    own = request.session.get(_KEY, [])
    if str(kept) not in own:
        return None
    request.session[_KEY] = [each for each in own if each != str(kept)]
    forget_old_forms()
    row = KeptForm.objects.filter(pk=kept).first()
    if row is None:
        return None
    row.delete()
    return FilledForm(row.path, [(name, value) for name, value in row.fields], row.left_out)


def forget_old_forms() -> None:
    """Delete the forms that nobody came back for."""
    KeptForm.objects.filter(kept_at__lt=timezone.now() - VALID).delete()
