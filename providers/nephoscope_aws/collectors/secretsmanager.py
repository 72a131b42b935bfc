"""Secrets of one region: what is known about them, never what they hold.

Calls per region: 1 for each 100 secrets. No permission to read a secret is asked for. Secrets that wait for their
deletion are not listed.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from nephoscope.domain import Resource, Service
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.odd import each
from nephoscope_aws.collectors.shape import Listing, actions, moment, part, picked, tag_dict, tag_list

SECRET = "AWS::SecretsManager::Secret"

READS = {
    ("secretsmanager", "list_secrets"): "secretsmanager:ListSecrets",
    ("secretsmanager", "describe_secret"): "secretsmanager:DescribeSecret",
}

SYNTHETIC = {SECRET: ("RotationRules",)}
"""Properties that CloudFormation has on a type of its own (AWS::SecretsManager::RotationSchedule) and that are folded
in here; null for a secret that does not rotate."""

Item = dict[str, Any]


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the region's secrets."""
    listing = Listing(_listed(api, region))
    yield from each(api, region, SECRET, partial(_resource, api, region), listing)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one secret again, in one call; the filter by name also finds names that begin with it."""
    found = _listed(api, resource.region, Filters=[{"Key": "name", "Values": [resource.name]}])
    return next((_resource(api, resource.region, one) for one in found if one["ARN"] == resource.id), None)


def _listed(api: Api, region: str, **which: Any) -> Iterator[Item]:
    return api.pages("secretsmanager", "list_secrets", "SecretList", region=region, MaxResults=100, **which)


def _resource(api: Api, region: str, secret: Item) -> Resource:
    rules = picked(secret.get("RotationRules", {}), "AutomaticallyAfterDays", "Duration", "ScheduleExpression")
    tags = tag_list(secret.get("Tags"))
    properties = {
        "Id": secret["ARN"],
        **picked(secret, "Name", "KmsKeyId"),
        # The rules of a rotation that was switched off stay listed.
        "RotationRules": part(lambda: rules if secret.get("RotationEnabled") else None),
        "Tags": tags,
        "Observed": {
            **picked(secret, "OwningService", "PrimaryRegion"),
            "CreatedDate": moment(secret.get("CreatedDate")),
            # Secrets Manager gives the day only, so this changes at most once a day.
            "LastAccessedDate": moment(secret.get("LastAccessedDate")),
        },
    }
    return Resource(SECRET, secret["ARN"], secret["Name"], region, api.account, properties, tag_dict(tags))


COLLECTOR = Collector(
    Service("secretsmanager", "AWS Secrets Manager", (SECRET,), actions(READS)), READS, collect, reread
)
