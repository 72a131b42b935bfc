"""Trails: those of all regions are seen from each, wherever they are at home."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.aws.collectors.world import ACCOUNT, READS, Clients, collected, why

from nephoscope.domain import Resource, Verdict
from nephoscope.engine import Neighbours, judge
from nephoscope.testing import NOW
from nephoscope_aws.api import Api
from nephoscope_aws.collectors import ALL
from nephoscope_aws_simulator.testing import Simulator
from nephoscope_baseline.aws import cloudtrail

HOME = "us-east-1"
FOREIGN = "arn:aws:cloudtrail:us-east-1:999999999999:trail/organization"


@pytest.fixture(scope="module")
def trails() -> Iterator[Simulator]:
    """Two trails at home in us-east-1, of all regions and of that alone, and one each in two other regions."""
    with Simulator() as simulator:
        simulator.client("s3").create_bucket(Bucket="trails")
        for region, name, everywhere in (
            (HOME, "all", True),
            (HOME, "one", False),
            ("eu-west-1", "west", False),
            ("eu-north-1", "north", True),
        ):
            client = simulator.client("cloudtrail", region)
            client.create_trail(Name=name, S3BucketName="trails", IsMultiRegionTrail=everywhere)
            client.start_logging(Name=name)
        yield simulator


def reading(simulator: Simulator, *regions: str) -> Api:
    return Api(ACCOUNT, Clients(simulator.endpoint), READS, regions)


@pytest.mark.parametrize(
    ("regions", "expected"),
    [
        (["eu-west-1"], ["all", "north", "west"]),
        (["eu-north-1", "eu-west-1"], ["all", "north", "west"]),
        (["sa-east-1"], ["all", "north"]),
        ([HOME, "eu-west-1", "eu-north-1"], ["all", "north", "one", "west"]),
    ],
)
def test_each_trail_is_collected_once_from_whatever_region_shows_it(
    trails: Simulator, regions: list[str], expected: list[str]
) -> None:
    found = collected(reading(trails, *regions), "cloudtrail")
    assert sorted(each.name for each in found) == expected
    assert {each.name: each.region for each in found}["all"] == HOME
    assert all(each.properties["IsLogging"] for each in found)


def test_a_trail_at_home_in_a_region_that_is_not_scanned_watches_the_account(trails: Simulator) -> None:
    neighbours = Neighbours.fixed(collected(reading(trails, "sa-east-1"), "cloudtrail"))
    account = Resource("AWS::::Account", "root", "root", "global", ACCOUNT, {})
    assert judge(cloudtrail.multi_region, account, now=NOW, neighbours=neighbours).verdict is Verdict.PASS


def test_a_trail_read_again_is_the_same_wherever_it_is_at_home(trails: Simulator) -> None:
    api = reading(trails, "eu-west-1")
    for trail in collected(api, "cloudtrail"):
        assert ALL["cloudtrail"].reread(api, trail) == trail


def test_a_region_that_cannot_be_asked_hides_its_own_trails_only(trails: Simulator) -> None:
    def refuse(**context: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DescribeTrails")

    clients = Clients(trails.endpoint)
    clients.client("cloudtrail", "eu-west-1").meta.events.register("provide-client-params.*.DescribeTrails", refuse)
    found = collected(Api(ACCOUNT, clients, READS, ["eu-west-1", "sa-east-1"]), "cloudtrail")
    assert sorted(each.name for each in found if not each.unlisted) == ["all", "north"]
    [hidden] = [each for each in found if each.unlisted]
    assert (hidden.region, why(hidden.properties)["permission"]) == ("eu-west-1", "cloudtrail:DescribeTrails")


def test_a_trail_of_another_account_stays_though_its_selectors_are_not_told(trails: Simulator) -> None:
    """Whoever does not own it may be answered that it does not exist."""

    def foreign(parsed: dict[str, Any], **context: Any) -> None:
        shadow = copy.deepcopy(parsed["trailList"][0])
        parsed["trailList"] = [{**shadow, "TrailARN": FOREIGN, "IsOrganizationTrail": True}]

    clients = Clients(trails.endpoint)
    clients.client("cloudtrail", "eu-west-1").meta.events.register("after-call.*.DescribeTrails", foreign)
    [trail] = collected(Api(ACCOUNT, clients, READS, ["eu-west-1"]), "cloudtrail")
    assert trail.id == FOREIGN
    for name in ("EventSelectors", "IsLogging"):
        assert "TrailNotFoundException" in why(trail.properties[name])["reason"]
