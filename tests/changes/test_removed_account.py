"""In a removed account nothing is changed: whoever plans, approves, undoes or applies asks again, and is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from tests.changes.working import apply, undo, worked
from tests.house import House

from nephoscope import testing as toy
from nephoscope.accounts.models import Account
from nephoscope.alerts.models import Alert
from nephoscope.changes.approvals import approve_change
from nephoscope.changes.models import Change
from nephoscope.changes.planning import draft_change, plan_change, save_draft
from nephoscope.changes.services import request_undo
from nephoscope.changes.suppressing import suppress, unsuppress

pytestmark = pytest.mark.django_db


def remove() -> None:
    """Remove all accounts, as if no change had been in the way."""
    Account.objects.update(removed_at=timezone.now())


def refused(act: Callable[[], Any]) -> bool:
    with pytest.raises(ValidationError, match="was removed"):
        act()
    return True


def test_nothing_is_planned_approved_or_undone_in_an_account_that_was_removed_meanwhile(house: House) -> None:
    applied, planned = apply(house.actor, house.plan("back")), house.plan("front")
    front = house.findings("front")
    draft = draft_change(house.actor, house.alert, front, toy.CloseDoor.id)
    [before, planned_before] = Change.objects.order_by("pk").values()
    remove()
    assert refused(lambda: approve_change(house.actor, planned, digest=planned.digest, reason="rain"))
    assert refused(lambda: request_undo(house.actor, applied, reason="sun"))
    assert refused(lambda: save_draft(house.actor, draft))
    assert refused(lambda: suppress(house.actor, house.alert, front, "never mind"))
    assert refused(lambda: unsuppress(house.actor, house.alert, front))
    alert = Alert.objects.get(pk=house.alert.pk)
    house.cloud.calls.clear()
    assert refused(lambda: plan_change(house.actor, alert, front, toy.CloseDoor.id))
    assert house.cloud.calls == []
    assert [*Change.objects.order_by("pk").values()] == [before, planned_before]


def test_a_worker_writes_nothing_in_an_account_that_was_removed(house: House) -> None:
    change = house.plan("front")
    approve_change(house.actor, change, digest=change.digest, reason="rain")
    remove()
    house.cloud.calls.clear()
    change = worked(change)
    assert (change.state, house.cloud.calls, house.cloud.doors["front"]) == ("refused", [], True)
    assert "was removed" in change.outcome


def test_a_worker_undoes_nothing_in_an_account_that_was_removed(house: House) -> None:
    change = apply(house.actor, house.plan("front"))
    request_undo(house.actor, change, reason="sun")
    remove()
    house.cloud.calls.clear()
    change = worked(change)
    assert (change.state, house.cloud.calls, house.cloud.doors["front"]) == ("verified", [], False)
    assert "was removed" in change.outcome
    Account.objects.update(removed_at=None)
    assert undo(house.actor, change).state == "undone"


def test_the_account_is_locked_before_anything_in_it(house: House) -> None:
    """As removing does and judging: two that lock in another order wait for each other for ever."""
    front, plan = house.findings("front"), house.plan("front")
    applied = apply(house.actor, house.plan("back"))
    for act in (
        lambda: approve_change(house.actor, plan, digest=plan.digest, reason="rain"),
        lambda: request_undo(house.actor, applied, reason="sun"),
        lambda: suppress(house.actor, house.alert, front, "never mind"),
        lambda: unsuppress(house.actor, house.alert, front),
    ):
        with CaptureQueriesContext(connection) as queries:
            act()
        locking = [query["sql"] for query in queries if "FOR UPDATE" in query["sql"]]
        assert len(locking) > 1 and 'FROM "accounts_account"' in locking[0], locking
