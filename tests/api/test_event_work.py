"""Working on events: together, bounded, one worker at a time, and right beside a scan."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from tests.api.events import tell

from nephoscope import testing as toy
from nephoscope.accounts.models import Account
from nephoscope.alerts.models import Alert
from nephoscope.audit.services import Actor
from nephoscope.domain import ChangedResource
from nephoscope.events import working
from nephoscope.events.models import Delivery, Listener
from nephoscope.events.services import switch_on
from nephoscope.inventory import store
from nephoscope.inventory.models import Resource, Scan
from nephoscope.operations.tasks import work_on_events
from nephoscope.scans.runner import work
from nephoscope.scans.services import finish_if_over, start_scan

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "SETTLE", 0.0)


@pytest.fixture
def listener(toy_account: Account) -> Listener:
    return switch_on(Actor.system(), toy_account)[0]


def state() -> str:
    alert = Alert.objects.first()
    return alert.state if alert else ""


def open_doors() -> set[str]:
    rows = Resource.objects.filter(gone_at=None, properties__Open=True)
    return {str(name) for name in rows.values_list("name", flat=True)}


def test_an_alert_opens_and_closes_with_what_the_events_tell_of(listener: Listener, cloud: toy.ToyCloud) -> None:
    cloud.doors["front"] = True
    tell(listener, "front")
    work_on_events(listener.account.pk)
    assert (state(), Delivery.objects.get().state) == ("open", "done")
    cloud.doors["front"] = False
    tell(listener, "front", id="e-2")
    work_on_events(listener.account.pk)
    assert state() == "resolved"


def test_what_was_deleted_is_gone(listener: Listener, cloud: toy.ToyCloud) -> None:
    cloud.doors["front"] = True
    tell(listener, "front")
    working.drain(listener.account.pk)
    del cloud.doors["front"]
    tell(listener, "front", id="e-2")
    working.drain(listener.account.pk)
    assert state() == "resolved"
    assert Resource.objects.get().gone_at


def test_an_event_that_names_nothing_reads_the_service_and_finds_what_is_gone(
    listener: Listener, cloud: toy.ToyCloud
) -> None:
    store.save(listener.account, "doors", [toy.door("gone", True)])
    cloud.doors |= {"front": True, "back": False}
    tell(listener, "")
    working.drain(listener.account.pk)
    assert cloud.read == ["all", "gone"], "all that was there is missing, so it is looked up"
    assert open_doors() == {"front"}
    assert Resource.objects.get(name="gone").gone_at


def test_events_are_worked_on_together_and_each_resource_is_read_once(listener: Listener, cloud: toy.ToyCloud) -> None:
    cloud.doors |= {"front": True, "back": True}
    for number in range(6):
        tell(listener, "front" if number % 2 else "back", id=f"e-{number}")
    working.drain(listener.account.pk)
    assert sorted(cloud.read) == ["back", "front"]
    assert cloud.calls.count("open") == 1
    assert set(Delivery.objects.values_list("state", flat=True)) == {"done"}


def test_a_storm_costs_one_reading_of_the_service(listener: Listener, cloud: toy.ToyCloud) -> None:
    cloud.doors |= {f"door-{number}": True for number in range(200)}
    Delivery.objects.bulk_create(
        Delivery(
            listener=listener,
            event_id=f"e-{number}",
            name="toy:SetDoor",
            region="north",
            changed=[["doors", "north", "Toy::Door", f"door/door-{number}", f"door-{number}"]],
        )
        for number in range(200)
    )
    working.drain(listener.account.pk)
    assert cloud.read == ["all"]
    assert len(open_doors()) == 200


def test_each_place_has_a_bound_of_its_own() -> None:
    many = [ChangedResource("s3", "global", "t", f"id-{number}") for number in range(working.MAX_ONES + 1)]
    few = [
        ChangedResource("ec2", "eu-west-1", "t", "a"),
        ChangedResource("ec2", "eu-west-1", "t", "a"),
        ChangedResource("ec2", "us-east-1"),
    ]
    assert working.fold([*many, *few]) == [ChangedResource("s3", "global"), *few[1:]]


# -- Beside a scan -------------------------------------------------------------------------------------------------


@pytest.fixture
def scan(listener: Listener) -> Iterator[Scan]:
    scan = start_scan(Actor.system(), listener.account, enqueue=False)
    Scan.objects.filter(pk=scan.pk).update(state="running", started_at=timezone.now())
    return Scan.objects.get(pk=scan.pk)


@pytest.mark.parametrize("first", ["event", "scan"])
def test_the_state_is_right_whichever_of_a_scan_and_an_event_stores_last(
    listener: Listener, cloud: toy.ToyCloud, scan: Scan, first: str
) -> None:
    """The scan read the door when it was still closed, and stores that after, or before, the event was worked on."""
    stale = toy.door("front", False)
    cloud.doors["front"] = True
    if first == "scan":
        store.save(listener.account, "doors", [stale])
    tell(listener, "front")
    working.drain(listener.account.pk)
    assert (state(), Delivery.objects.get().state) == ("open", "after_scan")
    if first == "event":
        store.save(listener.account, "doors", [stale])
    scan.shards.update(state="done")
    finish_if_over(scan)
    working.drain(listener.account.pk)
    assert open_doors() == {"front"}
    assert (state(), Delivery.objects.get().state) == ("open", "done")


def test_the_end_of_a_scan_wakes_a_worker_for_what_changed_during_it(
    listener: Listener, scan: Scan, django_capture_on_commit_callbacks: object
) -> None:
    from django_q.models import OrmQ

    Delivery.objects.create(listener=listener, event_id="e", name="x", region="north", state="after_scan")
    scan.shards.update(state="done")
    before = OrmQ.objects.count()
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        finish_if_over(scan)
    assert OrmQ.objects.count() == before + 1


def test_a_worker_that_is_busy_with_a_scan_looks_after_events(
    listener: Listener, cloud: toy.ToyCloud, toy_account: Account
) -> None:
    cloud.doors["front"] = True
    other = Account.objects.create(
        name="other",
        provider="toy",
        number="2" * 12,
        regions=["north"],
        policies=toy_account.policies,
        settings=toy_account.settings,
        verified_at=timezone.now(),
    )
    tell(listener, "front")
    work(start_scan(Actor.system(), other, enqueue=False).pk)
    assert Delivery.objects.get().state == "done"
    assert Alert.objects.get(account=toy_account).state == "open"


# -- When something fails ------------------------------------------------------------------------------------------


def test_one_worker_at_a_time_and_another_when_it_has_died(listener: Listener, cloud: toy.ToyCloud) -> None:
    cloud.doors["front"] = True
    tell(listener, "front")
    now = timezone.now()
    Listener.objects.update(owner="6f1c7c1e-0000-4000-8000-000000000000", lease_until=now + timedelta(seconds=60))
    working.drain(listener.account.pk)
    assert Delivery.objects.get().state == "queued"
    assert working.wake_waiting() == 0
    Listener.objects.update(lease_until=now - timedelta(seconds=1))
    assert working.wake_waiting() == 1
    working.drain(listener.account.pk)
    assert Delivery.objects.get().state == "done"
    listener.refresh_from_db()
    assert listener.owner is None


def test_an_account_that_cannot_be_reached_says_so_and_closes_nothing(listener: Listener, cloud: toy.ToyCloud) -> None:
    cloud.doors["front"] = True
    tell(listener, "front")
    working.drain(listener.account.pk)
    cloud.closed = "The role cannot be assumed."
    cloud.doors["front"] = False
    tell(listener, "front", id="e-2")
    working.drain(listener.account.pk)
    last = Delivery.objects.get(event_id="e-2")
    assert (last.state, last.error, state()) == ("failed", "The role cannot be assumed.", "open")


def test_old_events_are_forgotten_and_those_that_wait_are_not(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "KEPT_MOST", 3)
    for number in range(7):
        state = "queued" if number == 0 else "done"
        Delivery.objects.create(listener=listener, event_id=f"e-{number}", name="x", region="north", state=state)
    Delivery.objects.filter(event_id__in=["e-0", "e-6"]).update(received_at=timezone.now() - timedelta(days=30))
    working.wake_waiting()
    assert set(Delivery.objects.values_list("event_id", flat=True)) == {"e-0", "e-3", "e-4", "e-5"}
