"""The API describes itself, completely and offline."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from nephoscope.accounts.models import User
from nephoscope.plugins import registry


def test_the_description_is_valid_and_complete() -> None:
    call_command("spectacular", fail_on_warn=True, validate=True, stdout=StringIO())


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return SchemaGenerator().get_schema(public=True)


def test_enumerations_have_names_of_their_own(schema: dict[str, Any]) -> None:
    names = {name for name, component in schema["components"]["schemas"].items() if "enum" in component}

    assert names == {
        "AccountCondition",
        "AlertKind",
        "AlertState",
        "ChangeSetState",
        "ChangeState",
        "ControlState",
        "DeliveryState",
        "ReportEvery",
        "ReportForm",
        "ReportRunState",
        "BlankEnum",
        "Role",
        "ScanState",
        "Severity",
        "ShardState",
        "StepState",
        "TokenDays",
        "TokenScope",
        "FixNoticeState",
        "SuppressionState",
        "Verdict",
    }


def test_every_operation_says_what_it_does_and_how_it_refuses(schema: dict[str, Any]) -> None:
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert operation.get("description"), where
            assert {"401", "403"} <= set(operation["responses"]), where
            assert any(code.startswith("2") for code in operation["responses"]), where


def test_connecting_is_described_by_the_fields_of_the_enabled_providers(schema: dict[str, Any]) -> None:
    described = schema["components"]["schemas"]["ConnectingRequest"]
    fields = {each.name for provider in registry().providers.values() for each in provider.fields}

    assert set(described["properties"]) == {*fields, "writing", "own_credentials"}
    assert described["properties"]["role_arn"]["description"].startswith("Amazon Web Services: Role ARN.")


def test_the_schema_is_served(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    answer = client.get("/api/schema", headers={"accept": "application/vnd.oai.openapi+json"})

    assert answer.json()["info"]["title"] == "Nephoscope API"
    assert "/api/v1/alerts/{id}/suppress" in answer.json()["paths"]


def test_the_browsable_page_needs_nothing_from_elsewhere(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    page = client.get("/api/docs").content.decode()
    script = client.get("/api/docs?script=").content.decode()

    assert not re.search(r"""(src|href)=["'](https?:)?//""", page)
    assert "<script>" not in page, "a content security policy would refuse it"
    assert '"validatorUrl": null' in script
    for address in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert client.get(address).status_code == 200, address


def test_the_root_leads_to_the_browsable_page(client: Client, db: None) -> None:
    assert client.get("/api/")["Location"] == "/api/docs"
