"""The simulated company's organisation, read through its management account."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.organisations.northwind import role_in
from tests.scanning import connect

from nephoscope.audit.services import Actor
from nephoscope.organisations.models import Organisation
from nephoscope.organisations.services import create_organisation
from nephoscope.organisations.sync import sync_organisation
from nephoscope_aws_simulator.testing import Simulator


@pytest.fixture
def numbers(aws: Simulator) -> dict[str, str]:
    listed = aws.client("organizations").list_accounts()["Accounts"]
    return {each["Name"]: each["Id"] for each in listed}


@pytest.fixture
def organisation(aws: Simulator, system: Actor, db: None) -> Organisation:
    """The simulated company's, read through its management account."""
    entered = {"external_id": "northwind-members"}
    return create_organisation(
        system, name="Northwind", account=connect(system), settings=entered, regions=["eu-west-1"]
    )


@pytest.fixture
def synced(organisation: Organisation, system: Actor) -> Organisation:
    sync_organisation(system, organisation)
    return organisation


@pytest.fixture
def newcomer(aws: Simulator) -> Iterator[str]:
    """The number of an account that joins, and is taken out again."""
    organizations = aws.client("organizations")
    made = organizations.create_account(AccountName="newcomer", Email="new@northwind.example")
    number = str(made["CreateAccountStatus"]["AccountId"])
    role_in(aws, number)
    yield number
    if number in {each["Id"] for each in organizations.list_accounts()["Accounts"]}:
        organizations.remove_account_from_organization(AccountId=number)
