"""What the collectors read of an account, and what they say of what they could not read."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from moto.iam.aws_managed_policies import aws_managed_policies_data
from nephoscope.domain import ALL_REGIONS, Resource
from nephoscope_aws.api import Api, Denied, Unavailable
from nephoscope_aws.collectors import ALL, account, s3
from nephoscope_aws.collectors.account_wide import credential_report
from nephoscope_aws.collectors.shape import document
from nephoscope_aws_simulator.testing import Simulator, client_for

ACCOUNT = "123456789012"
REGION = "eu-west-1"
EXTRA_REGION = "ap-east-1"
MARKUP = "<script>alert(1)</script>"
READS = {call: action for each in ALL.values() for call, action in each.reads.items()}
TYPES = {type: each.service.id for each in ALL.values() for type in each.service.types}
DOCUMENT = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}  # fmt: skip
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class Clients:
    """Real boto3 clients of one endpoint; ``before`` runs before each call of an operation, as S3's "GetBucketAcl"."""

    def __init__(self, endpoint: str, before: dict[str, Callable[..., Any]] | None = None) -> None:
        self.endpoint, self.before = endpoint, before or {}
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def client(self, service: str, region: str) -> Any:
        with self._lock:
            if (service, region) not in self._clients:
                client = client_for(self.endpoint, service, region or "us-east-1")
                for event, function in self.before.items():
                    client.meta.events.register(f"provide-client-params.{event}", function)
                self._clients[service, region] = client
            return self._clients[service, region]


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator() as simulator:
        seed(simulator)
        yield simulator


@pytest.fixture(scope="module")
def clients(simulator: Simulator) -> Clients:
    return Clients(simulator.endpoint)


@pytest.fixture
def api(simulator: Simulator, clients: Clients) -> Iterator[Api]:
    api = Api(ACCOUNT, clients, READS)
    yield api
    api.close()
    simulator.control("reset-denials", {})


@pytest.fixture
def watched(simulator: Simulator) -> Iterator[Callable[..., Api]]:
    """Makes an Api that runs a function before each call of an operation."""
    made: list[Api] = []

    def make(**before: Callable[..., Any]) -> Api:
        events = {name.replace("__", "."): function for name, function in before.items()}
        made.append(Api(ACCOUNT, Clients(simulator.endpoint, events), READS))
        return made[-1]

    yield make
    for each in made:
        each.close()
    simulator.control("reset-denials", {})


def seed(simulator: Simulator) -> None:
    seed_iam(simulator)
    seed_s3(simulator)
    seed_region(simulator)


def seed_iam(simulator: Simulator) -> None:
    iam = simulator.client("iam")
    iam.create_account_alias(AccountAlias="example")
    iam.update_account_password_policy(MinimumPasswordLength=14)
    iam.create_group(GroupName="admins")
    iam.put_group_policy(GroupName="admins", PolicyName="all", PolicyDocument=json.dumps(DOCUMENT))
    iam.create_user(UserName="anna", Path="/staff/", Tags=[{"Key": "team", "Value": MARKUP}])
    iam.create_login_profile(UserName="anna", Password="correct horse battery")
    iam.add_user_to_group(UserName="anna", GroupName="admins")
    iam.create_access_key(UserName="anna")
    iam.create_user(UserName="berta")
    policy = iam.create_policy(PolicyName="own", PolicyDocument=json.dumps(DOCUMENT), Description=MARKUP)["Policy"]
    iam.attach_user_policy(UserName="berta", PolicyArn=policy["Arn"])
    iam.create_role(
        RoleName="app", AssumeRolePolicyDocument=json.dumps(TRUST), Description="runs", MaxSessionDuration=7200
    )
    iam.upload_server_certificate(ServerCertificateName="old", CertificateBody=certificate(), PrivateKey="key")


def certificate() -> str:
    """A certificate of ten days that ended yesterday."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.not_valid_before(now - timedelta(days=11)).not_valid_after(now - timedelta(days=1))
    signed = builder.serial_number(1).sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def seed_s3(simulator: Simulator) -> None:
    s3 = simulator.client("s3", REGION)
    for name in ("full-bucket", "bare-bucket"):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    simulator.client("s3").create_bucket(Bucket="american-bucket")
    policy = DOCUMENT | {"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*",
                                        "Resource": "arn:aws:s3:::full-bucket/*"}]}  # fmt: skip
    s3.put_bucket_policy(Bucket="full-bucket", Policy=json.dumps(policy))
    s3.put_bucket_versioning(Bucket="full-bucket", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_tagging(Bucket="full-bucket", Tagging={"TagSet": [{"Key": "note", "Value": MARKUP}]})
    s3.put_bucket_lifecycle_configuration(Bucket="full-bucket", LifecycleConfiguration={"Rules": [{
        "ID": "old", "Status": "Enabled", "Filter": {"And": {"Prefix": "logs/", "Tags": [{"Key": "a", "Value": "b"}]}},
        "Transitions": [{"Days": 30, "StorageClass": "GLACIER"}], "Expiration": {"Days": 90}}]})  # fmt: skip
    s3.delete_public_access_block(Bucket="bare-bucket")
    simulator.client("s3control", REGION).create_access_point(AccountId=ACCOUNT, Name="door", Bucket="full-bucket")


def seed_region(simulator: Simulator) -> None:
    ec2 = simulator.client("ec2", REGION)
    group = ec2.create_security_group(GroupName="web", Description=MARKUP)["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
         "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "all"}, {"CidrIp": "10.0.0.0/8"}],
         "Ipv6Ranges": [{"CidrIpv6": "::/0"}], "UserIdGroupPairs": [{"GroupId": group}]}])  # fmt: skip
    started = ec2.run_instances(ImageId="ami-12c6146b", MinCount=2, MaxCount=2, SecurityGroupIds=[group])["Instances"]
    ec2.create_tags(Resources=[started[0]["InstanceId"]], Tags=[{"Key": "Name", "Value": MARKUP}])
    ec2.terminate_instances(InstanceIds=[started[1]["InstanceId"]])
    trail = simulator.client("cloudtrail", REGION)
    trail.create_trail(Name="trail", S3BucketName="full-bucket", IsMultiRegionTrail=True,
                       TagsList=[{"Key": "owner", "Value": "audit"}])  # fmt: skip
    trail.start_logging(Name="trail")
    kms = simulator.client("kms", REGION)
    rotating, *_ = [kms.create_key(Tags=[{"TagKey": "use", "TagValue": "data"}])["KeyMetadata"]["KeyId"],
                    kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")]  # fmt: skip
    kms.enable_key_rotation(KeyId=rotating)
    kms.create_alias(AliasName="alias/data", TargetKeyId=rotating)


def collected(api: Api, service: str, region: str = REGION) -> list[Resource]:
    collector = ALL[service]
    return list(collector.collect(api, region if collector.service.regional else ALL_REGIONS))


def everything(api: Api) -> list[Resource]:
    return [resource for service in ALL for resource in collected(api, service)]


def named(resources: list[Resource], type: str, name: str) -> Resource:
    return next(each for each in resources if each.type == type and each.name == name)


def at(resource: Resource, path: str) -> Any:
    value: Any = resource.properties
    for name in path.split("."):
        value = value[name]
    return value


def why(value: Any) -> dict[str, str]:
    """The reason and permission of an unknown value."""
    assert list(value) == ["$unknown"], value
    found: dict[str, str] = value["$unknown"]
    return found


def test_every_type_of_every_service_is_collected_and_no_other(api: Api) -> None:
    for service, collector in ALL.items():
        resources = collected(api, service)
        assert {each.type for each in resources} == set(collector.service.types)
        assert all(each.readable and each.account == ACCOUNT for each in resources)
        assert "$unknown" not in json.dumps([each.properties for each in resources])


def test_ids_are_unique_and_resources_are_json(api: Api) -> None:
    resources = everything(api)
    assert len({each.id for each in resources}) == len(resources)
    json.dumps([each.properties for each in resources])


def test_every_property_is_of_the_published_schema(api: Api) -> None:
    exceptions = {**s3.SYNTHETIC, **account.SYNTHETIC}
    for resource in everything(api):
        known = set(exceptions.get(resource.type, ())) | {"Observed"}
        if resource.type != account.ACCOUNT:
            known |= set(PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource.type).schema["properties"])
        assert set(resource.properties) <= known, resource.type


def test_every_permission_is_an_action_that_aws_names_in_its_own_policies() -> None:
    named_by_aws = set(re.findall(r'"([a-z0-9-]+:[A-Za-z]+)"', json.dumps(json.loads(aws_managed_policies_data))))
    assert set(READS.values()) <= named_by_aws


def test_the_account_tells_its_name_password_policy_and_root_user(api: Api) -> None:
    [found] = collected(api, "account")
    assert (found.id, found.name, found.region) == (f"arn:aws:iam::{ACCOUNT}:root", "example", ALL_REGIONS)
    assert at(found, "PasswordPolicy.MinimumPasswordLength") == 14
    assert at(found, "PasswordPolicy.PasswordReusePrevention") is None
    assert at(found, "PublicAccessBlockConfiguration") is None
    assert at(found, "Observed.RootCredentials") == {"PasswordLastUsed": None, "AccessKeys": [], "MfaActive": False}


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
        "full-bucket": REGION, "bare-bucket": REGION, "american-bucket": "us-east-1"}  # fmt: skip
    assert at(full, "Policy")["Statement"][0]["Effect"] == "Deny"
    assert at(full, "VersioningConfiguration") == {"Status": "Enabled"}
    assert full.tags == {"note": MARKUP}
    assert at(full, "LifecycleConfiguration") == {"Rules": [{
        "Id": "old", "Status": "Enabled", "Prefix": "logs/", "TagFilters": [{"Key": "a", "Value": "b"}],
        "ExpirationInDays": 90, "Transitions": [{"StorageClass": "GLACIER", "TransitionInDays": 30}]}]}  # fmt: skip
    for name in ("Policy", "PublicAccessBlockConfiguration", "VersioningConfiguration", "LoggingConfiguration",
                 "LifecycleConfiguration", "Observed.AccountPublicAccessBlock"):  # fmt: skip
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


def test_a_trail_is_collected_in_its_home_region_only(api: Api) -> None:
    [trail] = collected(api, "cloudtrail")
    assert (trail.properties["IsMultiRegionTrail"], trail.properties["IsLogging"]) == (True, True)
    assert trail.tags == {"owner": "audit"}
    assert collected(api, "cloudtrail", "us-east-1") == []


def test_a_key_is_named_by_its_alias_and_one_that_cannot_rotate_says_so(api: Api) -> None:
    keys = {each.properties["KeySpec"]: each for each in collected(api, "kms")}
    symmetric, asymmetric = keys["SYMMETRIC_DEFAULT"], keys["RSA_2048"]
    assert (symmetric.name, symmetric.tags) == ("alias/data", {"use": "data"})
    assert symmetric.properties["EnableKeyRotation"] is True
    assert asymmetric.properties["EnableKeyRotation"] is None
    assert at(asymmetric, "Observed.Aliases") == []


PARTS = [
    ("account", "iam:GetAccountPasswordPolicy", "PasswordPolicy"),
    ("account", "s3:GetAccountPublicAccessBlock", "PublicAccessBlockConfiguration"),
    ("account", "iam:GetCredentialReport", "Observed.RootCredentials"),
    ("iam", "iam:GenerateCredentialReport", "Observed.CredentialReport"),
    ("iam", "iam:ListRoles", "MaxSessionDuration"),
    ("s3", "s3:GetBucketPolicy", "Policy"),
    ("s3", "s3:GetBucketAcl", "Observed.AclGrants"),
    ("s3", "s3:GetBucketPublicAccessBlock", "PublicAccessBlockConfiguration"),
    ("s3", "s3:GetEncryptionConfiguration", "BucketEncryption"),
    ("s3", "s3:GetBucketTagging", "Tags"),
    ("s3", "s3:GetAccountPublicAccessBlock", "Observed.AccountPublicAccessBlock"),
    ("s3control", "s3:GetAccessPoint", "PublicAccessBlockConfiguration"),
    ("cloudtrail", "cloudtrail:GetTrailStatus", "IsLogging"),
    ("cloudtrail", "cloudtrail:GetEventSelectors", "EventSelectors"),
    ("kms", "kms:DescribeKey", "Observed.KeyState"),
    ("kms", "kms:GetKeyPolicy", "KeyPolicy"),
    ("kms", "kms:ListAliases", "Observed.Aliases"),
]


@pytest.mark.parametrize(("service", "action", "path"), PARTS)
def test_a_denied_detail_is_unknown_with_its_permission_and_nothing_else_is(
    simulator: Simulator, api: Api, service: str, action: str, path: str
) -> None:
    before = {each.id: each.properties for each in collected(api, service)}
    simulator.control("deny", actions=[action])
    again = Api(ACCOUNT, Clients(simulator.endpoint), READS)
    after = {each.id: each for each in collected(again, service)}
    assert after.keys() == before.keys()
    hit = [each for each in after.values() if "$unknown" in json.dumps(each.properties)]
    assert hit
    for resource in hit:
        assert why(at(resource, path))["permission"] == action
        same = {name for name, value in resource.properties.items() if "$unknown" not in json.dumps(value)}
        assert all(resource.properties[name] == before[resource.id][name] for name in same)
    again.close()


LISTINGS = [
    ("iam", "iam:ListServerCertificates", {"AWS::IAM::ServerCertificate"}),
    ("iam", "iam:ListAccessKeys", {"AWS::IAM::AccessKey"}),
    ("iam", "iam:GetAccountAuthorizationDetails", set(ALL["iam"].service.types) - {"AWS::IAM::ServerCertificate"}),
    ("s3", "s3:ListAllMyBuckets", {"AWS::S3::Bucket"}),
    ("s3control", "s3:ListAccessPoints", {"AWS::S3::AccessPoint"}),
    ("ec2", "ec2:DescribeInstances", {"AWS::EC2::Instance"}),
    ("cloudtrail", "cloudtrail:DescribeTrails", {"AWS::CloudTrail::Trail"}),
    ("kms", "kms:ListKeys", {"AWS::KMS::Key"}),
]


@pytest.mark.parametrize(("service", "action", "types"), LISTINGS)
def test_a_denied_listing_hides_its_own_types_and_the_others_are_read(
    simulator: Simulator, api: Api, service: str, action: str, types: set[str]
) -> None:
    simulator.control("deny", actions=[action])
    resources = collected(api, service)
    assert sorted(each.type for each in resources if not each.readable) == sorted(types)
    assert {each.type for each in resources if each.readable} == set(ALL[service].service.types) - types
    for each in resources:
        assert each.readable or why(each.properties)["permission"] == action


def test_what_was_read_before_a_page_failed_is_kept(simulator: Simulator, watched: Callable[..., Api]) -> None:
    asked: list[int] = []

    def one_bucket_a_page(params: dict[str, Any], **_: Any) -> dict[str, Any]:
        asked.append(1)
        if len(asked) == 3:
            simulator.control("deny", actions=["s3:ListAllMyBuckets"], error="ServiceUnavailable")
        return {**params, "MaxBuckets": 1}

    first, second, hidden = collected(watched(s3__ListBuckets=one_bucket_a_page), "s3")
    assert first.readable
    assert second.readable
    assert not hidden.readable
    assert "ServiceUnavailable" in why(hidden.properties)["reason"]


def test_a_region_that_is_not_enabled_is_unreadable_for_all_its_types(simulator: Simulator, api: Api) -> None:
    for service, collector in ALL.items():
        if collector.service.regional:
            resources = collected(api, service, EXTRA_REGION)
            assert [each.type for each in resources if not each.readable] == list(collector.service.types), service
            assert all(why(each.properties)["reason"] for each in resources)


def test_a_dead_endpoint_leaves_nothing_but_stand_ins_and_an_unknown_account() -> None:
    api = Api(ACCOUNT, Clients("http://127.0.0.1:9"), READS)
    [found, *others] = everything(api)
    assert all(why(value) for name, value in found.properties.items() if name != "Observed")
    assert sorted(each.type for each in others) == sorted(set(TYPES) - {account.ACCOUNT})
    assert not any(each.readable for each in others)
    api.close()


def test_a_bucket_deleted_between_list_and_detail_is_dropped(simulator: Simulator, watched: Callable[..., Api]) -> None:
    simulator.client("s3").create_bucket(Bucket="short-lived")

    def delete(params: dict[str, Any], **_: Any) -> None:
        if params["Bucket"] == "short-lived":
            simulator.client("s3").delete_bucket(Bucket="short-lived")

    names = {each.name for each in collected(watched(s3__GetBucketTagging=delete), "s3")}
    assert names == {"full-bucket", "bare-bucket", "american-bucket"}


def test_a_user_deleted_between_list_and_keys_has_none(simulator: Simulator, watched: Callable[..., Api]) -> None:
    iam = simulator.client("iam")
    iam.create_user(UserName="gone")
    key = iam.create_access_key(UserName="gone")["AccessKey"]["AccessKeyId"]

    def delete(params: dict[str, Any], **_: Any) -> None:
        if params["UserName"] == "gone":
            iam.delete_access_key(UserName="gone", AccessKeyId=key)
            iam.delete_user(UserName="gone")

    keys = [
        each for each in collected(watched(iam__ListAccessKeys=delete), "iam") if each.type == "AWS::IAM::AccessKey"
    ]
    assert [each.properties["UserName"] for each in keys] == ["anna"]


def test_a_user_younger_than_the_report_is_unknown_in_it_but_its_keys_are_found(simulator: Simulator, api: Api) -> None:
    credential_report(api)
    iam = simulator.client("iam")
    iam.create_user(UserName="young")
    key = iam.create_access_key(UserName="young")["AccessKey"]["AccessKeyId"]
    found = collected(api, "iam")
    young = named(found, "AWS::IAM::User", "young")
    assert "does not hold this user yet" in why(at(young, "Observed.CredentialReport"))["reason"]
    assert named(found, "AWS::IAM::AccessKey", key)
    iam.delete_access_key(UserName="young", AccessKeyId=key)
    iam.delete_user(UserName="young")


@pytest.mark.parametrize("type", TYPES)
def test_reading_one_again_gives_the_same_shape_as_collecting_it(api: Api, type: str) -> None:
    collector = ALL[TYPES[type]]
    for resource in collected(api, TYPES[type]):
        if resource.type == type:
            again = collector.reread(api, resource)
            assert again == resource


@pytest.mark.parametrize("type", [type for type in TYPES if type != account.ACCOUNT])
def test_reading_again_what_is_gone_gives_none(api: Api, type: str) -> None:
    known = next(each for each in collected(api, TYPES[type]) if each.type == type)
    absent = known.id.replace(known.id[-8:], "0badc0de")
    gone = Resource(type, absent, "no-such-name", known.region, ACCOUNT, known.properties)
    assert ALL[TYPES[type]].reread(api, gone) is None


@pytest.mark.parametrize(
    ("service", "action", "types"), [each for each in LISTINGS if each[0] not in ("s3control", "kms")]
)
def test_reading_again_raises_when_existence_cannot_be_read(
    simulator: Simulator, api: Api, service: str, action: str, types: set[str]
) -> None:
    known = next(each for each in collected(api, service) if each.type in types)
    simulator.control("deny", actions=[action])
    with pytest.raises(Denied, match=action):
        ALL[service].reread(api, known)


def test_a_user_read_again_shows_a_fix_that_the_credential_report_does_not_know(simulator: Simulator, api: Api) -> None:
    iam = simulator.client("iam")
    iam.create_user(UserName="carl")
    iam.create_login_profile(UserName="carl", Password="correct horse battery")
    key = iam.create_access_key(UserName="carl")["AccessKey"]["AccessKeyId"]
    carl = named(collected(api, "iam"), "AWS::IAM::User", "carl")
    iam.delete_login_profile(UserName="carl")
    iam.update_access_key(UserName="carl", AccessKeyId=key, Status="Inactive")
    again = ALL["iam"].reread(api, carl)
    assert again
    assert at(carl, "Observed.CredentialReport.PasswordEnabled") is True
    assert at(again, "Observed.CredentialReport.PasswordEnabled") is False
    assert [each["Active"] for each in at(again, "Observed.CredentialReport.AccessKeys")] == [False]
    iam.delete_access_key(UserName="carl", AccessKeyId=key)
    iam.delete_user(UserName="carl")


@pytest.mark.parametrize("text", ["", "{not json", "[]", None])
def test_a_document_that_is_no_policy_is_unknown_with_the_reason(text: str | None) -> None:
    assert "the document is not" in why(document(text))["reason"]


def test_the_calls_are_as_few_as_the_docstrings_say(simulator: Simulator, api: Api) -> None:
    credential_report(api)
    made = {}
    for service in ALL:
        before = api.calls
        collected(api, service)
        made[service] = api.calls - before
    assert made == {
        "account": 5, "iam": 4, "s3": 1 + 9 * 3 + 1, "s3control": 2, "ec2": 3, "cloudtrail": 4, "kms": 2 + 4 + 3
    }  # fmt: skip


DETAILS = """<GetAccountAuthorizationDetailsResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
<GetAccountAuthorizationDetailsResult><IsTruncated>true</IsTruncated><Marker>more</Marker><UserDetailList><member>
<UserName>dora</UserName><Path>/</Path><Arn>arn:aws:iam::123456789012:user/dora</Arn><UserPolicyList><member>
<PolicyName>odd</PolicyName><PolicyDocument>%7Bodd</PolicyDocument></member></UserPolicyList></member></UserDetailList>
</GetAccountAuthorizationDetailsResult></GetAccountAuthorizationDetailsResponse>"""
REFUSAL = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"


class FirstPageOnly(BaseHTTPRequestHandler):
    """An IAM that gives the first page of the authorization details and denies everything else."""

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
        first = "GetAccountAuthorizationDetails" in asked and "Marker" not in asked
        body = (DETAILS if first else REFUSAL).encode()
        self.send_response(200 if first else 403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None: ...


def test_iam_that_stops_after_a_page_gives_that_page_and_stand_ins_for_the_rest() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), FirstPageOnly) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        api = Api(ACCOUNT, Clients(f"http://127.0.0.1:{server.server_port}"), READS)
        dora, *hidden = collected(api, "iam")
        api.close()
        server.shutdown()
    assert sorted(each.type for each in hidden) == sorted(ALL["iam"].service.types)
    assert "not JSON" in why(dora.properties["Policies"][0]["PolicyDocument"])["reason"]
    assert why(at(dora, "Observed.CredentialReport"))["permission"] == "iam:GenerateCredentialReport"


def test_a_problem_that_is_no_refusal_is_told_apart(simulator: Simulator, api: Api) -> None:
    simulator.control("deny", actions=["kms:GetKeyPolicy"], error="Throttling")
    simulator.control("deny", actions=["kms:ListResourceTags"], error="OddException")
    for key in collected(api, "kms"):
        assert why(key.properties["KeyPolicy"])["permission"] == ""
        assert "OddException" in why(key.properties["Tags"])["reason"]
    simulator.control("deny", actions=["kms:DescribeKey"], error="ServiceUnavailable")
    with pytest.raises(Unavailable):
        ALL["kms"].reread(api, key)
