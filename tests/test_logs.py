"""The log holds a line for each mistake of a client, a traceback for each of ours, and no secret."""

from __future__ import annotations

import io
import logging
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.test import Client, override_settings
from django.urls import path

from nephoscope.logs import ClientMistakes, OneLine, without_secrets

LOGGING: Any = settings.LOGGING
FORMAT = LOGGING["formatters"]["plain"]["format"]


def raising(problem: Exception) -> Callable[[HttpRequest], HttpResponse]:
    def view(request: HttpRequest) -> HttpResponse:
        raise problem

    return view


PROBLEMS = {
    "denied": PermissionDenied("you may not"),
    "gone": Http404("there is none"),
    "odd": SuspiciousOperation("odd"),
    "cut": UnreadablePostError("the client went away"),
    "ours": ValueError("password=hunter2 at postgresql://neph:hunter2@db/x?sslkey=hunter2\n2026-01-01 ERROR forged"),
}


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What a handler as in the settings writes of all that is logged."""
    stream, root = io.StringIO(), logging.getLogger()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(OneLine(FORMAT))
    handler.addFilter(ClientMistakes())
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)


@pytest.fixture
def failing() -> Iterator[Client]:
    urls = types.ModuleType("urls_that_fail")
    urls.urlpatterns = [path(name, raising(problem)) for name, problem in PROBLEMS.items()]  # type: ignore[attr-defined]
    sys.modules[urls.__name__] = urls
    with override_settings(ROOT_URLCONF=urls.__name__, MIDDLEWARE=[]):
        yield Client(raise_request_exception=False)
    del sys.modules[urls.__name__]


def test_the_settings_use_both(written: io.StringIO) -> None:
    assert LOGGING["handlers"]["console"]["filters"] == ["clients"]
    assert LOGGING["formatters"]["plain"]["()"] == "nephoscope.logs.OneLine"


@pytest.mark.parametrize("name", ["denied", "gone", "odd", "cut", "nothing-is-here"])
def test_what_a_client_did_wrong_is_one_line_without_a_traceback_or_query(
    failing: Client, written: io.StringIO, name: str
) -> None:
    assert failing.get(f"/{name}?token=hunter2", headers={"authorization": "Token hunter2"}).status_code >= 400
    lines = written.getvalue().splitlines()
    assert 1 <= len(lines) <= 2, lines
    assert "Traceback" not in written.getvalue() and "hunter2" not in written.getvalue()


def test_a_forged_host_is_one_line(failing: Client, written: io.StringIO) -> None:
    middleware = ["django.middleware.common.CommonMiddleware"]
    with override_settings(MIDDLEWARE=middleware, ALLOWED_HOSTS=["nephoscope.example"]):
        assert failing.get("/gone", headers={"host": "evil.example"}).status_code == 400
    assert len(written.getvalue().splitlines()) <= 2 and "Traceback" not in written.getvalue()


def test_what_went_wrong_on_our_side_has_its_traceback_and_no_secret(failing: Client, written: io.StringIO) -> None:
    answer = failing.post("/ours?token=hunter2", {"password": "hunter2"}, headers={"authorization": "Token hunter2"})
    assert answer.status_code == 500
    text = written.getvalue()
    assert "Traceback" in text and "in view" in text and "ValueError" in text
    assert "hunter2" not in text
    assert not any(line.startswith("2026-01-01") for line in text.splitlines()), "nobody's text is a line of ours"


def test_a_flood_of_mistakes_is_a_few_lines_and_a_count(written: io.StringIO) -> None:
    now = 0.0
    mistakes = ClientMistakes(most=3, window=60, clock=lambda: now)
    shown = [mistakes.filter(record(f"Forbidden: /{n}")) for n in range(1_000)]
    assert shown == [True] * 3 + [False] * 997
    now = 61.0
    after = record("Forbidden: /again")
    assert mistakes.filter(after)
    assert after.getMessage() == "Forbidden: /again (997 more lines before it were left out)"
    assert mistakes.filter(record("ours", level=logging.ERROR))
    assert mistakes.filter(record("x", name="nephoscope.scans"))


def record(message: str, *, level: int = logging.WARNING, name: str = "django.request") -> logging.LogRecord:
    return logging.LogRecord(name, level, "", 0, message, None, None)


@pytest.mark.parametrize(
    "text",
    ["a\n2026-01-01 ERROR forged", "a\r\nb", "\x1b[31mred", "a\u2028b", "a\u202eb", "a\x85b"],
    ids=ascii,
)
def test_no_text_breaks_out_of_its_line(written: io.StringIO, text: str) -> None:
    logging.getLogger("nephoscope").warning("name %s", text)
    logged = written.getvalue()
    assert len(logged.splitlines()) == 1 and text not in logged
    logged.encode()


def test_half_a_character_can_be_written() -> None:
    OneLine(FORMAT).format(record("a\udc80b")).encode()


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Token hunter2",
        "{'Authorization': 'Bearer hunter2', 'a': 1}",
        "Cookie: sessionid=hunter2; a=hunter2",
        "https://anna:hunter2@example.com/",
        "GET /a?key=hunter2 failed",
        'password = "hunter2 with hunter2"',
        "csrfmiddlewaretoken=hunter2&x=1",
        "external_id: 'hunter2'",
    ],
)
def test_what_looks_like_a_secret_is_left_out(text: str) -> None:
    assert "hunter2" not in without_secrets(text)


def test_ordinary_words_stay(written: io.StringIO) -> None:
    for said in (
        "Forbidden: /api/v1/tokens",
        "the token is wrong",
        "secret of 3 accounts",
        "Is it the newest secret? Yes",
    ):
        assert without_secrets(said) == said


def test_a_refusal_in_the_console_is_one_line(written: io.StringIO, db: Any, viewer: Any, account: Any) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(viewer)
    assert client.get("/accounts/user/").status_code == 403
    assert len(written.getvalue().splitlines()) == 1
