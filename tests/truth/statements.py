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
        "aws-list-of-one": allow({"AWS": ["*"]}),
        "service-or-anyone": allow({"Service": "sns.amazonaws.com", "AWS": "*"}),
        "all-but": {"Effect": "Allow", "NotPrincipal": {"AWS": root}},
        "org-if-there": allow("*", {"StringEqualsIfExists": {"aws:PrincipalOrgID": ORG}}),
        "any-org": allow("*", {"StringLike": {"aws:PrincipalOrgID": "o-*"}}),
        "some-org": allow("*", {"Null": {"aws:PrincipalOrgID": "false"}}),
        "not-org": allow("*", {"StringNotEquals": {"aws:PrincipalOrgID": ORG}}),
        "one-of-all-orgs": allow("*", {"StringLike": {"aws:PrincipalOrgID": [ORG, "*"]}}),
        "all-values": allow("*", {"ForAllValues:StringEquals": {"aws:PrincipalOrgID": ORG}}),
        "own-org-of-caller": allow("*", {"StringEquals": {"aws:PrincipalOrgID": "${aws:PrincipalOrgID}"}}),
        "any-source": allow("*", {"StringLike": {"aws:SourceAccount": [OTHER, "*"]}}),
        "any-account": allow("*", {"StringLike": {"aws:PrincipalAccount": "*"}}),
        "any-role": allow("*", {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/deploy"}}),
        "any-role-as-text": allow("*", {"StringLike": {"aws:PrincipalArn": f"arn:aws:*:{own}:role/deploy"}}),
        "any-login": allow("*", {"StringEquals": {"aws:PrincipalType": ["Account", "User", "AssumedRole"]}}),
        "any-endpoint": allow("*", {"StringLike": {"aws:SourceVpce": "vpce-*"}}),
        "any-path": allow("*", {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "*/ou-ab12-11111111/*"}}),
        "tagged": allow("*", {"StringEquals": {"aws:PrincipalTag/team": "data"}}),
        "with-tls": allow("*", {"Bool": {"aws:SecureTransport": "true"}}),
        "with-agent": allow("*", {"StringLike": {"aws:UserAgent": "internal-client/*"}}),
        "whole-internet": allow("*", {"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}}),
        "internet": allow("*", {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}),
        "internet-six": allow("*", {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "::/0"]}}),
        "two-blocks": allow("*", {"IpAddress": {"aws:SourceIp": "16.0.0.0/7"}}),
        "office-if-there": allow("*", {"IpAddressIfExists": {"aws:SourceIp": "203.0.113.0/24"}}),
        "private-address": allow("*", {"IpAddress": {"aws:VpcSourceIp": "10.0.0.0/16"}}),
        "not-from": allow("*", {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}),
        "any-bucket": allow("*", {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"}}),
        "any-topic": allow("*", {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:news"}}),
        "any-of-any-topic": allow("*", {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:*"}}),
        "without-source": allow("*", {"Null": {"aws:SourceArn": "true"}}),
        "with-referer": allow("*", {"StringEquals": {"aws:Referer": "https://example.com/"}}),
        "until": allow("*", {"DateLessThan": {"aws:CurrentTime": "2099-01-01T00:00:00Z"}}),
    }


def to_known(own: str) -> dict[str, Statement]:
    """Statements that let known parties in, by a name for each."""
    root = f"arn:aws:iam::{own}:root"
    return {
        "own": allow({"AWS": root}),
        "own-number": allow({"AWS": own}),
        "other": allow({"AWS": [f"arn:aws:iam::{OTHER}:root", root]}),
        "others": allow({"AWS": [f"arn:aws:iam::{OTHER}:role/app", f"arn:aws:iam::{OTHER}:user/me"]}),
        "other-or-service": allow({"AWS": f"arn:aws:iam::{OTHER}:root", "Service": "sns.amazonaws.com"}),
        "session": allow({"AWS": f"arn:aws:sts::{OTHER}:assumed-role/app/me"}),
        "service": allow({"Service": "logs.amazonaws.com"}),
        "in-org": allow("*", {"StringEquals": {"aws:PrincipalOrgID": ORG}}),
        "in-org-odd-case": allow("*", {"stringequals": {"AWS:principalorgid": [ORG]}}),
        "in-org-key-case": allow("*", {"StringEquals": {"AWS:principalORGID": ORG}}),
        "in-org-any-value": allow("*", {"ForAnyValue:StringEquals": {"aws:PrincipalOrgID": ORG}}),
        "in-org-tagged": allow("*", {"StringEquals": {"aws:PrincipalTag/team": "web", "aws:PrincipalOrgID": ORG}}),
        "from-org": allow("*", {"StringEquals": {"aws:SourceOrgID": ORG}}),
        "in-org-path": allow("*", {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": [PATH]}}),
        "demanded-org": allow(
            "*",
            {"StringEqualsIfExists": {"aws:PrincipalOrgID": ORG}, "Null": {"aws:PrincipalOrgID": "false"}},
        ),
        "in-accounts": allow({"AWS": "*"}, {"StringEquals": {"aws:PrincipalAccount": [own, OTHER]}}),
        "own-roles": allow("*", {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{own}:role/deploy-*"}}),
        "from-account": allow("*", {"StringEquals": {"aws:SourceAccount": own}}),
        "from-owner": allow("*", {"StringEquals": {"AWS:SourceOwner": own}}),
        "own-sessions": allow("*", {"StringLike": {"aws:userid": "AROAEXAMPLEEXAMPLE:*"}}),
        "own-topic": allow("*", {"ArnEquals": {"aws:SourceArn": f"arn:aws:sns:us-east-1:{own}:news"}}),
        "own-topics-as-text": allow("*", {"StringLike": {"aws:SourceArn": f"arn:aws:sns:us-east-1:{own}:*"}}),
        "own-bucket": allow("*", {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::acme-own-bucket"}}),
        "own-bucket-as-aws-writes": allow("*", {"ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:acme-own-bucket"}}),
        "own-topics": allow("*", {"ArnLike": {"aws:SourceArn": f"arn:aws:sns:*:{own}:*"}}),
        "in-org-with-tls": allow(
            "*", {"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"aws:PrincipalOrgID": ORG}}
        ),
        "office": allow("*", {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "198.51.100.7/32"]}}),
        "office-six": allow("*", {"IpAddress": {"aws:SourceIp": "2001:db8::/32"}}),
        "office-network": allow("*", {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
        "one-block": allow("*", {"IpAddress": {"aws:SourceIp": "17.0.0.0/8"}}),
        "cloudtrail": allow("*", {"StringEquals": {"aws:PrincipalServiceName": "cloudtrail.amazonaws.com"}}),
        "in-vpc": allow("*", {"StringEquals": {"aws:SourceVpc": "vpc-0a1b2c3d"}}),
        "in-vpc-endpoint": allow("*", {"StringEquals": {"aws:SourceVpce": "vpce-0a1b2c3d4e5f60718"}}),
        "denied": {"Effect": "Deny", "Principal": "*"},
    }
