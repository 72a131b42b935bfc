"""Scans a made account as a user's would be, and holds the verdicts against what was said of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.truth.account import FAIL, PASS, SKIPPED, Holding, Truth

from nephoscope.accounts.models import Account
from nephoscope.alerts.models import Finding
from nephoscope.audit.services import Actor
from nephoscope.connections.services import create_account
from nephoscope.domain import Rule
from nephoscope.plugins import registry
from nephoscope.scans.runner import work
from nephoscope.scans.services import start_scan
from nephoscope_aws.collectors import ALL
from nephoscope_aws_simulator.testing import Cloud

Key = tuple[str, str]


@dataclass
class Score:
    """How a truth was met. ``differs`` says each (rule, thing) that was judged otherwise, as (wanted, found)."""

    found: int = 0
    missed: int = 0
    wrong: int = 0
    said: int = 0
    differs: dict[Key, tuple[str, str]] = field(default_factory=dict)


def rules_of(service: str) -> list[Rule]:
    return [rule for id, rule in registry().rules.items() if id.startswith(f"aws.{service}.")]


def judged(holding: Holding, endpoint: str, number: str) -> Score:
    """Make the account, scan it, and compare. The environment must already be that of the account's administrator."""
    truth = Truth(holding.service, Cloud(endpoint, number))
    holding.make(truth)
    account = _scanned(holding, number)
    return compared(truth.expected, _verdicts(account, holding.service))


def compared(expected: dict[Key, str], verdicts: dict[tuple[str, str, str], str]) -> Score:
    """Hold the verdicts, by (rule, id, name), against what was expected by (rule, id or name)."""
    score, met = Score(said=len(expected)), set()
    for (rule, id, name), verdict in verdicts.items():
        key = next((key for key in ((rule, id), (rule, name)) if key in expected), None)
        met.add(key)
        _count(score, key or (rule, id), expected.get(key, "") if key else "", verdict)
    for key in expected.keys() - met:
        _count(score, key, expected[key], SKIPPED)
    return score


def _count(score: Score, key: Key, wanted: str, verdict: str) -> None:
    score.found += wanted == verdict == FAIL
    score.missed += wanted == FAIL != verdict
    score.wrong += verdict == FAIL != wanted
    if verdict != wanted and (wanted or verdict not in (PASS, SKIPPED)):
        score.differs[key] = (wanted or PASS, verdict)


def _scanned(holding: Holding, number: str) -> Account:
    system = Actor.system("truth")
    account = create_account(system, name=str(holding))
    account.number, account.regions = number, list(holding.regions)
    account.services = list(holding.services) or _read_by(rules_of(holding.service))
    account.policies = sorted(registry().frameworks)
    account.verified_at = account.created_at
    account.save()
    scan = start_scan(system, account, enqueue=False)
    work(scan.pk)
    return account


def _read_by(rules: list[Rule]) -> list[str]:
    types = {type for rule in rules for type in (*rule.on, *rule.needs)}
    return sorted(name for name, each in ALL.items() if types & {*each.service.types})


def _verdicts(account: Account, service: str) -> dict[tuple[str, str, str], str]:
    rows = Finding.objects.filter(account=account, rule_id__startswith=f"aws.{service}.").select_related("resource")
    return {(row.rule_id, row.resource.resource_id, row.resource.name): row.verdict for row in rows}
