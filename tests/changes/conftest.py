"""A house in the toy cloud with open doors, and an alert about them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from tests.api.conftest import cloud, toy_account  # noqa: F401  # the fixtures

from nephoscope import testing as toy
from nephoscope.accounts.models import Account, User
from nephoscope.alerts.models import Alert, Finding
from nephoscope.audit.services import Actor
from nephoscope.changes.models import Change
from nephoscope.changes.services import plan_change
from nephoscope.inventory import store
from nephoscope.judging.services import judge_resources


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
def house(cloud: toy.ToyCloud, toy_account: Account, remediator: User) -> House:  # noqa: F811
    cloud.doors |= {"front": True, "back": True}
    read = store.save(toy_account, "doors", toy.Doors(cloud.doors).collect("doors", "north"))
    judge_resources(toy_account, Actor.system(), read, ())
    cloud.calls.clear()
    return House(cloud, toy_account, Alert.objects.get(account=toy_account), Actor.of(remediator, "10.0.0.5"))
