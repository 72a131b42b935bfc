"""What the collectors read of an account."""

from __future__ import annotations

import re

from tests.aws.collectors.world import (
    ACCOUNT,
    DOCUMENT,
    MARKUP,
    READS,
    REGION,
    TRUST,
    Clients,
    at,
    collected,
    named,
)

from nephoscope.domain import ALL_REGIONS, Verdict
from nephoscope.engine import judge
from nephoscope.testing import NOW
from nephoscope_aws.api import Api
from nephoscope_aws.collectors import s3
from nephoscope_aws_simulator.testing import Simulator
from nephoscope_baseline.aws import iam_account

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def test_the_account_tells_its_name_password_policy_and_root_user(api: Api) -> None:
    [found] = collected(api, "account")
    assert (found.id, found.name, found.region) == (f"arn:aws:iam::{ACCOUNT}:root", "example", ALL_REGIONS)
    assert at(found, "PasswordPolicy.MinimumPasswordLength") == 14
    assert at(found, "PasswordPolicy.PasswordReusePrevention") is None
    assert at(found, "PublicAccessBlockConfiguration") is None
    root = {"PasswordEnabled": True, "PasswordLastUsed": None, "AccessKeys": [], "MfaActive": False}
    assert at(found, "Observed.RootCredentials") == root


def test_a_root_user_whose_credentials_were_removed_needs_no_mfa(simulator: Simulator, api: Api) -> None:
    simulator.control("patch", [{"kind": "root", "password": False}])
    try:
        [found] = collected(api, "account")
    finally:
        simulator.control("patch", [{"kind": "root", "password": True}])
    assert at(found, "AccountSummary.AccountPasswordPresent") == 0
    assert at(found, "Observed.RootCredentials.PasswordEnabled") is False
    verdicts = {judge(rule, found, now=NOW).verdict for rule in (iam_account.root_mfa, iam_account.root_hardware_mfa)}
    assert verdicts == {Verdict.NOT_APPLICABLE}


def test_the_root_user_is_told_by_its_name_in_whatever_partition(simulator: Simulator, clients: Clients) -> None:
    """In GovCloud, nobody can sign in as root."""
    api = Api(ACCOUNT, clients, READS, partition="aws-us-gov")
    [found] = collected(api, "account")
    assert found.id == f"arn:aws-us-gov:iam::{ACCOUNT}:root"
    assert at(found, "Observed.RootCredentials.AccessKeys") == []
    assert judge(iam_account.root_mfa, found, now=NOW).verdict is Verdict.NOT_APPLICABLE


def test_iam_is_folded_into_users_groups_and_roles(api: Api) -> None:
    found = collected(api, "iam")
    anna, berta = named(found, "AWS::IAM::User", "anna"), named(found, "AWS::IAM::User", "berta")
    assert (anna.properties["Path"], anna.properties["Groups"], anna.tags) == ("/staff/", ["admins"], {"team": MARKUP})
    assert at(anna, "Observed.CredentialReport.PasswordEnabled") is True
    assert TIME.fullmatch(at(anna, "Observed.CredentialReport.AccessKeys")[0]["LastRotated"])
    assert at(berta, "Observed.CredentialReport.AccessKeys") == []
    assert berta.properties["ManagedPolicyArns"] == [f"arn:aws:iam::{ACCOUNT}:policy/own"]
    [key] = [each for each in found if each.type == "AWS::IAM::AccessKey"]
    assert key.id == f"arn:aws:iam::{ACCOUNT}:user/staff/anna/accesskey/{key.name}"
    role = named(found, "AWS::IAM::Role", "app").properties
    assert (role["AssumeRolePolicyDocument"], role["MaxSessionDuration"], role["Description"]) == (TRUST, 7200, "runs")
    group = named(found, "AWS::IAM::Group", "admins").properties
    assert group["Policies"] == [{"PolicyName": "all", "PolicyDocument": DOCUMENT}]
    assert named(found, "AWS::IAM::ManagedPolicy", "own").properties["PolicyDocument"] == DOCUMENT


def test_a_bucket_carries_its_satellites_and_none_is_explicit(api: Api) -> None:
    found = collected(api, "s3")
    full, bare = named(found, s3.BUCKET, "full-bucket"), named(found, s3.BUCKET, "bare-bucket")
    assert {each.name: each.region for each in found} == {
        "full-bucket": REGION,
        "bare-bucket": REGION,
        "american-bucket": "us-east-1",
    }
    assert at(full, "Policy")["Statement"][0]["Effect"] == "Deny"
    assert at(full, "VersioningConfiguration") == {"Status": "Enabled"}
    assert full.tags == {"note": MARKUP}
    assert at(full, "LifecycleConfiguration") == {
        "Rules": [
            {
                "Id": "old",
                "Status": "Enabled",
                "Prefix": "logs/",
                "TagFilters": [{"Key": "a", "Value": "b"}],
                "ExpirationInDays": 90,
                "Transitions": [{"StorageClass": "GLACIER", "TransitionInDays": 30}],
            }
        ]
    }
    for name in (
        "Policy",
        "PublicAccessBlockConfiguration",
        "VersioningConfiguration",
        "LoggingConfiguration",
        "LifecycleConfiguration",
        "Observed.AccountPublicAccessBlock",
    ):
        assert at(bare, name) is None
    assert at(bare, "Observed.MFADelete") == "Disabled"
    assert TIME.fullmatch(at(bare, "Observed.CreationDate"))


def test_a_security_group_has_one_entry_per_source(api: Api) -> None:
    group = named(collected(api, "ec2"), "AWS::EC2::SecurityGroup", "web")
    ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}
    assert group.properties["GroupDescription"] == MARKUP
    assert group.properties["SecurityGroupIngress"] == [
        {**ssh, "CidrIp": "0.0.0.0/0", "Description": "all"},
        {**ssh, "CidrIp": "10.0.0.0/8", "Description": None},
        {**ssh, "CidrIpv6": "::/0", "Description": None},
        {**ssh, "SourceSecurityGroupId": group.properties["GroupId"], "Description": None},
    ]


def test_terminated_instances_are_left_out_and_a_name_is_only_data(api: Api) -> None:
    [instance] = [each for each in collected(api, "ec2") if each.type == "AWS::EC2::Instance"]
    assert (instance.name, instance.tags) == (MARKUP, {"Name": MARKUP})
    assert at(instance, "Observed.State") == "running"


def test_a_trail_of_all_regions_is_collected_wherever_it_is_at_home(api: Api) -> None:
    [trail] = collected(api, "cloudtrail")
    assert (trail.properties["IsMultiRegionTrail"], trail.properties["IsLogging"]) == (True, True)
    assert (trail.region, trail.tags) == ("eu-west-1", {"owner": "audit"})


def test_a_key_is_named_by_its_alias_and_one_that_cannot_rotate_says_so(api: Api) -> None:
    keys = {each.properties["KeySpec"]: each for each in collected(api, "kms")}
    symmetric, asymmetric = keys["SYMMETRIC_DEFAULT"], keys["RSA_2048"]
    assert (symmetric.name, symmetric.tags) == ("alias/data", {"use": "data"})
    assert symmetric.properties["EnableKeyRotation"] is True
    assert asymmetric.properties["EnableKeyRotation"] is None
    assert at(asymmetric, "Observed.Aliases") == []
