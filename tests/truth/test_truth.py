"""The rules judge accounts that were made for it as the makers say: nothing missed, nothing found that is right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict

import pytest
from tests.conftest import use
from tests.truth.account import FAIL, PASS, SKIPPED, UNKNOWN, Holding, holdings
from tests.truth.judged import compared, judged, rules_of

from nephoscope.plugins import registry
from nephoscope_aws_simulator.testing import Simulator

HOLDINGS = holdings()
SERVICES = sorted({holding.service for holding in HOLDINGS})
MADE: set[str] = set()
SAID: dict[str, set[str]] = defaultdict(set)
"""The accounts that were made, and the verdicts that were said of each rule."""


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """One for all accounts, which share nothing."""
    with Simulator() as simulator:
        yield simulator


@pytest.mark.django_db
@pytest.mark.parametrize(("place", "holding"), [*enumerate(HOLDINGS)], ids=map(str, HOLDINGS))
def test_an_account_is_judged_as_its_maker_says(
    place: int,
    holding: Holding,
    simulator: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    number = f"{300_000_000_000 + place}"
    use(monkeypatch, simulator.other(number))
    score, expected = judged(holding, simulator.endpoint, number)
    MADE.add(str(holding))
    for (rule, _thing), verdict in expected.items():
        SAID[rule].add(verdict)
    record_property("truth", {"service": holding.service, **asdict(score), "differs": len(score.differs)})
    assert score.said
    said = [f"{rule} on {thing}: {found}, not {wanted}" for (rule, thing), (wanted, found) in score.differs.items()]
    assert not said, "\n".join(sorted(said))


def test_there_are_accounts_for_the_rules_of_each_service() -> None:
    assert {rule.split(".")[1] for rule in registry().rules if rule.startswith("aws.")} == {*SERVICES}


@pytest.mark.parametrize("service", SERVICES)
def test_each_rule_has_what_fails_and_what_does_not(service: str) -> None:
    """It comes after the accounts: what needs no database comes after what does."""
    if not {str(each) for each in HOLDINGS if each.service == service} <= MADE:
        pytest.skip("not all accounts were made in this run")
    lacking = {
        rule.id: SAID[rule.id]
        for rule in rules_of(service)
        if FAIL not in SAID[rule.id] or not SAID[rule.id] & {PASS, SKIPPED}
    }
    assert lacking == {}


def test_what_is_missed_or_wrong_or_silent_differs() -> None:
    expected = {
        ("r", "missed"): FAIL,
        ("r", "absent"): FAIL,
        ("r", "found"): FAIL,
        ("r", "silent"): UNKNOWN,
        ("r", "fine"): PASS,
        ("r", "skipped"): SKIPPED,
    }
    verdicts = {
        ("r", "arn:missed", "missed"): PASS,
        ("r", "found", ""): FAIL,
        ("r", "silent", ""): PASS,
        ("r", "fine", ""): PASS,
        ("r", "surprise", ""): FAIL,
        ("r", "hidden", ""): UNKNOWN,
        ("r", "not said", ""): PASS,
    }
    score = compared(expected, verdicts)
    assert (score.found, score.missed, score.wrong) == (1, 2, 1)
    assert score.differs == {
        ("r", "missed"): (FAIL, PASS),
        ("r", "absent"): (FAIL, SKIPPED),
        ("r", "silent"): (UNKNOWN, PASS),
        ("r", "surprise"): (PASS, FAIL),
        ("r", "hidden"): (PASS, UNKNOWN),
    }
