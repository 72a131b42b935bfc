"""Why something failed is one short line, whatever the cloud answered."""

from __future__ import annotations

import json

import pytest
from django.utils import timezone

from nephoscope.accounts.models import Account
from nephoscope.audit.services import Actor
from nephoscope.connections.reach import note_unreachable
from nephoscope.domain import Check, ConnectionProblem, Fail, Resource, as_unknown, rule, unknown
from nephoscope.domain.reasons import LONGEST, in_short
from nephoscope.domain.rules import Severity, Verdict
from nephoscope.engine import MAX_MESSAGE, judge
from nephoscope.inventory.models import Scan, Shard
from nephoscope.testing import DOOR

PAGE = "<!DOCTYPE html><html><body>" + "<p>Blocked by the proxy of example.com</p>\n" * 800 + "</body></html>"
DUMP = json.dumps({"Error": {"Code": "Odd", "Message": "m" * 35_000}})


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (
            f"Unable to parse response, invalid XML: {PAGE}",
            "Unable to parse response, invalid XML (a page of markup is left out)",
        ),
        (PAGE, "A page of markup came instead of an answer"),
        (f"ResponseParserError: received {DUMP}", "ResponseParserError: received (an answer in JSON is left out)"),
        (f"KeyError: {json.loads(DUMP)!r}", "KeyError (an answer in JSON is left out)"),
        ("AccessDenied: not\nallowed\x1b[31m", "AccessDenied: not allowed"),
        ("a < b and {x}", "a < b and {x}"),
        ('not one of ["a", "b"]', 'not one of ["a", "b"]'),
        ("", ""),
    ],
)
def test_a_raw_answer_is_left_out_and_that_it_was_there_is_said(raw: str, said: str) -> None:
    assert in_short(raw) == said


@pytest.mark.parametrize(
    "raw", ["x" * 35_000, "a b " * 9_000, "\0\ud800" * 9_000, " " * 35_000, "[" * 35_000, "<" * 35_000]
)
def test_whatever_comes_is_one_line_of_bounded_length(raw: str) -> None:
    said = in_short(raw)
    assert len(said) <= LONGEST and "\n" not in said and "\0" not in said
    said.encode()


def test_every_kind_of_reason_is_short_where_it_is_made() -> None:
    assert len(ConnectionProblem("role", PAGE).message) <= LONGEST
    assert len(Check("s3:Get", None, PAGE).detail) <= LONGEST
    assert "<p>" not in str(unknown(PAGE))
    why = as_unknown({"$unknown": {"reason": PAGE, "permission": "x" * 9_000}})
    assert why and len(why.reason) <= LONGEST and len(why.permission) <= LONGEST


@rule("toy.long", on=DOOR, severity=Severity.LOW, fix="Saw.", link="https://example.com", good=[], bad=[])
def long(door: object) -> Fail:
    """A door is short.

    Long ones are not.
    """
    return Fail("very long\n\0" * 5_000)


def test_a_rules_message_is_one_line_of_bounded_length() -> None:
    found = judge(long, Resource(DOOR, "1", "one", "north", "1", {}), now=timezone.now())
    assert found.verdict == Verdict.FAIL and len(found.message) <= MAX_MESSAGE and "\n" not in found.message


@pytest.mark.django_db
def test_stored_reasons_are_short_however_they_are_written(account: Account) -> None:
    scan = Scan.objects.create(account=account, error=PAGE)
    shard = Shard.objects.create(scan=scan, service="s3", region="global")
    Shard.objects.filter(pk=shard.pk).update(error=f"bad: {DUMP}")
    Shard.objects.bulk_create([Shard(scan=scan, service="s3", region="north", error="x" * 9_000)])
    note_unreachable(Actor.system(), account, PAGE)
    scan.refresh_from_db()
    shard.refresh_from_db()
    account.refresh_from_db()
    assert shard.error == "bad (an answer in JSON is left out)"
    assert account.failures["reading"]["reason"] == scan.error == "A page of markup came instead of an answer"
    assert len(Shard.objects.get(region="north").error) <= LONGEST
