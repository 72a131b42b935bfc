"""How old a moment is, of the ISO-8601 times that collectors write."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from nephoscope.domain import NotKnown, Unknown


def age_days(moment: Any, now: datetime, path: str = "") -> float | None:
    """Return how many days before ``now`` this was (negative: still to come); None stays None.

    A time without a zone is UTC, as AWS writes them. Raises NotKnown for what is not an ISO-8601 time: a rule that
    cannot tell an age must not pass.

    :param path: the property that holds the time.
    """
    if moment is None:
        return None
    try:
        then = datetime.fromisoformat(moment)
    except (TypeError, ValueError) as error:
        raise NotKnown(path, Unknown("it is not an ISO-8601 time")) from error
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    return (now - then).total_seconds() / 86_400
