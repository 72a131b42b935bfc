"""What Deny statements of a resource's policy take back together: NotAction, NotResource, and several that cover it."""

from __future__ import annotations

from typing import Any

import pytest

from nephoscope.domain import Resource, Rule, Verdict
from nephoscope.engine import judge
from nephoscope.testing import ACCOUNT, NOW, judge_example
from nephoscope_baseline.aws import s3_access, sns, sqs

B = "arn:aws:s3:::b"
BOTH = [B, f"{B}/*"]
OTHER = {"AWS": "arn:aws:iam::210987654321:root"}
OUTSIDERS = {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
STRANGERS = {"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}}
PLAIN = {"Bool": {"aws:SecureTransport": "false"}}


def allow(**given: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"{B}/*", **given}


def deny(condition: Any = OUTSIDERS, **given: Any) -> dict[str, Any]:
    """A Deny of all to outsiders, of which the given elements take the place."""
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": BOTH}
    for name in given:
        statement.pop(name.removeprefix("Not"), None)
    return {**statement, **given} | ({"Condition": condition} if condition else {})


def verdict(rule: Rule, *statements: Any) -> Verdict:
    bucket = {
        "PublicAccessBlockConfiguration": None,
        "OwnershipControls": None,
        "Policy": {"Statement": list(statements)},
        "Observed": {"AclGrants": [], "AccountPublicAccessBlock": None},
    }
    return judge_example(rule, bucket).verdict


ALL: dict[str, Any] = {"Action": "s3:*", "Resource": BOTH}


@pytest.mark.parametrize(
    "statements",
    [
        (allow(), deny(NotAction="s3:PutObject")),
        (allow(), deny(NotAction=["s3:ListBucket", "s3:Put*"])),
        (allow(), deny(NotResource=B)),
        (allow(), deny(NotAction="s3:ListBucket", NotResource=B)),
        (allow(Resource=f"{B}/a/*"), deny(NotResource=f"{B}/b/*")),
        (allow(), deny(NotResource=f"{B}/public/*"), deny(Resource=f"{B}/public/*")),
        (allow(**ALL), deny(Resource=B), deny(Resource=f"{B}/*")),
        (allow(**ALL), deny(NotAction="s3:GetObject"), deny(Action="s3:GetObject", Resource=f"{B}/*")),
        (allow(**ALL), deny(NotAction="s3:Get*"), deny(Action="s3:Get*")),
        (allow(Action="*", Resource="*"), deny(NotAction="s3:ListBucket"), deny(Action="s3:ListBucket", Resource=B)),
        (allow(Action="*", Resource="*"), deny()),
        ({"Effect": "Allow", "Principal": "*", "NotAction": "s3:Get*", "Resource": "*"}, deny()),
        (allow(Resource="*"), deny(Action="s3:GetObject", Resource=f"{B}/*")),
        (
            allow(Action=["s3:GetObject", "s3:GetObjectVersion"]),
            deny(Action="s3:GetObject"),
            deny(Action="s3:GetObjectVersion"),
        ),
        (allow(Resource=[f"{B}/a/*", f"{B}/b/*"]), deny(Resource=f"{B}/a/*"), deny(Resource=f"{B}/b/*")),
        (allow(), deny(Resource="arn:aws:s3:::*/*")),
        (allow(), deny(Resource=f"{B}*")),
        (allow(), deny(None, NotPrincipal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})),
        (allow(), deny(None, NotAction="s3:PutObject")),
    ],
)
def test_denials_that_cover_a_public_read_close_it(statements: tuple[Any, ...]) -> None:
    assert verdict(s3_access.public_read, *statements) is Verdict.PASS
    assert verdict(s3_access.public_read, *reversed(statements)) is Verdict.PASS


@pytest.mark.parametrize(
    "statements",
    [
        (allow(), deny(NotAction="s3:GetObject")),
        (allow(), deny(NotAction="s3:Get*")),
        (allow(), deny(NotAction="s3:*Object"), deny(NotAction="s3:Get*")),
        (allow(**ALL), deny(NotAction="s3:GetObject")),
        (allow(**ALL), deny(NotAction="s3:Get*"), deny(Action="s3:GetObject")),
        (allow(), deny(NotResource=f"{B}/*")),
        (allow(), deny(NotResource="*")),
        (allow(), deny(NotResource=[])),
        (allow(), deny(NotResource=f"{B}/public/*")),
        (allow(Resource=f"{B}/*.txt"), deny(NotResource=f"{B}/public/*")),
        (allow(), deny(NotResource=f"{B}/public/*"), deny(Resource=f"{B}/public/a*")),
        (allow(), deny(Resource=B)),
        (allow(**ALL), deny(Resource=f"{B}/*")),
        (allow(Action="s3:*", Resource="*"), deny(Resource=f"{B}/*")),
        (allow(Resource=[f"{B}/a/*", f"{B}/b/*"]), deny(Resource=f"{B}/a/*")),
        (allow(), deny(PLAIN, NotAction="s3:PutObject")),
        (allow(), deny({**OUTSIDERS, **PLAIN}, NotAction="s3:PutObject")),
        (allow(), deny({"StringNotEquals": {"aws:UserAgent": "ours"}}, NotAction="s3:PutObject")),
        (allow(), deny(NotAction="s3:PutObject", Principal={"AWS": "210987654321"})),
        (allow(), deny(None, NotPrincipal={"AWS": "*"})),
    ],
)
def test_denials_that_leave_a_part_of_a_public_read_do_not_close_it(statements: tuple[Any, ...]) -> None:
    assert verdict(s3_access.public_read, *statements) is Verdict.FAIL
    assert verdict(s3_access.public_read, *reversed(statements)) is Verdict.FAIL


@pytest.mark.parametrize(
    ("left_out", "read"),
    [
        (f"{B}/private/*", Verdict.FAIL),
        (B, Verdict.FAIL),
        (f"{B}/*", Verdict.PASS),
        ("*", Verdict.PASS),
        (f"{B}*", Verdict.PASS),
        ([B, f"{B}/private/*"], Verdict.FAIL),
    ],
)
def test_an_allow_of_all_but_some_resources_grants_what_it_does_not_leave_out(left_out: Any, read: Verdict) -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "NotResource": left_out}
    assert verdict(s3_access.public_read, statement) is read


def test_a_deny_of_all_but_reading_leaves_only_reading_public() -> None:
    given = (allow(**ALL), deny(NotAction=["s3:Get*", "s3:List*"]))
    assert verdict(s3_access.public_read, *given) is Verdict.FAIL
    assert verdict(s3_access.public_write, *given) is Verdict.PASS


# -- TLS -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statements",
    [
        (deny(PLAIN, NotAction="iam:*"),),
        (deny(PLAIN, Resource=f"{B}*"),),
        (deny(PLAIN, Resource=B), deny(PLAIN, Resource=f"{B}/*", Principal={"AWS": "*"})),
        (deny(PLAIN, NotResource=B), deny(PLAIN, Resource=B)),
        (deny(PLAIN, NotResource=f"{B}/x/*"), deny(PLAIN, Resource=f"{B}/x/*")),
        (deny(PLAIN, NotAction="s3:GetObject"), deny(PLAIN, Action="s3:GetObject", Resource=f"{B}/*")),
        (deny(PLAIN, NotAction="s3:GetObject", Resource=B), deny(PLAIN, Resource=f"{B}/*")),
        (deny({"BoolIfExists": {"aws:SecureTransport": "false"}}),),
    ],
)
def test_denials_of_plain_http_that_cover_bucket_and_objects_count(statements: tuple[Any, ...]) -> None:
    assert verdict(s3_access.tls_only, *statements) is Verdict.PASS
    assert verdict(s3_access.tls_only, *reversed(statements)) is Verdict.PASS


@pytest.mark.parametrize(
    "statements",
    [
        (deny(PLAIN, NotAction="s3:GetObject"),),
        (deny(PLAIN, NotAction="s3:*"),),
        (deny(PLAIN, NotAction="s3:Put*"), deny(PLAIN, Action="s3:PutObject")),
        (deny(PLAIN, NotResource=B),),
        (deny(PLAIN, NotResource=f"{B}/*"),),
        (deny(PLAIN, NotResource=f"{B}/x/*"),),
        (deny(PLAIN, Resource=B), deny(PLAIN, Resource=f"{B}/a/*")),
        (deny(PLAIN, NotPrincipal={"AWS": ACCOUNT}),),
        (deny(OUTSIDERS),),
    ],
)
def test_denials_of_plain_http_that_leave_a_part_do_not_count(statements: tuple[Any, ...]) -> None:
    assert verdict(s3_access.tls_only, *statements) is Verdict.FAIL


# -- Other accounts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statements",
    [
        (allow(**ALL), deny(STRANGERS)),
        (allow(**ALL), deny()),
        (allow(**ALL, Principal=OTHER), deny(STRANGERS)),
        (allow(**ALL, Principal=OTHER), deny(None, Principal=OTHER, Action=["s3:Put*", "s3:DeleteBucketPolicy"])),
        (allow(**ALL, Principal=OTHER), deny(None, Principal=OTHER, NotAction=["s3:Get*", "s3:List*"])),
        (allow(**ALL, Principal=OTHER), deny(None, NotPrincipal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})),
        (allow(Action="s3:PutObjectAcl", Principal=OTHER), deny(STRANGERS, Resource=f"{B}/*")),
        (allow(Action="s3:PutBucketAcl", Resource=B, Principal=OTHER), deny(STRANGERS, Resource=B)),
    ],
)
def test_admin_actions_that_another_account_is_denied_are_not_granted_to_it(statements: tuple[Any, ...]) -> None:
    assert verdict(s3_access.cross_account, *statements) is Verdict.PASS


@pytest.mark.parametrize(
    "statements",
    [
        (allow(**ALL, Principal=OTHER), deny()),
        (
            allow(**ALL, Principal=OTHER),
            deny({"StringNotEquals": {"aws:PrincipalAccount": [ACCOUNT, "210987654321"]}}),
        ),
        (allow(**ALL, Principal=OTHER), deny(None, Principal=OTHER, Action="s3:PutBucketPolicy")),
        (allow(**ALL, Principal=OTHER), deny(None, NotPrincipal={"AWS": "arn:aws:iam::210987654321:role/x"})),
        (allow(**ALL, Principal=OTHER), deny(None, Principal={"AWS": "arn:aws:iam::210987654321:role/x"})),
        (allow(**ALL), deny(NotAction="s3:Put*")),
    ],
)
def test_a_deny_that_misses_the_other_account_or_an_admin_action_does_not_count(statements: tuple[Any, ...]) -> None:
    assert verdict(s3_access.cross_account, *statements) is Verdict.FAIL


# -- Other services ------------------------------------------------------------------------------------------------


TOPIC = f"arn:aws:sns:eu-west-1:{ACCOUNT}:news"


@pytest.mark.parametrize(
    ("guard", "wanted"),
    [
        ({"Action": "sns:*", "Resource": TOPIC}, Verdict.PASS),
        ({"NotAction": "sns:Subscribe", "Resource": TOPIC}, Verdict.PASS),
        ({"NotAction": "sns:Publish", "Resource": TOPIC}, Verdict.FAIL),
        ({"Action": "sns:*", "Resource": f"{TOPIC}-other"}, Verdict.FAIL),
        ({"Action": "sns:Publish", "NotResource": TOPIC}, Verdict.FAIL),
        ({"Action": "sns:Publish", "NotResource": f"{TOPIC}-other"}, Verdict.PASS),
    ],
)
def test_a_deny_on_the_resource_itself_is_on_everything(guard: dict[str, Any], wanted: Verdict) -> None:
    allowed = {"Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": "*"}
    denied = {"Effect": "Deny", "Principal": "*", "Condition": OUTSIDERS, **guard}
    topic = Resource(
        "AWS::SNS::Topic", TOPIC, "news", "eu-west-1", ACCOUNT, {"Policy": {"Statement": [allowed, denied]}}
    )
    assert judge(sns.public, topic, now=NOW).verdict is wanted


def sends(operator: str, source: Any) -> Verdict:
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sqs:SendMessage", "Resource": "*"}
    condition = {operator: {"aws:SourceArn": source}}
    return judge_example(sqs.public, {"Policy": {"Statement": [{**statement, "Condition": condition}]}}).verdict


@pytest.mark.parametrize(
    ("operator", "source"),
    [
        ("ArnLike", "arn:aws:s3:*:*:reports"),
        ("StringLike", "arn:aws:s3:*:*:reports"),
        ("ArnLike", "arn:*:s3:*:*:reports"),
        ("ArnEquals", "arn:aws-cn:s3:*:*:reports"),
        ("ArnLike", "arn:aws-us-gov:s3:::reports"),
        ("StringEquals", "arn:aws:s3:::reports"),
        ("ArnLike", "arn:aws:s3:::reports/*"),
        ("ArnLike", ["arn:aws:s3:*:*:reports", "arn:aws:s3:*:*:invoices"]),
        ("ArnLike", "arn:aws:apigateway:*::/restapis/a1b2c3/*"),
        ("ArnLike", "arn:aws:route53:::hostedzone/Z0123456789"),
        ("ArnLike", f"arn:aws:sns:*:{ACCOUNT}:*"),
    ],
)
def test_a_source_that_has_no_account_is_pinned_by_what_it_names(operator: str, source: Any) -> None:
    assert sends(operator, source) is Verdict.PASS


@pytest.mark.parametrize(
    ("operator", "source"),
    [
        ("ArnLike", "arn:aws:s3:*:*:*"),
        ("ArnLike", "arn:aws:s3:::*"),
        ("ArnLike", "arn:aws:s3:*:*:reports*"),
        ("ArnLike", "arn:aws:s3:*:*:?eports"),
        ("StringLike", "arn:*:s3:*:*:reports"),
        ("ArnLike", "arn:aws:s3:*:*:accesspoint/reports"),
        ("ArnLike", "arn:aws:s3:::${aws:username}"),
        ("ArnLike", ["arn:aws:s3:*:*:reports", "arn:aws:s3:*:*:*"]),
        ("ArnLikeIfExists", "arn:aws:s3:*:*:reports"),
        ("ArnLike", "arn:aws:*:*:*:reports"),
        ("ArnLike", "arn:aws:sns:*:*:reports"),
        ("ArnLike", "arn:aws:sqs:eu-west-1:*:reports"),
        ("ArnLike", "arn:aws:lambda:*:*:function:reports"),
        ("ArnLike", "arn:aws:apigateway:*::/restapis/*"),
        ("ArnLike", "arn:aws:route53:::hostedzone/*"),
        ("ArnNotLike", "arn:aws:s3:*:*:reports"),
    ],
)
def test_a_source_that_anyone_can_have_does_not_pin(operator: str, source: Any) -> None:
    assert sends(operator, source) is Verdict.FAIL
