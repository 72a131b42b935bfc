"""What a page says in a cloud's own words comes from the provider, and one that says nothing has pages as well."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from nephoscope.accounts.models import Account, User
from nephoscope.accounts.permissions import ACTS
from nephoscope.audit.services import Actor
from nephoscope.console.templatetags.neph import type_name
from nephoscope.events.services import switch_on
from nephoscope.organisations.services import create_organisation
from nephoscope.plugins import registry
from nephoscope.policies.models import Policy
from nephoscope.testing import DOOR, ToyCloud, ToyEvents, ToyOnboarding, ToyOrganisations, ToyWriting

SignIn = Callable[..., Client]
WORDS = (
    (ToyOnboarding, "intro"),
    (ToyOnboarding, "own_credentials"),
    (ToyWriting, "intro"),
    (ToyOrganisations, "intro"),
    (ToyOrganisations, "rollout"),
    (ToyEvents, "steps"),
)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> ToyCloud:
    cloud = ToyCloud()
    monkeypatch.setitem(registry().providers, cloud.id, cloud)
    return cloud


@pytest.fixture
def silent(toy: ToyCloud, monkeypatch: pytest.MonkeyPatch) -> ToyCloud:
    """The toy cloud, with none of its words."""
    for facet, word in WORDS:
        monkeypatch.delattr(facet, word)
    return toy


def houses(cloud: ToyCloud) -> tuple[Account, Account]:
    """One account that is connected, and one that is not yet."""
    settings, now = cloud.prepare({}), timezone.now()
    house = Account.objects.create(name="house", provider=cloud.id, number="2" * 12, verified_at=now, settings=settings)
    return house, Account.objects.create(name="shed", provider=cloud.id, settings=settings)


def pages(client: Client, cloud: ToyCloud, system: Actor) -> dict[str, str]:
    """Return the pages on which a provider has a say, by their names."""
    house, shed = houses(cloud)
    adding = client.get(reverse("admin:organisations_organisation_add")).content.decode()
    switch_on(system, house)
    organisation = create_organisation(system, name="Street", account=house)
    addresses = {
        "connect": reverse("admin:accounts_account_connect", args=[shed.pk]),
        "fixing": reverse("admin:accounts_account_fixing", args=[house.pk]),
        "events": reverse("admin:events", args=[house.pk]),
        "organisation": reverse("admin:organisations_organisation_change", args=[organisation.pk]),
    }
    found = {name: client.get(address) for name, address in addresses.items()}
    assert {answer.status_code for answer in found.values()} == {200}
    return {"adding": adding, **{name: answer.content.decode() for name, answer in found.items()}}


def test_each_page_says_what_the_provider_says(
    toy: ToyCloud, administrator: User, sign_in: SignIn, system: Actor
) -> None:
    shown = pages(sign_in(administrator), toy, system)
    assert ToyOnboarding.intro in shown["connect"] and ToyOnboarding.own_credentials in shown["connect"]
    assert ToyWriting.intro in shown["fixing"] and ToyOnboarding.own_credentials not in shown["fixing"]
    assert all(step in shown["events"] for step in ToyEvents.steps)
    assert ToyOrganisations.intro in shown["adding"] and ToyOrganisations.rollout in shown["organisation"]
    assert "<dt>Role</dt><dd><code>reader</code>" in shown["organisation"]


def test_a_provider_that_says_nothing_has_whole_pages(
    silent: ToyCloud, administrator: User, sign_in: SignIn, system: Actor
) -> None:
    shown = pages(sign_in(administrator), silent, system)
    assert "Use one of these setup templates." in shown["events"]
    assert 'name="own"' not in shown["connect"]
    assert "toy create-roles reader" in shown["organisation"]


def test_an_empty_field_is_refused_only_where_it_must_not_be_empty(
    silent: ToyCloud, administrator: User, sign_in: SignIn
) -> None:
    _house, shed = houses(silent)
    client, connect = sign_in(administrator), reverse("admin:accounts_account_connect", args=[shed.pk])
    assert client.post(connect, {"role": ""}).status_code == 302, "it needs no role, and nobody has to confirm that"
    shed.refresh_from_db()
    assert shed.verified_at
    page = client.post(reverse("admin:accounts_account_fixing", args=[shed.pk]), {"write_role": ""})
    assert page.context["wrong"] and page.context["main"]["errors"]


def test_a_role_may_be_left_out_only_by_who_confirms_it(toy: ToyCloud, administrator: User, sign_in: SignIn) -> None:
    _house, shed = houses(toy)
    client, connect = sign_in(administrator), reverse("admin:accounts_account_connect", args=[shed.pk])
    assert client.post(connect, {"role": ""}).context["main"]["errors"]
    assert client.post(connect, {"role": "", "own": "1"}).status_code == 302


def test_the_words_of_setting_up_are_for_those_who_connect_accounts(
    toy: ToyCloud, viewer: User, account: Account, sign_in: SignIn
) -> None:
    house, _shed = houses(toy)
    house.groups.set(account.groups.all())
    client = sign_in(viewer)
    for name, args in (
        ("accounts_account_connect", [house.pk]),
        ("accounts_account_fixing", [house.pk]),
        ("organisations_organisation_add", []),
    ):
        assert client.get(reverse(f"admin:{name}", args=args)).status_code == 403
    assert "connect" in ACTS and not viewer.may("connect")


def test_types_are_named_by_the_provider_that_they_belong_to(toy: ToyCloud) -> None:
    assert (type_name(DOOR), type_name("AWS::S3::Bucket")) == ("door", "S3 bucket")
    assert type_name("Moon::Crater") == "Moon::Crater"


# -- Whose policy it is --------------------------------------------------------------------------------------------


def test_a_policy_without_rules_belongs_to_the_provider_that_is_chosen(
    toy: ToyCloud, administrator: User, analyst: User, sign_in: SignIn
) -> None:
    client, new = sign_in(administrator), reverse("admin:policy_new")
    assert '<option value="toy">Toy cloud</option>' in client.get(new).content.decode()
    client.post(new, {"name": "Doors", "provider": "toy"})
    client.post(new, {"name": "Copy", "provider": "toy", "based_on": "aws_cis_5.0"})
    made = dict(Policy.objects.values_list("name", "provider"))
    assert made == {"Doors": "toy", "Copy": "aws"}, "a copy is for the provider of what it is a copy of"
    assert sign_in(analyst).post(new, {"name": "Mine", "provider": "toy"}).status_code == 403


def test_nobody_is_asked_for_the_only_provider(administrator: User, sign_in: SignIn) -> None:
    client, new = sign_in(administrator), reverse("admin:policy_new")
    assert 'name="provider"' not in client.get(new).content.decode()
    client.post(new, {"name": "Ours"})
    assert Policy.objects.get().provider == "aws"


def test_tags_that_the_provider_would_not_take_are_refused_at_their_field(administrator: User, sign_in: SignIn) -> None:
    page = sign_in(administrator).post(reverse("admin:policy_scope", args=["aws_cis_5.0"]), {"tags": "env=<b>"})
    assert page.status_code == 200 and "letters, digits, spaces" in str(page.context["form"].errors["tags"])
