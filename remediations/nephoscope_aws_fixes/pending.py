"""Fixes of what AWS changes some time after it was told to, and only when nothing else is being changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from nephoscope.domain import FixRequest, LiveSession, PlanProblem
from nephoscope_aws_fixes.setting import Members, at

PENDING = "PendingModifiedValues"
"""Where AWS tells the changes that it has yet to make, and those that wait for the maintenance window."""


class PendingMembers(Members):
    """Members of what has a status, and changes that AWS has yet to make."""

    status: ClassVar[str]
    """The member that tells its status."""
    ready: ClassVar[tuple[str, ...]] = ("available",)
    """The statuses in which AWS changes it."""

    def found(self, answer: Mapping[str, Any]) -> Any:
        """Changes that AWS has yet to make are part of the state: those of its members, and all that it would apply.

        So undo does not take the old value for undone, nor applies what somebody has put off meanwhile.
        """
        state = super().found(answer)
        waiting = sorted(at(answer, (*self.path, PENDING)) or ())
        waiting = [each for each in waiting if "ApplyImmediately" in self.sends or each in self.own_pending()]
        return {**state, PENDING: waiting} if waiting else state

    def own_pending(self) -> tuple[str, ...]:
        """Return what a change of its members is called while AWS has yet to make it."""
        return tuple(self.wants)

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        if before is None:
            raise PlanProblem("it does not exist any more.")
        after = self.should_be(before, request)
        if after != before:
            self._require_none_waiting(before.get(PENDING, []))
            self.require_changeable(self.described(request.resource, session))
        return after

    def should_be(self, before: Any, request: FixRequest) -> Any:
        """Return what should be of what is there."""
        return {**before, **self.wants}

    def require_changeable(self, described: Mapping[str, Any]) -> None:
        """Raise PlanProblem if it cannot be changed now; says why."""
        require_ready(described[self.status], *self.ready)

    def _require_none_waiting(self, waiting: list[str]) -> None:
        if set(waiting) & set(self.own_pending()):
            raise PlanProblem("AWS is making this change already, or will in the next maintenance window.")
        if waiting:
            raise PlanProblem(
                f"other changes wait for its maintenance window ({', '.join(waiting)}), and this one would apply them "
                "at once. Apply them or take them back first."
            )


def require_ready(status: Any, *ready: str) -> None:
    """Raise PlanProblem if AWS does not change what has this status."""
    if status not in ready:
        raise PlanProblem(f"it is {status}, and AWS changes it only when it is {ready[0]}. Try again then.")
