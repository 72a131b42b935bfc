"""Whether an account can be reached follows the last attempt: Verify, or a scan."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from nephoscope import testing as toy
from nephoscope.accounts.models import Account
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.connections.conditions import Condition, condition
from nephoscope.connections.services import configure_account, create_account, verify_account
from nephoscope.inventory.models import Scan
from nephoscope.scans.runner import work
from nephoscope.scans.services import start_scan

pytestmark = pytest.mark.django_db

GONE = "The role of the house cannot be assumed."


def scanned(account: Account, system: Actor) -> Condition:
    """Scan the account and return what is known of it then."""
    account.refresh_from_db()
    work(start_scan(system, account, enqueue=False).pk)
    account.refresh_from_db()
    return condition(account)


def states(found: Condition) -> list[str]:
    return [mark.state.value for mark in found.marks]


def told() -> list[str]:
    """The audit entries of reaching and not reaching, oldest first."""
    rows = Entry.objects.filter(action__in=["account.unreachable", "account.reached"]).order_by("pk")
    return [row.action for row in rows]


def test_an_account_is_unreachable_from_the_first_failed_scan_to_the_next_that_works(
    cloud: toy.ToyCloud, toy_account: Account, system: Actor
) -> None:
    assert states(scanned(toy_account, system)) == []

    cloud.closed = GONE
    first = scanned(toy_account, system)
    since = first.account.failures["reading"]["since"]
    third = [scanned(toy_account, system) for _scan in range(2)][-1]

    assert states(third) == ["unreachable"]
    assert third.account.failures == {"reading": {"since": since, "reason": GONE}}
    assert GONE in third.marks[0].text and "Last good scan" in third.marks[0].text
    assert told() == ["account.unreachable"]

    cloud.closed = ""
    assert states(scanned(toy_account, system)) == []
    assert told() == ["account.unreachable", "account.reached"]


def test_verify_that_fails_says_so_and_verify_that_works_takes_it_back(
    cloud: toy.ToyCloud, toy_account: Account, system: Actor
) -> None:
    cloud.onboarding.refused = GONE
    with pytest.raises(ValidationError):
        verify_account(system, toy_account)
    toy_account.refresh_from_db()
    assert toy_account.unreachable and toy_account.verified_at

    cloud.onboarding.refused = ""
    verify_account(system, toy_account)
    toy_account.refresh_from_db()
    assert not toy_account.unreachable
    assert told() == ["account.unreachable", "account.reached"]


def test_trying_other_settings_says_nothing_of_those_that_stand(
    cloud: toy.ToyCloud, toy_account: Account, system: Actor
) -> None:
    cloud.onboarding.refused = GONE
    with pytest.raises(ValidationError):
        verify_account(system, toy_account, {"role": "role/other"})
    toy_account.refresh_from_db()
    assert not toy_account.unreachable and told() == []


def test_an_account_that_was_never_verified_is_pending_and_not_unreachable(cloud: toy.ToyCloud, system: Actor) -> None:
    account = create_account(system, name="new", provider="toy")
    cloud.onboarding.refused = GONE
    with pytest.raises(ValidationError):
        verify_account(system, account, {"role": "role/new"})
    assert states(condition(account)) == ["not_scanned"] and told() == []


def test_a_role_of_an_account_that_is_connected_already_is_told_so(
    cloud: toy.ToyCloud, toy_account: Account, system: Actor
) -> None:
    account = create_account(system, name="again", provider="toy")
    cloud.onboarding.refused = GONE
    with pytest.raises(ValidationError) as refused:
        verify_account(system, account, {"role": f"{toy_account.number}/reader"})
    assert refused.value.messages == [GONE, f"Account {toy_account.number} is already connected as prod."]


def test_a_new_account_is_scanned_every_day(cloud: toy.ToyCloud, system: Actor) -> None:
    account = create_account(system, name="new", provider="toy")
    assert account.next_scan_at is None
    verify_account(system, account, {"role": "role/new"})
    account.refresh_from_db()
    assert account.scan_every == 24 and account.next_scan_at
    hours = (account.next_scan_at - timezone.now()) / timedelta(hours=1)
    assert 21 < hours < 27


def test_an_account_is_stale_three_days_after_it_was_read(
    cloud: toy.ToyCloud, toy_account: Account, system: Actor
) -> None:
    scanned(toy_account, system)
    for days, expected in ((2, []), (4, ["stale"])):
        Scan.objects.update(finished_at=timezone.now() - timedelta(days=days))
        assert states(condition(toy_account)) == expected
    toy_account.scan_every = 24 * 7
    assert states(condition(toy_account)) == [], "it is scanned every week"


def test_a_scope_that_was_widened_is_partly_read_until_the_next_scan(
    cloud: toy.ToyCloud, toy_account: Account, system: Actor
) -> None:
    scanned(toy_account, system)
    configure_account(system, toy_account, regions=["north", "south"])
    assert states(condition(toy_account)) == ["partial"]
    assert states(scanned(toy_account, system)) == []
    configure_account(system, toy_account, regions=["north"])
    assert states(condition(toy_account)) == [], "less is to be read than was"


def test_a_scan_of_a_part_says_nothing_of_the_rest(cloud: toy.ToyCloud, toy_account: Account, system: Actor) -> None:
    configure_account(system, toy_account, regions=["north", "south"])
    work(start_scan(system, toy_account, regions=["south"], enqueue=False).pk)
    assert states(condition(toy_account)) == ["partial"]


def test_a_scan_of_a_part_does_not_make_the_rest_any_newer(
    cloud: toy.ToyCloud, toy_account: Account, system: Actor
) -> None:
    configure_account(system, toy_account, regions=["north", "south"])
    scanned(toy_account, system)
    Scan.objects.update(finished_at=timezone.now() - timedelta(days=30))
    work(start_scan(system, toy_account, regions=["south"], enqueue=False).pk)
    assert states(condition(toy_account)) == ["stale"]


def test_a_scan_of_a_part_does_not_make_up_for_one_of_everything_that_failed(
    cloud: toy.ToyCloud, toy_account: Account, system: Actor
) -> None:
    configure_account(system, toy_account, regions=["north", "south"])
    scanned(toy_account, system)
    Scan.objects.create(account=toy_account, state="failed", whole=True)
    work(start_scan(system, toy_account, regions=["south"], enqueue=False).pk)
    assert states(condition(toy_account)) == ["failed"]


def test_a_failed_scan_of_an_account_never_read_leaves_nothing_known(
    cloud: toy.ToyCloud, toy_account: Account, system: Actor
) -> None:
    cloud.closed = GONE
    found = scanned(toy_account, system)
    assert not found.known and states(found) == ["not_scanned", "unreachable"]
