"""Every endpoint and act, tried by those who may, those who may only look, and those who must be refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient
from tests.api.conftest import undone
from tests.changes.bulk import set_of

from nephoscope import testing as toy
from nephoscope.accounts.models import Account, AccountGroup, User
from nephoscope.accounts.permissions import Role
from nephoscope.api.kit.permissions import RolePermission
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.changes import automatic, automatic_work
from nephoscope.changes.approvals import require_second_approver
from nephoscope.changes.automatic_models import FixNotice
from nephoscope.changes.sets import plan_set
from nephoscope.events.services import switch_on
from nephoscope.organisations.models import Member, Organisation
from nephoscope.policies.rule_settings import Place, set_rule
from nephoscope.policies.services import create_policy

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
    listed("change-sets"),
    listed("audit"),
    listed("compliance"),
    listed("organisations"),
    listed("members"),
    listed("automatic-fixes"),
    listed("upcoming-fixes"),
]
CASES = [
    *LISTS,
    *(
        listed(path, scoped=False)
        for path in ("me", "health", "tokens", "providers", "policies", "rules", "report-schedules")
    ),
    listed("rule-settings", scoped=False),
    listed("fixes", scoped=False),
    listed("second-approvers", scoped=False),
    *(listed(path, ADMINISTRATOR, scoped=False) for path in ("plugins", "users", "groups")),
    Case("GET", "accounts/{account.pk}"),
    Case("GET", "scans/{scan.pk}"),
    Case("GET", "resources/{cellar.pk}"),
    Case("GET", "alerts/{alert.pk}"),
    Case("GET", "findings/{front.pk}"),
    Case("GET", "suppressions/{back.suppression_id}"),
    Case("GET", "changes/{change.pk}"),
    Case("GET", "change-sets/{set.pk}"),
    Case("GET", "change-sets/{set.pk}/items"),
    Case("GET", "audit/{entry.pk}"),
    Case("GET", "organisations/{organisation.pk}"),
    Case("GET", "members/{member.pk}"),
    Case("GET", "organisations/{organisation.pk}/setup-templates", ADMINISTRATOR),
    Case("POST", "organisations", ADMINISTRATOR, lambda w: {"name": "second", "account": w.idle.pk}, 201, scoped=False),
    Case("PATCH", "organisations/{organisation.pk}", ADMINISTRATOR, lambda _: {"scan_every": 24}),
    Case("DELETE", "organisations/{organisation.pk}", ADMINISTRATOR, ok=204),
    Case("POST", "organisations/{organisation.pk}/sync", ADMINISTRATOR, ok=202),
    Case("GET", "providers/toy", scoped=False),
    Case("GET", "policies/toy-policy", scoped=False),
    Case("GET", "rules/toy.closed", scoped=False),
    Case("GET", "rule-settings/{setting.pk}"),
    Case("GET", "fixes/toy.close", scoped=False),
    Case("GET", "second-approvers/{second.pk}"),
    Case("POST", "second-approvers", ADMINISTRATOR, lambda _: {"severity": "critical"}, 201, scoped=False),
    Case("DELETE", "second-approvers/{second.pk}", ADMINISTRATOR, ok=204),
    Case("POST", "policies", ADMINISTRATOR, lambda _: {"name": "Ours", "based_on": "toy-policy"}, 201, scoped=False),
    Case("PATCH", "policies/{own.key}", ADMINISTRATOR, lambda _: {"tags": {"env": "prod"}}, scoped=False),
    Case("DELETE", "policies/{own.key}", ADMINISTRATOR, ok=204, scoped=False),
    Case("POST", "policies/{own.key}/rules", ADMINISTRATOR, lambda w: {"rule": w.rule}, scoped=False),
    Case("DELETE", "policies/{own.key}/rules/{rule}", ADMINISTRATOR, scoped=False),
    Case("POST", "rule-settings", ADMINISTRATOR, lambda w: {"rule": w.rule, "severity": "low"}, 201, scoped=False),
    Case("DELETE", "rule-settings/{setting.pk}", ADMINISTRATOR, ok=204),
    Case("GET", "plugins/aws", ADMINISTRATOR, scoped=False),
    Case("GET", "users/{user.pk}", ADMINISTRATOR, scoped=False),
    Case("GET", "groups/{group.pk}", ADMINISTRATOR, scoped=False),
    Case("GET", "accounts/{account.pk}/regions", ADMINISTRATOR),
    Case("GET", "accounts/{account.pk}/setup-templates?writing=true", ADMINISTRATOR),
    Case("GET", "accounts/{account.pk}/events"),
    Case("GET", "accounts/{account.pk}/events/setup-templates", ADMINISTRATOR),
    Case("POST", "accounts/{account.pk}/events", ADMINISTRATOR, ok=201),
    Case("POST", "accounts/{telling.pk}/events/rotate", ADMINISTRATOR),
    Case("DELETE", "accounts/{telling.pk}/events", ADMINISTRATOR, ok=204),
    Case("POST", "accounts", ADMINISTRATOR, lambda _: {"name": "second", "provider": "toy"}, 201, scoped=False),
    Case("PATCH", "accounts/{account.pk}", ADMINISTRATOR, lambda _: {"regions": ["south"]}),
    Case("DELETE", "accounts/{idle.pk}", ADMINISTRATOR, ok=204),
    Case("POST", "accounts/{gone.pk}/restore", ADMINISTRATOR),
    Case("POST", "accounts/{account.pk}/verify", ADMINISTRATOR, lambda _: {"role": "role/reader"}),
    Case("POST", "accounts/{idle.pk}/scan", ANALYST, lambda _: {"services": ["doors"]}, 201),
    Case("POST", "scans/{scan.pk}/cancel", ANALYST),
    Case("POST", "alerts/{alert.pk}/suppress", ANALYST, lambda w: {"findings": [w.front.pk], "reason": "known"}),
    Case("POST", "alerts/{alert.pk}/unsuppress", ANALYST, lambda w: {"findings": [w.back.pk]}),
    Case("POST", "alerts/{alert.pk}/recheck", ANALYST, lambda w: {"findings": [w.front.pk]}),
    Case(
        "POST",
        "alerts/{alert.pk}/plan",
        REMEDIATOR,
        lambda w: {"findings": [w.front.pk], "remediation": "toy.close"},
        201,
    ),
    Case("POST", "changes/{change.pk}/apply", REMEDIATOR, lambda w: {"digest": w.change.digest, "reason": "rain"}, 202),
    Case("POST", "changes/{change.pk}/discard", REMEDIATOR),
    Case(
        "POST",
        "change-sets",
        REMEDIATOR,
        lambda w: {"rule": "toy.closed", "remediation": "toy.close", "accounts": [w.account.pk]},
        202,
        scoped=False,
    ),
    Case("POST", "change-sets/{set.pk}/approve", REMEDIATOR, lambda w: {"digest": w.set.digest, "reason": "rain"}, 202),
    Case("POST", "change-sets/{set.pk}/discard", REMEDIATOR),
    Case("POST", "change-sets/{planning.pk}/stop", REMEDIATOR),
    Case("POST", "change-sets/{done.pk}/undo", REMEDIATOR, lambda _: {"reason": "air"}, 202),
    Case("GET", "automatic-fixes/{automatic.pk}"),
    Case("GET", "upcoming-fixes/{upcoming.pk}"),
    Case(
        "POST",
        "automatic-fixes",
        ADMINISTRATOR,
        lambda w: {"rule": w.rule, "remediation": "toy.close", "accounts": [w.fixable.pk], "notice_days": 3},
        201,
        scoped=False,
    ),
    Case("POST", "automatic-fixes/{automatic.pk}/off", ADMINISTRATOR),
    Case("POST", "upcoming-fixes/{upcoming.pk}/object", ANALYST, lambda _: {"reason": "the movers come"}),
    Case("POST", "upcoming-fixes/{objected.pk}/withdraw", ANALYST),
    Case("POST", "suppressions/{back.suppression_id}/unsuppress", ANALYST),
    Case("POST", "changes/{applied.pk}/undo", REMEDIATOR, lambda _: {"reason": "air"}, 202),
    Case(
        "POST",
        "users",
        ADMINISTRATOR,
        lambda _: {"username": "new", "password": "cloud-9-instrument"},
        201,
        scoped=False,
    ),
    Case("PATCH", "me", body=lambda _: {"first_name": "Vera"}, scoped=False),
    Case("GET", "users/{user.pk}/tokens", ADMINISTRATOR, scoped=False),
    Case("PATCH", "users/{user.pk}", ADMINISTRATOR, lambda _: {"role": "analyst"}, scoped=False),
    Case("DELETE", "users/{user.pk}", ADMINISTRATOR, ok=204, scoped=False),
    Case("POST", "groups", ADMINISTRATOR, lambda _: {"name": "new"}, 201, scoped=False),
    Case("PATCH", "groups/{group.pk}", ADMINISTRATOR, lambda _: {"name": "renamed"}, scoped=False),
    Case("DELETE", "groups/{group.pk}", ADMINISTRATOR, ok=204, scoped=False),
]
"""All operations but those on tokens, which are about oneself and have tests of their own."""


RANK = list(Role)


@pytest.fixture
def everything(world: SimpleNamespace, administrator: User) -> SimpleNamespace:
    """The world, and what single cases need beside it."""
    world.idle = Account.objects.create(
        name="idle",
        provider="toy",
        number="2" * 12,
        settings=world.account.settings,
        regions=["north"],
        verified_at=timezone.now(),
    )
    world.idle.groups.set(world.account.groups.all())
    world.organisation = Organisation.objects.create(
        name="all", account=world.account, settings={"role_name": "role-of-members"}
    )
    now = timezone.now()
    world.member = Member.objects.create(
        organisation=world.organisation,
        account=world.account,
        number="1" * 12,
        name="one",
        state="active",
        since=now,
        linked_at=now,
        seen_at=now,
    )
    world.telling = Account.objects.create(
        name="telling",
        provider="toy",
        number="3" * 12,
        settings=world.account.settings,
        regions=["north"],
        verified_at=timezone.now(),
    )
    world.telling.groups.set(world.account.groups.all())
    switch_on(Actor.system(), world.telling)
    world.fixable = Account.objects.create(
        name="fixable", provider="toy", number="5" * 12, verified_at=now, writing_verified_at=now
    )
    asked: dict[str, Any] = {"rule": "toy.closed", "remediation": "toy.close", "notice_days": 3}
    world.automatic = automatic.switch_on(Actor.system(), accounts=[world.account], **asked)
    automatic_work.wake_due()
    world.upcoming = FixNotice.objects.get(account=world.account)
    world.objected = FixNotice.objects.create(
        automatic=world.automatic,
        account=world.account,
        alert=world.alert,
        failing_since=now,
        due_at=now,
        resource_name="side",
        objected_at=now,
    )
    world.gone = Account.objects.create(name="gone", provider="toy", number="4" * 12, removed_at=now)
    world.gone.groups.set(world.account.groups.all())
    world.entry = Entry.objects.filter(account=world.account).first()
    world.group = AccountGroup.objects.create(name="spare")
    world.user = User.objects.create_user("spare")
    world.own, world.rule = create_policy(Actor.system(), name="Own", based_on="toy-policy"), "toy.closed"
    world.second = require_second_approver(Actor.of(administrator), account=world.idle)
    world.setting = set_rule(Actor.system(), world.rule, Place(account=world.account), severity="low")
    world.done = set_of(world.applied, "approved")
    findings = world.alert.findings.filter(pk=world.front.pk)
    world.planning = plan_set(Actor.system(), findings, toy.CloseDoor.id)
    return world


@pytest.fixture
def users(viewer: User, analyst: User, remediator: User, administrator: User) -> dict[Role, User]:
    return {Role(user.role): user for user in (viewer, analyst, remediator, administrator)}


def send(client: APIClient, case: Case, world: SimpleNamespace) -> Any:
    path = f"/api/v1/{case.path.format(**vars(world))}"
    if case.method == "GET":
        return client.get(path)
    return client.generic(case.method, path, json.dumps(case.body(world)), content_type="application/json")


def test_the_table_names_every_operation() -> None:
    described = {
        (method.upper(), path.removeprefix("/api/v1/").replace("{key}", "{}").replace("{id}", "{}"))
        for path, operations in SchemaGenerator().get_schema(public=True)["paths"].items()
        for method in operations
    }
    tabled = {
        (case.method, re.sub(r"/(\{.*?\}|(?<=s/)[a-z]+[.-]?[a-z]+)", "/{}", case.path.split("?")[0], count=1))
        for case in CASES
    }
    # Signing in and out has tests of its own, and so have files (tests/alerts/test_exports.py, tests/compliance,
    # tests/console/test_suppressions.py, tests/changes/test_ledger.py).
    elsewhere = {
        ("POST", "tokens"),
        ("DELETE", "tokens/{}"),
        ("DELETE", "users/{}/tokens/{}"),
        ("GET", "alerts/export/csv"),
        ("GET", "suppressions/export/csv"),
        ("GET", "changes/export/csv"),
        ("GET", "findings/export/{form}"),
        ("GET", "compliance/export/{form}"),
        # One's own and nobody else's: tests/console/test_reports.py.
        ("GET", "report-schedules/{}"),
        ("POST", "report-schedules"),
        ("PATCH", "report-schedules/{}"),
        ("DELETE", "report-schedules/{}"),
        ("POST", "report-schedules/{}/send"),
        # tests/console/test_automatic.py
        ("POST", "automatic-fixes/preview"),
        # tests/console/test_removed_account.py
        ("GET", "accounts/removed"),
    }
    assert described - tabled == elsewhere


def test_only_those_who_may_get_through(
    subtests: pytest.Subtests, everything: SimpleNamespace, users: dict[Role, User], stranger: User, api: Any
) -> None:
    for case in CASES:
        with subtests.test(str(case)), undone(everything):
            only_those_who_may(case, everything, users, stranger, api)


def only_those_who_may(
    case: Case, everything: SimpleNamespace, users: dict[Role, User], stranger: User, api: Any
) -> None:
    least = RANK.index(case.least)
    entries, calls = Entry.objects.count(), list(everything.cloud.calls)

    assert send(api(), case, everything).status_code == 401
    for role in RANK[:least]:
        refused = send(api(users[role]), case, everything)
        assert refused.status_code == 403, role
        assert refused.json() == {"detail": f"This requires the {case.least.label} role."}
    if case.scoped and case.least != ADMINISTRATOR:
        stranger.role = max(case.least, ANALYST, key=RANK.index)
        stranger.save()
        answer = send(api(stranger), case, everything)
        if case in LISTS:
            assert (answer.status_code, answer.json()["count"]) == (200, 0)
        else:
            assert answer.status_code == 404
            assert "There is no" in answer.json()["detail"]
    assert Entry.objects.count() == entries, "a refused act left a trace"
    assert everything.cloud.calls == calls, "a refused act reached the cloud"

    done = send(api(users[case.least]), case, everything)
    assert done.status_code == case.ok, done.content
    if case in LISTS:
        assert done.json()["count"] > 0


def test_an_operation_without_a_named_right_is_refused(analyst: User, api: Any) -> None:
    view = type("Forgotten", (), {"action": "explode", "acts": {}})()
    request = SimpleNamespace(user=analyst, method="POST")

    assert not RolePermission().has_permission(request, view)


def test_a_user_without_a_session_or_token_is_told_how_to_sign_in(api: Any, db: None) -> None:
    answer = api().get("/api/v1/alerts")

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Token"


def test_only_those_who_connect_accounts_see_the_secret_words(
    world: SimpleNamespace, analyst: User, administrator: User, api: Any
) -> None:
    path = f"/api/v1/accounts/{world.account.pk}"

    assert api(administrator).get(path).json()["settings"]["secret"] == "generated-secret-word"
    assert api(analyst).get(path).json()["settings"] == {}
    for shown in (path, "/api/v1/accounts", "/api/v1/audit"):
        assert "generated-secret-word" not in api(analyst).get(shown).content.decode()


def test_how_members_are_reached_is_for_those_who_connect_accounts(
    everything: SimpleNamespace, analyst: User, administrator: User, api: Any
) -> None:
    path = f"/api/v1/organisations/{everything.organisation.pk}"

    assert api(administrator).get(path).json()["settings"] == {"role_name": "role-of-members"}
    assert api(analyst).get(path).json()["settings"] == {}
    for shown in (path, "/api/v1/organisations", "/api/v1/members"):
        assert "role-of-members" not in api(analyst).get(shown).content.decode()
