"""Plans of several steps taken through surgery in the toy cloud: results, waits, steps that fail, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from nephoscope import surgery, testing
from nephoscope.domain import Call, FixRequest, Plan, PlanProblem, Step, Wait
from nephoscope.testing import FitLock, Notes, ToyCloud, door

FIX = FitLock()


class World:
    """Open doors in a toy cloud, and a plan to fit a lock into each."""

    def __init__(self, *names: str) -> None:
        self.cloud = ToyCloud()
        self.cloud.doors |= dict.fromkeys(names, True)
        self.session = testing.Doors(self.cloud.doors, locks=self.cloud.locks)
        self.notes = Notes()
        requests = [FixRequest(door(name, True), inputs={"maker": "Yale"}) for name in names]
        self.plan: Plan = surgery.make_plan(FIX, "toy.closed", "1" * 12, requests, self.session, self.cloud)
        self.steps: list[Step] = list(self.plan.steps)

    def apply(self, **more: Any) -> bool:
        return surgery.apply(FIX, self.steps, self.session, self.session, self.notes, **more)

    def undo(self, *done: int, kept: surgery.Kept | None = None) -> bool:
        known = self.notes.kept if kept is None else kept
        return surgery.undo(FIX, self.steps, done, known, self.session, self.session, self.notes)

    def holds(self) -> bool:
        return surgery.holds(FIX, self.steps, self.notes.kept, self.session, self.notes)


@pytest.fixture
def world() -> World:
    return World("front")


def test_a_later_step_uses_what_an_earlier_one_returned_once_it_is_ready(world: World) -> None:
    slept: list[float] = []
    assert world.apply(sleep=slept.append)
    assert world.cloud.doors == {"front": False}
    assert world.cloud.locks == {"lock-1": {"Door": "front", "Maker": "Yale", "State": "ready"}}
    assert world.notes == {0: "applied", 1: "applied"}
    assert world.notes.kept[0] == {"Lock.Number": "lock-1"}
    assert slept == [0], "it was not ready at the first look"
    assert world.holds()


def test_each_resource_uses_the_results_of_its_own_steps() -> None:
    world = World("front", "back")
    assert world.apply()
    assert [world.notes.kept[at]["Lock.Number"] for at in (0, 2)] == ["lock-1", "lock-2"]
    assert world.undo(0, 1, 2, 3)
    assert (world.cloud.doors, world.cloud.locks) == ({"front": True, "back": True}, {})


def test_the_inputs_are_part_of_what_is_approved(world: World) -> None:
    assert world.plan.inputs == {"maker": "Yale"}
    assert replace(world.plan, inputs={"maker": "Abus"}).digest != world.plan.digest


def test_a_wait_ends_at_once_in_a_state_in_which_it_has_failed(world: World) -> None:
    wait = world.steps[0].wait
    assert wait
    world.steps[0] = replace(world.steps[0], wait=replace(wait, until=("never",), failed=("ordered",)))
    assert not world.apply()
    assert world.notes[0] == "applied State is ordered, not never."


def test_a_wait_that_takes_too_long_leaves_the_rest_of_that_resource_undone_and_does_the_others() -> None:
    world = World("front", "back")
    wait = world.steps[0].wait
    assert wait
    world.steps[0] = replace(world.steps[0], wait=replace(wait, until=("never",), timeout=0))
    assert not world.apply()
    assert world.notes == {
        0: "applied State is ordered after 0 seconds, not never.",
        1: "skipped An earlier step of this resource failed.",
        2: "applied",
        3: "applied",
    }
    assert world.cloud.doors == {"front": True, "back": False}


def test_what_a_wait_left_half_done_is_put_back_with_what_was_kept(world: World) -> None:
    wait = world.steps[0].wait
    assert wait
    world.steps[0] = replace(world.steps[0], wait=replace(wait, until=("never",), timeout=0))
    world.apply()
    assert list(world.cloud.locks) == ["lock-1"]
    assert world.undo(0)
    assert (world.cloud.locks, world.notes[0]) == ({}, "undone")


def test_an_answer_without_what_is_kept_of_it_counts_as_applied_and_stops_there(world: World) -> None:
    world.steps[0] = replace(world.steps[0], keep=("Lock.Colour",))
    assert not world.apply()
    assert world.notes[0] == "applied the answer has no Lock.Colour"
    assert world.notes[1].startswith("skipped")


def test_an_undo_that_lacks_what_a_call_returned_says_so_and_writes_nothing(world: World) -> None:
    world.apply()
    before = dict(world.cloud.doors), dict(world.cloud.locks)
    with pytest.raises(surgery.StaleError, match=r"door/front cannot be put back, step 0 returned no Lock\.Number"):
        world.undo(0, kept={})
    assert (world.cloud.doors, world.cloud.locks) == before


def test_what_is_as_before_needs_no_undo(world: World) -> None:
    assert world.undo(0), "it may have been made, and was not"
    assert world.notes == {0: "undone"}
    assert world.cloud.doors == {"front": True}


def test_an_undo_begins_with_the_last_step_and_stops_at_one_that_fails(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.apply()
    write = world.session.write

    def jammed(call: Call) -> Mapping[str, Any]:
        if call.label == "toy:RemoveLock":
            raise RuntimeError("the door is jammed")
        return write(call)

    monkeypatch.setattr(world.session, "write", jammed)
    assert not world.undo(0, 1)
    assert world.notes[1] == "applied Undo failed: the door is jammed"
    assert world.notes[0].startswith("applied Not undone")
    assert "lock-1" in world.cloud.locks, "the lock that is in the door is not sent back"


def test_a_plan_whose_state_has_changed_is_not_begun(world: World) -> None:
    world.cloud.doors["front"] = False
    with pytest.raises(surgery.StaleError, match="door/front has changed since"):
        world.apply()
    assert (world.cloud.locks, world.notes) == ({}, {})


class Ended(Notes):
    """A journal of a change that somebody else ends after so many signs of life."""

    def __init__(self, left: int) -> None:
        super().__init__()
        self.left = left

    def beat(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise surgery.Stopped

    def note(self, position: int, state: str, error: str = "", kept: Mapping[str, Any] | None = None) -> None:
        self.beat()
        super().note(position, state, error, kept)


@pytest.mark.parametrize(
    ("left", "orders", "open"),
    [(0, 0, True), (2, 0, True), (3, 1, True), (4, 1, True), (6, 1, True), (7, 1, True), (8, 1, False)],
)
def test_a_change_that_was_ended_meanwhile_stops_before_its_next_call(
    world: World, left: int, orders: int, open: bool
) -> None:
    world.notes = Ended(left)
    with pytest.raises(surgery.Stopped):
        world.apply(sleep=lambda _seconds: None)
    assert (len(world.cloud.locks), world.cloud.doors["front"]) == (orders, open)


def test_nothing_to_plan_says_why(world: World) -> None:
    class Never(FitLock):
        def plan(self, request: FixRequest, session: Any) -> list[Step]:
            raise PlanProblem("it has one.")

    with pytest.raises(PlanProblem, match="front is left out: it has one"):
        surgery.make_plan(Never(), "", "1" * 12, [FixRequest(door("front", True))], world.session, world.cloud)


def test_a_wait_reads_what_is_not_there_yet_as_nothing(world: World) -> None:
    read = Call("toy:GetDoor", {"door": "none"}, ())
    world.steps[0] = replace(world.steps[0], wait=Wait(read, "Open", ("True",), timeout=0))
    assert not world.apply()
    assert world.notes[0] == "applied Open is nothing after 0 seconds, not True."
