"""An organisation of hundreds: bounded in threads and in time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence

import pytest
from django.utils import timezone

from nephoscope.accounts.models import Account
from nephoscope.audit.services import Actor
from nephoscope.domain import Connection, Member, MemberState, Verification
from nephoscope.organisations import sync
from nephoscope.organisations.models import Organisation
from nephoscope.organisations.services import create_organisation
from nephoscope.organisations.sync import LANES, sync_organisation
from nephoscope.plugins import registry
from nephoscope.testing import ToyCloud, ToyOnboarding, ToyOrganisations

pytestmark = pytest.mark.django_db
MANY = 60


class ManyMembers(ToyOrganisations):
    def members(self, connection: Connection) -> Iterator[Member]:
        yield Member(connection.account, "first", MemberState.ACTIVE, management=True)
        for number in range(MANY):
            name = f"member\x00 {number}" + "x" * 300
            yield Member(f"{number:012}", name, MemberState.ACTIVE, ("a" * 900, "b" * 900))


class CountingOnboarding(ToyOnboarding):
    """Counts how many members are being reached at once."""

    def __init__(self, calls: list[str]) -> None:
        super().__init__(calls)
        self.lock, self.inside, self.most, self.reached = threading.Lock(), 0, 0, 0

    def verify(self, connection: Connection, permissions: Sequence[str]) -> Verification:
        assert not permissions, "each permission was tried"
        with self.lock:
            self.inside, self.reached = self.inside + 1, self.reached + 1
            self.most = max(self.most, self.inside)
        time.sleep(0.003)
        with self.lock:
            self.inside -= 1
        if connection.account.endswith("7"):
            raise RuntimeError("a provider that breaks")
        return Verification(connection.account, "me", ())


class Large(ToyCloud):
    """The toy cloud with many members."""

    def __init__(self) -> None:
        super().__init__()
        self.organisations = ManyMembers()
        self.onboarding = self.reaching = CountingOnboarding(self.calls)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Large:
    cloud = Large()
    monkeypatch.setitem(registry().providers, cloud.id, cloud)
    return cloud


@pytest.fixture
def organisation(cloud: Large, system: Actor, db: None) -> Organisation:
    settings: Mapping[str, str] = cloud.prepare({})
    account = Account.objects.create(
        name="first", provider="toy", number="9" * 12, settings=settings, verified_at=timezone.now()
    )
    return create_organisation(system, name="Large", account=account)


def test_many_members_are_reached_a_few_at_a_time_and_one_that_breaks_stops_no_other(
    organisation: Organisation, cloud: Large, system: Actor
) -> None:
    done = sync_organisation(system, organisation)
    assert (done.members, done.connected, done.waiting) == (MANY + 1, 54, 6)
    assert 1 < cloud.reaching.most <= LANES
    assert Account.objects.get(number="000000000003").name == ("member 3" + "x" * 300)[:80]
    assert organisation.members.filter(problem__contains="a provider that breaks").count() == 6


def test_members_that_there_was_no_time_for_come_first_in_the_next_sync(
    organisation: Organisation, cloud: Large, system: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "PATIENCE", 0.0)
    assert sync_organisation(system, organisation).connected == 0
    assert cloud.reaching.reached == 0 and organisation.members.filter(tried_at=None).count() == MANY + 1
    monkeypatch.setattr(sync, "PATIENCE", 60.0)
    assert sync_organisation(system, organisation).connected == 54


def test_a_listing_without_the_account_that_lists_counts_as_one_that_failed(
    organisation: Organisation, cloud: Large, system: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync_organisation(system, organisation)
    monkeypatch.setattr(cloud.organisations, "members", lambda connection: iter(()))
    with pytest.raises(Exception, match="so it is incomplete"):
        sync_organisation(system, organisation)
    assert not organisation.members.filter(left_at__isnull=False).exists()
