"""Draining an outbox: each row at least once, in order, and one that fails keeps no other waiting."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from nephoscope.accounts.models import Account
from nephoscope.alerts.models import Alert, Transition
from nephoscope.queue import outbox
from nephoscope.queue.outbox import drain

Add = Callable[[int], list[Transition]]


def added(count: int) -> list[Transition]:
    now = timezone.now()
    account, _made = Account.objects.get_or_create(name="prod", provider="aws")
    times = dict.fromkeys(("first_seen", "last_seen", "opened_at"), now)
    alert, _made = Alert.objects.get_or_create(account=account, key="x", defaults={"rank": 0, **times})
    row = {"what": "opened", "was": "resolved", "now": "open", "severity": "high", "affected": 1, "suppressed": 0}
    return Transition.objects.bulk_create(Transition(alert=alert, **row) for _each in range(count))


def waiting() -> list[int]:
    return list(Transition.objects.filter(processed_at=None).values_list("pk", flat=True))


@pytest.mark.django_db
def test_each_row_is_handed_over_once_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "BATCH", 2)
    rows, got = added(5), []
    assert drain(Transition.objects.all(), lambda row: got.append(row.pk)) == 5
    assert got == [each.pk for each in rows]
    assert drain(Transition.objects.all(), lambda row: got.append(row.pk)) == 0
    assert not Transition.objects.filter(processed_at=None).exists()


@pytest.mark.django_db
def test_only_the_rows_that_are_asked_for_are_handed_over() -> None:
    first, second = added(2)
    assert drain(Transition.objects.filter(pk=second.pk), lambda row: None) == 1
    assert waiting() == [first.pk]


@pytest.mark.django_db
def test_one_that_fails_keeps_none_waiting_and_is_tried_again_after_ever_longer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bad, _good = added(2)

    def handle(row: Transition) -> None:
        if row.pk == bad.pk:
            raise OSError("the channel is down")

    rows, waits = Transition.objects.all(), []
    with caplog.at_level(logging.WARNING):
        assert drain(rows, handle) == 1, "the one behind it was handed over"
    assert "could not be handed over" in caplog.text
    for _try in range(8):
        assert drain(rows, handle) == 0, "it is not tried again at once"
        bad.refresh_from_db()
        assert bad.error == "OSError: the channel is down" and not bad.held
        assert bad.retry_at is not None
        waits.append(round((bad.retry_at - timezone.now()).total_seconds() / 60))
        rows.update(retry_at=timezone.now())
        drain(rows, handle)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    rows.update(retry_at=timezone.now())
    assert drain(rows, lambda row: None) == 1
    bad.refresh_from_db()
    assert bad.processed_at and bad.attempts == 10 and bad.error == ""


@pytest.mark.django_db
def test_an_error_that_the_database_cannot_store_as_it_is_keeps_none_waiting_either() -> None:
    bad, _good = added(2)

    def handle(row: Transition) -> None:
        if row.pk == bad.pk:
            raise OSError("not\0 taken")

    assert drain(Transition.objects.all(), handle) == 1
    bad.refresh_from_db()
    assert bad.error == "OSError: not taken" and bad.retry_at


@pytest.mark.django_db
def test_a_row_of_a_worker_that_died_is_handed_over_by_another_once_the_lease_ran_out() -> None:
    added(1)
    Transition.objects.update(lease_until=timezone.now() + timedelta(minutes=1))
    assert drain(Transition.objects.all(), lambda row: None) == 0
    Transition.objects.update(lease_until=timezone.now())
    assert drain(Transition.objects.all(), lambda row: None) == 1
    assert waiting() == []


@pytest.mark.django_db
def test_a_drain_that_is_interrupted_gives_back_what_it_did_not_hand_over() -> None:
    rows = added(3)

    def handle(row: Transition) -> None:
        if row.pk == rows[1].pk:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        drain(Transition.objects.all(), handle)
    assert drain(Transition.objects.all(), lambda row: None) == 2


def test_several_workers_share_the_rows_and_none_gets_one_twice(
    committed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "BATCH", 5)
    rows, got, together = added(60), [], threading.Barrier(3)

    def work(_number: int) -> int:
        together.wait()
        try:
            return drain(Transition.objects.all(), lambda row: got.append(row.pk))
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as workers:
        assert sum(workers.map(work, range(3))) == 60
    assert sorted(got) == [each.pk for each in rows]


def test_what_did_not_happen_is_not_told(committed: str) -> None:
    with pytest.raises(OSError, match="rolled back"), transaction.atomic():
        added(1)
        raise OSError("rolled back")
    assert drain(Transition.objects.all(), lambda row: None) == 0


@pytest.mark.django_db
def test_rows_are_forgotten_after_so_many_days() -> None:
    old, young = added(2)
    Transition.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=91))
    Transition.objects.filter(pk=young.pk).update(created_at=timezone.now() - timedelta(days=89))
    assert outbox.forget(Transition.objects.all(), 90) == 1
    assert waiting() == [young.pk]
