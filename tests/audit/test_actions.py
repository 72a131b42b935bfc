"""What can be recorded, and how it reads."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from nephoscope.accounts.models import Account
from nephoscope.alerts.models import SeverityChoice
from nephoscope.audit import actions
from nephoscope.audit.actions import ACTIONS, Action, register
from nephoscope.audit.actions.accounts import ACCOUNT_CREATED, ACCOUNT_FOLLOWED, ACCOUNT_REMOVED, ACCOUNT_VERIFIED
from nephoscope.audit.actions.alerts import (
    ALERT_ADDED,
    ALERT_GRADED,
    ALERT_LEFT,
    ALERT_OPENED,
    ALERT_SUPPRESSED,
    Resolution,
)
from nephoscope.audit.actions.changes import CHANGE_FAILED, CHANGE_UNDONE, Outcome
from nephoscope.audit.actions.organisations import MEMBER_SUSPENDED
from nephoscope.audit.actions.policies import (
    POLICY_CHANGED,
    POLICY_CREATED,
    POLICY_SCOPED,
    RULE_RESET,
    RULE_SET,
    RULE_SWITCHED_OFF,
)
from nephoscope.audit.actions.reports import SCHEDULE_REQUESTED, SCHEDULE_SENT
from nephoscope.audit.actions.scans import SCAN_FINISHED
from nephoscope.audit.actions.wording import SEVERITIES, resources
from nephoscope.audit.actors import TASKS
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor, entry, record
from nephoscope.inventory.models import ACTIVE, ScanState
from nephoscope.organisations.models import StateChoice

PLATFORM = Path(__file__).parents[2] / "platform/nephoscope"
TARGET = {"target": "A-000042"}

one_per_action = pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)


# -- Sentences ---------------------------------------------------------------------------------------------------------


@one_per_action
def test_every_action_reads_as_a_sentence(action: Action) -> None:
    sentence = action.describe({**action.example, **TARGET})

    begins = "[A-Z]" if action.whole else "[a-z]"
    assert re.fullmatch(f"{begins}.*[^.]", sentence), "it goes on from who did it, and other words may follow it"
    assert not re.search(r"%|\{|\[|None|True|False|  ", sentence)
    assert re.fullmatch(r"[A-Z].*[^.]", str(action.label))
    assert re.fullmatch(r"[a-z]+\.[a-z_]+", action.code)


@one_per_action
def test_every_action_reads_in_the_readers_language(action: Action, another_language: str) -> None:
    data = {**action.example, **TARGET}
    english, label = action.describe(data), str(action.label)
    with translation.override(another_language):
        theirs, their_label = action.describe(data), str(action.label)

    assert re.fullmatch("‹.*›", theirs) and re.sub("[‹›]", "", theirs) == english
    assert their_label == f"‹{label}›"


@pytest.mark.parametrize(
    ("action", "data", "sentence"),
    [
        (ALERT_OPENED, {"title": "Door", **resources(["a"])}, "opened A-000042 “Door”: a"),
        (ALERT_ADDED, {"title": "Door", **resources(["a"])}, "added 1 resource to A-000042 “Door”: a"),
        (
            ALERT_SUPPRESSED,
            {**resources(["a", "b", "c"]), "in_cloud": "", "source": ""},
            "suppressed 3 resources of A-000042: a, b, c",
        ),
        (
            ALERT_SUPPRESSED,
            {**resources(["a"]), "in_cloud": "not_archived", "source": "Watchman"},
            "suppressed 1 resource of A-000042: a (not archived in Watchman)",
        ),
        (
            ALERT_LEFT,
            {"why": "fixed", "source": "", "suppressed": False, **resources(["a"])},
            "resolved 1 resource of A-000042 (fixed): a",
        ),
        (
            ALERT_LEFT,
            {"why": "gone", "source": "", "suppressed": True, **resources(["a", "b"])},
            "resolved 2 resources of A-000042 (gone, was suppressed): a, b",
        ),
        (
            ALERT_LEFT,
            {"why": "cleared", "source": "GuardDuty", "suppressed": False, **resources(["a"])},
            "resolved 1 resource of A-000042 (archived or removed in GuardDuty): a",
        ),
        (
            ALERT_GRADED,
            {"title": "Door", "was": "high", "severity": "low"},
            "changed the severity of A-000042 “Door” from high to low",
        ),
        (
            CHANGE_FAILED,
            {"title": "Fix", "outcome": "problem", "problem": "denied", "approved_by": "ada"},
            "failed to complete A-000042 “Fix”: denied, approved by ada",
        ),
        (
            CHANGE_UNDONE,
            {
                "title": "Fix",
                "outcome": "withdrawn",
                "problem": "",
                "approved_by": "ada",
                "approved_for": "rain",
                "requested_by": "kim",
            },
            "withdrew A-000042 “Fix” before it was applied; it had been approved by ada: “rain”",
        ),
        (
            CHANGE_UNDONE,
            {
                "title": "Fix",
                "outcome": "undone",
                "problem": "",
                "approved_by": "ada",
                "approved_for": "rain",
                "requested_by": "kim",
            },
            "undid A-000042 “Fix”, requested by kim; it had been approved by ada: “rain”",
        ),
        (ACCOUNT_VERIFIED, {"number": "12", "missing": [], "fixing": False}, "verified A-000042 (12)"),
        (ACCOUNT_VERIFIED, {"number": "12", "missing": [], "fixing": True}, "verified the fix role of A-000042 (12)"),
        (
            ACCOUNT_VERIFIED,
            {"number": "12", "missing": ["s3:Get", "s3:Put"], "fixing": True},
            "verified the fix role of A-000042 (12); not allowed: s3:Get, s3:Put",
        ),
        (ACCOUNT_REMOVED, {"number": ""}, "removed the account A-000042, which was never verified"),
        (
            ACCOUNT_FOLLOWED,
            {"changed": ["name"], "organisation": "northwind"},
            "updated the name of A-000042 from the organisation northwind",
        ),
        (
            ACCOUNT_FOLLOWED,
            {"changed": ["tags"], "organisation": "northwind"},
            "updated the tags of A-000042 from the organisation northwind",
        ),
        (POLICY_CREATED, {"based_on": ""}, "created the policy A-000042"),
        (POLICY_CHANGED, {"was": "X", "name": "X"}, "changed the description of the policy X"),
        (POLICY_SCOPED, {"policy": "X", "tags": []}, "stopped applying the policy X by tags"),
        (
            RULE_SWITCHED_OFF,
            {"title": "Door", "rule": "a.b", "account": "", "policy": "X"},
            "turned off “Door” (a.b) in the policy X",
        ),
        (RULE_RESET, {"rule": "a.b", "account": "", "policy": ""}, "removed the settings of a.b in all accounts"),
        (
            RULE_SET,
            {
                "title": "Door",
                "rule": "a.b",
                "account": "prod",
                "policy": "",
                "changes": [{"what": "ports", "was": [22], "now": [22, 23]}],
            },
            "changed “Door” (a.b) for prod: ports from 22 to 22, 23",
        ),
        (
            RULE_SET,
            {"title": "Door", "rule": "a.b", "account": "prod", "policy": "", "changes": []},
            "changed the reason for the settings of “Door” (a.b) for prod",
        ),
        (
            SCHEDULE_REQUESTED,
            {"mail_to": ["a@example.org", "b@example.org"], "folder": ""},
            "started sending the reports of A-000042 to a@example.org, b@example.org",
        ),
        (
            SCHEDULE_SENT,
            {"count": 1, "mail_to": [], "folder": "x"},
            "sent 1 report of A-000042 into the folder x",
        ),
    ],
)
def test_a_sentence_says_what_happened(action: Action, data: dict[str, Any], sentence: str) -> None:
    assert data.keys() == action.example.keys()
    assert action.describe({**data, **TARGET}) == sentence


def test_many_resources_are_named_up_to_twenty_and_counted() -> None:
    data = resources([f"r{n}" for n in range(25)])

    assert len(data["resources"]) == 20
    sentence = ALERT_SUPPRESSED.describe({**data, **TARGET})
    assert sentence.startswith("suppressed 25 resources of A-000042: r0, r1") and sentence.endswith("r19 and 5 more")


def test_every_code_that_data_may_hold_has_a_word() -> None:
    assert list(SEVERITIES) == SeverityChoice.values
    for why in Resolution:
        ALERT_LEFT.describe({**ALERT_LEFT.example, **TARGET, "source": "", "why": why.value})
    for outcome in (Outcome.CALLS_FAILED, Outcome.INTERRUPTED, Outcome.PROBLEM, Outcome.PARTLY_UNDONE):
        CHANGE_FAILED.describe({**CHANGE_FAILED.example, **TARGET, "outcome": outcome.value})
    for scan in set(ScanState) - set(ACTIVE):
        SCAN_FINISHED.describe({**SCAN_FINISHED.example, "state": scan.value})
    for member in set(StateChoice) - {StateChoice.ACTIVE}:
        MEMBER_SUSPENDED.describe({**MEMBER_SUSPENDED.example, **TARGET, "state": member.value})


def test_a_percent_sign_in_a_name_stays_one() -> None:
    data = resources(["100%", "%(count)s"])
    assert ALERT_SUPPRESSED.describe({**data, **TARGET}).endswith(": 100%, %(count)s")


# -- Recording ---------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_action_that_is_not_registered_cannot_be_recorded(account: Account) -> None:
    stranger = Action("account.painted", ACCOUNT_CREATED.label, ACCOUNT_CREATED.sentence, {})
    with pytest.raises(ValueError, match=r"account\.painted is not registered"):
        record(Actor.system(), stranger, account)
    assert not Entry.objects.exists()


@pytest.mark.parametrize("data", [{}, {"number": "1", "colour": "red"}, {"colour": "red"}])
def test_data_must_be_what_the_action_takes(account: Account, data: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"account\.removed takes number; wrong: "):
        entry(Actor.system(), ACCOUNT_REMOVED, account, data)


def test_an_action_is_registered_once_and_by_whoever_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions.registry, "ACTIONS", known := dict(ACTIONS))
    made = register("ticket.created", ACCOUNT_CREATED.label, ACCOUNT_CREATED.sentence, number=1)
    assert known["ticket.created"] is made
    with pytest.raises(ValueError, match="registered already"):
        register("account.created", ACCOUNT_CREATED.label, ACCOUNT_CREATED.sentence)


def _recorded() -> Iterator[tuple[Path, ast.Call]]:
    """Every call in the platform that makes an entry."""
    for path in PLATFORM.rglob("*.py"):
        tree = ast.parse(path.read_text())
        imports = [each for each in ast.walk(tree) if isinstance(each, ast.ImportFrom)]
        taken = {a.name for each in imports if each.module == "nephoscope.audit.services" for a in each.names}
        names = taken & {"record", "entry"}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                yield path, node


def test_no_action_or_sentence_is_written_where_it_is_recorded() -> None:
    calls = list(_recorded())
    assert len(calls) > 40
    for path, call in calls:
        action, data = call.args[1], call.args[3:]
        texts = [each for each in ast.walk(action) if isinstance(each, ast.Constant | ast.JoinedStr)]
        assert not texts, f"{path}:{call.lineno}: name a registered action"
        assert not [each for each in data if isinstance(each, ast.Constant | ast.JoinedStr)], f"{path}:{call.lineno}"


def test_what_is_recorded_is_registered_and_what_is_registered_is_recorded() -> None:
    found = pkgutil.walk_packages(actions.__path__, "nephoscope.audit.actions.")
    modules = {each.name: importlib.import_module(each.name) for each in found}
    used = {
        getattr(modules[node.module], alias.name)
        for path in PLATFORM.rglob("*.py")
        if "actions" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module in modules
        for alias in node.names
        if alias.name.isupper()
    }
    recorded = {each.code for each in used if isinstance(each, Action)}
    assert recorded == set(ACTIONS)


# -- Who -----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_task_is_named_in_the_readers_language_and_a_user_as_they_are(
    account: Account, another_language: str
) -> None:
    with translation.override(another_language):
        task = record(Actor.of_task("recheck", by="anna"), ACCOUNT_CREATED, account)
        command = record(Actor.system("manage.py scan"), ACCOUNT_CREATED, account)
        assert (task.who, task.actor) == ("‹Recheck by anna›", "Recheck by anna")
        assert str(command) == "manage.py scan ‹added the account prod›"
    assert str(task) == "Recheck by anna added the account prod"
    assert set(TASKS) >= {"scan", "recheck"}
