"""Users and groups: what only administrators change."""

from __future__ import annotations

import json
from typing import Any

import pytest
from knox.models import AuthToken

from nephoscope.accounts.models import AccountGroup, User
from nephoscope.audit.models import Entry

pytestmark = pytest.mark.django_db

USERS = "/api/v1/users"
GOOD = {"username": "carla", "password": "cloud-9-instrument", "role": "analyst"}


def test_a_new_user_can_sign_in_and_sees_the_groups_granted(
    administrator: User, account: Any, group: AccountGroup, api: Any
) -> None:
    answer = api(administrator).post(USERS, GOOD | {"account_groups": [group.pk]})

    assert answer.status_code == 201
    assert answer.json()["account_groups"] == [{"id": group.pk, "name": group.name}]
    carla = User.objects.get(username="carla")
    assert carla.check_password(GOOD["password"])
    assert api(carla).get("/api/v1/accounts").json()["count"] == 1


def test_a_password_is_never_shown_nor_written_down(administrator: User, api: Any) -> None:
    answer = api(administrator).post(USERS, GOOD)

    entry = Entry.objects.get(action="user.created")
    written = f"{answer.content.decode()} {entry} {entry.after}"
    assert GOOD["password"] not in written
    assert User.objects.get(username="carla").password not in written


@pytest.mark.parametrize(
    ("change", "status", "field", "message"),
    [
        ({"password": "12345"}, 409, "password", "too short"),
        ({"password": "carla-12"}, 409, "password", "too similar to the username"),
        ({"role": "emperor"}, 400, "role", '"emperor" is not a valid choice.'),
        ({"username": "ada"}, 409, "username", "already exists"),
        ({"username": "no spaces"}, 409, "username", "Enter a valid username"),
        ({"time_zone": "Moon/Tycho"}, 409, "time_zone", "is not a time zone"),
        ({"account_groups": [987]}, 409, "account_groups", 'Invalid pk "987"'),
        ({"is_superuser": True}, 400, "is_superuser", "Unknown field."),
    ],
)
def test_a_wrong_value_is_named_and_nobody_is_added(
    administrator: User, api: Any, change: dict[str, Any], status: int, field: str, message: str
) -> None:
    answer = api(administrator).post(USERS, GOOD | change)

    assert answer.status_code == status
    assert message in json.dumps(answer.json()[field]).replace('\\"', '"')
    assert not User.objects.filter(username="carla").exists()
    assert not Entry.objects.exists()


def test_a_new_password_revokes_the_users_tokens(administrator: User, viewer: User, api: Any) -> None:
    AuthToken.objects.create(viewer)

    answer = api(administrator).patch(f"{USERS}/{viewer.pk}", {"password": "cloud-9-instrument"})

    assert answer.status_code == 200
    assert not AuthToken.objects.exists()
    assert "and set a new password" in Entry.objects.get().sentence


@pytest.mark.parametrize("change", [{"role": "viewer"}, {"is_active": False}])
def test_administrators_do_not_lock_themselves_out(administrator: User, api: Any, change: dict[str, Any]) -> None:
    answer = api(administrator).patch(f"{USERS}/{administrator.pk}", change)

    assert answer.status_code == 409
    assert list(answer.json()) == list(change)
    assert api(administrator).delete(f"{USERS}/{administrator.pk}").status_code == 409


def test_a_superuser_who_becomes_a_viewer_is_one(administrator: User, api: Any) -> None:
    root = User.objects.create_superuser("root")

    api(administrator).patch(f"{USERS}/{root.pk}", {"role": "viewer"})

    root.refresh_from_db()
    assert not root.is_superuser
    assert not root.may("administer")


def test_a_removed_user_stays_in_the_audit_log(administrator: User, viewer: User, api: Any) -> None:
    api(administrator).delete(f"{USERS}/{viewer.pk}")

    shown = api(administrator).get("/api/v1/audit").json()["results"][0]
    assert shown["sentence"] == f"{administrator.username} removed the user {viewer.username}"


def test_removing_a_group_takes_its_accounts_from_its_users(
    administrator: User, viewer: User, account: Any, group: AccountGroup, api: Any
) -> None:
    assert api(viewer).get("/api/v1/accounts").json()["count"] == 1

    api(administrator).delete(f"/api/v1/groups/{group.pk}")

    assert api(viewer).get("/api/v1/accounts").json()["count"] == 0
    assert Entry.objects.get().before == {
        "name": group.name,
        "description": "",
        "accounts": [account.name],
        "users": [viewer.username],
    }


def test_two_groups_do_not_share_a_name(administrator: User, group: AccountGroup, api: Any) -> None:
    answer = api(administrator).post("/api/v1/groups", {"name": group.name})

    assert answer.status_code == 409
    assert "already exists" in answer.json()["name"][0]


def test_a_group_is_given_its_accounts_and_users(
    administrator: User, viewer: User, stranger: User, account: Any, group: AccountGroup, api: Any
) -> None:
    path = f"/api/v1/groups/{group.pk}"
    answer = api(administrator).patch(path, {"users": [stranger.pk]})

    assert answer.status_code == 200, answer.content
    assert answer.json()["accounts"] == [{"id": account.pk, "name": account.name}]
    assert answer.json()["users"] == [{"id": stranger.pk, "name": stranger.username}]
    assert api(viewer).get("/api/v1/accounts").json()["count"] == 0
    assert api(stranger).get("/api/v1/accounts").json()["count"] == 1
    assert list(api(administrator).patch(path, {"accounts": [987]}).json()) == ["accounts"]


def test_users_change_their_own_profile_and_no_right_of_theirs(viewer: User, api: Any) -> None:
    answer = api(viewer).patch("/api/v1/me", {"last_name": "Verde", "time_zone": "Asia/Tokyo"})

    assert (answer.status_code, answer.json()["time_zone"]) == (200, "Asia/Tokyo")
    for wrong in ({"role": "administrator"}, {"username": "root"}, {"account_groups": []}, {"is_staff": True}):
        assert api(viewer).patch("/api/v1/me", wrong).json().keys() == wrong.keys()
    for wrong in ({"time_zone": "Moon/Tycho"}, {"language": "tlh"}, {"email": "x"}):
        assert api(viewer).patch("/api/v1/me", wrong).json().keys() == wrong.keys()
    viewer.refresh_from_db()
    assert (viewer.last_name, viewer.role) == ("Verde", "viewer")
