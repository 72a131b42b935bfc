"""The tag that keeps fixes away from a resource."""

from __future__ import annotations

from typing import Any

import pytest

from nephoscope.domain import Call, Permission, Plan, Resource, Step, unknown
from nephoscope.plugins import Registry

REGISTRY = Registry(["aws_fixes"])
TAG = "nephoscope:do-not-fix"


def bucket(name: str, tags: dict[str, str], properties: dict[str, Any] | None = None) -> Resource:
    return Resource(
        "AWS::S3::Bucket", f"arn:aws:s3:::{name}", name, "eu-west-1", "123456789012", properties or {}, tags
    )


def plan(*resources: Resource) -> Plan:
    call = Call("s3:PutBucketPolicy", {}, (Permission("s3:PutBucketPolicy"),))
    steps = tuple(Step(each.id, "Change it", call, call, "", "") for each in resources)
    return Plan("aws.s3.remove_public_access", "aws.s3.public_read", "123456789012", steps)


@pytest.mark.parametrize("value", ["true", "", "yes", "because of the website"])
def test_a_tagged_resource_is_refused_and_named(value: str) -> None:
    tagged, other = bucket("website", {TAG: value}), bucket("other", {})
    (reason,) = REGISTRY.vetoes(plan(tagged, other), [tagged, other])
    assert "website" in reason
    assert "other" not in reason
    assert TAG in reason


@pytest.mark.parametrize("tags", [{}, {TAG: "false"}, {TAG: "False"}, {"owner": TAG}])
def test_a_resource_that_is_not_tagged_or_says_false_may_be_fixed(tags: dict[str, str]) -> None:
    resource = bucket("reports", tags)
    assert REGISTRY.vetoes(plan(resource), [resource]) == []


def test_a_tagged_resource_that_the_plan_leaves_out_does_not_count() -> None:
    tagged, other = bucket("website", {TAG: "true"}), bucket("other", {})
    assert REGISTRY.vetoes(plan(other), [tagged, other]) == []


def test_a_resource_whose_tags_could_not_be_read_is_refused() -> None:
    hidden = bucket("secret", {}, {"Tags": unknown("denied", "s3:GetBucketTagging")})
    (reason,) = REGISTRY.vetoes(plan(hidden), [hidden])
    assert "secret: the tags could not be read" in reason
