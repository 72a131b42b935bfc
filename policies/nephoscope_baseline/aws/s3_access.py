"""Rules on who can reach an S3 bucket, and how: the public, other accounts, unencrypted HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nephoscope.domain import Fail, NotKnown, ResourceView, Severity, Unknown, View, rule
from nephoscope_aws.access import BLOCK_FLAGS, Access, Exposure, bucket_exposure
from nephoscope_aws.access_conditions import account_of, accounts_in, denies_plain_http, pins
from nephoscope_aws.access_denials import Denial, Denials, applies, denial
from nephoscope_aws.access_grants import AccountDenials, strangers
from nephoscope_aws.access_policies import names, principals, statements
from nephoscope_baseline.aws.s3 import BLOCK_BUCKET

BUCKET = "AWS::S3::Bucket"

GUIDE = "https://docs.aws.amazon.com/AmazonS3/latest/userguide"

ADMIN_ACTIONS = (
    "s3:DeleteBucketPolicy",
    "s3:PutBucketAcl",
    "s3:PutBucketPolicy",
    "s3:PutEncryptionConfiguration",
    "s3:PutObjectAcl",
)
"""What Security Hub's S3.6 calls actions that other accounts must not have.
https://docs.aws.amazon.com/securityhub/latest/userguide/s3-controls.html"""

MAX_PLACES = 10
"""Places that a finding points at."""

OBJECTS = "arn:aws:s3:::example/*"
BOTH = ["arn:aws:s3:::example", OBJECTS]
COMPLETE = dict.fromkeys(BLOCK_FLAGS, True)
OPEN: dict[str, Any] = {
    "PublicAccessBlockConfiguration": None,
    "OwnershipControls": None,
    "Policy": None,
    "Observed": {"AclGrants": [], "AccountPublicAccessBlock": None},
}


def _policy(*given: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An example: a bucket without any block whose policy has these statements."""
    allow = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": OBJECTS}
    return {**OPEN, "Policy": {"Statement": [{**allow, **each} for each in given]}, **more}


def _acl(group: str, permission: str, **more: Any) -> dict[str, Any]:
    """An example: a bucket without any block whose ACL grants this to a predefined group."""
    grantee = {"Type": "Group", "URI": f"http://acs.amazonaws.com/groups/{group}"}
    observed = {"AclGrants": [{"Grantee": grantee, "Permission": permission}], "AccountPublicAccessBlock": None}
    return {**OPEN, "Observed": observed, **more}


def _condition(operator: str, key: str, value: Any) -> dict[str, Any]:
    return {"Condition": {operator: {key: value}}}


def _judged(found: list[Exposure]) -> bool | Fail:
    if not found:
        return True
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return Fail(f"{found[0].message}{more}", *(each.at for each in found[:MAX_PLACES]))


CLOSE = """
        1. If the public needs access, use CloudFront (to read) or presigned URLs (to upload) instead.
        2. In the S3 console, open the bucket, choose Permissions, Block public access, Edit, Block all public access,
           and save.
        3. Then clean up: remove the wildcard principal from the bucket policy, and set Object Ownership to ACLs
           disabled.
        """


@rule(
    "aws.s3.public_read",
    on=BUCKET,
    severity=Severity.CRITICAL,
    fix=CLOSE,
    commands=BLOCK_BUCKET,
    link=f"{GUIDE}/access-control-block-public-access.html",
    remediations=("aws.s3.remove_public_access", "aws.s3.remove_public_grants"),
    good=[
        OPEN,
        _policy({"Principal": {"AWS": "arn:aws:iam::210987654321:root"}}),
        _policy({"Principal": {"Service": "cloudfront.amazonaws.com"}}),
        _policy(_condition("StringEquals", "aws:PrincipalOrgID", "o-a1b2c3d4e5")),
        _policy(_condition("StringEquals", "AWS:SourceVpce", ["vpce-1a2b3c4d", "vpce-5e6f7a8b"])),
        _policy(_condition("IpAddress", "aws:SourceIp", "203.0.113.0/24")),
        _policy(
            {},
            {
                "Effect": "Deny",
                "Action": "s3:*",
                "Resource": BOTH,
                **_condition("StringNotEquals", "aws:PrincipalAccount", "123456789012"),
            },
        ),
        _policy({"Effect": "Deny"}),
        _policy({"Action": "s3:PutObject"}),
        _policy({}, PublicAccessBlockConfiguration=COMPLETE),
        _policy({}, Observed={"AclGrants": [], "AccountPublicAccessBlock": COMPLETE}),
        _acl("global/AllUsers", "READ", PublicAccessBlockConfiguration=COMPLETE),
        _acl("global/AllUsers", "READ", OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}),
        _acl("s3/LogDelivery", "READ_ACP"),
    ],
    bad=[
        _policy({}),
        {**OPEN, "Policy": {"Statement": _policy({})["Policy"]["Statement"][0]}},
        _policy({"Principal": {"AWS": ["arn:aws:iam::210987654321:root", "*"]}}),
        _policy({"Principal": {"Federated": "graph.facebook.com"}}),
        {
            **OPEN,
            "Policy": {
                "Statement": [
                    {
                        "Effect": "Allow",
                        "NotPrincipal": {"AWS": "210987654321"},
                        "NotAction": "s3:PutObject",
                        "Resource": OBJECTS,
                    }
                ]
            },
        },
        _policy({"Action": ["s3:PutObject", "S3:getobject"]}),
        _policy({"Action": "*"}),
        _policy(_condition("StringLike", "aws:SourceVpc", "vpc-*")),
        _policy(_condition("IpAddress", "aws:SourceIp", ["203.0.113.0/24", "0.0.0.0/1"])),
        _policy(_condition("StringEqualsIfExists", "aws:PrincipalOrgID", "o-a1b2c3d4e5")),
        _policy(_condition("StringLike", "aws:Referer", "https://example.com/*")),
        _policy(
            {},
            {
                "Effect": "Deny",
                "Action": "s3:*",
                "Resource": BOTH,
                **_condition("Bool", "aws:SecureTransport", "false"),
            },
        ),
        _policy({}, PublicAccessBlockConfiguration={**COMPLETE, "RestrictPublicBuckets": False}),
        _acl("global/AllUsers", "READ"),
        _acl("global/AuthenticatedUsers", "FULL_CONTROL"),
        {**OPEN, "AccessControl": "PublicRead"},
    ],
)
def public_read(bucket: View) -> bool | Fail:
    """S3 bucket is publicly readable.

    Scanners find public buckets within hours, and what was copied cannot be taken back. Only public data belongs in
    one.
    """
    return _judged(bucket_exposure(bucket, (Access.READ,)))


@rule(
    "aws.s3.public_write",
    on=BUCKET,
    severity=Severity.CRITICAL,
    fix=CLOSE,
    commands=BLOCK_BUCKET,
    link=f"{GUIDE}/access-control-block-public-access.html",
    remediations=("aws.s3.remove_public_access", "aws.s3.remove_public_grants"),
    good=[
        OPEN,
        _policy({}),
        _policy({"Action": "s3:PutObject", **_condition("StringEquals", "aws:SourceAccount", "123456789012")}),
        _policy({"Action": "s3:*"}, PublicAccessBlockConfiguration=COMPLETE),
        _acl("global/AllUsers", "READ"),
        _acl("global/AllUsers", "WRITE", PublicAccessBlockConfiguration={"IgnorePublicAcls": True}),
        _acl("s3/LogDelivery", "WRITE"),
    ],
    bad=[
        _policy({"Action": "s3:PutObject"}),
        _policy({"Action": ["s3:Delete*"]}),
        _policy({"Action": "s3:*", "Principal": {"AWS": "*"}}),
        _policy({"Action": "s3:PutBucketPolicy", "Resource": "arn:aws:s3:::example"}),
        {
            **OPEN,
            "Policy": {
                "Statement": [{"Effect": "Allow", "Principal": "*", "NotAction": "s3:Get*", "Resource": OBJECTS}]
            },
        },
        _acl("global/AllUsers", "WRITE"),
        _acl("global/AllUsers", "WRITE", PublicAccessBlockConfiguration={**COMPLETE, "IgnorePublicAcls": False}),
        _acl("global/AuthenticatedUsers", "WRITE_ACP"),
        {**OPEN, "AccessControl": "PublicReadWrite"},
    ],
)
def public_write(bucket: View) -> bool | Fail:
    """S3 bucket is publicly writable.

    Strangers can replace what your applications and visitors trust, delete it, or store their own files at your cost.
    Hardly anything needs that.
    """
    return _judged(bucket_exposure(bucket, (Access.WRITE,)))


PLAIN_HTTP: dict[str, Any] = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": BOTH,
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


@rule(
    "aws.s3.tls_only",
    on=BUCKET,
    severity=Severity.MEDIUM,
    link=f"{GUIDE}/example-bucket-policies.html",
    fix="""
        1. In the S3 console, open the bucket and choose Permissions, Bucket policy, Edit.
        2. Add a statement: Effect Deny, Principal "*", Action "s3:*", Resource the ARN of the bucket and the same with
           /*, Condition {"Bool": {"aws:SecureTransport": "false"}}.
    """,
    commands="""
        aws s3api put-bucket-policy --region={region} --bucket={name} --policy={POLICY_FILE}
    """,
    inputs={"POLICY_FILE": "file://policy.json, where policy.json is the complete new policy"},
    remediations=("aws.s3.require_tls",),
    good=[
        {"Policy": {"Statement": [PLAIN_HTTP]}},
        {"Policy": {"Statement": {**PLAIN_HTTP, "Principal": {"AWS": "*"}, "Action": "*", "Resource": "*"}}},
        {"Policy": {"Statement": [{**PLAIN_HTTP, "Resource": BOTH[0]}, {**PLAIN_HTTP, "Resource": BOTH[1]}]}},
        {"Policy": {"Statement": [{**PLAIN_HTTP, "Condition": {"Bool": {"AWS:SecureTransport": False}}}]}},
    ],
    bad=[
        {"Policy": None},
        {"Policy": {"Statement": [{**PLAIN_HTTP, "Resource": OBJECTS}]}},
        {"Policy": {"Statement": [{**PLAIN_HTTP, "Action": "s3:GetObject"}]}},
        {"Policy": {"Statement": [{**PLAIN_HTTP, "Principal": {"AWS": "arn:aws:iam::123456789012:root"}}]}},
        {"Policy": {"Statement": [{**PLAIN_HTTP, "Condition": {"Bool": {"aws:SecureTransport": "true"}}}]}},
        {
            "Policy": {
                "Statement": [
                    {**PLAIN_HTTP, "Condition": {**PLAIN_HTTP["Condition"], "StringEquals": {"aws:SourceVpc": "vpc-1"}}}
                ]
            }
        },
    ],
)
def tls_only(bucket: View) -> bool | Fail:
    """S3 bucket allows unencrypted HTTP.

    Requests sent without TLS can be read and changed in transit. A policy that denies them costs nothing.
    """
    gaps: list[NotKnown] = []
    found: list[Denial] = []
    for statement in statements(bucket.key("Policy"), gaps):
        try:
            found += filter(None, [_denied_plain(statement)])
        except NotKnown as gap:
            gaps.append(gap)
    denials = Denials(found)
    missing = [what for what, place in (("bucket", ""), ("objects", "/*")) if denials.leave_open("s3:*", place)]
    if not missing:
        return True
    if gaps:
        raise gaps[0]
    return Fail(f"No policy statement denies unencrypted HTTP on the {' and '.join(missing)}", "Policy")


def _denied_plain(statement: View) -> Denial | None:
    """What this statement denies to plain HTTP for everyone."""
    if (
        statement.key("Effect") != "Deny"
        or ("AWS", "*") not in principals(statement.key("Principal"))
        or not denies_plain_http(statement.key("Condition"))
    ):
        return None
    return denial(statement)


STRANGER = {"AWS": "arn:aws:iam::210987654321:root"}
OWN = {"AWS": "arn:aws:iam::123456789012:role/admin"}


@rule(
    "aws.s3.cross_account",
    on=BUCKET,
    severity=Severity.HIGH,
    link=f"{GUIDE}/access-policy-language-overview.html",
    fix="""
        1. In the S3 console, open the bucket and choose Permissions, Bucket policy, Edit.
        2. In the statement for the other account, keep only the actions that it needs, such as s3:GetObject; remove
           s3:* and actions that change policy, ACLs or encryption.
    """,
    commands="""
        aws s3api put-bucket-policy --region={region} --bucket={name} --policy={POLICY_FILE}
    """,
    inputs={"POLICY_FILE": "file://policy.json, where policy.json is the complete new policy"},
    good=[
        _policy({"Principal": STRANGER}),
        _policy({"Principal": OWN, "Action": "s3:*"}),
        _policy({"Principal": STRANGER, "Action": "s3:*", "Effect": "Deny"}),
        _policy({"Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:*"}),
        _policy({"Action": "s3:*", **_condition("StringEquals", "aws:PrincipalAccount", "123456789012")}),
        {"Policy": None},
    ],
    bad=[
        _policy({"Principal": STRANGER, "Action": "s3:*"}),
        _policy({"Principal": {"AWS": ["123456789012", "210987654321"]}, "Action": ["s3:GetObject", "s3:PutBucket*"]}),
        _policy({"Principal": STRANGER, "Action": "s3:PutObjectAcl"}),
        _policy({"Action": "s3:PutBucketPolicy"}),
        _policy({"Action": "s3:*", **_condition("StringEquals", "aws:PrincipalAccount", "210987654321")}),
        _policy({"Principal": {"CanonicalUser": "79a59df900b949e5"}, "Action": "s3:*"}),
    ],
)
def cross_account(bucket: ResourceView) -> bool | Fail:
    """S3 bucket policy grants admin actions to other accounts.

    Whoever controls that account can open the bucket further, or lock you out. Sharing data takes permission to read or
    write objects, and no more.
    """
    gaps: list[NotKnown] = []
    found = list(statements(bucket.key("Policy"), gaps))
    denials = AccountDenials(found)
    for statement in found:
        try:
            foreign = _foreign_admins(bucket, statement, denials)
        except NotKnown as gap:
            gaps.append(gap)
            continue
        if foreign:
            who = list(dict.fromkeys(each for each, _ in foreign))[:3]
            actions = [each for each in ADMIN_ACTIONS if any(each in given for _, given in foreign)]
            at = f"{statement.path}.{'NotPrincipal' if 'NotPrincipal' in statement else 'Principal'}"
            return Fail(f"{', '.join(who)} can use {', '.join(actions)}", at)
    if gaps:
        raise gaps[0]
    return True


def _foreign_admins(bucket: ResourceView, statement: View, denials: AccountDenials) -> list[tuple[str, list[str]]]:
    """Who but the bucket's own account this statement lets use admin actions, and which no Deny takes from them."""
    if statement.key("Effect") != "Allow" or not (given := names(statement, "Action").which(ADMIN_ACTIONS)):
        return []
    found = []
    for who, account in _foreign(bucket, statement):
        taken = denials.of(account)
        left = [each for each in given if taken.leave_open(each, "" if applies(each.lower(), "") else "/*")]
        if left:
            found.append((who, left))
    return found


def _foreign(bucket: ResourceView, statement: View) -> Iterator[tuple[str, str]]:
    """Who but the bucket's own account a statement names, in words, and the account if it is one."""
    condition = statement.key("Condition")
    if strangers(statement):
        named = accounts_in(condition)
        if not named and not pins(condition):
            yield "Anyone", ""
    else:
        pairs = principals(statement.key("Principal"))
        named = {account for kind, name in pairs if kind == "AWS" and (account := account_of(name))}
        for kind, name in pairs:
            if kind == "CanonicalUser" and name != bucket["Observed.Owner"]:
                yield f"Canonical user {name[:16]}", ""
    if named and not account_of(bucket.account):
        raise NotKnown(statement.path, Unknown("the account of the bucket is unknown"))
    yield from ((f"Account {account}", account) for account in sorted(named - {bucket.account}))
