"""What the browser is told not to do."""

from __future__ import annotations

import gzip
import re

import pytest
from django.test import Client

from nephoscope.accounts.models import User


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/login/", "/", "/alerts/alert/", "/accounts/account/add/", "/api/docs"])
def test_no_script_written_into_a_page_runs_and_none_needs_to(administrator: User, address: str) -> None:
    client = Client()
    client.force_login(administrator)
    answer = client.get(address)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert re.search(r"script-src ([^;]*)", policy)[1] == "'self' 'unsafe-eval'"  # type: ignore[index]
    assert "frame-ancestors 'none'" in policy
    assert not re.search(rb"<script(?![^>]*\bsrc=)", answer.content)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address", ["/", "/api/v1/rules", "/static/nephoscope/console.css", "/static/nephoscope/console.js"]
)
def test_answers_and_texts_are_compressed_for_who_accepts_it(administrator: User, address: str) -> None:
    client = Client()
    client.force_login(administrator)
    plain, packed = client.get(address), client.get(address, headers={"Accept-Encoding": "br, gzip"})
    assert "Content-Encoding" not in plain.headers
    assert packed["Content-Encoding"] == "gzip" and int(packed["Content-Length"]) == len(packed.content)
    assert "Accept-Encoding" in packed["Vary"] and "Accept-Encoding" in plain["Vary"]
    whole = plain.getvalue()
    assert len(packed.content) < len(whole) / 2
    if address.startswith("/static/"):
        assert gzip.decompress(packed.content) == whole and packed["Content-Type"] == plain["Content-Type"]
        asked = {"Accept-Encoding": "gzip", "If-Modified-Since": packed["Last-Modified"]}
        assert client.get(address, headers=asked).status_code == 304


def test_a_font_is_sent_as_it_is() -> None:
    answer = Client().get("/static/unfold/fonts/inter/Inter-Bold.woff2", headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200 and "Content-Encoding" not in answer.headers
