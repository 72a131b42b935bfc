"""What holds for every registered fix, whichever it is."""

from __future__ import annotations

import re

import pytest

from nephoscope.domain import Remediation, Rule
from nephoscope.plugins import Registry
from nephoscope_aws.detections import ARCHIVE, CONTAIN

REGISTRY = Registry(["aws", "baseline", "aws_fixes"]).load_all()
FIXES = list(REGISTRY.remediations.values())
NAMING_RULES = [rule for rule in REGISTRY.rules.values() if rule.remediations]
ACTION = re.compile(r"[a-z][a-z0-9-]*:[A-Z][A-Za-z0-9]+")
READING = re.compile(r":(Batch)?(Get|List|Describe)")
each_fix = pytest.mark.parametrize("fix", FIXES, ids=lambda fix: fix.id)


def test_the_plugins_work_and_there_are_fixes() -> None:
    assert not [info for info in REGISTRY.infos.values() if info.enabled and info.problem]
    assert FIXES
    assert NAMING_RULES


@each_fix
def test_a_fix_is_named_by_a_rule_or_is_for_detections(fix: Remediation) -> None:
    assert fix.id in {id for rule in NAMING_RULES for id in rule.remediations} | {ARCHIVE, CONTAIN}


@pytest.mark.parametrize("rule", NAMING_RULES, ids=lambda rule: rule.id)
def test_the_fixes_that_a_rule_names_exist_and_are_for_what_it_judges(rule: Rule) -> None:
    for id in rule.remediations:
        assert set(REGISTRY.remediations[id].on) & set(rule.on)


@each_fix
def test_a_fixs_id_says_its_module(fix: Remediation) -> None:
    provider, service, name = fix.id.split(".")
    assert provider == fix.provider
    module = type(fix).__module__.rpartition(".")[2]
    assert module == service or module.startswith(f"{service}_")
    assert re.fullmatch(r"[a-z][a-z0-9_]+", name)


@each_fix
def test_a_fix_is_for_a_type_that_its_provider_collects(fix: Remediation) -> None:
    services = REGISTRY.providers[fix.provider].services
    assert set(fix.on) <= {type for service in services for type in service.types}


@each_fix
def test_a_fix_declares_real_actions_each_once(fix: Remediation) -> None:
    declared = [*fix.reads, *fix.writes]
    assert fix.writes
    assert len(declared) == len(set(declared))
    assert [action for action in declared if not ACTION.fullmatch(action)] == []


@each_fix
def test_what_a_fix_reads_changes_nothing(fix: Remediation) -> None:
    assert all(READING.search(action) for action in fix.reads)
    assert not any(READING.search(action) for action in fix.writes)


@each_fix
def test_a_fix_says_in_words_what_it_does(fix: Remediation) -> None:
    assert fix.title
    assert not fix.title.endswith(".")
    assert fix.summary.endswith(".")
    assert not fix.loses or fix.loses.endswith(".")
