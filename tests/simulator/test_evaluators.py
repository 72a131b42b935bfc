"""The evaluators of policies by themselves."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.simulator.documents import ROOT, document

from nephoscope_aws_simulator.corrections.public_policy import is_public
from nephoscope_aws_simulator.policy import Request, Verdict, evaluate


@pytest.mark.parametrize(
    ("condition", "context", "expected"),
    [
        ({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, {"AWS:principalorgid": "o-1"}, Verdict.ALLOWED),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, {}, Verdict.IMPLICIT_DENY),
        ({"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}, {}, Verdict.ALLOWED),
        ({"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}, {}, Verdict.ALLOWED),
        ({"StringLike": {"k": ["a?c", "x*"]}}, {"k": "abc"}, Verdict.ALLOWED),
        ({"Null": {"k": "true"}}, {"k": "v"}, Verdict.IMPLICIT_DENY),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, {"aws:SourceIp": "10.1.2.3"}, Verdict.ALLOWED),
        ({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, {"aws:SourceIp": "10.1.2.3"}, Verdict.IMPLICIT_DENY),
        ({"Bool": {"k": True}, "StringEquals": {"j": "1"}}, {"k": "true", "j": "2"}, Verdict.IMPLICIT_DENY),
    ],
)
def test_conditions_hold_as_aws_documents_them(
    condition: dict[str, Any], context: dict[str, str], expected: Verdict
) -> None:
    policy = document("s3:GetObject", Condition=condition)
    assert evaluate([policy], Request("s3:getobject", "arn:aws:s3:::b/k", context)) is expected


def test_an_unknown_resource_is_allowed_by_any_and_denied_only_by_all() -> None:
    one = "arn:aws:rds:us-east-1:123456789012:db:one"
    request = Request("rds:DeleteDBInstance", None)
    assert evaluate([document("rds:*", one)], request) is Verdict.ALLOWED
    assert evaluate([document("rds:*"), document("rds:*", one, "Deny")], request) is Verdict.ALLOWED
    assert evaluate([document("rds:*"), document("rds:*", effect="Deny")], request) is Verdict.EXPLICIT_DENY


@pytest.mark.parametrize(
    ("statement", "public"),
    [
        ({"Principal": "*"}, True),
        ({"Principal": {"AWS": ["*"]}}, True),
        ({"Principal": {"AWS": ROOT}}, False),
        ({"Principal": {"Service": "cloudtrail.amazonaws.com"}}, False),
        ({"NotPrincipal": {"AWS": ROOT}}, True),
        ({"Principal": "*", "Effect": "Deny"}, False),
        ({"Principal": "*", "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}}, False),
        ({"Principal": "*", "Condition": {"StringLike": {"aws:SourceVpc": "vpc-*"}}}, True),
        ({"Principal": "*", "Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}}, True),
        ({"Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}, True),
        ({"Principal": "*", "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}, False),
        ({"Principal": "*", "Condition": {"IpAddress": {"aws:SourceIp": "0.0.0.0/1"}}}, True),
        ({"Principal": "*", "Condition": {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "::/0"]}}}, True),
        ({"Principal": "*", "Condition": {"StringEquals": {"aws:userid": "AROAEXAMPLE:*"}}}, False),
    ],
)
def test_a_bucket_policy_is_public_as_s3_defines_it(statement: dict[str, Any], public: bool) -> None:
    policy = {"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"} | statement}
    assert is_public(json.dumps(policy)) is public
