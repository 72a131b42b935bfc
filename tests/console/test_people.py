"""One's own profile and tokens, other users' tokens, and who and what a group holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client, override_settings
from django.urls import reverse
from knox.models import AuthToken

from nephoscope.accounts.models import Account, AccountGroup, ApiToken, User
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.people.tokens import issue_token

SignIn = Callable[..., Client]
ROLES = ["viewer", "analyst", "remediator", "administrator", "stranger"]
PROFILE = {"first_name": "New", "last_name": "Name", "email": "new@example.org", "time_zone": "Asia/Tokyo"}


# -- My profile --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
def test_everyone_changes_their_own_profile_and_nothing_that_gives_rights(
    role: str, everyone: dict[str, User], group: AccountGroup, sign_in: SignIn
) -> None:
    user, page = everyone[role], reverse("admin:profile")
    before, groups = (user.username, user.role), list(user.account_groups.all())
    more = {"role": "administrator", "username": "root", "account_groups": [group.pk], "is_superuser": "on"}

    answer = sign_in(user).post(page, PROFILE | more, follow=True)

    assert "Saved." in answer.content.decode()
    user.refresh_from_db()
    assert {name: getattr(user, name) for name in PROFILE} == PROFILE
    assert (user.username, user.role, user.is_superuser) == (*before, False)
    assert list(user.account_groups.all()) == groups
    assert [str(each) for each in Entry.objects.filter(user=user, action__startswith="user.changed")] == [
        f"{user} changed their own profile"
    ]


def test_a_wrong_profile_comes_back_with_what_is_wrong(viewer: User, sign_in: SignIn) -> None:
    answer = sign_in(viewer).post(reverse("admin:profile"), PROFILE | {"email": "x"})
    assert list(answer.context["form"].errors) == ["email"] and 'value="New"' in answer.content.decode()


def test_the_profile_says_what_only_administrators_change(viewer: User, stranger: User, sign_in: SignIn) -> None:
    page = sign_in(viewer).get(reverse("admin:profile")).content.decode()
    assert "Administrators change user name, role and account groups." in page and "Production" in page
    assert "Ask an administrator" in sign_in(stranger).get(reverse("admin:profile")).content.decode()


@override_settings(LANGUAGES=[("en", "English"), ("ja", "日本語")])
def test_the_languages_that_there_are_can_be_chosen(viewer: User, sign_in: SignIn) -> None:
    client, page = sign_in(viewer), reverse("admin:profile")
    shown = client.get(page).content.decode()
    assert "日本語" in shown and "The browser’s language" in shown
    client.post(page, PROFILE | {"language": "ja"})
    viewer.refresh_from_db()
    assert viewer.language == "ja" and client.get(page)["Content-Language"] == "ja"
    assert client.post(page, PROFILE | {"language": "tlh"}).context["form"].errors["language"]


def test_the_user_menu_leads_to_profile_tokens_and_password(viewer: User, sign_in: SignIn) -> None:
    menu = sign_in(viewer).get("/").content.decode().partition('id="neph-user-menu"')[2].partition("</nav>")[0]
    for name in ("profile", "tokens", "password_change"):
        assert f'href="{reverse(f"admin:{name}")}"' in menu


# -- Tokens ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "scopes"),
    [
        ("viewer", ["read"]),
        ("analyst", ["read", "triage"]),
        ("remediator", ["read", "triage", "change"]),
        ("administrator", ["read", "triage", "change", "administer"]),
    ],
)
def test_a_token_is_offered_the_scopes_of_its_users_role(
    role: str, scopes: list[str], everyone: dict[str, User], sign_in: SignIn
) -> None:
    client, page = sign_in(everyone[role]), reverse("admin:tokens")
    form = client.get(page).context["form"]
    assert [value for value, _label in form.fields["scope"].choices] == scopes
    assert (form["scope"].value(), form["days"].value()) == ("read", 90)
    made = client.post(page, {"name": "mine", "scope": scopes[-1], "days": ""}, follow=True)
    token = ApiToken.objects.get()
    assert (token.name, token.scope, token.auth.expiry) == ("mine", scopes[-1], None)
    assert "mine" in made.content.decode() and "Never" in made.content.decode()


@pytest.mark.parametrize(
    ("wrong", "field"), [({"scope": "administer"}, "scope"), ({"name": ""}, "name"), ({"days": "8"}, "days")]
)
def test_a_wrong_token_is_not_made(wrong: dict[str, str], field: str, analyst: User, sign_in: SignIn) -> None:
    form = {"name": "mine", "scope": "read", "days": "30"} | wrong
    answer = sign_in(analyst).post(reverse("admin:tokens"), form)
    assert list(answer.context["form"].errors) == [field] and not AuthToken.objects.exists()


def test_the_secret_of_a_token_is_in_no_entry_and_no_log(
    viewer: User, sign_in: SignIn, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    page = sign_in(viewer).post(reverse("admin:tokens"), {"name": "mine", "scope": "read", "days": "7"}, follow=True)
    secret = page.context["made"]
    assert page.content.decode().count(secret) == 2, "to read and to copy"
    assert secret not in str(Entry.objects.values()) + caplog.text
    assert "issued the API token mine" in Entry.objects.get(action="user.token_issued").sentence


def test_administrators_revoke_a_users_token_on_the_users_page(
    viewer: User, analyst: User, administrator: User, sign_in: SignIn
) -> None:
    token, _text = issue_token(Actor.of(viewer), name="nightly export", scope="read")
    page = reverse("admin:accounts_user_change", args=[viewer.pk])
    revoke = reverse("admin:accounts_user_revoke", args=[viewer.pk, token.auth.token_key])
    client = sign_in(administrator)
    shown = client.get(page).content.decode()
    assert "nightly export" in shown and f'action="{revoke}"' in shown

    assert Client().post(revoke).status_code == 302
    assert sign_in(analyst).post(revoke).status_code == 403
    elsewhere = reverse("admin:accounts_user_revoke", args=[analyst.pk, token.auth.token_key])
    assert client.post(elsewhere).status_code == 404
    client.get(revoke)
    assert ApiToken.objects.exists(), "looking revokes nothing"
    assert "nightly export was revoked." in client.post(revoke, follow=True).content.decode()
    assert not AuthToken.objects.exists()
    assert "revoked the API token nightly export" in str(Entry.objects.get(action="user.token_revoked"))


# -- Groups ------------------------------------------------------------------------------------------------------------


def test_a_groups_accounts_and_users_are_ticked_and_what_changed_is_recorded(
    administrator: User, viewer: User, analyst: User, account: Account, group: AccountGroup, sign_in: SignIn
) -> None:
    other = Account.objects.create(name="dev", provider="aws", number="2" * 12)
    client, page = sign_in(administrator), reverse("admin:accounts_accountgroup_change", args=[group.pk])
    form = client.get(page).context["form"]
    assert (set(form["accounts"].value()), set(form["users"].value())) == ({account.pk}, {viewer.pk, analyst.pk})

    client.post(page, {"name": "Production", "accounts": [other.pk], "users": [viewer.pk, administrator.pk]})

    assert list(group.accounts.all()) == [other] and set(group.users.all()) == {viewer, administrator}
    entry = Entry.objects.get(action="group.configured")
    assert (entry.before["accounts"], entry.after["accounts"]) == (["prod"], ["dev"])  # type: ignore[index]
    assert (entry.before["users"], entry.after["users"]) == (["anna", "vera"], ["ada", "vera"])  # type: ignore[index]
    assert not Account.objects.visible_to(analyst).exists()


@pytest.mark.parametrize("role", ["viewer", "analyst", "remediator", "stranger"])
def test_only_administrators_change_a_group(
    role: str, everyone: dict[str, User], group: AccountGroup, sign_in: SignIn
) -> None:
    page = reverse("admin:accounts_accountgroup_change", args=[group.pk])
    form: dict[str, Any] = {"name": "Mine", "users": [everyone[role].pk]}
    assert sign_in(everyone[role]).post(page, form).status_code == 403
    group.refresh_from_db()
    assert group.name == "Production"


def test_required_fields_say_so(administrator: User, sign_in: SignIn) -> None:
    page = sign_in(administrator).get(reverse("admin:accounts_user_add")).content.decode()
    assert "* Required" in page
    for name in ("username", "password", "again"):
        assert "required" in page.partition(f'name="{name}"')[2].partition(">")[0], name
