"""Reading is evidence, and what could not be read is never taken for something else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from nephoscope.domain import Default, NotKnown, Recorder, ResourceView, unknown
from nephoscope.testing import resource

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def look(properties: dict[str, Any], defaults: dict[str, Default] | None = None) -> tuple[ResourceView, Recorder]:
    recorder = Recorder()
    return ResourceView(resource("T", properties), recorder, defaults or {}, NOW), recorder


def reads(recorder: Recorder) -> dict[str, Any]:
    return {path: read.value for (_resource, path), read in recorder.reads.items()}


def test_every_path_that_is_read_is_recorded_with_its_value() -> None:
    view, recorder = look({"A": {"B": 1, "C": 2}, "D": [{"E": "x"}, {"E": "y"}]})
    assert view["A.B"] == 1
    assert [member["E"] for member in view["D"]] == ["x", "y"]
    assert reads(recorder) == {"A.B": 1, "D[0].E": "x", "D[1].E": "y"}


def test_what_is_absent_is_recorded_as_absent_under_its_whole_path() -> None:
    view, recorder = look({"A": {}})
    assert view["A.B.C"] is None
    assert view["X.Y"] is None
    assert {path: read.absent for (_r, path), read in recorder.reads.items()} == {"A.B.C": True, "X.Y": True}


def test_absence_means_what_the_providers_table_says() -> None:
    table = {
        "A.B": Default("on", "2023-01-05", "https://example"),
        "L[].M": Default(7, "2020-01-01", "https://example"),
    }
    view, _recorder = look({"A": {}, "L": [{}]}, table)
    assert view["A.B"] == "on"
    assert view["L"][0]["M"] == 7
    assert look({}, table)[0]["A.B"] == "on"


def test_null_is_a_value_and_not_absence() -> None:
    view, recorder = look({"A": None}, {"A": Default("on", "2023-01-05", "https://example")})
    assert view["A"] is None
    assert not recorder.reads[("", "A")].absent


@pytest.mark.parametrize("path", ["Policy", "Policy.Statement"])
def test_reading_what_could_not_be_collected_raises_with_the_permission(path: str) -> None:
    view, _recorder = look({"Policy": unknown("denied", "s3:GetBucketPolicy")})
    if path == "Policy":
        with pytest.raises(NotKnown) as caught:
            view[path]
        assert caught.value.why.permission == "s3:GetBucketPolicy"
    else:
        assert view["Other"] is None


def test_a_path_through_something_unknown_raises() -> None:
    view, _recorder = look({"Policy": unknown("denied", "s3:GetBucketPolicy")})
    with pytest.raises(NotKnown):
        view["Policy.Statement.Effect"]


def test_taking_a_value_whole_raises_when_a_part_deep_inside_is_unknown() -> None:
    view, _recorder = look({"A": {"B": [{"C": unknown("denied", "x:Y")}]}})
    with pytest.raises(NotKnown) as caught:
        _ = view["A"].value
    assert caught.value.path == "A.B[0].C"


def test_a_resource_that_could_not_be_read_at_all_raises_at_once() -> None:
    with pytest.raises(NotKnown):
        look(unknown("denied", "s3:ListAllMyBuckets"))


def test_asking_for_a_member_that_is_not_there_is_evidence() -> None:
    view, recorder = look({"A": {}})
    assert "B" not in view["A"]
    assert recorder.reads[("", "A.B")].absent
