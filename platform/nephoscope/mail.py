"""Mail: Django's settings for it, from one address in the environment."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from environ import Env

TIMEOUT = 30
"""Seconds that a mail server may take for one answer."""

PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
"""The forms that an address may have, with the port where it names none.

``smtps`` speaks TLS from the first byte, as https://www.rfc-editor.org/rfc/rfc8314#section-3.3 has it; ``smtp+tls``
begins in clear and insists on STARTTLS.
"""

LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def configuration(url: str) -> dict[str, Any]:
    """Return the settings for ``smtp+tls://user:password@host:port``; none for an empty text.

    :raises ImproperlyConfigured: the address is none; never repeats it, since it holds a password.
    """
    if not url:
        return {}
    try:
        scheme = urlsplit(url).scheme
        # django-environ takes smtps for STARTTLS.
        found = Env.email_url_config(url.replace("smtps:", "smtp+ssl:", 1) if scheme == "smtps" else url)
    except (ValueError, ImproperlyConfigured):
        scheme, found = "", {}
    if scheme not in PORTS or not found.get("EMAIL_HOST"):
        raise ImproperlyConfigured(
            "NEPHOSCOPE_EMAIL_URL: write smtp+tls://user:password@host:port, smtps://… or smtp://…; "
            "in user and password, write special characters as %XX."
        )
    if scheme == "smtp" and found["EMAIL_HOST_PASSWORD"] and found["EMAIL_HOST"] not in LOOPBACK:
        raise ImproperlyConfigured("NEPHOSCOPE_EMAIL_URL: smtp:// would send the password in clear; use smtp+tls://.")
    return {
        "EMAIL_BACKEND": found["EMAIL_BACKEND"],
        "EMAIL_HOST": found["EMAIL_HOST"],
        "EMAIL_PORT": found["EMAIL_PORT"] or PORTS[scheme],
        "EMAIL_HOST_USER": found["EMAIL_HOST_USER"] or "",
        "EMAIL_HOST_PASSWORD": found["EMAIL_HOST_PASSWORD"] or "",
        "EMAIL_USE_TLS": scheme == "smtp+tls",
        "EMAIL_USE_SSL": scheme == "smtps",
        "EMAIL_TIMEOUT": TIMEOUT,
    }
