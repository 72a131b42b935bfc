"""What the collectors say of what they could not read, or what vanished while they read."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from tests.aws.collectors.world import (
    ACCOUNT,
    LISTINGS,
    READS,
    Clients,
    at,
    collected,
    named,
    why,
)
from tests.serving import serving

from nephoscope_aws.answers import Unavailable
from nephoscope_aws.api import Api
from nephoscope_aws.collectors import ALL
from nephoscope_aws.collectors.account_wide import credential_report
from nephoscope_aws.collectors.shape import document
from nephoscope_aws_simulator.testing import Simulator

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


@pytest.mark.parametrize(("service", "action", "types"), LISTINGS)
def test_a_denied_listing_hides_its_own_types_and_the_others_are_read(
    simulator: Simulator, api: Api, service: str, action: str, types: set[str]
) -> None:
    simulator.control("deny", actions=[action])
    resources = collected(api, service)
    assert sorted(each.type for each in resources if each.unlisted) == sorted(types)
    assert {each.type for each in resources if not each.unlisted} == set(ALL[service].service.types) - types
    for each in resources:
        assert not each.unlisted or why(each.properties)["permission"] == action


def test_what_was_read_before_a_page_failed_is_kept(simulator: Simulator, watched: Callable[..., Api]) -> None:
    asked: list[int] = []

    def one_bucket_a_page(params: dict[str, Any], **_: Any) -> dict[str, Any]:
        asked.append(1)
        if len(asked) == 3:
            simulator.control("deny", actions=["s3:ListAllMyBuckets"], error="ServiceUnavailable")
        return {**params, "MaxBuckets": 1}

    first, second, hidden = collected(watched(s3__ListBuckets=one_bucket_a_page), "s3")
    assert not first.unlisted
    assert not second.unlisted
    assert hidden.unlisted
    assert "ServiceUnavailable" in why(hidden.properties)["reason"]


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


@pytest.mark.parametrize("text", ["", "{not json", "[]", None])
def test_a_document_that_is_no_policy_is_unknown_with_the_reason(text: str | None) -> None:
    assert "the document is not" in why(document(text))["reason"]


def test_a_problem_that_is_no_refusal_is_told_apart(simulator: Simulator, api: Api) -> None:
    simulator.control("deny", actions=["kms:GetKeyPolicy"], error="Throttling")
    simulator.control("deny", actions=["kms:ListResourceTags"], error="OddException")
    for key in collected(api, "kms"):
        assert why(key.properties["KeyPolicy"])["permission"] == ""
        assert "OddException" in why(key.properties["Tags"])["reason"]
    simulator.control("deny", actions=["kms:DescribeKey"], error="ServiceUnavailable")
    with pytest.raises(Unavailable):
        ALL["kms"].reread(api, key)


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
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), FirstPageOnly)) as endpoint:
        api = Api(ACCOUNT, Clients(endpoint), READS)
        dora, *hidden = collected(api, "iam")
        api.close()
    assert sorted(each.type for each in hidden) == sorted(ALL["iam"].service.types)
    assert "not JSON" in why(dora.properties["Policies"][0]["PolicyDocument"])["reason"]
    assert why(at(dora, "Observed.CredentialReport"))["permission"] == "iam:GenerateCredentialReport"
