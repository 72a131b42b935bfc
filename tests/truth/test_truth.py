"""The rules judge accounts that were made for it as the makers say: nothing missed, nothing found that is right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict

import pytest
from tests.conftest import use
from tests.truth.account import FAIL, PASS, SKIPPED, UNKNOWN, Holding, holdings
from tests.truth.judged import compared, judged

from nephoscope_aws_simulator.testing import Simulator

HOLDINGS = holdings()


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
    score = judged(holding, simulator.endpoint, number)
    record_property("truth", {"service": holding.service, **asdict(score), "differs": len(score.differs)})
    assert score.said
    said = [f"{rule} on {thing}: {found}, not {wanted}" for (rule, thing), (wanted, found) in score.differs.items()]
    assert not said, "\n".join(sorted(said))


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
