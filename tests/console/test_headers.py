"""What the browser is told not to do."""

from __future__ import annotations

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
