"""Every example of every registered rule is judged as it says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from nephoscope.domain import Rule, Verdict
from nephoscope.engine import Defaults
from nephoscope.plugins import Registry
from nephoscope.testing import judge_example

REGISTRY = Registry(["aws", "baseline"])


def examples() -> Iterator[Any]:
    for rule in REGISTRY.rules.values():
        for kind, given in (("good", rule.good), ("bad", rule.bad)):
            for number, each in enumerate(given):
                yield pytest.param(rule, kind, each, id=f"{rule.id}-{kind}-{number}")


@pytest.fixture(scope="module")
def defaults() -> Defaults:
    """What absence means, as in a scan."""
    return {type: table for provider in REGISTRY.providers.values() for type, table in provider.defaults.items()}


@pytest.mark.parametrize(("rule", "kind", "given"), list(examples()))
def test_examples_are_judged_as_they_say(rule: Rule, kind: str, given: Mapping[str, Any], defaults: Defaults) -> None:
    finding = judge_example(rule, given, defaults)
    wanted = (Verdict.PASS, Verdict.NOT_APPLICABLE) if kind == "good" else (Verdict.FAIL,)
    assert finding.verdict in wanted, finding.message
    if finding.verdict is Verdict.FAIL:
        assert finding.message
