"""Recheck on events in the console: switched on, its secret shown once, made anew, switched off."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from nephoscope.accounts.models import Account, User
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.events.models import Delivery, Listener
from nephoscope.events.services import secret_of, switch_on

from .conftest import HOSTILE

pytestmark = pytest.mark.django_db

SignIn = Callable[..., Client]
SECRET = 'id="secret"'


@pytest.fixture
def address(account: Account) -> str:
    return reverse("admin:events", args=[account.pk])


def test_only_administrators_switch_it(everyone: dict[str, User], address: str, sign_in: SignIn) -> None:
    for role in ("viewer", "analyst", "remediator"):
        client = sign_in(everyone[role])
        for act in ("on", "rotate", "off"):
            assert client.post(address, {"act": act}).status_code == 403, (role, act)
        page = client.get(address)
        assert page.status_code == 200 and "Off." in page.content.decode()
        assert "Turn on" not in page.content.decode()
    assert sign_in(everyone["stranger"]).post(address, {"act": "on"}).status_code == 404
    assert not Listener.objects.exists()
    assert not Entry.objects.filter(action__startswith="events.").exists()


def test_the_secret_is_shown_once_and_the_setup_templates_lead_to_the_address(
    administrator: User, viewer: User, account: Account, address: str, sign_in: SignIn
) -> None:
    client = sign_in(administrator)
    made = client.post(address, {"act": "on"}, follow=True)
    listener = Listener.objects.get()
    secret = secret_of(listener)
    assert secret in made.content.decode() and "no-store" in made["Cache-Control"]
    page = client.get(address).content.decode()
    assert secret not in page and listener.address in page and "without TLS" in page
    template = client.get(f"{address}setup/cloudformation/", secure=True)
    assert template["Content-Disposition"] == 'attachment; filename="nephoscope-events.yaml"'
    assert f"https://testserver/events/aws/{listener.address}" in template.content.decode()
    assert client.get(f"{address}setup/nonsense/").status_code == 404
    looker = sign_in(viewer)
    assert listener.address not in looker.get(address).content.decode()
    assert looker.get(f"{address}setup/cloudformation/").status_code == 403


def test_a_new_secret_and_switching_off_are_asked_about_first(
    administrator: User, account: Account, address: str, sign_in: SignIn
) -> None:
    client = sign_in(administrator)
    old = switch_on(Actor.system(), account)[1]
    for act, question in (("rotate", "Rotate the secret?"), ("off", "Turn it off?")):
        assert question in client.get(address, {"ask": act}).content.decode()
    assert Listener.objects.exists()
    page = client.post(address, {"act": "rotate"}, follow=True).content.decode()
    assert SECRET in page and old not in page
    left = client.post(address, {"act": "off"}, follow=True).content.decode()
    assert "Event-driven recheck is off" in left and not Listener.objects.exists()
    assert SECRET not in client.post(address, {"act": "rotate"}, follow=True).content.decode()
    assert client.post(address, {"act": "nonsense"}).status_code == 302


def test_what_came_in_and_what_was_refused_is_in_sight(
    viewer: User, account: Account, address: str, sign_in: SignIn
) -> None:
    listener = switch_on(Actor.system(), account)[0]
    changed = [
        ["s3", "global", "AWS::S3::Bucket", f"arn:aws:s3:::{HOSTILE}", HOSTILE],
        ["kms", "us-east-1", "", "", ""],
    ]
    Delivery.objects.create(
        listener=listener,
        event_id="e",
        name="s3:PutBucketPolicy",
        region="us-east-1",
        changed=changed,
        state="failed",
        error=f"denied {HOSTILE}",
    )
    Listener.objects.update(last_refused_at=listener.created_at, last_refusal=f"not this {HOSTILE}", ignored=1234)
    client = sign_in(viewer)
    page = client.get(address).content.decode()
    assert "s3:PutBucketPolicy" in page and "KMS" in page and "Partly read" in page
    assert HOSTILE not in page and "not this &lt;script&gt;" in page
    own = client.get(reverse("admin:accounts_account_change", args=[account.pk])).content.decode()
    assert "not this &lt;script&gt;" in own and "1,234" in own and HOSTILE not in own


def test_services_are_chosen_with_the_other_settings(administrator: User, account: Account, sign_in: SignIn) -> None:
    client = sign_in(administrator)
    Account.objects.filter(pk=account.pk).update(services=["s3", "kms"])
    configure = reverse("admin:accounts_account_configure", args=[account.pk])
    page = client.get(configure).content.decode()
    assert 'name="services" value="s3" checked' in page and 'name="services" value="ec2">' in page
    own = client.get(reverse("admin:accounts_account_change", args=[account.pk])).content.decode()
    assert "Amazon S3, AWS KMS" in own
