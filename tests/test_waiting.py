"""Where a person waits for a cloud: what hangs is left behind, and does not pile up."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from django.utils import translation

from nephoscope.domain import ConnectionProblem, Deadline, Resource
from nephoscope.domain.connection import Connection
from nephoscope.testing import Doors, ToyCloud, door
from nephoscope.waiting import MOST, in_time, open_in_time


@pytest.fixture
def over() -> Iterator[threading.Event]:
    """What a cloud that hangs waits for; at the end nothing waits any more."""
    event = threading.Event()
    yield event
    event.set()
    for each in threading.enumerate():
        if each.name == "waiting for toy":
            each.join(5)


class Hanging(Doors):
    """A house where the first door hangs, whether it is read alone or with the others."""

    def __init__(self, over: threading.Event) -> None:
        super().__init__({"front": True, "back": True})
        self.over = over

    def reread(self, resource: Resource) -> Resource | None:
        if resource.name == "front":
            self.over.wait(5)
        return super().reread(resource)

    def close(self) -> None:
        self.over.wait(5)


class SlowCloud(ToyCloud):
    def __init__(self, over: threading.Event) -> None:
        super().__init__()
        self.over = over

    def open(self, connection: Connection) -> Hanging:
        return Hanging(self.over)


def test_what_hangs_is_left_behind_at_the_deadline(over: threading.Event) -> None:
    begun = time.monotonic()
    with pytest.raises(ConnectionProblem, match=r"Toy cloud did not answer within 0\.1 seconds"):
        in_time(ToyCloud(), Deadline(0.1), lambda: over.wait(5))
    assert time.monotonic() - begun < 1


def test_when_too_many_hang_the_next_is_refused_at_once(over: threading.Event) -> None:
    said = [_refused(over) for _ in range(MOST)]
    begun = time.monotonic()
    with pytest.raises(ConnectionProblem, match=rf"already waiting for {MOST} answers of Toy cloud"):
        in_time(ToyCloud(), Deadline(5), lambda: over.wait(5))
    assert time.monotonic() - begun < 1
    assert "did not answer" in said[0]


def test_a_place_is_free_again_when_the_cloud_lets_go() -> None:
    for _each in range(MOST + 1):
        assert in_time(ToyCloud(), Deadline(5), lambda: "answer") == "answer"


def _refused(over: threading.Event) -> str:
    with pytest.raises(ConnectionProblem) as refused:
        in_time(ToyCloud(), Deadline(0.01), lambda: over.wait(5))
    return refused.value.message


def test_what_is_raised_in_time_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        in_time(ToyCloud(), Deadline(5), lambda: 1 // 0)


def test_it_is_asked_in_the_language_of_the_person() -> None:
    with translation.override("de"):
        assert in_time(ToyCloud(), Deadline(5), translation.get_language) == "de"


def test_after_the_deadline_nothing_more_is_asked() -> None:
    asked: list[int] = []
    with pytest.raises(ConnectionProblem):
        in_time(ToyCloud(), Deadline(0), lambda: asked.append(1))
    assert not asked


def test_without_a_deadline_it_runs_where_it_stands() -> None:
    assert in_time(ToyCloud(), None, threading.current_thread) is threading.current_thread()


def test_a_session_answers_until_the_deadline_and_closing_it_does_not_hang(over: threading.Event) -> None:
    session = open_in_time(SlowCloud(over), Connection("1", {}, Deadline(0.3)))
    begun = time.monotonic()
    assert [each.name for each in session.collect("doors", "north")] == ["front", "back"]
    assert session.reread(door("back", True)) == door("back", True)
    with pytest.raises(ConnectionProblem):
        session.reread(door("front", True))
    session.close()
    assert time.monotonic() - begun < 1
