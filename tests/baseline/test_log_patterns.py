"""Which events a filter pattern of CloudWatch Logs finds, however it is written."""

from __future__ import annotations

import re

import pytest

from nephoscope.domain import Rule
from nephoscope_baseline.aws import cloudwatch
from nephoscope_baseline.aws.log_patterns import MAX_LENGTH, matcher
from nephoscope_baseline.aws.watched_events import READING, WATCHES, event

STOP = event("cloudtrail.amazonaws.com", "StopLogging")


@pytest.mark.parametrize("name", WATCHES)
def test_a_recommended_pattern_fits_finds_every_event_and_no_everyday_one(name: str) -> None:
    watch = WATCHES[name]
    matches = matcher(watch.pattern)
    assert len(watch.pattern) <= MAX_LENGTH
    assert all(matches(each) for each in watch.events.values())
    assert not any(matches(each) for each in watch.everyday)


@pytest.mark.parametrize(
    "pattern",
    [
        "{$.eventName=StopLogging}",
        '{ ( ($.eventName = "StartLogging")||($.eventName="StopLogging") ) && $.eventSource = cloudtrail* }',
        '{ $.eventSource = "*.amazonaws.com" && ($.eventName = "*Logging" || $.errorCode = "x") }',
        "{ $.eventName = X || $.eventName = StopLogging && $.readOnly IS FALSE && $.errorCode NOT EXISTS }",
        "{ $.eventName = %^St[a-z]*Logging$% }",
        '{ $.eventName != "Describe*" && $.responseElements IS NULL && $.managementEvent is true }',
        "{ $.sourceIPAddress != 10.* && $.readOnly != true && $.eventVersion = 1.* }",
        '{ $.errorCode != "AccessDenied" && $.eventName = "Stop*ogg*g" }',
        "StopLogging",
        "?CreateTrail ?StopLogging",
        '"\\"eventName\\":\\"StopLogging\\"" -DescribeTrails',
    ],
)
def test_a_pattern_is_understood_however_it_is_written(pattern: str) -> None:
    assert matcher(pattern)(STOP)
    assert not matcher(pattern)(READING)


@pytest.mark.parametrize(
    "pattern",
    [
        "{ $.eventName = StartLogging }",
        '{ $.eventName = "stoplogging" }',
        "{ $.awsRegion = us-east-1 && $.eventName=* }",
        '{ $.eventName = "StopLogging" && $.userIdentity.type = "Root" }',
        "{ $.eventName != *Logging }",
        "{ $.eventVersion > 1 }",
        "{ $.requestParameters.name = main }",
        "{ $.eventName NOT EXISTS }",
        "[a, b, StopLogging]",
        "{" + "(" * 5000,
        "{" + "(" * 500 + ")" * 500 + "}",
        "{ $.eventName = StopLogging",
        "{}",
        "{ () }",
        "{ ($.eventName = StopLogging }",
        "{ $.eventName = StopLogging ) }",
        "{ $.eventName = StopLogging && }",
        "{ $.eventName = StopLogging $.readOnly IS FALSE }",
        "{ && }",
        "{ $ }",
        "{ $.eventName StopLogging }",
        "{ $.eventName = %[% }",
        "{ $.eventName = %(a+)+b% }",
        "%StopLogging%",
        '"',
        "{",
        "{ $.eventName > x }",
        "?StopLogging CreateTrail",
        "-StopLogging",
        "{ $.eventName = StopLogging }" + " " * 5 + "x" * MAX_LENGTH,
    ],
)
def test_a_pattern_that_finds_something_else_or_is_none_does_not_match(pattern: str) -> None:
    assert not matcher(pattern)(STOP)


def test_hostile_patterns_take_no_time() -> None:
    long = event("x", "a" * 5000)
    stars = "{ $.eventName = " + "*a" * 500 + "*b }"
    assert not matcher(stars)(long)
    assert not matcher("{ $.eventName = %a*a*a*a*a*b% }")(long)
    assert matcher("{" + "(" * 400 + "$.eventName=*" + ")" * 400 + "}")(long)


def test_a_filter_that_also_finds_everyday_events_is_no_alarm() -> None:
    for name, pattern in (
        ("alarm_no_mfa_login", "{ $.eventName = ConsoleLogin }"),
        ("alarm_console_fail", "ConsoleLogin"),
        ("alarm_sg", "{ $.eventSource = ec2* }"),
    ):
        assert any(matcher(pattern)(each) for each in WATCHES[name].everyday)


def test_every_alarm_rule_has_its_events() -> None:
    rules = {each.id.rpartition(".")[2] for each in vars(cloudwatch).values() if isinstance(each, Rule)}
    assert rules == set(WATCHES)
    assert all(re.fullmatch(r"[A-Za-z]+", watch.metric) for watch in WATCHES.values())
