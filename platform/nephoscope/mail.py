"""Mail: Django's settings for it, from one address in the environment."""

from __future__ import annotations

from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from nephoscope.configuration import ConfigurationError

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

    :raises ConfigurationError: the address is none; never repeats it, since it holds a password.
    """
    if not url:
        return {}
    address = _parse(url)
    port = address.port or PORTS[address.scheme]
    if address.scheme == "smtp" and address.password and address.hostname not in LOOPBACK:
        raise ConfigurationError("NEPHOSCOPE_EMAIL_URL: smtp:// would send the password in clear; use smtp+tls://")
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": address.hostname,
        "EMAIL_PORT": port,
        "EMAIL_HOST_USER": unquote(address.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(address.password or ""),
        "EMAIL_USE_TLS": address.scheme == "smtp+tls",
        "EMAIL_USE_SSL": address.scheme == "smtps",
        "EMAIL_TIMEOUT": TIMEOUT,
    }


def _parse(url: str) -> SplitResult:
    try:
        address = urlsplit(url)
        # Reading the port checks it.
        whole = address.scheme in PORTS and address.hostname and address.port != 0
    except ValueError:
        whole = False
    if not whole:
        raise ConfigurationError(
            "NEPHOSCOPE_EMAIL_URL must be smtp+tls://user:password@host:port, smtps://… or smtp://…; "
            "in user and password, write special characters as %XX"
        )
    return address
