"""What is wrong is named, and nothing is half-saved."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from nephoscope.accounts.models import Account, User
from nephoscope.audit.models import Entry

pytestmark = pytest.mark.django_db


def send(client: Any, method: str, path: str, body: Any) -> Any:
    return client.generic(method, f"/api/v1/{path}", json.dumps(body), content_type="application/json")


SHORT = {"ACCOUNT": "accounts/{account.pk}", "ALERT": "alerts/{alert.pk}", "CHANGE": "changes/{change.pk}"}

BODIES: list[tuple[str, str, Any, int, dict[str, str]]] = [
    ("POST", "accounts", {"name": "prod", "provider": "toy"}, 409, {"name": "already exists"}),
    ("POST", "accounts", {"provider": "toy"}, 400, {"name": "required"}),
    ("POST", "accounts", {"name": "", "provider": "toy"}, 400, {"name": "blank"}),
    ("POST", "accounts", {"name": "n" * 101, "provider": "toy"}, 400, {"name": "no more than 100"}),
    ("POST", "accounts", {"name": ["x"], "provider": "toy"}, 400, {"name": "Not a valid string"}),
    ("POST", "accounts", {"name": "x\0", "provider": "toy"}, 400, {"name": "Null characters"}),
    ("POST", "accounts", {"name": "x"}, 409, {"provider": "Name one of: aws, toy."}),
    ("POST", "accounts", {"name": "x", "provider": "moon"}, 409, {"provider": "No enabled plugin provides “moon”"}),
    ("POST", "accounts", {"name": "x", "provider": "toy", "settings": {"colour": "red"}}, 409, {"colour": "no such"}),
    ("POST", "accounts", {"name": "x", "provider": "toy", "settings": []}, 400, {"settings": "dictionary"}),
    ("POST", "accounts", {"name": "x", "provider": "toy", "settings": {"role": "user/x"}}, 409, {"role": "is a user"}),
    (
        "POST",
        "accounts",
        {"name": "x", "colour": "red"},
        400,
        {"colour": "Unknown field. Known: name, provider, settings."},
    ),
    (
        "POST",
        "accounts",
        {"name": "x", "provider": "aws", "settings": {"role_arn": "logs"}},
        409,
        {"role_arn": "This is not an ARN."},
    ),
    (
        "POST",
        "accounts",
        {"name": "x", "provider": "aws", "settings": {"role_arn": "arn:aws:iam::123456789012:user/eve"}},
        409,
        {"role_arn": "This is the ARN of a user."},
    ),
    ("POST", "accounts", [], 400, {"non_field_errors": "Expected a dictionary, but got list."}),
    ("PATCH", "accounts/{account.pk}", {"regions": ["atlantis"]}, 409, {"regions": "atlantis is not available"}),
    ("PATCH", "accounts/{account.pk}", {"regions": []}, 409, {"regions": "Select at least one."}),
    ("PATCH", "accounts/{account.pk}", {"regions": "north"}, 400, {"regions": "Expected a list of items"}),
    ("PATCH", "accounts/{account.pk}", {"policies": ["none"]}, 409, {"policies": "none is not available"}),
    ("PATCH", "accounts/{account.pk}", {"groups": [99]}, 409, {"groups": 'Invalid pk "99"'}),
    ("PATCH", "accounts/{account.pk}", {"number": "1"}, 400, {"number": "Unknown field."}),
    ("POST", "ACCOUNT/verify", {"role": "user/eve"}, 409, {"role": "This is a user, not a role."}),
    ("POST", "ACCOUNT/verify", {"role": "role/closed"}, 409, {"role": "cannot be assumed"}),
    ("POST", "ACCOUNT/verify", {"role": 5}, 409, {"role": "Enter text."}),
    ("POST", "ACCOUNT/verify", {"colour": "red"}, 409, {"colour": "has no such setting"}),
    ("POST", "ACCOUNT/verify", {"writing": "perhaps"}, 400, {"writing": "Must be a valid boolean."}),
    ("POST", "ACCOUNT/verify", {"role": "r", "own_credentials": True}, 409, {"role": "Leave this out"}),
    ("POST", "ACCOUNT/verify", [], 400, {"non_field_errors": "Expected a dictionary"}),
    ("POST", "ACCOUNT/scan", {}, 409, {"account": "is already running"}),
    ("POST", "ACCOUNT/scan", {"services": ["x"]}, 409, {"services": "There is no service x."}),
    ("POST", "ACCOUNT/scan", {"regions": ["x"]}, 409, {"regions": "not among the account's regions"}),
    ("POST", "ACCOUNT/scan", {"region": "x"}, 400, {"region": "Unknown field. Known: services, regions."}),
    ("POST", "scans/{scan.pk}/cancel", {"now": True}, 400, {"now": "Unknown field. Known: none."}),
    ("POST", "ALERT/suppress", {"reason": "x"}, 400, {"findings": "Name the findings"}),
    ("POST", "ALERT/suppress", {"findings": [], "reason": "x"}, 400, {"findings": "may not be empty"}),
    ("POST", "ALERT/suppress", {"findings": ["a"], "reason": "x"}, 400, {"findings": "A valid integer is required."}),
    ("POST", "ALERT/suppress", {"findings": [10**30], "reason": "x"}, 400, {"findings": "less than or equal"}),
    ("POST", "ALERT/suppress", {"findings": [987654], "reason": "x"}, 409, {"findings": "987654: not affected by A-"}),
    ("POST", "ALERT/suppress", {"resources": [987654], "reason": "x"}, 409, {"resources": "987654: not affected"}),
    ("POST", "ALERT/suppress", {"findings": [1], "resources": [1], "reason": "x"}, 400, {"resources": "not both"}),
    ("POST", "ALERT/suppress", {"findings": ["{front.pk}"]}, 400, {"reason": "required"}),
    ("POST", "ALERT/suppress", {"findings": ["{front.pk}"], "reason": "  "}, 400, {"reason": "Enter a reason"}),
    (
        "POST",
        "ALERT/suppress",
        {"findings": ["{front.pk}"], "reason": "x", "expires_at": "tomorrow"},
        400,
        {"expires_at": "Datetime has wrong format"},
    ),
    (
        "POST",
        "ALERT/suppress",
        {"findings": ["{front.pk}"], "reason": "x", "expires_at": "2020-01-01T00:00:00Z"},
        409,
        {"expires_at": "in the past"},
    ),
    ("POST", "ALERT/plan", {"findings": ["{front.pk}"]}, 400, {"remediation": "required"}),
    ("POST", "ALERT/plan", {"findings": ["{front.pk}"], "remediation": "no"}, 409, {"remediation": "is not a fix"}),
    ("POST", "CHANGE/apply", {"reason": "x"}, 400, {"digest": "required"}),
    ("POST", "CHANGE/apply", {"digest": "0" * 64, "reason": "x"}, 409, {"digest": "changed since it was shown"}),
    ("POST", "CHANGE/apply", {"digest": "{change.digest}", "reason": ""}, 400, {"reason": "Enter a reason"}),
    ("POST", "CHANGE/undo", {"reason": "x"}, 409, {"change": "Nothing to undo"}),
]


def filled(body: Any, world: SimpleNamespace) -> Any:
    """Put the world's ids into a body."""
    if isinstance(body, list):
        return [filled(each, world) for each in body]
    if isinstance(body, dict):
        return {name: filled(value, world) for name, value in body.items()}
    if isinstance(body, str) and body.startswith("{"):
        text = body.format(**vars(world))
        return int(text) if text.isdecimal() and len(text) < 20 else text
    return body


def test_a_wrong_body_is_refused_by_the_name_of_the_field(
    subtests: pytest.Subtests, world: SimpleNamespace, administrator: User, api: Any
) -> None:
    for method, path, body, status, expected in BODIES:
        with subtests.test(f"{method} {path} {body}"):
            entries, account = Entry.objects.count(), Account.objects.values().get()

            for short, long in SHORT.items():
                path = path.replace(short, long)
            answer = send(api(administrator), method, path.format(**vars(world)), filled(body, world))

            assert answer.status_code == status, answer.content
            [(field, message)] = expected.items()
            assert list(answer.json()) == [field]
            assert message in json.dumps(answer.json()[field], ensure_ascii=False).replace('\\"', '"')
            assert Entry.objects.count() == entries
            assert Account.objects.values().get() == account


@pytest.mark.parametrize(
    ("path", "noun"),
    [
        ("accounts/987654", "account 987654"),
        ("scans/987654", "scan 987654"),
        ("alerts/abc", "alert abc"),
        ("alerts/99999999999999999999999", "alert 99999999999999999999999"),
        ("findings/0", "finding 0"),
        ("resources/-1", "resource -1"),
        ("changes/987654", "change 987654"),
        ("suppressions/987654", "suppression"),
        ("audit/987654", "audit entry 987654"),
        ("policies/none", "policy none"),
        ("rules/no.such", "rule no.such"),
        ("providers/moon", "provider moon"),
        ("plugins/x", "plugin x"),
        ("users/987654", "user 987654"),
        ("groups/987654", "group 987654"),
    ],
)
def test_an_unknown_id_is_not_found(administrator: User, api: Any, path: str, noun: str) -> None:
    answer = api(administrator).get(f"/api/v1/{path}")

    assert answer.status_code == 404
    assert answer.json()["detail"].startswith(f"There is no {noun}")


@pytest.mark.parametrize("path", ["verify", "scan"])
def test_acts_on_an_unknown_id_are_not_found(administrator: User, api: Any, path: str) -> None:
    answer = api(administrator).post(f"/api/v1/accounts/987654/{path}", {})

    assert (answer.status_code, answer.json()) == (404, {"detail": "There is no account 987654."})


@pytest.mark.parametrize(
    ("raw", "type", "status", "message"),
    [
        ("{", "application/json", 400, "JSON parse error"),
        ("name=x", "application/json", 400, "JSON parse error"),
        (b"\xff\xfe", "application/json", 400, "JSON parse error"),
        ('{"name": NaN}', "application/json", 400, "JSON parse error"),
        ("[" * 100_000, "application/json", 400, "nested too deeply"),
        (" " * 3_000_000, "application/json", 413, "larger than 2,621,440 bytes"),
        (
            "name=x",
            "application/x-www-form-urlencoded",
            415,
            'Unsupported media type "application/x-www-form-urlencoded"',
        ),
        ("<x/>", "application/xml", 415, "Unsupported media type"),
    ],
)
def test_a_body_that_is_not_json_is_refused(
    administrator: User, api: Any, raw: Any, type: str, status: int, message: str
) -> None:
    answer = api(administrator).generic("POST", "/api/v1/accounts", raw, content_type=type)

    assert answer.status_code == status
    assert message in answer.json()["detail"]
    assert not Account.objects.exists()


@pytest.mark.parametrize(
    ("path", "field", "message"),
    [
        ("alerts?severty=high", "severty", "Unknown parameter. Known:"),
        ("alerts?severity=high,dreadful", "severity", "dreadful is not one of the available choices"),
        ("alerts?account=prod", "account", "Enter a number."),
        ("alerts?account=99999999999999999999", "account", "less than or equal"),
        ("alerts?since=yesterday", "since", "Enter a valid date/time."),
        ("alerts?since=0001-01-01T00:00:00%2B01:00", "since", "Enter a valid date/time."),
        ("alerts?opened=-1", "opened", "Enter a number."),
        ("alerts?opened=36501", "opened", "less than or equal to 36500"),
        ("alerts?account=1&account=2", "account", "Give this parameter once"),
        ("alerts?suppressed=perhaps", "suppressed", "Give true or false."),
        ("alerts?opened=", "opened", "leave the parameter out"),
        ("alerts?page=0", "page", "Give a number from 1."),
        ("alerts?page_size=1001", "page_size", "Give a number from 1 to 1,000."),
        ("rules?colour=red", "colour", "Unknown parameter. Known: page, page_size."),
        ("accounts/removed?format=xml", "format", "Unknown parameter."),
        ("compliance?account=prod", "account", "A valid integer is required."),
        ("alerts?q=%00", "q", "Null characters"),
        ("alerts?ordering=password", "ordering", "Cannot order by password. Known: rank"),
        ("findings?verdict=maybe", "verdict", "maybe is not one of"),
        ("audit?at_after=x", "at_after", "Enter a valid date/time."),
        ("users?password=x", "password", "Unknown parameter."),
    ],
)
def test_a_wrong_parameter_is_named(administrator: User, api: Any, path: str, field: str, message: str) -> None:
    answer = api(administrator).get(f"/api/v1/{path}")

    assert answer.status_code == 400
    assert message in " ".join(answer.json()[field])


def test_a_time_may_be_as_far_from_utc_as_rfc_3339_allows(administrator: User, api: Any) -> None:
    assert api(administrator).get("/api/v1/alerts?since=2026-01-01T00:00:00%2B23:59").status_code == 200


def test_a_page_that_does_not_exist_is_not_found(administrator: User, api: Any) -> None:
    answer = api(administrator).get("/api/v1/alerts?page=99")

    assert (answer.status_code, answer.json()) == (404, {"detail": "Invalid page."})


def test_a_method_that_an_address_does_not_have_is_said_to_be_wrong(viewer: User, account: Account, api: Any) -> None:
    for method in ("put", "patch", "delete"):
        assert getattr(api(viewer), method)("/api/v1/alerts").status_code == 405
    assert api(viewer).options("/api/v1/alerts").status_code == 405


def test_a_method_that_an_address_does_not_have_is_said_to_be_wrong_before_signing_in(api: Any) -> None:
    assert [getattr(api(), method)("/api/v1/tokens").status_code for method in ("put", "delete", "options")] == [
        405
    ] * 3


def test_an_address_that_does_not_exist_answers_in_json(api: Any) -> None:
    answer = api().get("/api/v1/nonsense")

    assert (answer.status_code, answer.json()) == (404, {"detail": "There is nothing at /api/v1/nonsense."})
    assert api().get("/api/v1/non%0Asense").json() == {"detail": "There is nothing at /api/v1/non\nsense."}


def test_a_name_with_markup_comes_back_as_it_is_and_as_json(administrator: User, cloud: Any, api: Any) -> None:
    name = "<script>alert(1)</script>"

    answer = api(administrator).post("/api/v1/accounts", {"name": name, "provider": "toy"})

    assert answer.json()["name"] == name
    assert answer["Content-Type"] == "application/json"
    assert answer["X-Content-Type-Options"] == "nosniff"
