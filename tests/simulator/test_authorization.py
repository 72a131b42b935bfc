"""Who may assume a role, and what a session of it may do: as AWS decides, over real HTTP."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.session import Session
from tests.simulator.documents import ACCOUNT, OTHER_ACCOUNT, document, refused, trust

from nephoscope_aws.provider import reads
from nephoscope_aws_simulator.actions import iam_action
from nephoscope_aws_simulator.company import create_role
from nephoscope_aws_simulator.testing import Simulator
from nephoscope_aws_simulator.wire import Call


def test_a_role_is_assumed_with_its_external_id_and_its_session_is_known(
    simulator: Simulator, guarded_role: str
) -> None:
    credentials = simulator.assume(guarded_role, external_id="right-word")
    identity = simulator.client("sts", credentials=credentials).get_caller_identity()
    assert identity["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/guarded/test"


@pytest.mark.parametrize("external_id", ["wrong-word", "RIGHT-WORD", None])
def test_a_role_with_a_wrong_external_id_cannot_be_assumed(
    simulator: Simulator, guarded_role: str, external_id: str | None
) -> None:
    error = refused(simulator.assume, role_arn=guarded_role, external_id=external_id)
    caller = f"arn:aws:iam::{ACCOUNT}:user/simulator-administrator"
    assert error["Code"] == "AccessDenied"
    words = "is not authorized to perform: sts:AssumeRole on resource:"
    assert error["Message"] == f"User: {caller} {words} {guarded_role}"


def test_a_role_that_does_not_exist_is_refused_in_the_same_words(simulator: Simulator) -> None:
    for account in (ACCOUNT, "999999999999"):
        error = refused(simulator.assume, role_arn=f"arn:aws:iam::{account}:role/nobody")
        assert error["Code"] == "AccessDenied"
        assert "is not authorized to perform: sts:AssumeRole on resource" in error["Message"]


def test_a_role_that_trusts_another_account_cannot_be_assumed_from_this_one(simulator: Simulator) -> None:
    error = refused(simulator.assume, role_arn=f"arn:aws:iam::{ACCOUNT}:role/vendor-monitoring")
    assert error["Code"] == "AccessDenied"


def test_a_role_of_another_account_is_assumed_when_it_trusts_the_caller(simulator: Simulator) -> None:
    iam = simulator.client("iam", account=OTHER_ACCOUNT)
    role = iam.create_role(RoleName="guest", Path="/teams/", AssumeRolePolicyDocument=json.dumps(trust()))["Role"]
    iam.put_role_policy(RoleName="guest", PolicyName="p", PolicyDocument=json.dumps(document("s3:ListAllMyBuckets")))
    credentials = simulator.assume(role["Arn"])
    assert simulator.client("sts", credentials=credentials).get_caller_identity()["Account"] == OTHER_ACCOUNT
    assert simulator.client("s3", credentials=credentials).list_buckets()["Buckets"] == []


def test_a_session_policy_that_is_too_long_or_no_json_is_refused(simulator: Simulator, storage_role: str) -> None:
    error = refused(simulator.assume, role_arn=storage_role, policy=document("s3:Get*", ["arn:aws:s3:::x"] * 200))
    assert (error["Code"], "2048" in error["Message"]) == ("ValidationError", True)
    sts = simulator.client("sts")
    error = refused(sts.assume_role, RoleArn=storage_role, RoleSessionName="test", Policy="{")
    assert error["Code"] == "MalformedPolicyDocument"


def test_a_request_that_is_not_signed_is_refused(simulator: Simulator) -> None:
    for path in ("/", "/northwind-public-assets?policy"):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{simulator.endpoint}{path}", timeout=5)
        assert (caught.value.code, b"<Code>AccessDenied</Code>" in caught.value.read()) == (403, True)


def test_the_buckets_of_another_account_are_out_of_reach(simulator: Simulator) -> None:
    simulator.client("s3", account=OTHER_ACCOUNT).create_bucket(Bucket="not-ours")
    assert refused(simulator.client("s3").get_bucket_tagging, Bucket="not-ours")["Code"] == "AccessDenied"


def test_unknown_temporary_credentials_are_refused(simulator: Simulator, storage_role: str) -> None:
    credentials = simulator.assume(storage_role)
    for change in ({"SessionToken": "another"}, {"AccessKeyId": "ASIA0000000000000000"}):
        error = refused(simulator.client("iam", credentials=credentials | change).list_users)
        assert error["Code"] == "InvalidClientTokenId"


def test_a_session_may_do_what_its_role_allows_and_nothing_else(simulator: Simulator, storage_role: str) -> None:
    credentials = simulator.assume(storage_role)
    assert simulator.client("s3", credentials=credentials).list_buckets()["Buckets"]
    caller = f"User: arn:aws:sts::{ACCOUNT}:assumed-role/storage/test is not authorized to perform: "
    for service, operation, code, action in (
        ("iam", "list_users", "AccessDenied", "iam:ListUsers"),
        ("ec2", "describe_instances", "UnauthorizedOperation", "ec2:DescribeInstances"),
        ("kms", "list_keys", "AccessDeniedException", "kms:ListKeys"),
        ("cloudtrail", "describe_trails", "AccessDeniedException", "cloudtrail:DescribeTrails"),
        ("lambda", "list_functions", "AccessDeniedException", "lambda:ListFunctions"),
    ):
        error = refused(getattr(simulator.client(service, credentials=credentials), operation))
        assert error["Code"] == code
        assert f"{caller}{action} because no identity-based policy allows the {action} action" in error["Message"]


def test_a_refusal_of_s3_names_the_resource(simulator: Simulator) -> None:
    role = create_role(simulator.endpoint, "nothing", trust(), [], {})
    s3 = simulator.client("s3", credentials=simulator.assume(role))
    message = refused(s3.get_bucket_policy, Bucket="northwind-payroll")["Message"]
    assert 's3:GetBucketPolicy on resource: "arn:aws:s3:::northwind-payroll" because no identity-based' in message


def test_managed_policies_of_aws_are_evaluated(simulator: Simulator) -> None:
    audit = "arn:aws:iam::aws:policy/SecurityAudit"
    role = create_role(simulator.endpoint, "audit-reader", trust(), [audit], {})
    credentials = simulator.assume(role)
    assert simulator.client("iam", credentials=credentials).list_users()["Users"]
    s3 = simulator.client("s3", credentials=credentials)
    assert s3.get_bucket_policy(Bucket="northwind-payroll")["Policy"]
    assert refused(s3.delete_bucket_policy, Bucket="northwind-payroll")["Code"] == "AccessDenied"


def test_a_session_policy_narrows_the_role_and_never_widens_it(simulator: Simulator, storage_role: str) -> None:
    narrow = simulator.assume(storage_role, policy=document(["s3:GetBucketTagging", "iam:ListUsers"]))
    s3 = simulator.client("s3", credentials=narrow)
    assert s3.get_bucket_tagging(Bucket="northwind-payroll")["TagSet"]
    message = refused(s3.get_bucket_policy, Bucket="northwind-payroll")["Message"]
    assert "because no session policy allows the s3:GetBucketPolicy action" in message
    assert refused(simulator.client("iam", credentials=narrow).list_users)["Code"] == "AccessDenied"


def test_an_explicit_deny_wins(simulator: Simulator) -> None:
    policies = {"all": document("*"), "not": document("s3:getbucket*", effect="Deny")}
    role = create_role(simulator.endpoint, "denied", trust(), [], policies)
    s3 = simulator.client("s3", credentials=simulator.assume(role))
    assert s3.list_buckets()["Buckets"]
    message = refused(s3.get_bucket_policy, Bucket="northwind-payroll")["Message"]
    assert message.endswith("with an explicit deny in an identity-based policy")


def test_resources_of_policies_are_matched(simulator: Simulator, storage_role: str) -> None:
    allowed = document("s3:*", ["arn:aws:s3:::northwind-press-*", "arn:aws:s3:::northwind-press-kit/logo-?.svg"])
    s3 = simulator.client("s3", credentials=simulator.assume(storage_role, policy=allowed))
    s3.put_object(Bucket="northwind-press-kit", Key="logo-1.svg", Body=b"<svg/>")
    assert refused(s3.get_bucket_acl, Bucket="northwind-payroll")["Code"] == "AccessDenied"
    only_bucket = document("s3:*", "arn:aws:s3:::northwind-press-kit")
    s3 = simulator.client("s3", credentials=simulator.assume(storage_role, policy=only_bucket))
    assert refused(s3.get_object, Bucket="northwind-press-kit", Key="logo-1.svg")["Code"] == "AccessDenied"


@pytest.mark.parametrize(
    ("operation", "action"),
    [
        ("get_bucket_encryption", "GetEncryptionConfiguration"),
        ("get_bucket_lifecycle_configuration", "GetLifecycleConfiguration"),
        ("get_public_access_block", "GetBucketPublicAccessBlock"),
        ("get_bucket_ownership_controls", "GetBucketOwnershipControls"),
        ("get_bucket_notification_configuration", "GetBucketNotification"),
        ("get_bucket_accelerate_configuration", "GetAccelerateConfiguration"),
        ("list_objects_v2", "ListBucket"),
        ("list_object_versions", "ListBucketVersions"),
        ("head_bucket", "ListBucket"),
        ("get_bucket_location", "GetBucketLocation"),
        ("delete_public_access_block", "PutBucketPublicAccessBlock"),
        ("delete_bucket_encryption", "PutEncryptionConfiguration"),
        ("delete_bucket_policy", "DeleteBucketPolicy"),
    ],
)
def test_operations_of_s3_need_the_iam_action_that_is_theirs(
    simulator: Simulator, storage_role: str, operation: str, action: str
) -> None:
    bucket = "action-names-" + operation.replace("_", "-")
    simulator.client("s3").create_bucket(Bucket=bucket)
    expiry = {"ID": "x", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
    simulator.client("s3").put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [expiry]})
    just_that = simulator.assume(storage_role, policy=document(f"s3:{action}"))
    getattr(simulator.client("s3", credentials=just_that), operation)(Bucket=bucket)
    all_but = {"Effect": "Allow", "NotAction": f"s3:{action}", "Resource": "*"}
    all_but_that = simulator.assume(storage_role, policy={"Version": "2012-10-17", "Statement": all_but})
    with pytest.raises(ClientError, match=r"403|AccessDenied"):
        getattr(simulator.client("s3", credentials=all_but_that), operation)(Bucket=bucket)


def test_the_accounts_public_access_block_needs_its_own_action(simulator: Simulator, storage_role: str) -> None:
    every = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), False)
    allowed = simulator.assume(storage_role, policy=document("s3:*AccountPublicAccessBlock"))
    control = simulator.client("s3control", credentials=allowed)
    control.put_public_access_block(AccountId=ACCOUNT, PublicAccessBlockConfiguration=every)
    assert control.get_public_access_block(AccountId=ACCOUNT)["PublicAccessBlockConfiguration"] == every
    control.delete_public_access_block(AccountId=ACCOUNT)
    denied = simulator.assume(storage_role, policy=document("s3:GetBucketPublicAccessBlock"))
    control = simulator.client("s3control", credentials=denied)
    assert refused(control.get_public_access_block, AccountId=ACCOUNT)["Code"] == "AccessDenied"


def test_the_policy_simulator_decides_as_the_calls_are_decided(simulator: Simulator) -> None:
    policies = {"some": document("s3:Get*"), "not": document("s3:GetBucketAcl", effect="Deny")}
    role = create_role(simulator.endpoint, "simulated", trust(), [], policies)
    actions = ["s3:GetBucketPolicy", "s3:GetBucketAcl", "s3:PutBucketPolicy"]
    iam = simulator.client("iam")
    answer = iam.simulate_principal_policy(PolicySourceArn=role, ActionNames=actions)
    decisions = {one["EvalActionName"]: one["EvalDecision"] for one in answer["EvaluationResults"]}
    assert decisions == dict(zip(actions, ["allowed", "explicitDeny", "implicitDeny"], strict=True))
    assert {one["EvalResourceName"] for one in answer["EvaluationResults"]} == {"*"}
    pages = iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=role, ActionNames=actions, PaginationConfig={"PageSize": 2}
    )
    assert [len(page["EvaluationResults"]) for page in pages] == [2, 1]


def test_the_policy_simulator_knows_users_and_their_groups_and_nobody_else(simulator: Simulator) -> None:
    iam = simulator.client("iam")
    arn = f"arn:aws:iam::{ACCOUNT}:user/judy.adeyemi"
    asked = ["iam:ListUsers", "iam:CreateUser"]
    answer = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=asked, ResourceArns=["*"])
    assert [one["EvalDecision"] for one in answer["EvaluationResults"]] == ["allowed", "implicitDeny"]
    error = refused(iam.simulate_principal_policy, PolicySourceArn=arn + "x", ActionNames=asked)
    assert error["Code"] == "NoSuchEntity"


def test_the_simulator_asks_for_the_action_that_each_declared_call_names() -> None:
    """Of the operations as botocore sends them: signed for a service whose name is not always the actions' prefix."""
    session = Session()
    for (service, operation), action in reads().items():
        model = session.get_service_model(service)
        name = next(each for each in model.operation_names if xform_name(each) == operation)
        method = str(model.operation_model(name).http["method"])
        call = Call(model.signing_name, service, name, "us-east-1", "", "", "", method)
        assert iam_action(call) == action
