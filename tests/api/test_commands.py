"""The commands of a fix over the API: filled in for findings, templates in the catalogue."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from nephoscope.accounts.models import User
from nephoscope.alerts.models import Finding

V1 = "/api/v1"
BLOCK = {"text": "toy set-door --name=front --open=false\n", "inputs": {}}


def front(world: SimpleNamespace) -> Finding:
    return world.alert.findings.get(resource__name="front")  # type: ignore[no-any-return]


def test_a_finding_brings_its_commands_alone_in_a_list_and_with_its_alert(
    world: SimpleNamespace, viewer: User, api: Any
) -> None:
    client, finding = api(viewer), front(world)
    assert client.get(f"{V1}/findings/{finding.pk}").json()["commands"] == BLOCK
    listed = client.get(f"{V1}/findings?alert={world.alert.pk}").json()["results"]
    of_alert = client.get(f"{V1}/alerts/{world.alert.pk}").json()["findings"]
    for rows in (listed, of_alert):
        assert [row["commands"] for row in rows if row["id"] == finding.pk] == [BLOCK]


def test_a_finding_that_passes_has_none(world: SimpleNamespace, viewer: User, api: Any) -> None:
    finding = front(world)
    Finding.objects.filter(pk=finding.pk).update(failing_since=None)
    assert api(viewer).get(f"{V1}/findings/{finding.pk}").json()["commands"] is None


def test_the_catalogue_brings_the_template(world: SimpleNamespace, viewer: User, api: Any) -> None:
    shown = api(viewer).get(f"{V1}/rules/toy.closed").json()["commands"]
    assert shown == {"templates": {"Toy::Door": "toy set-door --name={name} --open=false"}, "inputs": {}}


def test_who_may_not_see_the_account_gets_no_commands(world: SimpleNamespace, stranger: User, api: Any) -> None:
    answer = api(stranger).get(f"{V1}/findings/{front(world).pk}")
    assert answer.status_code in (403, 404) and "commands" not in answer.json()
