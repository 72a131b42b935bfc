"""Ages, from the times that AWS writes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from nephoscope.domain import NotKnown
from nephoscope_aws.times import age_days


def test_ages_are_counted_in_days_and_a_time_without_zone_is_utc() -> None:
    now = datetime(2026, 1, 15, 12, tzinfo=UTC)
    assert age_days("2026-01-14T12:00:00Z", now) == 1
    assert age_days("2026-01-14T12:00:00", now) == 1
    assert age_days("2026-01-15T14:00:00+02:00", now) == 0
    assert age_days("2026-01-16T12:00:00Z", now) == -1
    assert age_days(None, now) is None


def test_what_is_no_time_is_not_taken_for_an_age() -> None:
    for odd in ("no_information", 7, ["2026-01-14T12:00:00Z"]):
        with pytest.raises(NotKnown, match=r"CreateDate could not be read: it is not an ISO-8601 time"):
            age_days(odd, datetime.now(UTC), "CreateDate")
