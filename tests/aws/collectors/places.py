"""Where the things of each service are, for the tests that run over all collectors.

A collector's things are put there by a ``*_world`` module, into one of three simulators: few, because each takes two
seconds to start, and several, because one trail or topic too many would change what other tests count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.aws.collectors import (
    containers_world,
    data_world,
    databases_world,
    edge_world,
    networks_world,
    watching_world,
    world,
)

from nephoscope_aws_simulator.testing import Simulator


@dataclass(frozen=True)
class Place:
    """A region of a simulator that holds something of each type of some services."""

    simulator: str
    region: str
    seed: Callable[[Simulator], None]
    services: tuple[str, ...]


PLACES = (
    Place("shared", world.REGION, world.seed, ("account", "iam", "s3", "s3control", "ec2", "cloudtrail", "kms")),
    Place("shared", networks_world.SEEDED, networks_world.seed, ("vpc", "ebs")),
    Place("shared", databases_world.REGION, databases_world.seed, ("rds", "redshift")),
    Place(
        "services",
        world.REGION,
        data_world.seed,
        ("dynamodb", "efs", "elasticache", "opensearch", "dms", "emr", "sagemaker"),
    ),
    Place(
        "services", world.REGION, containers_world.seed, ("eks", "ecs", "ecr", "ssm", "secretsmanager", "sqs", "sns")
    ),
    Place("services", edge_world.HOME, edge_world.seed, ("waf",)),
    Place(
        "services",
        world.REGION,
        edge_world.seed,
        ("elb", "cloudfront", "apigateway", "acm", "autoscaling", "lambda", "codebuild"),
    ),
    Place(
        "watching",
        world.REGION,
        watching_world.seed,
        (
            "config",
            "guardduty",
            "securityhub",
            "macie",
            "inspector",
            "accessanalyzer",
            "contacts",
            "logs",
            "cloudwatch",
        ),
    ),
)

PLACE_OF = {service: place for place in PLACES for service in place.services}

ELSEWHERE = {"backup": "test_data_services_backup"}
"""Collectors of which the simulator has too little, and the file that tries them on an API of its own."""

LACKING = {
    "AWS::DocDB::DBCluster": "test_databases",
    "AWS::DocDB::DBInstance": "test_databases",
}
"""Types that the simulator cannot make, though it has their service, and the file that tries them."""

NOTHING_THERE = "sa-east-1"
"""A region in which no simulator holds anything."""


def fill(name: str, simulator: Simulator) -> None:
    """Put into a simulator what belongs there."""
    for seed in dict.fromkeys(place.seed for place in PLACES if place.simulator == name):
        seed(simulator)


CALLS: dict[str, tuple[int, int] | int] = {
    "account": 5,
    "iam": 4,
    "s3": 1 + 9 * 3 + 1,
    "s3control": (2, 1),
    "ec2": (5, 4),
    "cloudtrail": 1 + 3,
    "kms": (2 + 4 + 3, 2),
    "vpc": (7, 7),
    "ebs": (9 + 1 + 2, 8),
    "rds": (4 + 2 + 1 + 2 + 1 + 1, 4),
    "redshift": (1 + 2 + 1 + 2, 1),
    "dynamodb": (1 + 2 * 2, 1),
    "efs": (1 + 2, 1),
    "elasticache": (1, 1),
    "opensearch": (1 + 2, 1),
    "dms": (1, 1),
    "emr": (1, 1),
    "sagemaker": (1 + 2, 1),
    "eks": (1 + 2, 1),
    "ecs": (1 + 2 * 2 + 2 + 1 + 1 + 6 + 2, 2),
    "ecr": (1 + 3 + 1, 1),
    "ssm": (1 + 1 + 1 + 2, 2),
    "secretsmanager": (1 + 2, 1),
    "sqs": (1 + 3, 1),
    "sns": (1 + 2, 1),
    "elb": (2 + 2 + 3 * 2 + 3 + 2, 2),
    "cloudfront": 1 + 3 + 2,
    "apigateway": (2 + 1 + 1 + 2, 2),
    "waf": (3, 1),
    "acm": (1, 1),
    "autoscaling": (1, 1),
    "lambda": (2 + 3 * 3 + 3, 1),
    "codebuild": (2, 1),
    "config": (2, 1),
    "guardduty": (2, 1),
    "securityhub": (1, 1),
    "macie": (1, 1),
    "inspector": (1, 1),
    "accessanalyzer": (1, 1),
    "contacts": 1,
    "logs": (2, 2),
    "cloudwatch": (4, 2),
}
"""Calls that a collector makes in its place, and in a region with nothing; of those that know no regions, the first.

The credential report, which two collectors share, is not counted. The docstrings of the collectors say why.
"""
