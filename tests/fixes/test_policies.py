"""What fixes of policies and of encryption refuse: topics, queues, repositories, secrets and keys."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from tests.fixes.refusals import planned, refused
from tests.fixes.rounds.ecr import repository
from tests.fixes.rounds.policies import OWN, PARTNER, open_policy
from tests.fixes.rounds.round import ACCOUNT, Made
from tests.fixes.rounds.secretsmanager import FUNCTION, still
from tests.fixes.rounds.sns import topic
from tests.fixes.test_meta import REGISTRY

from nephoscope.domain import Finding, FixRequest, LiveSession, PlanProblem, Resource, Verdict
from nephoscope_aws_simulator.testing import Cloud

TOPIC = ("aws.sns.remove_public_access", "aws.sns.public")
KMS = ("aws.sns.encrypt", "aws.sns.kms")
NO_POLICY, GONE = "it has no policy any more.", "it does not exist any more."


def _made(type: str, arn: str, **properties: Any) -> Made:
    name = arn.split(":")[-1].split("/")[-1]
    return Made(type, arn.format(ACCOUNT), name, lambda: None, lambda: None, properties=properties)


QUEUE = _made("AWS::SQS::Queue", "arn:aws:sqs:us-east-1:{}:gone", QueueUrl=f"http://127.0.0.1/{ACCOUNT}/gone")
REPOSITORY = _made("AWS::ECR::Repository", "arn:aws:ecr:us-east-1:{}:repository/gone")
SECRET = _made("AWS::SecretsManager::Secret", "arn:aws:secretsmanager:us-east-1:{}:secret:gone-a1b2c3")
KEY = _made("AWS::KMS::Key", "arn:aws:kms:us-east-1:{}:key/0d9c7a9e-1111-4222-8333-444455556666")
NEWS = _made("AWS::SNS::Topic", "arn:aws:sns:us-east-1:{}:gone")


@pytest.mark.parametrize(
    ("fix", "rule", "made", "why"),
    [
        ("aws.sqs.remove_public_access", "aws.sqs.public", QUEUE, NO_POLICY),
        ("aws.sqs.encrypt", "aws.sqs.encrypted", QUEUE, GONE),
        (*TOPIC, NEWS, NO_POLICY),
        (*KMS, NEWS, GONE),
        ("aws.ecr.remove_public_access", "aws.ecr.public_policy", REPOSITORY, NO_POLICY),
        ("aws.ecr.scan_on_push", "aws.ecr.scan_on_push", REPOSITORY, GONE),
        ("aws.ecr.immutable_tags", "aws.ecr.immutable", REPOSITORY, GONE),
        ("aws.secretsmanager.remove_public_access", "aws.secretsmanager.public", SECRET, NO_POLICY),
        ("aws.kms.remove_public_access", "aws.kms.public", KEY, NO_POLICY),
    ],
)
def test_what_is_gone_is_left_out(session: LiveSession, fix: str, rule: str, made: Made, why: str) -> None:
    assert refused(session, fix, rule, made) == why


def test_what_is_right_already_is_left_out(simulator: Cloud, session: LiveSession) -> None:
    right = {"imageTagMutability": "IMMUTABLE", "imageScanningConfiguration": {"scanOnPush": True}}
    made = repository(simulator, "right", **right)
    for fix, rule in (("scan_on_push", "scan_on_push"), ("immutable_tags", "immutable")):
        assert refused(session, f"aws.ecr.{fix}", f"aws.ecr.{rule}", made) == "it is so already."
    encrypted = topic(simulator, "right", KmsMasterKeyId="alias/aws/sns")
    assert refused(session, *KMS, encrypted) == "it is so already."
    assert refused(session, *TOPIC, encrypted) == "it is not public any more."


def test_a_queue_with_a_kms_key_of_its_own_keeps_it(simulator: Cloud, session: LiveSession) -> None:
    attributes = {"SqsManagedSseEnabled": "false", "KmsMasterKeyId": "alias/own"}
    url = simulator.client("sqs").create_queue(QueueName="keyed", Attributes=attributes)["QueueUrl"]
    made = _made("AWS::SQS::Queue", "arn:aws:sqs:us-east-1:{}:keyed", QueueUrl=url)
    assert refused(session, "aws.sqs.encrypt", "aws.sqs.encrypted", made) == "it is so already."


def test_a_policy_for_all_but_a_few_is_left_to_a_person(simulator: Cloud, session: LiveSession) -> None:
    but = {"Sid": "But", "Effect": "Allow", "NotPrincipal": {"AWS": PARTNER}, "Action": "sns:Publish", "Resource": "*"}
    made = topic(simulator, "all-but", Policy=json.dumps({"Version": "2012-10-17", "Statement": [but]}))
    assert refused(session, *TOPIC, made).startswith("statement But of its policy allows everyone but a few")


def test_a_policy_that_would_be_too_long_is_left_out(simulator: Cloud, session: LiveSession) -> None:
    arn = f"arn:aws:sns:us-east-1:{ACCOUNT}:long"
    text = open_policy("sns:Publish", resource=arn)
    long = json.loads(text)
    long["Id"] = "x" * (30_720 - len(text))
    made = topic(simulator, "long", Policy=json.dumps(long))
    said = refused(session, *TOPIC, made)
    assert re.fullmatch(r"its policy would have 30,7\d\d bytes and AWS allows 30,720; shorten it first\.", said)


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("orders", "“orders” is not the ID, ARN or alias of a KMS key."),
        ("alias/nowhere", "there is no KMS key alias/nowhere in us-east-1."),
        ("alias/off", "the KMS key alias/off is not enabled: its state is Disabled."),
        ("alias/signs", "the KMS key alias/signs is not a symmetric key for encryption."),
    ],
)
def test_a_topic_is_not_encrypted_with_a_key_that_cannot(
    simulator: Cloud, session: LiveSession, key: str, why: str
) -> None:
    made = topic(simulator, f"with-{key[-3:]}", KmsMasterKeyId="")
    _keys(simulator)
    assert refused(session, *KMS, made, {"kms_key": key}) == why


def _keys(simulator: Cloud) -> None:
    """Make a key that is disabled and one that only signs, unless they are there."""
    kms = simulator.client("kms")
    if "alias/off" in [each["AliasName"] for each in kms.list_aliases()["Aliases"]]:
        return
    off = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.disable_key(KeyId=off)
    signs = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    for alias, id in {"alias/off": off, "alias/signs": signs}.items():
        kms.create_alias(AliasName=alias, TargetKeyId=id)


def test_services_that_publish_to_the_topic_are_named(simulator: Cloud, session: LiveSession) -> None:
    arn = f"arn:aws:sns:us-east-1:{ACCOUNT}:alarms"
    alarms = {"Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": "sns:Publish"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": "A", **alarms, "Resource": arn}]})
    plan = planned(session, *KMS, topic(simulator, "alarms", Policy=text))
    assert plan.uses == ("alarms: Its policy lets in cloudwatch.amazonaws.com, which then need access to the key.",)


def test_a_repository_of_a_registry_with_enhanced_scanning_is_left_out(simulator: Cloud, session: LiveSession) -> None:
    made = repository(simulator, "enhanced")
    fix, known = REGISTRY.remediations["aws.ecr.scan_on_push"], REGISTRY.rules["aws.ecr.scan_on_push"]

    def still_fails(resource: Resource) -> Finding:
        return Finding(known, resource, Verdict.FAIL, "none of its filters matches the repository")

    resource = session.reread(made.resource)
    assert resource
    with pytest.raises(PlanProblem, match="its registry uses enhanced scanning"):
        fix.plan(FixRequest(resource, known.id, judge=still_fails), session)


def test_a_replica_of_a_secret_is_left_out_for_its_original(simulator: Cloud, session: LiveSession) -> None:
    api = simulator.client("secretsmanager")
    made = api.create_secret(Name="copied", SecretString="x", AddReplicaRegions=[{"Region": "eu-west-1"}])
    api.put_resource_policy(SecretId=made["ARN"], ResourcePolicy=open_policy("secretsmanager:GetSecretValue"))
    replica = _made("AWS::SecretsManager::Secret", made["ARN"].replace("us-east-1", "eu-west-1"))
    why = refused(
        session,
        "aws.secretsmanager.remove_public_access",
        "aws.secretsmanager.public",
        replace(replica, name="copied", region="eu-west-1"),
    )
    assert why == "it is a replica, which has the policy of its original: fix that one in us-east-1."


def test_a_key_that_everyone_administers_stays_with_its_account(simulator: Cloud, session: LiveSession) -> None:
    kms = simulator.client("kms")
    anyone = {"Sid": "All", "Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": anyone})
    key = kms.create_key(Policy=policy)["KeyMetadata"]
    made = replace(KEY, id=key["Arn"], name=key["KeyId"])
    [step] = planned(session, "aws.kms.remove_public_access", "aws.kms.public", made).steps
    assert json.loads(step.after)["Statement"]["Principal"] == {"AWS": OWN}
    assert "BypassPolicyLockoutSafetyCheck" not in step.call.body["parameters"]


ROTATE = ("aws.secretsmanager.rotate", "aws.secretsmanager.rotation")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, "it needs the ARN of a rotation function: enter one."),
        ({"function": FUNCTION, "days": "0"}, "the days between rotations are a number from 1 to 1,000."),
        ({"function": FUNCTION, "days": "a month"}, "the days between rotations are a number from 1 to 1,000."),
    ],
)
def test_rotation_needs_a_function_and_a_number_of_days(
    simulator: Cloud, session: LiveSession, given: dict[str, str], why: str
) -> None:
    made = still(simulator, f"still-{len(given)}-{given.get('days', '')[:1]}")
    assert refused(session, *ROTATE, made, given) == why


def test_a_secret_that_rotates_or_is_gone_is_left_out(simulator: Cloud, session: LiveSession) -> None:
    api = simulator.client("secretsmanager")
    arn = api.create_secret(Name="rotates", SecretString="x")["ARN"]
    api.rotate_secret(SecretId=arn, RotationRules={"AutomaticallyAfterDays": 7})
    made = replace(SECRET, id=arn, name="rotates")
    assert refused(session, *ROTATE, made, {"function": FUNCTION}) == "it is so already."
    assert refused(session, *ROTATE, SECRET, {"function": FUNCTION}) == GONE
