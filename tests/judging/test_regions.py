"""What is asked about regions that are not scanned, in the toy cloud."""

from __future__ import annotations

from typing import Any

import pytest

from nephoscope import testing as toy
from nephoscope.accounts.models import Account
from nephoscope.audit.services import Actor
from nephoscope.domain import Inventory, Severity, Verdict, View, rule
from nephoscope.domain.examples import resource
from nephoscope.engine import judge
from nephoscope.inventory import store
from nephoscope.judging.services import Judge

pytestmark = pytest.mark.django_db

DOOR = toy.DOOR


@rule(
    "toy.neighbour", on=DOOR, severity=Severity.LOW, needs=(DOOR,), fix="1. Build.", link="https://example.com/doors",
    good=[], bad=[],
)  # fmt: skip
def neighbour(door: View, inventory: Inventory) -> bool:
    """There is a back door.

    It is needed in a fire.
    """
    return inventory.get(DOOR, "back", door["Beside"]) is not None


def verdict(account: Account, beside: str) -> tuple[Verdict, str]:
    asking = resource(DOOR, {"Beside": beside})
    found = judge(neighbour, asking, now=toy.NOW, neighbours=Judge(account, Actor.system()).neighbours)
    return found.verdict, found.message


@pytest.fixture
def with_back_door(toy_account: Account, cloud: toy.ToyCloud) -> Account:
    """The back door is in the north, the one region that is scanned."""
    toy_account.regions = ["north"]
    toy_account.save()
    store.save(toy_account, "doors", [toy.door("back", open=False)])
    return toy_account


@pytest.mark.parametrize("region", ["north", ""])
def test_what_is_there_is_found_with_and_without_its_region(with_back_door: Account, region: str) -> None:
    assert verdict(with_back_door, region)[0] is Verdict.PASS


@pytest.mark.parametrize(
    ("region", "expected", "why"),
    [
        ("north", Verdict.FAIL, ""),
        ("south", Verdict.UNKNOWN, "south is not among the regions that are scanned"),
        ("", Verdict.UNKNOWN, "not every region is scanned"),
    ],
)
def test_what_is_not_there_is_absent_only_where_it_was_looked_for(
    toy_account: Account, region: str, expected: Verdict, why: str
) -> None:
    toy_account.regions = ["north"]
    found, message = verdict(toy_account, region)
    assert (found, why in message) == (expected, True)


def test_what_belongs_to_all_regions_is_in_none_that_is_not_scanned(account: Account, add_resource: Any) -> None:
    account.regions = []
    assert not any(each.unlisted for each in Judge(account, Actor.system()).neighbours.of("AWS::S3::Bucket"))
