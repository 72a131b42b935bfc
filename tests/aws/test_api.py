"""Many calls at once within one session, and what is kept of a part that could not be read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.parsers import ResponseParserError

from nephoscope.domain import Unknown, as_unknown
from nephoscope_aws.answers import Unavailable
from nephoscope_aws.api import IN_FLIGHT, Api, Denied, translated
from nephoscope_aws.clients import ClientCache, new_session
from nephoscope_aws.collectors.shape import part


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api("123456789012", ClientCache(new_session(), "us-east-1"), {})
    yield api
    api.close()


def test_many_run_at_once_and_come_back_in_order(api: Api) -> None:
    together = threading.Barrier(IN_FLIGHT, timeout=10)

    def square(number: int) -> int:
        together.wait()
        return number * number

    assert list(api.map(square, range(IN_FLIGHT * 2))) == [number * number for number in range(IN_FLIGHT * 2)]


def test_no_more_is_taken_ahead_than_can_be_in_flight(api: Api) -> None:
    taken: list[int] = []

    def endless() -> Iterator[int]:
        while True:
            taken.append(len(taken))
            yield taken[-1]

    results = api.map(lambda number: number, endless())
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    assert len(taken) <= IN_FLIGHT + 3


def test_the_first_exception_ends_a_map_in_its_place(api: Api) -> None:
    results = api.map(lambda number: 1 // number, [1, 0, 1])
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_a_map_within_a_map_is_refused_instead_of_hanging(api: Api) -> None:
    with pytest.raises(RuntimeError, match="must not call"):
        list(api.map(lambda number: list(api.map(str, [number])), [1]))


def test_what_is_needed_once_is_made_once_for_all_threads(api: Api) -> None:
    made: list[str] = []

    def make() -> str:
        made.append("report")
        return "the report"

    assert set(api.map(lambda _: api.once("report", make), range(50))) == {"the report"}
    assert made == ["report"]


def test_what_failed_once_is_not_tried_again(api: Api) -> None:
    tried: list[str] = []

    def fail() -> str:
        tried.append("report")
        raise Denied("iam:GetCredentialReport", "no")

    for _ in range(2):
        with pytest.raises(Denied):
            api.once("report", fail)
    assert tried == ["report"]


def test_a_part_that_was_denied_or_unavailable_is_unknown_and_a_fault_is_not_hidden() -> None:
    def raising(error: Exception) -> Callable[[], object]:
        def function() -> object:
            raise error

        return function

    assert part(lambda: None) is None
    assert as_unknown(part(raising(Denied("s3:GetBucketAcl", "no")))) == Unknown("no", "s3:GetBucketAcl")
    assert as_unknown(part(raising(Unavailable("timed out")))) == Unknown("timed out")
    with pytest.raises(ZeroDivisionError):
        part(raising(ZeroDivisionError()))


def test_a_fault_repeats_neither_the_request_nor_the_answer() -> None:
    silent = ReadTimeoutError(endpoint_url="https://lambda.eu-west-1.amazonaws.com/functions?Marker=abc&MaxItems=50")
    said = str(translated(silent, "lambda:ListFunctions"))
    assert said.startswith("lambda:ListFunctions: ReadTimeoutError: ") and "lambda.eu-west-1.amazonaws.com" in said
    assert "Marker" not in said
    parsed = ResponseParserError("Unable to parse response, invalid XML received:\nb'<html>a long page</html>'")
    assert "long page" not in str(translated(parsed, "iam:ListUsers"))
