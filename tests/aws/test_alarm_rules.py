"""What the rule of a composite alarm says, in every form that its documentation has."""

from __future__ import annotations

import pytest

from nephoscope_aws.alarm_rules import understood

IN_ALARM = {"one", "with (round) brackets", 'a "quoted" one', "named:with:colons"}
ARN = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:"


def holds(rule: str) -> bool:
    return understood(rule).holds(lambda name: "ALARM" if name in IN_ALARM else "OK")


@pytest.mark.parametrize(
    "rule",
    [
        "ALARM(one)",
        'ALARM("one")',
        "  ALARM ( one )  ",
        "(((ALARM(one))))",
        f"ALARM({ARN}one)",
        f'ALARM("{ARN}named:with:colons")',
        'ALARM("with (round) brackets")',
        'ALARM("a \\"quoted\\" one")',
        "ALARM(two) OR ALARM(one)",
        "ALARM(one) AND NOT ALARM(two)",
        "NOT (ALARM(two) OR OK(one))",
        "ALARM(one) OR ALARM(two) AND FALSE",
        "NOT ALARM(two) AND ALARM(one)",
        "NOT NOT TRUE",
        "AT_LEAST(1, ALARM, (one, two, three))",
        "AT_LEAST(2, OK, (one, two, three))",
        'AT_LEAST(50%, NOT OK, ("one", two))',
    ],
)
def test_a_rule_holds_for_the_states_that_it_names(rule: str) -> None:
    assert holds(rule)


@pytest.mark.parametrize(
    "rule",
    [
        "ALARM(two)",
        "OK(one)",
        "INSUFFICIENT_DATA(one)",
        "ALARM(one) AND ALARM(two)",
        "ALARM(one) AND FALSE",
        "(ALARM(one) OR ALARM(two)) AND FALSE",
        "AT_LEAST(2, ALARM, (one, two, three))",
        "AT_LEAST(51%, ALARM, (one, two))",
    ],
)
def test_a_rule_does_not_hold_for_other_states(rule: str) -> None:
    assert not holds(rule)


@pytest.mark.parametrize(
    "rule",
    [
        *("", "one", "ALARM", "ALARM(", "ALARM()", "ALARM(one", 'ALARM("one)', "ALARM(one) ALARM(two)", "NOT", "()"),
        *("ALARM(one) OR", "alarm(one)", "MAYBE(one)", "AT_LEAST(x, ALARM, (one))", "AT_LEAST(1, BAD, (one))"),
        *("AT_LEAST(1, ALARM, one)", "ALARM(one))", "(" * 5_000),
    ],
)
def test_what_is_no_rule_is_not_understood(rule: str) -> None:
    with pytest.raises(ValueError, match="rule"):
        understood(rule)


def test_the_alarms_of_a_rule_are_named() -> None:
    rule = f'ALARM("a b") OR NOT OK({ARN}c) AND AT_LEAST(1, ALARM, (d, "e"))'
    assert understood(rule).names == {"a b", "c", "d", "e"}
