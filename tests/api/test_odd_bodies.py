"""JSON that no database keeps is refused at the door, with 400."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from nephoscope.accounts.models import Account, User

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "value",
    [
        "1e999",
        "-1e999",
        "NaN",
        "Infinity",
        r'"a\u0000b"',
        r'"\ud800"',
        "1" + "0" * 400,
        "1" * 5_000,
        "[" * 150 + "]" * 150,
    ],
    ids=range(9),
)
def test_a_body_that_cannot_be_stored_is_refused(account: Account, administrator: User, value: str) -> None:
    client: Any = APIClient(raise_request_exception=False)
    client.force_authenticate(administrator)
    path = f"/api/v1/accounts/{account.pk}"
    for form in ('{"tags": {"a": %s}}', '{"name": %s}', '{"x": [%s]}', '{"scan_every": %s}'):
        body = form % value
        answer = client.generic("PATCH", path, body, content_type="application/json")
        assert answer.status_code == 400, (body[:50], answer.status_code)
    account.refresh_from_db()
    assert account.name == "prod"


def test_of_a_name_given_twice_the_last_counts_and_other_characters_are_kept(
    account: Account, administrator: User
) -> None:
    client: Any = APIClient()
    client.force_authenticate(administrator)
    body = r'{"name": "first", "name": "\ud83d\ude00 Zürich"}'
    answer = client.generic("PATCH", f"/api/v1/accounts/{account.pk}", body, content_type="application/json")
    assert (answer.status_code, answer.json()["name"]) == (200, "😀 Zürich")
