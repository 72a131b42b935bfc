"""``manage.py connect_organisation``."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from tests.scanning import connect

from nephoscope.audit.services import Actor
from nephoscope.organisations.models import Organisation
from nephoscope_aws_simulator.testing import Simulator

pytestmark = pytest.mark.django_db


def run(*arguments: str, **options: Any) -> str:
    out = StringIO()
    call_command("connect_organisation", *arguments, stdout=out, stderr=StringIO(), **options)
    return out.getvalue()


def test_it_prints_the_stack_set_first_and_then_lists_and_connects_the_members(aws: Simulator, system: Actor) -> None:
    connect(system)
    with pytest.raises(CommandError, match="--account"):
        run("Northwind")
    with pytest.raises(CommandError, match="no account nobody"):
        run("Northwind", account="nobody")
    with pytest.raises(CommandError, match="role_path"):
        run("Northwind", account="company", role_path="x")
    assert not Organisation.objects.exists()
    text = run("Northwind", account="company", external_id="northwind-members", include=["Workloads"])
    assert "create-stack-set" in text and "northwind-members" in text
    assert "aws_cloudformation_stack_set" in run("Northwind", template="terraform")
    with pytest.raises(CommandError, match="--template: there is cli, cloudformation, terraform"):
        run("Northwind", template="x")
    text = run("Northwind", sync=True)
    assert "6 members, 2 newly connected" in text and "Workloads/northwind-webshop" in text and "Excluded" in text
