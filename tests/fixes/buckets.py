"""A simulated AWS account with the two roles, buckets in it that can be public, and a fix taken through surgery."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from nephoscope import surgery
from nephoscope.domain import Connection, FixRequest, LiveSession, Plan, PlanProblem, Recorder, Resource, View, Writer
from nephoscope.testing import Notes
from nephoscope_aws.access import bucket_exposure
from nephoscope_aws.provider import AwsProvider
from nephoscope_aws_fixes.s3_public import RemovePublicAccess
from nephoscope_aws_simulator.testing import Cloud

ACCOUNT = "444444444444"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ADMINISTRATOR = f"arn:aws:iam::{ACCOUNT}:user/simulator-administrator"
CONNECTION = Connection(
    ACCOUNT,
    {
        "role_arn": f"arn:aws:iam::{ACCOUNT}:role/nephoscope-read",
        "external_id": "read-word",
        "write_role_arn": f"arn:aws:iam::{ACCOUNT}:role/nephoscope-fix",
        "write_external_id": "write-word",
    },
)
FIX = RemovePublicAccess()
PROVIDER = AwsProvider()
ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
LOGS = "http://acs.amazonaws.com/groups/s3/LogDelivery"


def make_role(simulator: Cloud, name: str, external_id: str, actions: Sequence[str]) -> None:
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": ADMINISTRATOR},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
    }
    iam = simulator.client("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))
    allowed = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    iam.put_role_policy(RoleName=name, PolicyName="nephoscope", PolicyDocument=policy(allowed))


def policy(*statements: dict[str, Any], indent: int | None = None) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, indent=indent)


def allow(bucket: str, principal: Any = "*", **more: Any) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": principal,
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
        **more,
    }


class Bucket:
    """A bucket in the simulated account that can be public, and what may be done to it."""

    def __init__(self, simulator: Cloud, session: LiveSession, name: str) -> None:
        self.name, self.session, self.s3 = name, session, simulator.client("s3")
        self.s3.create_bucket(Bucket=name)
        self.block()
        self.owned("ObjectWriter")

    def block(self, *flags: str) -> None:
        every = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        self.s3.put_public_access_block(
            Bucket=self.name, PublicAccessBlockConfiguration={flag: flag in flags for flag in every}
        )

    def owned(self, ownership: str) -> None:
        self.s3.put_bucket_ownership_controls(
            Bucket=self.name, OwnershipControls={"Rules": [{"ObjectOwnership": ownership}]}
        )

    def grant(self, *uris: str) -> None:
        grants = [{"Grantee": {"Type": "Group", "URI": uri}, "Permission": "READ"} for uri in uris]
        now = self.acl
        self.s3.put_bucket_acl(
            Bucket=self.name, AccessControlPolicy={"Grants": [*now["Grants"], *grants], "Owner": now["Owner"]}
        )

    @property
    def policy(self) -> str:
        return str(self.s3.get_bucket_policy(Bucket=self.name)["Policy"])

    @policy.setter
    def policy(self, text: str) -> None:
        self.s3.put_bucket_policy(Bucket=self.name, Policy=text)

    @property
    def acl(self) -> dict[str, Any]:
        answer = self.s3.get_bucket_acl(Bucket=self.name)
        return {"Grants": answer["Grants"], "Owner": answer["Owner"]}

    @property
    def resource(self) -> Resource:
        return Resource("AWS::S3::Bucket", f"arn:aws:s3:::{self.name}", self.name, "us-east-1", ACCOUNT, {})

    @property
    def is_public(self) -> bool:
        """As it is after it was read again."""
        read = self.session.reread(self.resource)
        return bool(read and bucket_exposure(View(read.properties, "", Recorder(), "", {})))

    def plan(self) -> Plan:
        return plan_for(self.session, self.resource)

    def refusal(self) -> str:
        with pytest.raises(PlanProblem) as caught:
            self.plan()
        return str(caught.value)


def plan_for(session: LiveSession, *resources: Resource) -> Plan:
    requests = [FixRequest(each, "aws.s3.public_read") for each in resources]
    return surgery.make_plan(FIX, "aws.s3.public_read", ACCOUNT, requests, session, PROVIDER)


def writer_for(plan: Plan) -> Writer:
    return surgery.open_writer(PROVIDER, CONNECTION, plan.permissions)


def apply(plan: Plan, session: LiveSession) -> Notes:
    notes = Notes()
    surgery.apply(FIX, plan.steps, session, writer_for(plan), notes)
    return notes


def undo(plan: Plan, session: LiveSession) -> Notes:
    notes = Notes()
    surgery.undo(FIX, plan.steps, range(len(plan.steps)), {}, session, writer_for(plan), notes)
    return notes


def make_policy_only(bucket: Bucket) -> None:
    bucket.policy = policy(allow(bucket.name, Sid="PublicRead"))


def make_acl_only(bucket: Bucket) -> None:
    bucket.grant(ALL_USERS, LOGS, AUTHENTICATED)


def make_both(bucket: Bucket) -> None:
    make_policy_only(bucket)
    make_acl_only(bucket)
