"""docs/hooks.md: every hook with its signature and a shipped user, and an example that works."""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import EntryPoint
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest
from tests.docs.markdown import ROOT, blocks, section

from nephoscope import hookspecs, surgery
from nephoscope.domain import (
    Connection,
    ExportedAccount,
    ExportedFinding,
    ExportedResource,
    ExportedStatus,
    FixRequest,
    LiveSession,
    MemberState,
    Permission,
    Verdict,
)
from nephoscope.engine import judge
from nephoscope.plugins import Registry
from nephoscope.testing import NOW, judge_example

PAGE = ROOT / "docs/hooks.md"
TEXT = PAGE.read_text()
HOOKS: dict[str, FunctionType] = {
    name: hook for name, hook in vars(hookspecs).items() if hasattr(hook, "nephoscope_spec")
}
MODULE = "nephoscope_docs_example"
every_hook = pytest.mark.parametrize("name", HOOKS)


def heading(name: str) -> str:
    signature = inspect.signature(HOOKS[name])
    return f"`{name}{str(signature).replace(chr(39), '')}`"


class Journal:
    def __init__(self) -> None:
        self.states: list[str] = []

    def note(self, position: int, state: str, error: str = "", kept: Mapping[str, Any] | None = None) -> None:
        self.states.append(state)

    def beat(self) -> None:
        """Nobody waits for this one."""

    def require_held(self) -> None:
        """Nobody takes it."""


@every_hook
def test_a_hook_is_documented_with_its_signature(name: str) -> None:
    assert section(TEXT, heading(name)).strip()


def test_no_hook_is_documented_that_does_not_exist() -> None:
    assert re.findall(r"^## `(\w+)\(", TEXT, re.MULTILINE) == list(HOOKS)


@every_hook
def test_a_hook_has_a_shipped_user_that_implements_it(name: str) -> None:
    found = re.search(r"Shipped user: \[(\w+)]\(([^)]+)\)", section(TEXT, heading(name)))
    assert found
    module = (PAGE.parent / found[2]).resolve()
    assert module.parent.name == found[1]
    assert f"@hookimpl\ndef {name}(" in module.read_text()


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry with the page's plugin alone, loaded by an entry point as any other."""
    folder = tmp_path_factory.mktemp("hooks")
    text = "\n\n".join(block.text for block in blocks(TEXT) if block.language == "python")
    (folder / f"{MODULE}.py").write_text(text)
    sys.path.append(str(folder))
    try:
        yield Registry(["shelf"], [EntryPoint("shelf", MODULE, hookspecs.GROUP)]).load_all()
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop(MODULE, None)


def test_the_example_uses_every_hook_and_works(registry: Registry) -> None:
    info = registry.infos["shelf"]
    assert info.problem == ""
    assert set(info.hooks) == set(HOOKS)
    assert info.contributes == {"provider": 1, "rule": 1, "framework": 1, "remediation": 1, "export": 1}


def test_the_examples_rule_judges_its_examples_as_written(registry: Registry) -> None:
    rule = registry.rules["shelf.book.author"]
    assert {judge_example(rule, each).verdict for each in rule.good} == {Verdict.PASS}
    assert {judge_example(rule, each).verdict for each in rule.bad} == {Verdict.FAIL}
    assert "shelf.book.author" in registry.frameworks["shelf_rules"].rules


def test_the_examples_cloud_is_read_judged_fixed_and_put_back(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "clouds.json").write_text("{}")
    provider, rule = registry.providers["shelf"], registry.rules["shelf.book.author"]
    connection = Connection(str(tmp_path), provider.prepare({"folder": f" {tmp_path} "}))
    assert provider.onboarding is not None
    assert provider.onboarding.verify(connection, ["shelf:Read"]).missing == ()
    session = provider.open(connection)
    assert isinstance(session, LiveSession)
    [book] = session.collect("books", "global")
    assert judge(rule, book, now=NOW).verdict == Verdict.FAIL

    fix = registry.remediations[rule.remediations[0]]
    plan = surgery.make_plan(fix, rule.id, book.account, [FixRequest(book, rule.id)], session, provider)
    assert plan.reversible
    assert registry.vetoes(plan, [book]) == []
    writer = surgery.open_writer(provider, connection, [Permission("shelf:Write", "clouds.json")])
    journal = Journal()
    assert surgery.apply(fix, plan.steps, session, writer, journal)
    now = session.reread(book)
    assert now is not None
    assert judge(rule, now, now=NOW).verdict == Verdict.PASS

    assert surgery.undo(fix, plan.steps, [0], {}, session, writer, journal)
    assert journal.states == ["applying", "applied", "undoing", "undone"]
    assert json.loads((tmp_path / "clouds.json").read_text()) == {}


def test_the_examples_organisation_lists_members_that_can_be_reached(registry: Registry, tmp_path: Path) -> None:
    library = sys.modules[MODULE].Library()
    (tmp_path / "novels").mkdir()
    connection = Connection(str(tmp_path), {"folder": str(tmp_path)})
    [member] = library.organisations.members(connection)
    source = library.organisations
    settings = source.member_settings(connection, source.prepare(connection, {}), member.number)
    assert (member.name, member.state) == ("novels", MemberState.ACTIVE)
    assert library.onboarding.verify(Connection(member.number, settings), []).account == member.number


def test_the_examples_export_writes_a_row_of_a_finding(registry: Registry) -> None:
    rule, moment = registry.rules["shelf.book.author"], datetime(2026, 1, 15, tzinfo=UTC)
    finding = ExportedFinding(
        uid="nephoscope/1/shelf.book.author/clouds.json",
        rule_id=rule.id,
        rule=rule,
        title=rule.title,
        severity=rule.severity,
        verdict=Verdict.FAIL,
        status=ExportedStatus.NEW,
        message="",
        account=ExportedAccount("Reading room", "1", "shelf"),
        resource=ExportedResource("Shelf::Book", "clouds.json", "clouds.json", "global"),
        changed_at=moment,
        controls=(("House rules of the shelf", "1"),),
    )
    assert list(registry.exports) == ["ocsf", "loans"]
    assert json.loads(json.dumps(registry.exports["loans"].row(finding))) == {
        "book": "clouds.json",
        "shelf": "Reading room",
        "wrong": "Book does not say who wrote it",
        "rules": ["House rules of the shelf 1"],
    }


def test_the_examples_veto_refuses_what_it_says(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "clouds.json").write_text(json.dumps({"rare": True}))
    session = registry.providers["shelf"].open(Connection("", {"folder": str(tmp_path)}))
    assert isinstance(session, LiveSession)
    [book] = session.collect("books", "global")
    fix = registry.remediations["shelf.book.sign"]
    plan = surgery.make_plan(
        fix, "shelf.book.author", book.account, [FixRequest(book)], session, registry.providers["shelf"]
    )
    assert registry.vetoes(plan, [book]) == ["Nobody writes into clouds.json."]
