"""The catalogue: every question for rules and policies goes there, and it is read once."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from nephoscope.accounts.models import Account, User
from nephoscope.alerts.models import Alert
from nephoscope.audit.services import Actor
from nephoscope.plugins import registry
from nephoscope.policies.queries import EffectivePolicies, catalogue
from nephoscope.policies.services import add_rule, create_policy

PLATFORM = Path(__file__).parents[2] / "platform/nephoscope"
KEPT = {"plugins.py", "policies/queries.py", "cli/rules.py"}
"""Who gathers rules and frameworks, who answers for them, and who lists what plugins bring, without a database."""
NUMBER = 60
"""Rows of a list: more than a page of the console, and of the API."""


def askers() -> Iterator[str]:
    """Yield where the registry's rules or frameworks are read: ``registry().rules``, ``plugins.frameworks`` and so."""
    for path in sorted(PLATFORM.rglob("*.py")):
        name = path.relative_to(PLATFORM).as_posix()
        tree = ast.parse(path.read_text())
        names = {"registry"} | {
            target.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and _is_registry(node.value)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in ("rules", "frameworks"):
                of = node.value
                if _is_registry(of) or (isinstance(of, ast.Name) and of.id in names):
                    yield name


def _is_registry(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "registry"


def test_nobody_but_the_catalogue_asks_the_registry_for_rules_or_policies() -> None:
    assert set(askers()) - KEPT == set()


@pytest.mark.django_db
def test_the_catalogue_has_the_rules_and_policies_of_plugins_and_the_policies_of_people(system: Actor) -> None:
    policy = create_policy(system, name="Ours", provider="aws")
    known = catalogue()
    assert known.rules == registry().rules
    assert list(known.policies) == [*registry().frameworks, policy.key]
    rule = known.rule("aws.s3.public_read")
    assert rule is registry().rules["aws.s3.public_read"]
    assert known.title("aws.s3.public_read") == rule.title
    assert (known.rule("acme.gone"), known.title("acme.gone")) == (None, "acme.gone")


@pytest.mark.django_db
def test_it_takes_two_queries_and_an_accounts_settings_one_more(
    account: Account, system: Actor, django_assert_num_queries: Any
) -> None:
    for number in range(5):
        add_rule(system, create_policy(system, name=f"Ours {number}", provider="aws"), "aws.s3.public_read")
    with django_assert_num_queries(2):
        known = catalogue()
        assert [known.title(id) for id in known.rules]
    with django_assert_num_queries(1):
        assert EffectivePolicies.of(account, known).rules


# -- Lists ask as often for many rows as for one -------------------------------------------------------------------


def cost(get: Callable[[], Any]) -> int:
    get()  # what is read once in a process
    with CaptureQueriesContext(connection) as asked:
        assert get().status_code == 200
    return len(asked)


def of_rules(add_alert: Callable[..., Alert], first: int, last: int) -> None:
    for id in list(registry().rules)[first:last]:
        add_alert(id, f"bucket-{id}")


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["alerts_alert", "alerts_finding", "inventory_resource"])
def test_a_list_of_the_console_asks_as_often_for_many_rows_as_for_one(
    name: str, add_alert: Callable[..., Alert], viewer: User, client: Client
) -> None:
    client.force_login(viewer)
    address = reverse(f"admin:{name}_changelist")
    of_rules(add_alert, 0, 1)
    for_one = cost(lambda: client.get(address))
    of_rules(add_alert, 1, NUMBER)
    assert cost(lambda: client.get(address)) == for_one


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["alerts", "findings", "resources"])
def test_a_list_of_the_api_asks_as_often_for_many_rows_as_for_one(
    path: str, add_alert: Callable[..., Alert], viewer: User
) -> None:
    client = APIClient()
    client.force_authenticate(viewer)
    of_rules(add_alert, 0, 1)
    for_one = cost(lambda: client.get(f"/api/v1/{path}"))
    of_rules(add_alert, 1, NUMBER)
    assert cost(lambda: client.get(f"/api/v1/{path}")) == for_one


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["rules", "policies"])
def test_rules_and_policies_are_listed_with_one_catalogue(path: str, viewer: User) -> None:
    client = APIClient()
    client.force_authenticate(viewer)
    with CaptureQueriesContext(connection) as asked:
        assert client.get(f"/api/v1/{path}").json()["count"] > 10
    assert sum("policyscope" in each["sql"] for each in asked) == 1


@pytest.mark.django_db
def test_a_page_of_findings_reads_one_catalogue_for_titles_and_filters(
    add_alert: Callable[..., Alert], viewer: User, client: Client
) -> None:
    client.force_login(viewer)
    of_rules(add_alert, 0, 3)
    with CaptureQueriesContext(connection) as asked:
        page = client.get(reverse("admin:alerts_finding_changelist")).content.decode()
    assert all(each.title in page for each in list(registry().rules.values())[:3])
    assert sum("policyscope" in each["sql"] for each in asked) == 1
