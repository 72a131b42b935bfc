"""A house in the toy cloud with open doors: an alert about them, or a watchman's report of one."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from nephoscope import domain
from nephoscope import testing as toy
from nephoscope.accounts.models import Account, User
from nephoscope.alerts import detections
from nephoscope.alerts.models import Alert, Finding
from nephoscope.audit.services import Actor
from nephoscope.changes.models import Change
from nephoscope.changes.planning import plan_change
from nephoscope.domain import Detection, Kind
from nephoscope.inventory import store
from nephoscope.judging.services import judge_resources

THEN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class House:
    cloud: toy.ToyCloud
    account: Account
    alert: Alert
    actor: Actor

    def findings(self, *names: str) -> list[Finding]:
        return list(self.alert.findings.filter(resource__name__in=names, failing_since__isnull=False))

    def plan(self, *names: str) -> Change:
        """Plan to close doors."""
        return plan_change(self.actor, self.alert, self.findings(*names or ("front",)), toy.CloseDoor.id)

    def plan_lock(self, *names: str, **inputs: str) -> Change:
        """Plan to fit locks, which takes two steps each."""
        given = {"maker": "Yale"} | inputs
        return plan_change(self.actor, self.alert, self.findings(*names or ("front",)), toy.FitLock.id, given)


@pytest.fixture
def house(cloud: toy.ToyCloud, toy_account: Account, remediator: User) -> House:
    cloud.doors |= {"front": True, "back": True}
    read = store.save(toy_account, "doors", toy.Doors(cloud.doors).collect("doors", "north"))
    judge_resources(toy_account, Actor.system(), read, ())
    cloud.calls.clear()
    return House(cloud, toy_account, Alert.objects.get(account=toy_account), Actor.of(remediator, "10.0.0.5"))


@pytest.fixture
def boss(administrator: User) -> Actor:
    """An administrator at work."""
    return Actor.of(administrator)


class Watchman(domain.DetectionSource):
    name = "Watchman"
    archive = toy.CloseDoor.id

    def read(
        self, session: domain.Session, service: str, region: str, since: datetime | None, known: Collection[str]
    ) -> Iterator[Any]:
        yield from ()


@pytest.fixture
def report(cloud: toy.ToyCloud, toy_account: Account, remediator: User) -> House:
    """The watchman reports the front door; archiving his report closes it."""
    cloud.doors |= {"front": True, "back": True}
    cloud.detections = Watchman()
    seen = Detection(
        kind=Kind.THREAT,
        source="Watchman",
        key="north/1",
        region="north",
        severity=domain.Severity.HIGH,
        title="The door was left open",
        description="All night.",
        resource_id="door/front",
        resource_type=toy.DOOR,
        resource_name="front",
        first_seen=THEN,
        last_seen=THEN,
        updated=THEN,
        count=1,
        link="https://example.com/1",
        guide="https://example.com/doors",
        facts={},
        details={},
    )
    detections.save(toy_account, cloud.services[0], [seen], Actor.system())
    return House(cloud, toy_account, Alert.objects.get(kind="threat"), Actor.of(remediator, "10.0.0.5"))
