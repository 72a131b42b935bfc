"""What an operator sets: read once, typed, and refused by name with what would do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nephoscope import postgres
from nephoscope.configuration import ROOT, Configuration, ConfigurationError, Stores, read


def one(variable: str, text: str) -> Any:
    """Return what a variable's text is read as."""
    kind = Stores if variable in ("DATABASE_URL", "REDIS_URL") else Configuration
    [field] = [name for name, each in kind.__dataclass_fields__.items() if each.metadata["variable"] == variable]
    return getattr(read(kind, {variable: text}), field)


@pytest.mark.parametrize(
    ("variable", "text", "value"),
    [
        ("NEPHOSCOPE_WORKERS", " 8 ", 8),
        ("NEPHOSCOPE_TLS", "1", True),
        ("NEPHOSCOPE_TLS", "Yes", True),
        ("NEPHOSCOPE_TLS", "0", False),
        ("NEPHOSCOPE_TLS", "", False),
        ("NEPHOSCOPE_PLUGINS", "aws, acme,", ("aws", "acme")),
        ("NEPHOSCOPE_PLUGINS", " ", None),
        ("NEPHOSCOPE_ALLOWED_HOSTS", "a.example,b.example", ("a.example", "b.example")),
        ("NEPHOSCOPE_ALLOWED_HOSTS", "", ("localhost", "127.0.0.1", "[::1]")),
        ("NEPHOSCOPE_TRUSTED_ORIGINS", "https://a.example", ("https://a.example",)),
        ("NEPHOSCOPE_DATA_DIR", "", ROOT / "var"),
        ("NEPHOSCOPE_DATA_DIR", "/srv/../srv/data", Path("/srv/data")),
        ("NEPHOSCOPE_LOG_LEVEL", "info", "INFO"),
        ("NEPHOSCOPE_SECRET_KEY", " kept as it is ", " kept as it is "),
        ("DATABASE_URL", "postgresql://u:p@h/n", "postgresql://u:p@h/n"),
        ("REDIS_URL", "rediss://h:6379/0", "rediss://h:6379/0"),
    ],
)
def test_a_variable_is_read_as_what_it_means(variable: str, text: str, value: object) -> None:
    assert one(variable, text) == value


@pytest.mark.parametrize(
    ("variable", "text", "wanted"),
    [
        ("NEPHOSCOPE_WORKERS", "two", "a whole number from 1 to 999999999, not 'two'"),
        ("NEPHOSCOPE_WORKERS", "0", "a whole number from 1 to 999999999, not '0'"),
        ("NEPHOSCOPE_RETENTION_DAYS", "-1", "a whole number from 1 to 999999999, not '-1'"),
        ("NEPHOSCOPE_RETENTION_DAYS", "1.5", "a whole number from 1 to 999999999, not '1.5'"),
        ("NEPHOSCOPE_LEASE_SECONDS", "1000000000", "a whole number from 1 to 999999999, not '1000000000'"),
        ("NEPHOSCOPE_WORKERS", "٣", "a whole number from 1 to 999999999, not '٣'"),
        ("NEPHOSCOPE_TLS", "ture", "1 or 0, not 'ture'"),
        ("NEPHOSCOPE_LOG_LEVEL", "loud", "one of DEBUG, INFO, WARNING, ERROR, CRITICAL, not 'loud'"),
        ("NEPHOSCOPE_TRUSTED_ORIGINS", "a.example", "https://nephoscope.example, not 'a.example'"),
        ("DATABASE_URL", "mysql://u:hush@h/n", "postgresql://user:password@host/name"),
        ("REDIS_URL", "hush@localhost:6379", "redis://host:6379/0"),
    ],
)
def test_what_cannot_be_used_is_refused_with_what_would_do(variable: str, text: str, wanted: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"^{variable} must be ") as refused:
        one(variable, text)
    assert wanted in str(refused.value)
    assert "hush" not in str(refused.value)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(ConfigurationError) as refused:
        read(Configuration, {"NEPHOSCOPE_WORKERS": "two", "NEPHOSCOPE_DEBUG": "maybe", "NEPHOSCOPE_MAX_SCANS": "3"})
    assert [line.split()[0] for line in str(refused.value).splitlines()] == ["NEPHOSCOPE_DEBUG", "NEPHOSCOPE_WORKERS"]


def test_passwords_are_not_shown_with_the_configuration() -> None:
    shown = repr(read(Configuration, {"NEPHOSCOPE_SECRET_KEY": "hush"})) + repr(
        read(Stores, {"REDIS_URL": "redis://hush"})
    )
    assert "hush" not in shown


def test_a_database_that_takes_a_connection_and_never_answers_is_given_up(tmp_path: Path) -> None:
    url = "postgresql://ada@host/name"
    assert postgres.configuration(url, tmp_path)["OPTIONS"]["connect_timeout"] == 10
    told = postgres.configuration(f"{url}?connect_timeout=3", tmp_path)["OPTIONS"]
    assert int(told["connect_timeout"]) == 3, "the URL decides"


def test_a_database_whose_address_cannot_be_read_is_refused_without_repeating_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^DATABASE_URL must be ") as refused:
        postgres.configuration("postgresql://ada:hu/sh#@[host/name", tmp_path)
    assert "hu" not in str(refused.value).replace("must", "")


@pytest.mark.parametrize(
    ("variable", "text"),
    [("NEPHOSCOPE_WORKERS", "two"), ("DATABASE_URL", "mysql://h/n"), ("NEPHOSCOPE_DATA_DIR", "/" + "d" * 200)],
)
def test_the_platform_does_not_start_with_it_and_says_why_in_a_line(variable: str, text: str, tmp_path: Path) -> None:
    given = os.environ | {"NEPHOSCOPE_DATA_DIR": str(tmp_path), "NEPHOSCOPE_SECRET_KEY": "not used", variable: text}
    command = [sys.executable, str(ROOT / "manage.py"), "check"]
    done = subprocess.run(command, env=given, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"manage.py: {variable} ") and done.stderr.count("\n") == 1
