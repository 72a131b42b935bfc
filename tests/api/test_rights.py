"""Every endpoint and act, tried by those who may, those who may only look, and those who must be refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from knox.models import AuthToken
from nephoscope.accounts.models import AccountGroup, User
from nephoscope.accounts.permissions import Role
from nephoscope.audit.models import Entry
from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db

Body = Callable[[SimpleNamespace], dict[str, Any]]


@dataclass(frozen=True)
class Case:
    """One operation: its address, the least role that may, and what happens to an analyst of other accounts."""

    method: str
    path: str
    least: Role = Role.VIEWER
    body: Body = lambda world: {}
    ok: int = 200
    scoped: bool = True
    """Whether it is about something in an account, which a stranger must not even learn exists."""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def listed(path: str, least: Role = Role.VIEWER, *, scoped: bool = True) -> Case:
    return Case("GET", path, least, scoped=scoped)


ADMINISTRATOR, ANALYST, REMEDIATOR = Role.ADMINISTRATOR, Role.ANALYST, Role.REMEDIATOR

LISTS = [
    *(listed(path) for path in ("accounts", "scans", "resources", "alerts", "findings", "suppressions", "changes")),
    listed("audit"),
]
CASES = [
    *LISTS,
    *(listed(path, scoped=False) for path in ("me", "tokens", "providers", "policies", "rules")),
    *(listed(path, ADMINISTRATOR, scoped=False) for path in ("plugins", "users", "groups")),
    Case("GET", "accounts/{account.pk}"),
    Case("GET", "scans/{scan.pk}"),
    Case("GET", "resources/{cellar.pk}"),
    Case("GET", "alerts/{alert.pk}"),
    Case("GET", "findings/{front.pk}"),
    Case("GET", "suppressions/{back.suppression_id}"),
    Case("GET", "changes/{change.pk}"),
    Case("GET", "audit/{entry.pk}"),
    Case("GET", "providers/toy", scoped=False),
    Case("GET", "policies/toy-policy", scoped=False),
    Case("GET", "rules/toy.closed", scoped=False),
    Case("GET", "plugins/aws", ADMINISTRATOR, scoped=False),
    Case("GET", "users/{user.pk}", ADMINISTRATOR, scoped=False),
    Case("GET", "groups/{group.pk}", ADMINISTRATOR, scoped=False),
    Case("GET", "accounts/{account.pk}/regions", ADMINISTRATOR),
    Case("GET", "accounts/{account.pk}/kits?writing=true", ADMINISTRATOR),
    Case("POST", "accounts", ADMINISTRATOR, lambda _: {"name": "second", "provider": "toy"}, 201, scoped=False),
    Case("PATCH", "accounts/{account.pk}", ADMINISTRATOR, lambda _: {"regions": ["south"]}),
    Case("DELETE", "accounts/{idle.pk}", ADMINISTRATOR, ok=204),
    Case("POST", "accounts/{account.pk}/verify", ADMINISTRATOR, lambda _: {"role": "role/reader"}),
    Case("POST", "accounts/{idle.pk}/scan", ANALYST, lambda _: {"services": ["doors"]}, 201),
    Case("POST", "scans/{scan.pk}/cancel", ANALYST),
    Case("POST", "alerts/{alert.pk}/suppress", ANALYST, lambda w: {"findings": [w.front.pk], "reason": "known"}),
    Case("POST", "alerts/{alert.pk}/unsuppress", ANALYST, lambda w: {"findings": [w.back.pk]}),
    Case("POST", "alerts/{alert.pk}/recheck", ANALYST, lambda w: {"findings": [w.front.pk]}),
    Case("POST", "alerts/{alert.pk}/plan", REMEDIATOR,
         lambda w: {"findings": [w.front.pk], "remediation": "toy.close"}, 201),
    Case("POST", "changes/{change.pk}/apply", REMEDIATOR, lambda w: {"digest": w.change.digest, "reason": "rain"}),
    Case("POST", "changes/{applied.pk}/undo", REMEDIATOR, lambda _: {"reason": "air"}),
    Case("POST", "users", ADMINISTRATOR, lambda _: {"username": "new", "password": "cloud-9-instrument"}, 201,
         scoped=False),
    Case("PATCH", "users/{user.pk}", ADMINISTRATOR, lambda _: {"role": "analyst"}, scoped=False),
    Case("DELETE", "users/{user.pk}", ADMINISTRATOR, ok=204, scoped=False),
    Case("POST", "groups", ADMINISTRATOR, lambda _: {"name": "new"}, 201, scoped=False),
    Case("PATCH", "groups/{group.pk}", ADMINISTRATOR, lambda _: {"name": "renamed"}, scoped=False),
    Case("DELETE", "groups/{group.pk}", ADMINISTRATOR, ok=204, scoped=False),
]  # fmt: skip
"""All operations but those on tokens, which are about oneself and have tests of their own."""


@pytest.fixture
def everything(world: SimpleNamespace, account: Any) -> SimpleNamespace:
    """The world, and what single cases are about."""
    from nephoscope.changes.services import apply_change, plan_change
    from nephoscope.audit.services import Actor

    world.entry = Entry.objects.filter(account=account).first()
    world.group = AccountGroup.objects.create(name="spare")
    world.user = User.objects.create_user("spare")
    return world


@pytest.fixture
def users(
    viewer: User, analyst: User, remediator: User, administrator: User
) -> dict[str, User]:
    return {user.role: user for user in (viewer, analyst, remediator, administrator)}


def send(client: APIClient, case: Case, world: SimpleNamespace) -> Any:
    path = f"/api/v1/{case.path.format(**vars(world))}"
    return client.generic(case.method, path) if case.method == "GET" else getattr(client, case.method.lower())(
        path, case.body(world), format="json"
    )
