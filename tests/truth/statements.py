"""Statements of a resource's policy that let the world in, and ones that only seem to; for every kind of resource.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html is what "public" means.
"""

from __future__ import annotations

from typing import Any

OTHER = "210987654321"
ORG, PATH = "o-a1b2c3d4e5", "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/*"

Statement = dict[str, Any]


def allow(principal: Any, condition: Any = None, **more: Any) -> Statement:
    found = {"Effect": "Allow", "Principal": principal, **more}
    return found | ({"Condition": condition} if condition else {})


def to_anyone(own: str) -> dict[str, Statement]:
    """Statements that let anybody in, by a name for each."""
    root = f"arn:aws:iam::{own}:root"
    return {
        "star": allow("*"),
        "aws-star": allow({"AWS": "*"}),
        "aws-list": allow({"AWS": [root, "*"]}),
        "all-but": {"Effect": "Allow", "NotPrincipal": {"AWS": root}},
        "org-if-there": allow("*", {"StringEqualsIfExists": {"aws:PrincipalOrgID": ORG}}),
        "any-org": allow("*", {"StringLike": {"aws:PrincipalOrgID": "o-*"}}),
        "some-org": allow("*", {"Null": {"aws:PrincipalOrgID": "false"}}),
        "not-org": allow("*", {"StringNotEquals": {"aws:PrincipalOrgID": ORG}}),
        "one-of-all-orgs": allow("*", {"StringLike": {"aws:PrincipalOrgID": [ORG, "*"]}}),
        "all-values": allow("*", {"ForAllValues:StringEquals": {"aws:PrincipalOrgID": ORG}}),
        "any-account": allow("*", {"StringLike": {"aws:PrincipalAccount": "*"}}),
        "any-role": allow("*", {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/deploy"}}),
        "any-path": allow("*", {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "*/ou-ab12-11111111/*"}}),
        "tagged": allow("*", {"StringEquals": {"aws:PrincipalTag/team": "data"}}),
        "with-tls": allow("*", {"Bool": {"aws:SecureTransport": "true"}}),
        "with-agent": allow("*", {"StringLike": {"aws:UserAgent": "internal-client/*"}}),
        "whole-internet": allow("*", {"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}}),
        "not-from": allow("*", {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}),
        "any-bucket": allow("*", {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"}}),
        "any-topic": allow("*", {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:news"}}),
        "until": allow("*", {"DateLessThan": {"aws:CurrentTime": "2099-01-01T00:00:00Z"}}),
    }


def to_known(own: str) -> dict[str, Statement]:
    """Statements that let known parties in, by a name for each."""
    root = f"arn:aws:iam::{own}:root"
    return {
        "own": allow({"AWS": root}),
        "own-number": allow({"AWS": own}),
        "other": allow({"AWS": [f"arn:aws:iam::{OTHER}:root", root]}),
        "service": allow({"Service": "logs.amazonaws.com"}),
        "in-org": allow("*", {"StringEquals": {"aws:PrincipalOrgID": ORG}}),
        "in-org-odd-case": allow("*", {"stringequals": {"AWS:principalorgid": [ORG]}}),
        "in-org-path": allow("*", {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": [PATH]}}),
        "demanded-org": allow(
            "*",
            {"StringEqualsIfExists": {"aws:PrincipalOrgID": ORG}, "Null": {"aws:PrincipalOrgID": "false"}},
        ),
        "in-accounts": allow({"AWS": "*"}, {"StringEquals": {"aws:PrincipalAccount": [own, OTHER]}}),
        "own-roles": allow("*", {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{own}:role/deploy-*"}}),
        "from-account": allow("*", {"StringEquals": {"aws:SourceAccount": own}}),
        "own-bucket": allow("*", {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::acme-own-bucket"}}),
        "own-bucket-as-aws-writes": allow("*", {"ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:acme-own-bucket"}}),
        "own-topics": allow("*", {"ArnLike": {"aws:SourceArn": f"arn:aws:sns:*:{own}:*"}}),
        "in-org-with-tls": allow(
            "*", {"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"aws:PrincipalOrgID": ORG}}
        ),
        "in-vpc-endpoint": allow("*", {"StringEquals": {"aws:SourceVpce": "vpce-0a1b2c3d4e5f60718"}}),
        "denied": {"Effect": "Deny", "Principal": "*"},
    }
