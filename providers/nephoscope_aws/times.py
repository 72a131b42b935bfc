"""How old a moment is, of the ISO-8601 times that collectors write."""

from __future__ import annotations

from datetime import UTC, datetime


def age_days(moment: str | None, now: datetime) -> float | None:
    """Return how many days before ``now`` this was (negative: still to come); None stays None.

    A time without a zone is UTC, as AWS writes them. Raises ValueError for what is not an ISO-8601 time: a rule that
    cannot tell an age must not pass.
    """
    if moment is None:
        return None
    if not isinstance(moment, str):
        raise ValueError(f"{moment!r} is not an ISO-8601 time")
    then = datetime.fromisoformat(moment)
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    return (now - then).total_seconds() / 86_400
