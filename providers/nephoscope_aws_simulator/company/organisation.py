"""Northwind's organisation: five accounts beside the main one, in two units."""

from __future__ import annotations

import json
from dataclasses import dataclass

from nephoscope_aws_simulator.accounts import administrator_arn
from nephoscope_aws_simulator.company.cloud import EUROPE, Cloud, odd, tag_list

EXTERNAL_ID = "northwind-members"
"""What the roles in the members ask for: enter it when the organisation is connected."""

ROLE = "nephoscope-read"
MANAGED = ("ReadOnlyAccess",)
UNITS = ("Workloads", "Sandbox")


@dataclass(frozen=True)
class Member:
    """One account; no unit is the root."""

    name: str
    unit: str = ""
    role: bool = True
    environment: str = "production"


MEMBERS = (
    Member("northwind-webshop", "Workloads"),
    Member("northwind-analytics", "Workloads"),
    Member("northwind-sandbox", "Sandbox", environment=odd("sandbox")),
    Member("northwind-carriers", "Sandbox", role=False, environment="test"),
    Member("northwind-warehouse-2019", role=False),
)
SUSPENDED = "northwind-warehouse-2019"
WITH_RESOURCES = "northwind-webshop"


def make_organisation(cloud: Cloud) -> None:
    """The organisation, its members, their roles, and a few things in one of them."""
    organisation = cloud.client("organizations")
    organisation.create_organization(FeatureSet="ALL")
    cloud.patch([{"kind": "organization_account", "id": cloud.account, "name": "northwind-freight"}])
    root = organisation.list_roots()["Roots"][0]["Id"]
    units = {
        name: organisation.create_organizational_unit(ParentId=root, Name=name)["OrganizationalUnit"]["Id"]
        for name in UNITS
    }
    for member in MEMBERS:
        status = organisation.create_account(
            AccountName=member.name,
            Email=f"{member.name}@northwind.example",
            Tags=tag_list(Environment=member.environment, Team="platform"),
        )["CreateAccountStatus"]
        number = status["AccountId"]
        if member.unit:
            organisation.move_account(AccountId=number, SourceParentId=root, DestinationParentId=units[member.unit])
        if member.role:
            _make_role(cloud, number)
        if member.name == WITH_RESOURCES:
            _make_resources(cloud, number)
        if member.name == SUSPENDED:
            organisation.close_account(AccountId=number)


def _make_role(cloud: Cloud, number: str) -> None:
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": administrator_arn(cloud.account)},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
    }
    iam = cloud.client("iam", account=number)
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
    for name in MANAGED:
        iam.attach_role_policy(RoleName=ROLE, PolicyArn=f"arn:aws:iam::aws:policy/{name}")


def _make_resources(cloud: Cloud, number: str) -> None:
    s3 = cloud.client("s3", EUROPE, number)
    for name in ("northwind-webshop-images", "northwind-webshop-orders"):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": EUROPE})
    s3.delete_public_access_block(Bucket="northwind-webshop-images")
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::northwind-webshop-images/*",
    }
    s3.put_bucket_policy(
        Bucket="northwind-webshop-images", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
