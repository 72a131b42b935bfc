"""Every example of every registered rule is judged as it says."""

from __future__ import annotations

import pytest

from nephoscope.domain import Rule, Verdict
from nephoscope.engine import Defaults
from nephoscope.plugins import Registry
from nephoscope.testing import judge_example

REGISTRY = Registry(["aws", "baseline"])


@pytest.fixture(scope="module")
def defaults() -> Defaults:
    """What absence means, as in a scan."""
    return {type: table for provider in REGISTRY.providers.values() for type, table in provider.defaults.items()}


@pytest.mark.parametrize("rule", REGISTRY.rules.values(), ids=lambda rule: rule.id)
def test_examples_are_judged_as_they_say(rule: Rule, defaults: Defaults) -> None:
    for given in rule.good:
        finding = judge_example(rule, given, defaults)
        assert finding.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE), (given, finding.message)
    for given in rule.bad:
        finding = judge_example(rule, given, defaults)
        assert finding.verdict is Verdict.FAIL, (given, finding.message)
        assert finding.message, given
