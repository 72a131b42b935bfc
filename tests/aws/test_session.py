"""Connecting to an AWS account, reading it through an Api, and writing within what was approved."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from nephoscope.domain import Call, Connection, ConnectionProblem, Permission
from nephoscope_aws.answers import Unavailable
from nephoscope_aws.api import Api, Denied
from nephoscope_aws.call import aws_call
from nephoscope_aws.clients import new_session
from nephoscope_aws.connect import connect, hindrance, own_principal, renewing
from nephoscope_aws.provider import AwsProvider
from nephoscope_aws.session import AwsSession
from nephoscope_aws.settings import parse_role_arn
from nephoscope_aws_simulator.testing import Cloud, Simulator

ACCOUNT = "333333333333"
OTHER = "210987654321"
ADMINISTRATOR = f"arn:aws:iam::{ACCOUNT}:user/simulator-administrator"
READ = f"arn:aws:iam::{ACCOUNT}:role/nephoscope-read"
WRITE = f"arn:aws:iam::{ACCOUNT}:role/nephoscope-fix"
READS = {
    ("iam", "list_users"): "iam:ListUsers",
    ("iam", "get_user"): "iam:GetUser",
    ("s3", "list_buckets"): "s3:ListAllMyBuckets",
    ("s3", "get_bucket_policy"): "s3:GetBucketPolicy",
    ("s3", "list_objects_v2"): "s3:ListBucket",
    ("ec2", "describe_vpcs"): "ec2:DescribeVpcs",
    ("ec2", "describe_account_attributes"): "ec2:DescribeAccountAttributes",
    ("kms", "list_keys"): "kms:ListKeys",
    ("s3control", "list_access_points"): "s3:ListAccessPoints",
}


def make_role(simulator: Cloud, name: str, external_id: str, *actions: str, account: str = ACCOUNT) -> None:
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": ADMINISTRATOR},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
    }
    allowed = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    iam = simulator.client("iam", account=account)
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))
    iam.put_role_policy(RoleName=name, PolicyName="nephoscope", PolicyDocument=_policy(allowed))


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="module")
def simulator(company: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    simulator = company.other(ACCOUNT)
    config = tmp_path_factory.mktemp("aws") / "config"
    config.write_text("[profile other]\naws_access_key_id = AKIA210987654321BASE\naws_secret_access_key = simulator\n")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in simulator.env().items():
            patch.setenv(name, value)
        patch.setenv("AWS_CONFIG_FILE", str(config))
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(config.parent / "none"))
        make_role(simulator, "nephoscope-read", "read-word", "s3:*", "ec2:Describe*", "iam:*", "kms:List*")
        make_role(simulator, "nephoscope-fix", "write-word", "s3:*")
        make_role(simulator, "nephoscope-read", "other-word", "s3:*", account=OTHER)
        simulator.client("s3").create_bucket(Bucket="first-bucket")
        simulator.client("s3", account=OTHER).create_bucket(Bucket="other-bucket")
        yield simulator


@pytest.fixture(autouse=True)
def undo_denials(simulator: Cloud) -> Iterator[None]:
    yield
    simulator.control("reset-denials", {})
    simulator.control("regions", disabled=[])


@pytest.fixture
def api(simulator: Cloud) -> Iterator[Api]:
    connected = connect(reading())
    api = Api(connected.account, connected.clients, READS)
    yield api
    api.close()


def reading(**settings: str) -> Connection:
    return Connection("", {"role_arn": READ, "external_id": "read-word"} | settings)


def writing(**settings: str) -> Connection:
    return Connection(ACCOUNT, {"write_role_arn": WRITE, "write_external_id": "write-word"} | settings)


def problem(act: Callable[[], object]) -> ConnectionProblem:
    with pytest.raises(ConnectionProblem) as caught:
        act()
    assert "simulator" not in caught.value.message.replace("simulator-administrator", ""), "the secret key was told"
    return caught.value


# -- Connecting ------------------------------------------------------------------------------------


def test_a_role_is_assumed_with_its_external_id(simulator: Cloud) -> None:
    connected = connect(reading())
    assert connected.account == ACCOUNT
    assert connected.principal == f"arn:aws:sts::{ACCOUNT}:assumed-role/nephoscope-read/nephoscope"


def test_without_a_role_the_account_of_the_own_credentials_is_reached(simulator: Cloud) -> None:
    assert connect(Connection("", {})).principal == ADMINISTRATOR == own_principal({})


def test_a_profile_is_where_the_credentials_come_from(simulator: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert connect(Connection("", {"profile": "other"})).account == OTHER


@pytest.mark.parametrize(
    "settings",
    [
        {"external_id": "wrong-word"},
        {"external_id": ""},
        {"role_arn": f"arn:aws:iam::{ACCOUNT}:role/nobody"},
        {"role_arn": "arn:aws:iam::999999999999:role/nephoscope-read"},
    ],
)
def test_a_role_that_lets_nobody_in_is_explained_on_its_field(simulator: Cloud, settings: dict[str, str]) -> None:
    found = problem(lambda: connect(reading(**settings)))
    assert found.field == "role_arn"
    assert "does not exist" in found.message
    assert "external ID" in found.message
    assert f"does not trust {ADMINISTRATOR}" in found.message


def test_the_role_for_fixes_is_named_when_it_is_the_one_at_fault(simulator: Cloud) -> None:
    wrong = writing(write_external_id="wrong-word")
    found = problem(lambda: AwsProvider.writing.open(wrong, [Permission("s3:PutBucketPolicy")]))
    assert found.field == "write_role_arn"


@pytest.mark.parametrize("settings", [{"role_arn": READ, "external_id": "read-word"}, {}])
def test_another_account_than_expected_is_refused_with_both_numbers(simulator: Cloud, settings: dict[str, str]) -> None:
    found = problem(lambda: connect(Connection(OTHER, settings)))
    assert found.field == "account"
    assert ACCOUNT in found.message
    assert OTHER in found.message


def test_a_profile_that_does_not_exist_is_named(simulator: Cloud) -> None:
    found = problem(lambda: connect(reading(profile="nobody")))
    assert found.field == "profile"
    assert "'nobody'" in found.message


@pytest.mark.parametrize(("connection", "field"), [(reading(), "role_arn"), (Connection("", {}), "profile")])
def test_missing_credentials_are_explained(
    simulator: Cloud, monkeypatch: pytest.MonkeyPatch, connection: Connection, field: str
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    found = problem(lambda: connect(connection))
    assert found.field == field
    assert "AWS_ACCESS_KEY_ID" in found.message
    assert own_principal({}) == ""
    assert hindrance({}) == "", "the profile could be named"
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    assert hindrance({}) == hindrance({"profile": ""}) == found.message


def test_nothing_hinders_credentials_that_work_and_refused_ones_do(simulator: Cloud) -> None:
    assert hindrance({}) == "" == hindrance({"profile": "other"})
    simulator.control("deny", actions=["sts:GetCallerIdentity"], error="InvalidCredentials")
    assert "AWS refuses Nephoscope's own credentials (InvalidClientTokenId)" in hindrance({})


def test_a_dead_endpoint_is_explained(simulator: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert "could not be reached" in problem(lambda: connect(reading())).message


def test_credentials_that_aws_refuses_are_explained(simulator: Cloud) -> None:
    simulator.control("deny", actions=["sts:AssumeRole"], error="InvalidCredentials")
    assert "InvalidClientTokenId" in problem(lambda: connect(reading())).message


def test_assumed_credentials_renew_themselves(simulator: Cloud) -> None:
    role = parse_role_arn("role_arn", READ)
    # 900 seconds is within the quarter of an hour before expiry in which botocore renews
    credentials = renewing(new_session(), "us-east-1", role, "read-word", "", seconds=900)
    first, second = (credentials.get_frozen_credentials().access_key for _ in range(2))
    assert first != second


def test_two_sessions_never_share_credentials(simulator: Cloud) -> None:
    provider = AwsProvider()
    sessions = {
        account: provider.open(Connection(account, {"role_arn": READ.replace(ACCOUNT, account), "external_id": word}))
        for account, word in ((ACCOUNT, "read-word"), (OTHER, "other-word"))
    }
    call = aws_call("s3", "list_buckets", {}, Permission("s3:ListAllMyBuckets"))

    def names(session: AwsSession) -> list[str]:
        return [bucket["Name"] for bucket in (session.read(call) or {})["Buckets"]]

    with ThreadPoolExecutor(8) as pool:
        asked = [account for _ in range(20) for account in sessions]
        found = pool.map(lambda account: names(sessions[account]), asked)
    expected = {ACCOUNT: ["first-bucket"], OTHER: ["other-bucket"]}
    assert list(found) == [expected[account] for account in asked]


# -- Reading ---------------------------------------------------------------------------------------


def test_a_call_answers_without_metadata_and_is_counted(api: Api) -> None:
    assert [bucket["Name"] for bucket in api.call("s3", "list_buckets")["Buckets"]] == ["first-bucket"]
    assert "ResponseMetadata" not in api.call("ec2", "describe_vpcs", region="eu-west-1")
    assert api.calls == 2


def test_a_call_that_nobody_declared_is_never_sent(simulator: Cloud, api: Api) -> None:
    simulator.control("calls/reset", {})
    with pytest.raises(LookupError, match=r"s3\.delete_bucket"):
        api.call("s3", "delete_bucket", Bucket="first-bucket")
    with pytest.raises(LookupError):
        list(api.pages("s3", "list_multipart_uploads", "Uploads", Bucket="first-bucket"))
    assert simulator.control("calls")["total"] == 0


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("s3", "get_bucket_policy", {"Bucket": "first-bucket"}),
        ("ec2", "describe_vpcs", {}),
        ("iam", "list_users", {}),
        ("kms", "list_keys", {}),
        ("s3control", "list_access_points", {"AccountId": ACCOUNT}),
    ],
)
def test_a_refusal_in_any_protocol_names_the_permission(
    simulator: Cloud, api: Api, service: str, operation: str, parameters: dict[str, str]
) -> None:
    permission = READS[service, operation]
    simulator.control("deny", actions=[permission])
    with pytest.raises(Denied, match=f"{permission} is not allowed because no identity-based policy") as caught:
        api.call(service, operation, **parameters)
    assert caught.value.permission == permission


def test_a_refusal_between_pages_names_the_permission_too(simulator: Cloud, api: Api) -> None:
    simulator.control("deny", actions=["iam:ListUsers"])
    with pytest.raises(Denied, match="iam:ListUsers"):
        list(api.pages("iam", "list_users", "Users"))


def test_a_region_that_is_not_enabled_is_unavailable(simulator: Cloud, api: Api) -> None:
    simulator.control("regions", disabled=["eu-south-1"])
    for service, operation in (("ec2", "describe_vpcs"), ("kms", "list_keys")):
        with pytest.raises(Unavailable):
            api.call(service, operation, region="eu-south-1")


def test_throttling_is_waited_out(simulator: Cloud, api: Api) -> None:
    simulator.control("deny", actions=["ec2:DescribeVpcs"], error="Throttling", times=2)
    assert api.call("ec2", "describe_vpcs")["Vpcs"]


def test_what_is_not_there_is_none_and_other_errors_are_not(simulator: Cloud, api: Api) -> None:
    missing = ("NoSuchBucketPolicy",)
    assert api.maybe("s3", "get_bucket_policy", missing, Bucket="first-bucket") is None
    with pytest.raises(ClientError):
        api.maybe("s3", "get_bucket_policy", missing, Bucket="no-such-bucket-anywhere")


def test_pages_follow_one_another(simulator: Cloud, api: Api) -> None:
    for number in range(5):
        simulator.client("s3").put_object(Bucket="first-bucket", Key=f"object-{number}")
    pages = {"PageSize": 2}
    found = api.pages("s3", "list_objects_v2", "Contents", Bucket="first-bucket", PaginationConfig=pages)
    assert [each["Key"] for each in found] == [f"object-{number}" for number in range(5)]
    assert api.calls == 3


def test_an_operation_without_pages_is_called_once(api: Api) -> None:
    assert list(api.pages("ec2", "describe_account_attributes", "AccountAttributes"))
    assert api.calls == 1


# -- The session and the writer --------------------------------------------------------------------


def test_reading_for_a_fix_gives_none_for_what_does_not_exist(simulator: Cloud) -> None:
    session = AwsProvider().open(reading())
    policy = aws_call(
        "s3", "get_bucket_policy", {"Bucket": "first-bucket"}, Permission("s3:GetBucketPolicy"), region="us-east-1"
    )
    assert session.read(policy) is None
    simulator.control("deny", actions=["s3:GetBucketPolicy"])
    with pytest.raises(Denied, match="s3:GetBucketPolicy"):
        session.read(policy)
    session.close()


def test_a_reading_session_sends_nothing_that_writes(simulator: Cloud) -> None:
    session = AwsProvider().open(Connection("", {}))
    with pytest.raises(ValueError, match="not a reading call"):
        session.read(aws_call("s3", "delete_bucket", {"Bucket": "first-bucket"}, Permission("s3:DeleteBucket")))


def test_the_regions_are_listed_with_whether_they_are_enabled(simulator: Cloud) -> None:
    regions = {region.id: region.enabled for region in AwsProvider.onboarding.regions(reading())}
    assert regions["eu-west-1"]
    assert len(regions) > 15
    simulator.control("deny", actions=["ec2:DescribeRegions"])
    assert "ec2:DescribeRegions" in problem(lambda: AwsProvider.onboarding.regions(reading())).message


def put_versioning(bucket: str) -> Call:
    parameters = {"Bucket": bucket, "VersioningConfiguration": {"Status": "Enabled"}}
    return aws_call("s3", "put_bucket_versioning", parameters, Permission("s3:PutBucketVersioning"), region="us-east-1")


def test_a_writer_can_do_what_was_approved_and_nothing_else(simulator: Cloud) -> None:
    approved = Permission("s3:PutBucketVersioning", "arn:aws:s3:::first-bucket")
    writer = AwsProvider.writing.open(writing(), [approved])
    writer.write(put_versioning("first-bucket"))
    assert simulator.client("s3").get_bucket_versioning(Bucket="first-bucket")["Status"] == "Enabled"
    simulator.client("s3").create_bucket(Bucket="second-bucket")
    with pytest.raises(Denied):  # though the role itself may do all of S3
        writer.write(put_versioning("second-bucket"))
    with pytest.raises(Denied):
        writer.write(aws_call("s3", "delete_bucket", {"Bucket": "first-bucket"}, Permission("s3:DeleteBucket")))


def test_a_plan_whose_permissions_do_not_fit_one_session_takes_several(simulator: Cloud) -> None:
    names = [f"bucket-{number:040}" for number in range(60)]
    approved = [Permission("s3:PutBucketVersioning", f"arn:aws:s3:::{name}") for name in names]
    simulator.client("s3").create_bucket(Bucket=names[-1])
    simulator.control("calls/reset", {})
    writer = AwsProvider.writing.open(writing(), approved)
    call = put_versioning(names[-1])
    writer.write(replace(call, permissions=(approved[-1],)))
    assert simulator.client("s3").get_bucket_versioning(Bucket=names[-1])["Status"] == "Enabled"
    assert simulator.control("calls")["operations"]["sts:AssumeRole"] == 2
    with pytest.raises(Denied):
        writer.write(put_versioning("first-bucket"))


def test_without_a_role_for_fixes_nothing_can_be_opened_for_writing(simulator: Cloud) -> None:
    found = problem(lambda: AwsProvider.writing.open(reading(), [Permission("s3:PutBucketPolicy")]))
    assert found.field == "write_role_arn"
    assert "create the role" in found.message


def test_clients_of_one_service_and_region_are_made_once(simulator: Cloud) -> None:
    clients = connect(reading()).clients
    assert clients.client("s3", "eu-west-1") is clients.client("s3", "eu-west-1")
    assert clients.client("s3", "eu-west-1") is not clients.client("s3", "eu-west-2")


def test_every_collector_collects_a_company(aws: Cloud) -> None:
    provider = AwsProvider()
    session = provider.open(Connection("", {}))
    found = {
        service.id: list(session.collect(service.id, "us-east-1" if service.regional else "global"))
        for service in provider.services
        if not service.detections
    }
    assert len(list(provider.detections.read(session, "guardduty_findings", "us-east-1", None, ()))) == 4
    types = {resource.type for resources in found.values() for resource in resources}
    assert types <= {type for service in provider.services for type in service.types}
    assert all(not resource.unlisted for resources in found.values() for resource in resources)
    assert {"AWS::::Account", "AWS::S3::Bucket", "AWS::IAM::User", "AWS::EC2::SecurityGroup"} <= types
    bucket = next(resource for resource in found["s3"])
    assert session.reread(bucket) == bucket
    session.close()
