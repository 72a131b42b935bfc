"""Report schedules: their turns, one run at a time, and what may be saved by whom."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from django_q.models import OrmQ

from nephoscope.accounts.models import Account, AccountGroup, User
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.operations.tasks import housekeeping
from nephoscope.reports import services
from nephoscope.reports.models import ReportRun, ReportSchedule

pytestmark = pytest.mark.django_db
Add = Callable[..., ReportSchedule]


@pytest.mark.parametrize(
    ("every", "hour", "zone", "now", "turn"),
    [
        ("day", 6, "UTC", "2026-11-23T05:59", "2026-11-23T06:00"),
        ("day", 6, "UTC", "2026-11-23T06:00", "2026-11-24T06:00"),
        ("day", 6, "Asia/Tokyo", "2026-11-23T05:00", "2026-11-23T21:00"),
        ("week", 6, "UTC", "2026-11-23T07:00", "2026-11-30T06:00"),
        ("week", 0, "Pacific/Auckland", "2026-11-22T10:00", "2026-11-22T11:00"),
        ("month", 23, "UTC", "2026-11-30T23:30", "2026-12-01T23:00"),
        ("month", 6, "UTC", "2026-12-01T07:00", "2027-01-01T06:00"),
        # The clock goes forward at 2 in the night to 29 March, and back at 3 in the night to 25 October.
        ("day", 2, "Europe/Zurich", "2026-03-28T12:00", "2026-03-29T01:00"),
        ("day", 2, "Europe/Zurich", "2026-10-25T00:30", "2026-10-26T01:00"),
        ("day", 6, "Europe/Zurich", "2026-10-24T12:00", "2026-10-25T05:00"),
    ],
)
def test_a_turn_is_by_the_clock_of_the_owner(every: str, hour: int, zone: str, now: str, turn: str) -> None:
    schedule = ReportSchedule(every=every, hour=hour, owner=User(time_zone=zone))
    found = schedule.next_after(datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert found is not None
    assert found.astimezone(UTC) == datetime.fromisoformat(turn).replace(tzinfo=UTC)


def test_one_that_is_off_or_has_no_owner_has_no_turn(analyst: User) -> None:
    assert ReportSchedule(active=False, owner=analyst).next_after(timezone.now()) is None
    assert ReportSchedule().next_after(timezone.now()) is None


def due(*schedules: ReportSchedule) -> None:
    pks = [each.pk for each in schedules]
    ReportSchedule.objects.filter(pk__in=pks).update(next_run_at=timezone.now() - timedelta(days=9))


def test_what_is_due_is_queued_once_and_has_its_next_turn(add: Add) -> None:
    schedule, later, off = add(), add(name="later"), add(name="off", active=False)
    due(schedule)
    assert services.start_due() == 1 and services.start_due() == 0
    schedule.refresh_from_db()
    assert schedule.next_run_at and schedule.next_run_at > timezone.now()
    assert ReportRun.objects.get().schedule == schedule
    assert [task.func() for task in OrmQ.objects.all()] == ["nephoscope.operations.tasks.send_reports"]
    assert later.next_run_at and off.next_run_at is None


def test_one_run_of_a_schedule_at_a_time(add: Add, analyst: User) -> None:
    schedule = add()
    run = services.send_now(Actor.of(analyst), schedule)
    with pytest.raises(ValidationError, match="Already sending"):
        services.send_now(Actor.of(analyst), schedule)
    due(schedule)
    assert services.start_due() == 0
    run.state = "sent"
    run.save()
    assert services.start_due() == 1


def test_a_run_whose_worker_died_is_closed_and_the_next_turn_comes(add: Add) -> None:
    run = add().runs.create(state="running", lease_until=timezone.now() + timedelta(minutes=1))
    housekeeping()
    run.refresh_from_db()
    assert run.state == "running", "its worker renewed the lease a moment ago"
    ReportRun.objects.update(lease_until=timezone.now())
    housekeeping()
    run.refresh_from_db()
    assert run.state == "failed" and "Interrupted" in run.outcome
    services.deliver(run.pk)
    run.refresh_from_db()
    assert run.state == "failed", "a run that is over is not sent"


def test_a_run_that_no_worker_took_up_is_put_into_the_queue_again(add: Add) -> None:
    run = add().runs.create()
    services.close_interrupted()
    assert OrmQ.objects.count() == 0, "it was asked for a moment ago"
    ReportRun.objects.update(queued_at=timezone.now() - timedelta(minutes=2))
    services.close_interrupted()
    assert [task.args() for task in OrmQ.objects.all()] == [(run.pk,)]


def test_of_the_runs_the_last_fifty_stay(add: Add, monkeypatch: pytest.MonkeyPatch) -> None:
    schedule = add()
    monkeypatch.setattr(services, "RUNS_KEPT", 3)
    for _time in range(5):
        services.deliver(schedule.runs.create().pk)
    assert schedule.runs.count() == 3


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"mail_to": []}, "mail_to"),
        ({"mail_to": ["nobody"]}, "mail_to"),
        ({"mail_to": ["a@example.org\nBcc: b@example.org"]}, "mail_to"),
        ({"mail_to": [f"a{n}@example.org" for n in range(21)]}, "mail_to"),
        ({"name": ""}, "name"),
        ({"name": "a\nBcc: b@example.org"}, "name"),
        ({"hour": 24}, "hour"),
        ({"every": "minute"}, "every"),
        ({"form": "exe"}, "form"),
        ({"keep": 0}, "keep"),
        ({"policies": ["none-such"]}, "policies"),
        *(
            ({"folder": name}, "folder")
            for name in ("..", "../x", "/etc", "a/b", ".hidden", "a\x00b", "a\\b", "ä", "-x")
        ),
    ],
)
def test_what_is_wrong_is_refused_by_its_field(values: dict[str, Any], field: str, add: Add) -> None:
    with pytest.raises(ValidationError) as refused:
        add(**values)
    assert field in refused.value.message_dict
    assert not ReportSchedule.objects.exists()


def test_one_owner_has_so_many_and_no_more(add: Add, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MOST_SCHEDULES", 1)
    schedule = add()
    with pytest.raises(ValidationError, match="The limit is 1 schedules per owner"):
        add()
    assert services.save_schedule(Actor.of(schedule.owner), schedule, name="Renamed").name == "Renamed"


def test_without_mail_server_or_folder_nothing_can_go_there(analyst: User, settings: Any, account: Account) -> None:
    settings.EMAIL_HOST, settings.NEPHOSCOPE_REPORTS_DIR = "", ""
    with pytest.raises(ValidationError) as refused:
        services.save_schedule(Actor.of(analyst), ReportSchedule(), name="x", mail_to=["a@example.org"], folder="a")
    assert "NEPHOSCOPE_EMAIL_URL" in refused.value.message_dict["mail_to"][0]
    assert "NEPHOSCOPE_REPORTS_DIR" in refused.value.message_dict["folder"][0]


def test_accounts_and_groups_that_the_owner_does_not_see_are_refused(
    add: Add, account: Account, group: AccountGroup, stranger: User, administrator: User
) -> None:
    for values in ({"accounts": [account.pk]}, {"groups": [group.pk]}):
        with pytest.raises(ValidationError, match="cannot see"):
            add(stranger, **values)
    schedule = add(stranger)
    with pytest.raises(ValidationError, match="cannot see"):
        services.save_schedule(Actor.of(administrator), schedule, accounts=[account.pk])


def test_the_audit_log_names_the_addresses(add: Add, analyst: User) -> None:
    schedule = add(folder="auditor")
    entry = Entry.objects.get(action="schedule.created")
    assert entry.sentence == "added the report schedule Weekly, to auditor@example.org and into the folder auditor"
    services.save_schedule(Actor.of(analyst), schedule, mail_to=["other@example.org"])
    changed = Entry.objects.get(action="schedule.configured")
    assert changed.before["mail_to"] == ["auditor@example.org"] and changed.after["mail_to"] == ["other@example.org"]
    services.send_now(Actor.of(analyst), schedule, enqueue=False)
    assert "to other@example.org" in Entry.objects.get(action="schedule.requested").sentence
    services.remove_schedule(Actor.of(analyst), schedule)
    assert Entry.objects.get(action="schedule.removed").before["folder"] == "auditor"


def test_ones_own_are_ones_own_and_administrators_have_all(
    add: Add, viewer: User, stranger: User, analyst: User, administrator: User
) -> None:
    schedule = add()
    for user in (stranger, viewer):
        assert not ReportSchedule.objects.visible_to(user).exists()
        for act in (services.send_now, services.remove_schedule, services.save_schedule):
            with pytest.raises(PermissionDenied):
                act(Actor.of(user), schedule)
    services.save_schedule(Actor.of(administrator), schedule, name="Renamed")
    schedule.refresh_from_db()
    assert (schedule.name, schedule.owner) == ("Renamed", analyst)
    services.remove_schedule(Actor.of(administrator), schedule)
