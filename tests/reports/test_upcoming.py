"""What is about to be fixed automatically is mailed once a day to the people of its account."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.changes.automatic import minute, on
from tests.house import House

from nephoscope.accounts.models import Account, AccountGroup, User
from nephoscope.audit.services import Actor
from nephoscope.changes.automatic import object_to
from nephoscope.changes.automatic_models import FixNotice
from nephoscope.reports.models import ReportSchedule, UpcomingMail
from nephoscope.reports.upcoming import send, wake_due

from .conftest import REFUSED, Post

pytestmark = pytest.mark.django_db


@pytest.fixture
def upcoming(house: House, boss: Actor, administrator: User) -> House:
    """Two doors that are closed in three days."""
    User.objects.filter(pk=administrator.pk).update(email="ada@example.org")
    on(boss, house, days=3)
    minute(house)
    return house


def day_passes() -> None:
    for row in UpcomingMail.objects.all():
        row.sent_at -= timedelta(days=1)
        row.save()


def to(post: Post) -> list[str]:
    return [address for address, _message in post.mails]


def body(post: Post) -> str:
    found: Any = post.mails[-1][1].get_body()
    return str(found.get_content())


def schedule(owner: User, *addresses: str, **more: Any) -> ReportSchedule:
    return ReportSchedule.objects.create(name="Weekly", owner=owner, mail_to=list(addresses), everything=True, **more)


def test_administrators_are_told_where_nobody_gets_reports(upcoming: House, post: Post, analyst: User) -> None:
    User.objects.filter(pk=analyst.pk).update(email="anna@example.org")
    assert wake_due() and send() == 1
    assert to(post) == ["ada@example.org"]
    assert post.mails[0][1]["Subject"] == "2 upcoming automatic fixes"
    assert "front in prod (" in body(post) and "): Close the door" in body(post)
    assert "unless someone objects: /changes/fixnotice/" in body(post)


def test_each_is_told_once_a_day_as_long_as_something_is_upcoming(upcoming: House, boss: Actor, post: Post) -> None:
    assert send() == 1
    assert not wake_due() and send() == 0
    day_passes()
    assert wake_due() and send() == 1
    day_passes()
    for notice in FixNotice.objects.all():
        object_to(boss, notice, reason="no")
    assert not wake_due() and send() == 0


def test_who_gets_the_accounts_reports_is_told_in_one_mail(upcoming: House, post: Post, analyst: User) -> None:
    schedule(analyst, "auditor@example.org", "boss@example.org")
    schedule(analyst, "auditor@example.org")
    assert send() == 2
    assert sorted(to(post)) == ["auditor@example.org", "boss@example.org"]


def test_whose_schedule_is_off_or_sees_the_account_no_more_is_not_told(
    upcoming: House, post: Post, analyst: User, stranger: User, remediator: User
) -> None:
    schedule(analyst, "off@example.org", active=False)
    schedule(stranger, "stranger@example.org")
    schedule(remediator, "gone@example.org")
    User.objects.filter(pk=remediator.pk).update(is_active=False)
    send()
    assert to(post) == ["ada@example.org"]


def test_a_mail_names_only_the_accounts_of_its_reader(upcoming: House, boss: Actor, post: Post, analyst: User) -> None:
    other = Account.objects.create(name="lair", provider="toy", number="9" * 12)
    other.groups.add(AccountGroup.objects.create(name="Others"))
    notice = FixNotice.objects.all()[0]
    FixNotice.objects.create(
        automatic=notice.automatic,
        account=other,
        alert=notice.alert,
        failing_since=notice.failing_since,
        due_at=notice.due_at,
        resource_name="vault",
    )
    schedule(analyst, "auditor@example.org")
    assert send() == 2
    told = {address: str(message) for address, message in post.mails}
    assert "lair" in told["ada@example.org"] and "lair" not in told["auditor@example.org"]


def test_a_server_that_refuses_costs_no_other_reader_and_is_not_tried_all_day(
    upcoming: House, post: Post, analyst: User
) -> None:
    schedule(analyst, REFUSED, "auditor@example.org")
    assert send() == 1 and to(post) == ["auditor@example.org"]
    assert send() == 0


def test_without_a_mail_server_nothing_is_sent_or_marked(upcoming: House) -> None:
    assert not wake_due()
    assert not UpcomingMail.objects.exists()
