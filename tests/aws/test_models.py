"""botocore's descriptions without what is not used."""

from __future__ import annotations

import pytest
from botocore.session import Session

from nephoscope_aws.clients import ClientCache, new_session
from nephoscope_aws.models import BY_ITSELF, declared
from nephoscope_aws.provider import reads


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


def test_a_client_for_declared_calls_has_them_and_no_others() -> None:
    whole = ClientCache(new_session(), "us-east-1")
    some = whole.declared(frozenset({("s3", "list_buckets"), ("ec2", "describe_instances")}))
    assert {f"s3.{name}" for name in some.client("s3").meta.method_to_api_mapping} == {
        "s3.list_buckets",
        *(".".join(each) for each in BY_ITSELF),
    }
    assert some.client("ec2").can_paginate("describe_instances")
    assert not hasattr(some.client("ec2"), "terminate_instances")
    assert hasattr(whole.client("ec2"), "terminate_instances"), "the whole description is another one"


def test_what_is_left_of_a_description_is_what_botocore_ships_without_its_words() -> None:
    mine, theirs = new_session(models=declared(frozenset(reads()))), Session()
    for service, operation in reads():
        trimmed, shipped = (each.get_service_model(service) for each in (mine, theirs))
        name = next(each for each in trimmed.operation_names if _same(each, operation))
        for side in ("input_shape", "output_shape"):
            left, right = (getattr(each.operation_model(name), side) for each in (trimmed, shipped))
            assert list(left.members if left else ()) == list(right.members if right else ())
        assert [each.name for each in trimmed.operation_model(name).error_shapes] == [
            each.name for each in shipped.operation_model(name).error_shapes
        ]


def _same(name: str, operation: str) -> bool:
    return name.lower() == operation.replace("_", "")
