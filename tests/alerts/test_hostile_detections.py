"""What whoever acts in a cloud makes a detector say costs no other detection anything."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.house import THEN, House

from nephoscope import domain
from nephoscope.alerts import detections
from nephoscope.alerts.models import Alert, Finding
from nephoscope.audit.services import Actor
from nephoscope.domain import Detection, Kind
from nephoscope.judging import services as judging

pytestmark = pytest.mark.django_db


def seen(key: str, **odd: Any) -> Detection:
    usual = Detection(
        kind=Kind.THREAT,
        source="Watchman",
        key=key,
        region="north",
        severity=domain.Severity.HIGH,
        title="Open",
        description="All night.",
        resource_id=f"door/{key}",
        resource_type="Toy::Door",
        resource_name=key,
        first_seen=THEN,
        last_seen=THEN,
        updated=THEN,
        count=1,
        link="",
        guide="",
        facts={},
        details={},
    )
    return replace(usual, **odd)


@pytest.mark.parametrize(
    "odd",
    [
        {"title": "a\0\ud800"},
        {"description": "\0" * 9},
        {"facts": {"a\0": "\udfff"}},
        {"details": {"n": float("inf"), "m": 10**400, "t": "\0"}},
        {"key": "\0odd" * 90},
        {"resource_name": "\ud800" * 900},
        {"count": float("nan")},
        {"last_seen": None},
        {"region": "r" * 900},
    ],
    ids=str,
)
def test_an_odd_detection_costs_the_others_nothing(house: House, odd: dict[str, Any]) -> None:
    service = house.cloud.services[0]
    batch = [seen("one"), seen("odd", **odd) if "key" not in odd else seen(**odd), seen("two")]
    assert len(detections.save(house.account, service, batch, Actor.system())) >= 2
    assert {"one", "two"} <= set(Alert.objects.filter(kind="threat").values_list("key", flat=True))


def test_a_finding_that_the_database_refuses_costs_the_others_nothing(house: House) -> None:
    findings = house.findings("front", "back")
    findings[0].message, findings[1].message = "a\0b", "kept"
    findings[0].evidence = [{"path": float("nan")}]
    judging._write(findings)
    kept = dict(Finding.objects.filter(pk__in=[each.pk for each in findings]).values_list("pk", "message"))
    assert kept == {findings[0].pk: "what the rule found could not be stored", findings[1].pk: "kept"}
    assert set(Finding.objects.filter(pk__in=kept).values_list("verdict", flat=True)) == {"fail"}
