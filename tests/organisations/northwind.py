"""The simulated company's organisation, and what can be done to it."""

from __future__ import annotations

import json

from nephoscope.organisations.models import Organisation
from nephoscope_aws_simulator.testing import Simulator

MAIN = "123456789012"
WEBSHOP, ANALYTICS, SANDBOX = "northwind-webshop", "northwind-analytics", "northwind-sandbox"
CARRIERS, OLD = "northwind-carriers", "northwind-warehouse-2019"


def role_in(aws: Simulator, number: str, name: str = "nephoscope-read") -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{MAIN}:user/simulator-administrator"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": "northwind-members"}},
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.client("iam", account=number).create_role(RoleName=name, AssumeRolePolicyDocument=trust)


def patch(aws: Simulator, number: str, **what: str) -> None:
    aws.control("patch", [{"kind": "organization_account", "id": number, **what}])


def standings(organisation: Organisation) -> dict[str, str]:
    return dict(organisation.members.with_standing().values_list("name", "standing"))
