"""A list that lost most of what it had is not believed: what it no longer has is looked up by name before it closes."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
from django.utils import timezone

from nephoscope import domain
from nephoscope import testing as toy
from nephoscope.accounts.models import Account
from nephoscope.alerts.models import Alert, Finding
from nephoscope.audit.services import Actor
from nephoscope.domain import ChangedResource
from nephoscope.inventory.models import Resource, Scan
from nephoscope.judging import losses
from nephoscope.judging.rechecks import recheck_resources
from nephoscope.scans.runner import work
from nephoscope.scans.services import start_scan

pytestmark = pytest.mark.django_db
DOORS = [f"door-{number:02}" for number in range(24)]


@pytest.fixture
def read(toy_account: Account, cloud: toy.ToyCloud, system: Actor) -> Account:
    """An account of 24 open doors, which a scan has read."""
    cloud.doors |= dict.fromkeys(DOORS, True)
    assert scan(toy_account, system).state == "succeeded"
    assert Alert.objects.get().affected == len(DOORS)
    cloud.read.clear()
    return toy_account


def scan(account: Account, system: Actor) -> Scan:
    found = start_scan(system, account, enqueue=False)
    work(found.pk)
    found.refresh_from_db()
    return found


def delete(cloud: toy.ToyCloud, names: list[str]) -> None:
    for name in names:
        del cloud.doors[name]


def failing() -> set[str]:
    return set(Finding.objects.exclude(failing_since=None).values_list("resource__name", flat=True))


@pytest.mark.parametrize("left", [0, 12])
def test_a_list_that_is_empty_or_half_closes_nothing_and_is_named_as_a_gap(
    read: Account, cloud: toy.ToyCloud, system: Actor, left: int
) -> None:
    cloud.overlooked = set(DOORS[left:])
    found = scan(read, system)
    assert failing() == set(DOORS)
    assert Alert.objects.get().state == "open"
    assert found.state == "partial"
    lost = len(DOORS) - left
    [gap] = found.shards.get(service="doors").gaps
    assert gap["type"] == toy.DOOR
    assert gap["reason"] == f"{lost} of 24 are missing from the list, and {DOORS[left]} still exists"
    assert len(cloud.read) <= 1 + losses.LANES, "the first that still exists is enough"


def test_the_next_list_that_is_whole_is_believed_again(read: Account, cloud: toy.ToyCloud, system: Actor) -> None:
    cloud.overlooked = set(DOORS)
    scan(read, system)
    assert Finding.objects.filter(verdict="unknown", resource__unlisted=True).exists()
    cloud.overlooked = set()
    cloud.doors["door-00"] = False
    assert scan(read, system).state == "succeeded"
    assert failing() == set(DOORS[1:])
    assert not Finding.objects.filter(resource__unlisted=True).exists()


def test_what_is_really_gone_is_closed_by_the_same_scan(read: Account, cloud: toy.ToyCloud, system: Actor) -> None:
    delete(cloud, DOORS)
    assert scan(read, system).state == "succeeded"
    assert (failing(), Alert.objects.get().state) == (set(), "resolved")
    assert Resource.objects.filter(gone_at=None).count() == 0


def test_of_a_wrong_list_those_that_are_gone_close_up_to_the_first_that_is_not(
    read: Account, cloud: toy.ToyCloud, system: Actor
) -> None:
    cloud.overlooked = set(DOORS)
    delete(cloud, DOORS[:8])
    scan(read, system)
    assert failing() == set(DOORS[8:])


def test_a_few_that_a_list_leaves_out_are_looked_up_too(read: Account, cloud: toy.ToyCloud, system: Actor) -> None:
    cloud.overlooked = {DOORS[0], DOORS[1]}
    delete(cloud, [DOORS[2]])
    assert scan(read, system).state == "partial"
    assert failing() == set(DOORS) - {DOORS[2]}


def test_many_that_are_less_than_half_are_believed_and_cost_no_call(
    read: Account, cloud: toy.ToyCloud, system: Actor
) -> None:
    more = [f"gate-{number}" for number in range(losses.MANY + 10)]
    cloud.doors |= dict.fromkeys(more, True)
    scan(read, system)
    cloud.read.clear()
    delete(cloud, more[: losses.MANY])
    assert scan(read, system).state == "succeeded"
    assert failing() == {*DOORS, *more[losses.MANY :]}
    assert cloud.read == ["all"]


def test_new_resources_do_not_make_a_loss_look_small(read: Account, cloud: toy.ToyCloud, system: Actor) -> None:
    cloud.overlooked = set(DOORS)
    cloud.doors |= {f"new-{number}": True for number in range(100)}
    assert scan(read, system).state == "partial"
    assert failing() >= set(DOORS)


def test_many_of_a_type_that_cannot_be_looked_up_close_by_the_second_scan_in_a_row(
    read: Account, cloud: toy.ToyCloud, system: Actor
) -> None:
    cloud.nameless, cloud.overlooked = True, set(DOORS)
    found = scan(read, system)
    assert failing() == set(DOORS)
    assert found.shards.get(service="doors").gaps[0]["reason"].endswith("they cannot be looked up by name")
    assert scan(read, system).state == "succeeded"
    assert failing() == set()


def test_a_few_of_a_type_that_cannot_be_looked_up_close(
    toy_account: Account, cloud: toy.ToyCloud, system: Actor
) -> None:
    cloud.doors |= {"front": True, "back": True}
    scan(toy_account, system)
    cloud.nameless, cloud.doors = True, {}
    assert scan(toy_account, system).state == "succeeded"
    assert failing() == set()


class Mute(toy.Doors):
    def is_gone(self, resource: domain.Resource) -> bool | None:
        raise TimeoutError("no answer within 60 s")


def settle(account: Account, session: Any) -> list[losses.Held]:
    rows = Resource.objects.values_list("pk", flat=True)
    return losses.settle(account, rows, since=timezone.now(), open=lambda: session)


def test_what_cannot_be_looked_up_now_stays_and_it_is_said_why(read: Account, cloud: toy.ToyCloud) -> None:
    [held] = settle(read, nullcontext(Mute(cloud.doors)))
    assert held.reason.endswith("door-00 could not be looked up: no answer within 60 s")
    assert len(held.rows) == len(DOORS) == Resource.objects.filter(gone_at=None, unlisted=False).count()


def test_an_account_that_cannot_be_opened_again_loses_nothing(read: Account) -> None:
    class Closed:
        def __enter__(self) -> None:
            raise domain.ConnectionProblem("role", "The role cannot be assumed.")

        def __exit__(self, *error: object) -> None: ...

    [held] = settle(read, Closed())
    assert held.reason.endswith("they could not be looked up: The role cannot be assumed.")
    assert Resource.objects.filter(gone_at=None, unlisted=False).count() == len(DOORS)


def test_a_scan_that_is_cancelled_meanwhile_marks_nothing(read: Account, cloud: toy.ToyCloud) -> None:
    rows = Resource.objects.values_list("pk", flat=True)
    held = losses.settle(
        read, rows, since=timezone.now(), open=lambda: nullcontext(toy.Doors({})), still_wanted=lambda: False
    )
    assert held == []
    assert Resource.objects.filter(gone_at=None).count() == len(DOORS)


def test_an_event_about_a_whole_service_does_not_believe_such_a_list_either(
    read: Account, cloud: toy.ToyCloud, system: Actor
) -> None:
    cloud.overlooked = set(DOORS[4:])
    result = recheck_resources(read, system, [ChangedResource("doors", "north")])
    assert failing() == set(DOORS)
    assert result.problems == [f"Doors in north: 20 of 24 are missing from the list, and {DOORS[4]} still exists"]


class Forgetful(toy.Doors):
    """Rereads through a list that leaves something out."""

    def reread(self, resource: domain.Resource) -> domain.Resource | None:
        return None

    def is_gone(self, resource: domain.Resource) -> bool | None:
        return resource.name not in self.doors


def test_one_that_a_recheck_does_not_find_closes_only_if_it_is_gone_by_name(
    read: Account, cloud: toy.ToyCloud, system: Actor
) -> None:
    wanted = [ChangedResource("doors", "north", toy.DOOR, "door/door-03", "door-03")]
    found = recheck_resources(read, system, wanted, session=Forgetful(cloud.doors))
    assert found.problems == ["door-03: It was not found, but still exists."]
    assert "door-03" in failing()
    delete(cloud, ["door-03"])
    recheck_resources(read, system, wanted, session=Forgetful(cloud.doors))
    assert "door-03" not in failing()
