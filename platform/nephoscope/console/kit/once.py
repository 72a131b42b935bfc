"""A secret that is shown once: it waits, encrypted, in the session from the act that made it to the page after it."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

from nephoscope.console.kit.admin import show_secret
from nephoscope.vault import SecretUnreadable


def keep(request: HttpRequest, name: str, secret: str) -> None:
    """Keep a secret for the next page that asks for it by this name."""
    request.session[_key(name)] = settings.VAULT.seal(secret)


def take(request: HttpRequest, name: str) -> str:
    """Return what is kept under a name, for a page that no cache stores, and forget it.

    Nothing where there is none, or its key is gone.
    """
    secret = request.session.pop(_key(name), "")
    if secret:
        show_secret(request)
    try:
        return str(settings.VAULT.open(secret))
    except SecretUnreadable:
        return ""


def _key(name: str) -> str:
    return f"once_{name}"
