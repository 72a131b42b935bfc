"""The endpoint that clouds send events to: who is let in, what is taken, and what the others learn."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from tests.api.events import post, signature, tell

from nephoscope.accounts.models import Account, User
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.events import receiving
from nephoscope.events.models import Delivery, Listener
from nephoscope.events.services import rotate, secret_of, switch_off, switch_on
from nephoscope.testing import ToyEvents

pytestmark = pytest.mark.django_db


@pytest.fixture
def listener(toy_account: Account) -> Listener:
    return switch_on(Actor.system(), toy_account)[0]


def test_a_signed_event_is_queued_once_and_a_worker_is_woken(listener: Listener) -> None:
    from django_q.models import OrmQ

    answer = tell(listener, "front")
    assert (answer.status_code, answer.json()) == (202, {"detail": "Queued."})
    again = tell(listener, "front")
    assert (again.status_code, again.json()) == (200, {"detail": "Known already."})
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.changed) == ("queued", [["doors", "north", "Toy::Door", "door/front", "front"]])
    assert tell(listener, "back", id="e-2").status_code == 202
    assert OrmQ.objects.count() == 1, "who works on the first looks for more"
    listener.refresh_from_db()
    assert listener.last_delivery_at and not listener.last_refused_at


BODY = b'{"id": "e-1", "account": "111111111111", "doors": ["front"]}'
WRONG: dict[str, Callable[[str], str]] = {
    "no signature": lambda secret: "",
    "no signature of the form": lambda secret: "Bearer " + secret,
    "another secret": lambda secret: signature("0" * 64, BODY),
    "a signature of another body": lambda secret: signature(secret, BODY + b" "),
    "an old one": lambda secret: signature(secret, BODY, time.time() - receiving.SKEW - 5),
    "one from the future": lambda secret: signature(secret, BODY, time.time() + receiving.SKEW + 60),
    "a time that was changed": lambda secret: signature(secret, BODY).replace("t=1", "t=2", 1),
    "digits that are none": lambda secret: signature(secret, BODY).replace("t=1", "t=١", 1).encode().decode("latin-1"),
}


@pytest.mark.parametrize("header", WRONG.values(), ids=WRONG)
def test_whoever_is_not_the_account_gets_the_same_answer_and_leaves_nothing(
    listener: Listener, header: Callable[[str], str]
) -> None:
    known = post(listener, BODY, header(secret_of(listener)))
    unknown = post(listener, BODY, header(secret_of(listener)), address="no-such-address")
    elsewhere = post(listener, BODY, header(secret_of(listener)), provider="aws")
    answers = [known, unknown, elsewhere]
    assert {(each.status_code, each.content) for each in answers} == {
        (401, b'{"detail": "Unknown address or wrong signature."}')
    }
    assert {tuple(sorted(each.headers)) for each in answers} == {tuple(sorted(known.headers))}
    assert not Delivery.objects.exists()
    listener.refresh_from_db()
    assert listener.last_refused_at and listener.last_refusal and not listener.last_delivery_at


def test_a_door_that_was_closed_or_has_a_new_secret_takes_nothing_by_the_old_one(listener: Listener) -> None:
    header = signature(secret_of(listener), BODY)
    rotate(Actor.system(), listener.account)
    assert post(listener, BODY, header).status_code == 401
    listener.refresh_from_db()
    assert post(listener, BODY).status_code == 202
    header = signature(secret_of(listener), BODY)
    address = listener.address
    switch_off(Actor.system(), listener.account)
    assert post(listener, BODY, header, address=address).status_code == 401
    assert not Delivery.objects.exists()


def test_the_secret_is_not_in_the_database(listener: Listener) -> None:
    from django.core import serializers

    secret = secret_of(listener)
    kept = serializers.serialize("json", [listener, *Entry.objects.all()])
    assert secret not in kept
    assert len(secret) == 64


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        (b"[]", 400, "not an event"),
        (b"{", 400, "not an event"),
        (b"[" * 100_000, 400, "not an event"),
        (b"\xff", 400, "not an event"),
        (b'{"id": "e", "account": "999999999999", "doors": ["front"]}', 400, "account 999999999999"),
    ],
    ids=["a list", "no JSON", "deep", "no text", "another account"],
)
def test_what_is_signed_and_no_event_of_the_account_is_refused_with_the_reason(
    listener: Listener, body: bytes, status: int, why: str
) -> None:
    assert post(listener, body).status_code == status
    listener.refresh_from_db()
    assert why in listener.last_refusal
    assert not Delivery.objects.exists()


def test_only_short_posts_are_read(listener: Listener) -> None:
    assert post(listener, b"x" * (ToyEvents.largest + 1)).status_code == 413
    assert Client().get(f"/events/toy/{listener.address}").status_code == 405


def test_what_is_out_of_scope_is_counted_and_dropped(listener: Listener) -> None:
    for number, (doors, region) in enumerate([(("window",), "north"), (("front",), "far"), ((), "north")]):
        answer = tell(listener, *doors, id=f"e-{number}", region=region)
        assert (answer.status_code, answer.json()["detail"]) == (200, "Not about a collected resource.")
    listener.refresh_from_db()
    assert (listener.ignored, Delivery.objects.count()) == (3, 0)


@pytest.mark.parametrize("limit", ["MAX_PER_MINUTE", "MAX_QUEUED"])
def test_too_many_events_are_sent_back_for_a_while(
    listener: Listener, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, limit, 2)
    answers = [tell(listener, "front", id=f"e-{number}") for number in range(3)]
    assert [each.status_code for each in answers] == [202, 202, 429]
    assert answers[2].headers["Retry-After"] == "60"
    listener.refresh_from_db()
    assert "too many" in listener.last_refusal


def test_the_secret_is_shown_when_it_is_made_and_never_again(
    toy_account: Account, administrator: User, api: Any
) -> None:
    client, path = api(administrator), f"/api/v1/accounts/{toy_account.pk}/events"
    assert client.get(path).json() == {"on": False, "listener": None}
    assert client.get(f"{path}/setup-templates").json() == []
    made = client.post(path).json()
    assert len(made["secret"]) == 64
    assert client.post(path).json() == {"events": ["Event-driven recheck is already on."]}
    shown = client.get(path)
    assert shown.json()["listener"]["address"] == made["address"]
    assert made["secret"] not in shown.content.decode()
    [kit] = client.get(f"{path}/setup-templates").json()
    assert kit["text"] == f"toy tell http://testserver/events/toy/{made['address']}"
    anew = client.post(f"{path}/rotate").json()
    assert anew["address"] == made["address"] and anew["secret"] != made["secret"]
    assert client.delete(path).status_code == 204
    assert client.delete(path).json() == {"events": ["Event-driven recheck is off."]}
    assert client.post(f"{path}/rotate").status_code == 409
    said = [str(each) for each in Entry.objects.filter(action__startswith="events.").order_by("id")]
    assert said == [
        f"ada turned on event-driven recheck for {toy_account}",
        f"ada rotated the event secret of {toy_account}",
        f"ada turned off event-driven recheck for {toy_account}",
    ]


def test_it_cannot_be_switched_on_for_what_is_pending_or_tells_nothing(
    toy_account: Account, administrator: User, api: Any
) -> None:
    path = f"/api/v1/accounts/{toy_account.pk}/events"
    toy_account.verified_at = None
    toy_account.save()
    assert api(administrator).post(path).json() == {"events": ["This account cannot send events."]}
    assert api(administrator).post(path, {"secret": "mine"}).status_code == 400
