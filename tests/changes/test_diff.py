"""Before and after, as people read them."""

from __future__ import annotations

import json

from nephoscope.changes.diff import diff


def test_policy_text_is_compared_as_what_it_says_line_by_line() -> None:
    before = json.dumps({"Statement": [{"Principal": "*", "Effect": "Allow"}]})
    after = json.dumps({"Statement": [{"Principal": {"AWS": "root"}, "Effect": "Allow"}]})
    shown = diff(before, after)
    assert shown.reformatted
    assert [line.text.strip() for line in shown.lines if line.sign == "-"] == ['"Principal": "*",']
    assert '"AWS": "root"' in [line.text.strip() for line in shown.lines if line.sign == "+"]


def test_a_difference_in_white_space_alone_is_still_shown() -> None:
    shown = diff('{"a": 1}', '{"a":1}')
    assert {line.sign for line in shown.lines} == {"+", "-"} and not shown.reformatted


def test_nothing_before_is_all_added_and_nothing_changed_is_no_line() -> None:
    assert {line.kind for line in diff(None, {"a": [1]}).lines} == {"added"}
    assert diff({"a": 1}, {"a": 1}).lines == ()


def test_text_that_only_looks_like_json_stays_text() -> None:
    assert [line.text for line in diff("{not json", "{not json either").lines] == ["{not json", "{not json either"]


def test_policy_text_inside_an_object_is_unfolded_too() -> None:
    shown = diff({"Policy": '{"a": 1}'}, {"Policy": '{"a": 2}'})
    assert shown.reformatted and '"a": 2' in [line.text.strip() for line in shown.lines if line.sign == "+"]
