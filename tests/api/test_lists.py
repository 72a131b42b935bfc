"""Lists: the same number of queries however long, filters as in the console, and nothing left out at a page's end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from nephoscope.accounts.models import Account, User
from nephoscope.alerts.models import Alert, Finding, Suppression
from nephoscope.audit.actions.alerts import ALERT_RESOLVED
from nephoscope.audit.services import Actor, record
from nephoscope.changes.models import Change, ChangeSet, SetItem
from nephoscope.inventory.models import Resource, Scan, Shard

pytestmark = pytest.mark.django_db

Copy = Callable[[Any, int], None]


def copy_rows(row: Any, count: int, **changes: Callable[[int], Any]) -> None:
    """Store more rows like one."""
    for number in range(count):
        row.pk = None
        row._state.adding = True
        for name, value in changes.items():
            setattr(row, name, value(number))
        row.save(force_insert=True)


def more(world: SimpleNamespace) -> None:
    """Ten more of everything that is listed."""
    now = timezone.now()
    copy_rows(Scan.objects.get(pk=world.scan.pk), 10, state=lambda _: "succeeded")
    for scan in Scan.objects.exclude(pk=world.scan.pk):
        Shard.objects.create(scan=scan, service="doors", region="north")
    copy_rows(Change.objects.get(pk=world.change.pk), 10)
    for change in Change.objects.filter(change_set=None, state="planned"):
        SetItem.objects.create(
            change_set=ChangeSet.objects.create(rule="toy.closed", title="more"), account=change.account, change=change
        )
    copy_rows(Resource.objects.get(pk=world.cellar.pk), 10, resource_id=lambda n: f"door/more-{n}")
    resources = iter(Resource.objects.filter(resource_id__startswith="door/more-"))
    copy_rows(Alert.objects.get(pk=world.alert.pk), 10, key=lambda n: f"toy.more-{n}")
    alerts = iter(Alert.objects.exclude(pk=world.alert.pk))
    copy_rows(Finding.objects.get(pk=world.front.pk), 10, resource=lambda _: next(resources))
    copy_rows(Suppression.objects.get(), 10, alert=lambda _: next(alerts))
    for number in range(10):
        record(
            Actor.of(User.objects.get(username="ada")),
            ALERT_RESOLVED,
            world.alert,
            {"title": "Door"},
            account=world.account,
        )
        other = Account.objects.create(name=f"more-{number}", provider="toy", number=str(number), verified_at=now)
        other.groups.set(world.account.groups.all())
        User.objects.create_user(f"more-{number}").account_groups.set(world.account.groups.all())


LISTS = [
    "accounts",
    "scans",
    "resources",
    "alerts",
    "findings",
    "suppressions",
    "changes",
    "change-sets",
    "audit",
    "users",
    "groups",
    "tokens",
    "policies",
]


def test_a_longer_list_takes_no_more_queries(
    subtests: pytest.Subtests, world: SimpleNamespace, administrator: User, api: Any, django_assert_max_num_queries: Any
) -> None:
    queries, before = {}, {}
    for path in LISTS:
        with django_assert_max_num_queries(10) as asked:
            before[path] = api(administrator).get(f"/api/v1/{path}").json()["count"]
        queries[path] = len(asked)
    more(world)
    for path in LISTS:
        with subtests.test(path):
            with django_assert_max_num_queries(queries[path]):
                after = api(administrator).get(f"/api/v1/{path}").json()["count"]
            assert after >= before[path] + 10 or path in ("groups", "tokens", "policies")


def test_an_alert_with_many_resources_takes_no_more_queries(
    world: SimpleNamespace, administrator: User, api: Any, django_assert_max_num_queries: Any
) -> None:
    more(world)
    with django_assert_max_num_queries(24):
        shown = api(administrator).get(f"/api/v1/alerts/{world.alert.pk}").json()
    assert len(shown["findings"]) == 12


def test_every_row_is_on_one_page(world: SimpleNamespace, administrator: User, api: Any) -> None:
    more(world)
    Resource.objects.update(name="same")
    seen: list[int] = []
    address = "/api/v1/resources?page_size=3&ordering=name"
    while address:
        page = api(administrator).get(address).json()
        seen += [row["id"] for row in page["results"]]
        address = page["next"]

    assert sorted(seen) == sorted(Resource.objects.values_list("pk", flat=True))


ALERTS = [
    ("", ["window", "open"]),
    ("state=open", ["window", "open"]),
    ("state=resolved", ["resolved"]),
    ("state=open,resolved", ["window", "open", "resolved"]),
    ("state=all", ["window", "open", "suppressed", "resolved"]),
    ("suppressed=true", ["window", "open", "suppressed"]),
    ("severity=critical", ["window"]),
    ("severity=critical,high", ["window", "open"]),
    ("kind=threat", ["window"]),
    ("source=guardduty", ["window"]),
    ("account={account}", ["window", "open"]),
    ("account=987654", []),
    ("region=north", ["open"]),
    ("region=elsewhere", []),
    ("policy=toy-policy", ["open"]),
    ("policy=none", []),
    ("opened=7", ["open"]),
    ("since=2026-01-01T00:00:00Z", ["open"]),
    ("state=resolved&resolved=7", ["resolved"]),
    ("q=WINDOW", ["window"]),
    ("q=front", ["open"]),
    ("q={reference}", ["open"]),
    ("q=front window", []),
    ("ordering=opened_at", ["window", "open"]),
    ("ordering=-opened_at", ["open", "window"]),
]


def test_alerts_are_filtered_as_in_the_console(
    subtests: pytest.Subtests, world: SimpleNamespace, viewer: User, api: Any
) -> None:
    now = timezone.now()
    others = {
        "window": {
            "state": "open",
            "severity": "critical",
            "rank": 0,
            "kind": "threat",
            "source": "GuardDuty",
            "title": "A window",
        },
        "suppressed": {"state": "suppressed", "severity": "low", "rank": 3},
        "resolved": {"state": "resolved", "severity": "low", "rank": 3, "resolved_at": now - timedelta(days=1)},
    }
    old = datetime(2025, 1, 1, tzinfo=UTC)
    for name, values in others.items():
        Alert.objects.create(
            account=world.account, key=name, first_seen=old, last_seen=old, opened_at=old, **({"title": name} | values)
        )
    for parameters, expected in ALERTS:
        with subtests.test(parameters):
            address = parameters.format(account=world.account.pk, reference=world.alert)
            rows = api(viewer).get(f"/api/v1/alerts?{address}").json()["results"]
            assert [{"toy.closed": "open"}.get(row["rule"], row["rule"]) for row in rows] == expected


OTHERS = [
    ("findings?failing=true", 2),
    ("findings?failing=false", 2),
    ("findings?verdict=pass", 2),
    ("findings?verdict=pass,fail", 4),
    ("findings?rule=toy.closed&account={account.pk}&resource={cellar.pk}", 1),
    ("findings?standing=accepted", 1),
    ("findings?standing=passed", 2),
    ("findings?alert={alert.pk}", 2),
    ("suppressions?standing=true", 1),
    ("suppressions?standing=false", 0),
    ("suppressions?state=in_force&account={account.pk}&author=ada&until=none", 1),
    ("suppressions?state=lifted,expired", 0),
    ("resources?type=Toy::Door&service=doors&region=north", 4),
    ("resources?q=CELL", 1),
    ("resources?gone=true", 0),
    ("changes?state=planned", 2),
    ("changes?state=planned,verified&alert={alert.pk}", 3),
    ("changes?change_set={set.pk}", 1),
    ("change-sets?state=planned&rule=toy.closed&account={account.pk}", 1),
    ("change-sets?state=finished", 0),
    ("scans?state=queued&account={account.pk}", 1),
    ("audit?action=alert.suppressed&actor=ada", 1),
    ("audit?target_type=alert&target_id={alert.pk}&at_before=2020-01-01T00:00:00Z", 0),
    ("accounts?provider=toy", 1),
]


def test_other_lists_are_filtered(
    subtests: pytest.Subtests, world: SimpleNamespace, administrator: User, api: Any
) -> None:
    for address, count in OTHERS:
        with subtests.test(address):
            answer = api(administrator).get(f"/api/v1/{address.format(**vars(world))}")
            assert answer.json()["count"] == count


def test_what_is_gone_is_listed_only_on_request_but_can_be_fetched(
    world: SimpleNamespace, viewer: User, api: Any
) -> None:
    Resource.objects.filter(pk=world.cellar.pk).update(gone_at=timezone.now())

    names = [row["name"] for row in api(viewer).get("/api/v1/resources").json()["results"]]
    gone = api(viewer).get("/api/v1/resources?gone=true").json()["results"]

    assert "cellar" not in names
    assert [row["name"] for row in gone] == ["cellar"]
    assert api(viewer).get(f"/api/v1/resources/{world.cellar.pk}").json()["properties"] == {"Open": False}
