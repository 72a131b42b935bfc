"""What must not be fixed says so by a tag, also where no scan reads tags of its type."""

from __future__ import annotations

import pytest
from tests.fixes.buckets import ACCOUNT, PROVIDER
from tests.house import House

from nephoscope.domain import LiveSession, Resource
from nephoscope.testing import ToyWriting
from nephoscope_aws.api import Denied
from nephoscope_aws_fixes.plugin import DO_NOT_FIX
from nephoscope_aws_simulator.testing import Cloud


def queue(name: str, region: str = "us-east-1") -> Resource:
    return Resource("AWS::SQS::Queue", f"arn:aws:sqs:{region}:{ACCOUNT}:{name}", name, region, ACCOUNT, {})


def test_the_tags_of_resources_of_any_service_and_region_are_read(simulator: Cloud, session: LiveSession) -> None:
    for region in ("us-east-1", "eu-west-1"):
        simulator.client("sqs", region).create_queue(QueueName=f"kept-{region}", tags={DO_NOT_FIX: "true"})
    simulator.client("sqs").create_queue(QueueName="untagged")
    bucket = Resource("AWS::S3::Bucket", "arn:aws:s3:::kept", "kept", "us-east-1", ACCOUNT, {})
    simulator.client("s3").create_bucket(Bucket="kept")
    simulator.client("s3").put_bucket_tagging(Bucket="kept", Tagging={"TagSet": [{"Key": "owner", "Value": "web"}]})
    asked = [queue("kept-us-east-1"), queue("kept-eu-west-1", "eu-west-1"), queue("untagged"), bucket]
    found = PROVIDER.writing.tags(asked, session)
    assert {arn.rpartition(":")[2]: dict(tags) for arn, tags in found.items() if tags} == {
        "kept-us-east-1": {DO_NOT_FIX: "true"},
        "kept-eu-west-1": {DO_NOT_FIX: "true"},
        "kept": {"owner": "web"},
    }


def test_tags_that_may_not_be_read_are_no_tags_that_are_not_there(simulator: Cloud, session: LiveSession) -> None:
    simulator.control("deny", actions=["tag:GetResources"], times=1)
    with pytest.raises(Denied):
        PROVIDER.writing.tags([queue("untagged")], session)


@pytest.mark.django_db
def test_what_was_tagged_since_the_last_scan_is_not_planned_for(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ToyWriting, "tags", lambda *_: {"door/front": {DO_NOT_FIX: "true"}})
    with pytest.raises(Exception, match=f"front: tagged {DO_NOT_FIX}"):
        house.plan("front", "back")


@pytest.mark.django_db
def test_without_the_tags_nothing_is_planned(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ToyWriting, "tags", lambda *_: 1 / 0)
    with pytest.raises(Exception, match="The tags could not be read"):
        house.plan("front")
