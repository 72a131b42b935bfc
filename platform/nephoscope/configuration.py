"""What an operator sets: every environment variable that Nephoscope reads, with its type and its default.

Read once, by the platform and the command line alike, and free of Django. docs/operating.md lists them.
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).resolve().parents[2]
"""The clone, where the data directory is unless set otherwise."""

HERE = "localhost,127.0.0.1,[::1]"

Network = IPv4Network | IPv6Network
C = TypeVar("C", bound="Configuration | Stores")


class ConfigurationError(Exception):
    """An environment variable holds what cannot be used; the message names each such, and says what would do."""


# -- How a text is read: each raises ValueError with what would do ---------------------------------


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text)):
        raise ValueError("a whole number from 1 to 999999999")
    return int(text)


def _session_hours(text: str) -> int:
    # A cookie's lifetime in seconds must stay a number that PostgreSQL and browsers can add to a date.
    if _number(text) > 8760:
        raise ValueError("a whole number from 1 to 8760")
    return _number(text)


def _switch(text: str) -> bool:
    known = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if text.lower() not in known:
        raise ValueError("1 or 0")
    return known[text.lower()]


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _plugins(text: str) -> tuple[str, ...] | None:
    return _names(text) or None


def _origins(text: str) -> tuple[str, ...]:
    if any(not each.startswith(("https://", "http://")) for each in _names(text)):
        raise ValueError("origins with their scheme, as https://nephoscope.example")
    return _names(text)


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ip_network(each) for each in _names(text))
    except ValueError:
        raise ValueError("networks, as 10.0.0.0/8,fd00::/8") from None


def _keys(text: str) -> tuple[str, ...]:
    try:
        if all(len(urlsafe_b64decode(each)) == 32 for each in _names(text)):
            return _names(text)
    except ValueError:
        pass
    raise ValueError("keys of 32 bytes in base64, newest first, as openssl rand -base64 32 makes them")


def _folder(text: str) -> Path:
    return Path(text).resolve() if text else ROOT / "var"


def _level(text: str) -> str:
    levels = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
    if text.upper() not in levels:
        raise ValueError(f"one of {', '.join(levels)}")
    return text.upper()


def _postgres(text: str) -> str:
    if text and not text.startswith(("postgresql://", "postgres://", "pgsql://")):
        raise ValueError("a PostgreSQL database: postgresql://user:password@host/name")
    return text


def _redis(text: str) -> str:
    if text and not text.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("a Redis server: redis://host:6379/0")
    return text


# -- What there is to set --------------------------------------------------------------------------


def _from(
    variable: str, read: Callable[[str], Any] = str, default: str = "", *, secret: bool = False
) -> dict[str, Any]:
    """Say which variable a field is read from; one that is unset or empty holds the default."""
    return {"variable": variable, "read": read, "default": default, "secret": secret}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Configuration:
    """What is set by variables of our own. ``plugins`` is None for those that Nephoscope itself brings."""

    plugins: tuple[str, ...] | None = field(metadata=_from("NEPHOSCOPE_PLUGINS", _plugins))
    data_dir: Path = field(metadata=_from("NEPHOSCOPE_DATA_DIR", _folder))
    secret_key: str = field(metadata=_from("NEPHOSCOPE_SECRET_KEY", secret=True))
    encryption_keys: tuple[str, ...] = field(metadata=_from("NEPHOSCOPE_ENCRYPTION_KEYS", _keys, secret=True))
    allowed_hosts: tuple[str, ...] = field(metadata=_from("NEPHOSCOPE_ALLOWED_HOSTS", _names, HERE))
    trusted_origins: tuple[str, ...] = field(metadata=_from("NEPHOSCOPE_TRUSTED_ORIGINS", _origins))
    tls: bool = field(metadata=_from("NEPHOSCOPE_TLS", _switch, "off"))
    demo: bool = field(metadata=_from("NEPHOSCOPE_DEMO", _switch, "off"))
    debug: bool = field(metadata=_from("NEPHOSCOPE_DEBUG", _switch, "off"))
    log_level: str = field(metadata=_from("NEPHOSCOPE_LOG_LEVEL", _level, "WARNING"))
    workers: int = field(metadata=_from("NEPHOSCOPE_WORKERS", _number, "2"))
    lease_seconds: int = field(metadata=_from("NEPHOSCOPE_LEASE_SECONDS", _number, "60"))
    max_scans: int = field(metadata=_from("NEPHOSCOPE_MAX_SCANS", _number, "4"))
    interactive_seconds: int = field(metadata=_from("NEPHOSCOPE_INTERACTIVE_SECONDS", _number, "10"))
    calls_per_account: int = field(metadata=_from("NEPHOSCOPE_CALLS_PER_ACCOUNT", _number, "40"))
    max_resources_per_plan: int = field(metadata=_from("NEPHOSCOPE_MAX_RESOURCES_PER_PLAN", _number, "25"))
    automatic_fixes_per_hour: int = field(metadata=_from("NEPHOSCOPE_AUTOMATIC_FIXES_PER_HOUR", _number, "25"))
    sample_findings: bool = field(metadata=_from("NEPHOSCOPE_SAMPLE_FINDINGS", _switch, "off"))
    organisation_sync_minutes: int = field(metadata=_from("NEPHOSCOPE_ORGANISATION_SYNC_MINUTES", _number, "60"))
    retention_days: int = field(metadata=_from("NEPHOSCOPE_RETENTION_DAYS", _number, "365"))
    transition_days: int = field(metadata=_from("NEPHOSCOPE_TRANSITION_DAYS", _number, "90"))
    email_url: str = field(metadata=_from("NEPHOSCOPE_EMAIL_URL", secret=True))
    email_from: str = field(metadata=_from("NEPHOSCOPE_EMAIL_FROM", default="nephoscope@localhost"))
    allowed_networks: tuple[Network, ...] = field(metadata=_from("NEPHOSCOPE_ALLOWED_NETWORKS", _networks))
    trusted_proxies: tuple[Network, ...] = field(metadata=_from("NEPHOSCOPE_TRUSTED_PROXIES", _networks))
    session_idle_minutes: int = field(metadata=_from("NEPHOSCOPE_SESSION_IDLE_MINUTES", _number, "60"))
    session_hours: int = field(metadata=_from("NEPHOSCOPE_SESSION_HOURS", _session_hours, "24"))
    reports_dir: str = field(metadata=_from("NEPHOSCOPE_REPORTS_DIR"))


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Stores:
    """Where the platform keeps things.

    Apart from the rest, and never asked for by the command line: the names are not our own, and what they hold in a
    build pipeline belongs to the program that is built.
    """

    database_url: str = field(metadata=_from("DATABASE_URL", _postgres, secret=True))
    redis_url: str = field(metadata=_from("REDIS_URL", _redis, secret=True))


def read(kind: type[C], environment: Mapping[str, str]) -> C:
    """Read the fields of a kind from an environment.

    :raises ConfigurationError: one or more cannot be used. Never repeats what may hold a password.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    for each in fields(kind):
        variable, secret = each.metadata["variable"], each.metadata["secret"]
        text = environment.get(variable, "")
        try:
            values[each.name] = each.metadata["read"]((text if secret else text.strip()) or each.metadata["default"])
        except ValueError as wanted:
            problems.append(f"{variable} must be {wanted}" + ("" if secret else f", not {text!r}"))
    if problems:
        raise ConfigurationError("\n".join(problems))
    return kind(**values)


@cache
def configuration() -> Configuration:
    """Return what this process was started with.

    :raises ConfigurationError: as :func:`read`.
    """
    return read(Configuration, os.environ)


@cache
def stores() -> Stores:
    """Return where this process keeps things.

    :raises ConfigurationError: as :func:`read`.
    """
    return read(Stores, os.environ)
