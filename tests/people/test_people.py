"""Tokens that were there before they had scopes, one's own profile, and the members of a group."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import override_settings
from knox.models import AuthToken

from nephoscope.accounts import migrations
from nephoscope.accounts.models import Account, AccountGroup, ApiToken, User
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.people import services as people

pytestmark = pytest.mark.django_db


def test_a_token_of_before_keeps_its_users_whole_role_and_does_not_expire(everyone: dict[str, User]) -> None:
    root = User.objects.create_superuser("root", role="viewer")
    for user in (*everyone.values(), root):
        AuthToken.objects.create(user)
    [name] = [each.name for each in pkgutil.iter_modules(migrations.__path__) if "tokens_and_language" in each.name]

    import_module(f"{migrations.__name__}.{name}").name_tokens(apps, None)

    found = {each.auth.user.username: each for each in ApiToken.objects.select_related("auth__user")}
    assert {name: token.scope for name, token in found.items()} == {
        "vera": "read",
        "anna": "triage",
        "sam": "triage",
        "rémi": "change",
        "ada": "administer",
        "root": "administer",
    }
    assert {(token.name, token.auth.expiry) for token in found.values()} == {("Unnamed", None)}


def test_users_change_their_own_profile_and_it_is_recorded(viewer: User) -> None:
    people.change_own_profile(Actor.of(viewer), first_name="Vera", time_zone="Europe/Zurich")

    viewer.refresh_from_db()
    assert (viewer.first_name, viewer.time_zone, viewer.role) == ("Vera", "Europe/Zurich", "viewer")
    entry = Entry.objects.get()
    assert str(entry) == "vera changed their own profile"
    assert (entry.before["time_zone"], entry.after["time_zone"]) == ("UTC", "Europe/Zurich")  # type: ignore[index]


@pytest.mark.parametrize("wrong", [{"time_zone": "Moon/Tycho"}, {"language": "tlh"}, {"email": "x"}])
def test_a_wrong_value_of_ones_profile_is_named(viewer: User, wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as raised:
        people.change_own_profile(Actor.of(viewer), **wrong)
    assert list(raised.value.message_dict) == list(wrong)
    assert not Entry.objects.exists()


def test_a_profile_holds_no_role(viewer: User) -> None:
    people.change_own_profile(Actor.of(viewer), role="administrator", username="ada", is_superuser="1")

    viewer.refresh_from_db()
    assert (viewer.role, viewer.username, viewer.is_superuser) == ("viewer", "vera", False)


@override_settings(LANGUAGES=[("en", "English"), ("ja", "日本語")])
def test_pages_are_in_the_language_that_the_user_chose(viewer: User, client: Any) -> None:
    client.force_login(viewer)
    assert client.get("/", headers={"Accept-Language": "ja"})["Content-Language"] == "ja"

    people.change_own_profile(Actor.of(viewer), language="en")
    answer = client.get("/", headers={"Accept-Language": "ja"})
    assert answer["Content-Language"] == "en" and 'lang="en' in answer.content.decode()


def test_a_language_that_is_gone_is_as_none_chosen(viewer: User, client: Any) -> None:
    User.objects.filter(pk=viewer.pk).update(language="ja")
    client.force_login(viewer)

    assert client.get("/")["Content-Language"] == "en"


def test_a_group_says_what_changed_of_its_accounts_and_users(
    administrator: User, viewer: User, analyst: User, account: Account, group: AccountGroup
) -> None:
    people.save_group(Actor.of(administrator), group, users=[analyst], description="live")

    assert (list(group.users.all()), list(group.accounts.all())) == ([analyst], [account])
    entry = Entry.objects.get()
    named = {"name": "Production", "accounts": ["prod"]}
    assert entry.before == named | {"description": "", "users": ["anna", "vera"]}
    assert entry.after == named | {"description": "live", "users": ["anna"]}


def test_only_administrators_save_a_group(analyst: User, group: AccountGroup) -> None:
    with pytest.raises(PermissionDenied):
        people.save_group(Actor.of(analyst), group, users=[analyst])
    assert not Entry.objects.exists()
