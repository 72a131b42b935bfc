"""The traps of the rules on IAM, S3 and KMS, beyond the examples that the rules carry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from nephoscope.domain import Finding, Resource, Rule, Verdict, rules_in, unknown
from nephoscope.engine import Neighbours, judge
from nephoscope.testing import ACCOUNT, NOW, judge_example, resource
from nephoscope_baseline.aws import iam, iam_account, iam_policies, iam_support, kms, s3, s3_access

RULES = rules_in(iam, iam_account, iam_policies, iam_support, s3, s3_access, kms)
HIDDEN = unknown("access denied", "s3:GetBucketPolicy")
ALLOW = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::example/*"}
STRANGER = {"AWS": "210987654321"}
LONG_AGO, RECENT = "2020-01-01T00:00:00Z", "2026-01-14T00:00:00Z"
FULL_SHELL = "arn:aws:iam::aws:policy/AWSCloudShellFullAccess"
SUPPORT = "arn:aws-cn:iam::aws:policy/AWSSupportAccess"


def verdict(rule: Rule, given: Mapping[str, Any]) -> Verdict:
    return judge_example(rule, given).verdict


def user(**report: Any) -> dict[str, Any]:
    line = {"PasswordEnabled": False, "MfaActive": False, "AccessKeys": [], "UserCreationTime": LONG_AGO}
    return {"Observed": {"CredentialReport": {**line, **report}}}


def bucket(*statements: Any, **more: Any) -> dict[str, Any]:
    return {
        "PublicAccessBlockConfiguration": None,
        "OwnershipControls": None,
        "Policy": {"Statement": [*statements]},
        "Observed": {"AclGrants": [], "AccountPublicAccessBlock": None},
        **more,
    }


# -- All rules -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_resource_of_which_nothing_could_be_read_is_unknown(rule: Rule) -> None:
    hidden = Resource.unreadable(rule.on[0], "global", ACCOUNT, permission="x:List", reason="access denied")
    neighbours = [Resource.unreadable(type, "global", ACCOUNT, permission="x:List", reason="no") for type in rule.needs]
    finding = judge(rule, hidden, now=NOW, neighbours=Neighbours.fixed(neighbours))
    assert (finding.verdict, finding.permission) == (Verdict.UNKNOWN, "x:List")


DOCUMENTS: list[Any] = [
    None,
    5,
    "x",
    [],
    [ALLOW],
    {},
    {"Statement": None},
    {"Statement": 7},
    {"Statement": [None, 1, "x", [ALLOW], {}]},
    {"Statement": [{**ALLOW, "Principal": None}]},
    {"Statement": [{**ALLOW, "Principal": {"AWS": {"x": [1]}}}]},
    {"Statement": [{**ALLOW, "Action": [7, None, {"x": 1}]}]},
    {"Statement": [{**ALLOW, "Resource": 3}]},
    {"Statement": [{**ALLOW, "Condition": {"StringEquals": {"aws:SourceVpc": 5}, "Bool": 1, "Null": [None]}}]},
    {"Statement": [{**ALLOW, "Effect": "Deny", "Condition": ["x"], "Action": "s3:*"}]},
    {"Statement": [{**ALLOW, "<b>x</b>.y[0]": "<script>", "Condition": {"<b>": {"a.b[0]": "<i>"}}}]},
    {"Statement": [{"Effect": {"x": 1}, "NotPrincipal": 3, "NotAction": {}, "NotResource": [None]}]},
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_no_policy_document_makes_a_rule_raise(rule: Rule) -> None:
    names = ("Policy", "KeyPolicy", "PolicyDocument", "AssumeRolePolicyDocument")
    for document in DOCUMENTS:
        given = {**rule.bad[0], **dict.fromkeys(names, document)}
        assert judge_example(rule, given).verdict is not Verdict.ERROR, document


SETTINGS = (
    "PublicAccessBlockConfiguration",
    "OwnershipControls",
    "BucketEncryption",
    "LifecycleConfiguration",
    "VersioningConfiguration",
    "AccessControl",
    "ManagedPolicyArns",
    "Policies",
)


ODD: list[Any] = [None, 5, "x", [], [1, None, "x", {}, []], {"Rules": 5}, {"Rules": [1, None, {}]}]
OF_TEMPLATES = [rule for rule in RULES if not rule.live_only and "$example" not in rule.bad[0]]


@pytest.mark.parametrize("rule", OF_TEMPLATES, ids=lambda rule: rule.id)
def test_no_odd_setting_of_a_template_makes_a_rule_raise(rule: Rule) -> None:
    for value in ODD:
        given = {**rule.bad[0], **dict.fromkeys(SETTINGS, value)}
        assert judge_example(rule, given).verdict is not Verdict.ERROR, value


@pytest.mark.parametrize(
    "rule",
    [s3_access.public_read, s3_access.public_write, s3_access.tls_only, s3_access.cross_account],
    ids=lambda rule: rule.id,
)
def test_a_policy_of_300_kb_is_judged_like_any_other(rule: Rule) -> None:
    given = bucket(*({**ALLOW, "Sid": f"statement-{number:0>40}"} for number in range(1_800)))
    assert judge_example(rule, given).verdict is Verdict.FAIL


# -- IAM -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", [iam.user_mfa, iam.unused_credentials, iam.one_active_key], ids=lambda rule: rule.id)
def test_a_user_newer_than_the_credential_report_is_unknown(rule: Rule) -> None:
    assert verdict(rule, {"UserName": "new", "Observed": {"CredentialReport": None}}) is Verdict.UNKNOWN


def test_a_user_without_password_needs_no_mfa() -> None:
    assert verdict(iam.user_mfa, user()) is Verdict.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("last_used", "wanted"), [("2025-12-01T12:00:00Z", Verdict.PASS), ("2025-12-01T11:59:59Z", Verdict.FAIL)]
)
def test_a_password_may_be_unused_for_45_days(last_used: str, wanted: Verdict) -> None:
    assert verdict(iam.unused_credentials, user(PasswordEnabled=True, PasswordLastUsed=last_used)) is wanted


def test_a_key_made_yesterday_and_never_used_is_no_unused_key() -> None:
    key = {"Active": True, "LastRotated": RECENT, "LastUsedDate": None}
    assert verdict(iam.unused_credentials, user(AccessKeys=[key])) is Verdict.PASS
    finding = judge_example(iam.unused_credentials, user(AccessKeys=[key, {**key, "LastRotated": LONG_AGO}]))
    assert finding.message == "Access key 2 was never used; the limit is 45 days"


@pytest.mark.parametrize(
    ("created", "wanted"),
    [
        ("2025-10-17T12:00:00Z", Verdict.PASS),
        ("2025-10-17T11:59:59Z", Verdict.FAIL),
        (None, Verdict.UNKNOWN),
        ("yesterday", Verdict.UNKNOWN),
    ],
)
def test_a_key_may_be_90_days_old_and_no_age_is_no_pass(created: str | None, wanted: Verdict) -> None:
    assert verdict(iam.key_rotation, {"Status": "Active", "Observed": {"CreateDate": created}}) is wanted


def test_a_policy_that_nobody_holds_is_not_judged_but_one_in_a_template_is() -> None:
    document = {"PolicyDocument": {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}}
    assert (
        verdict(iam_policies.no_star_policy, {**document, "Observed": {"AttachmentCount": 0}}) is Verdict.NOT_APPLICABLE
    )
    assert verdict(iam_policies.no_star_policy, document) is Verdict.FAIL


@pytest.mark.parametrize(
    ("action", "what", "wanted"),
    [
        ("**", "arn:aws:*:*:*:*", Verdict.FAIL),
        ("*", ["arn:aws:s3:::x", "*"], Verdict.FAIL),
        ("s3:*", "*", Verdict.PASS),
        ("*", "arn:aws:s3:::*", Verdict.PASS),
        (HIDDEN, "*", Verdict.UNKNOWN),
        ("*", HIDDEN, Verdict.UNKNOWN),
    ],
)
def test_everything_on_everything_is_seen_in_each_spelling(action: Any, what: Any, wanted: Verdict) -> None:
    statement = {"Effect": "Allow", "Action": action, "Resource": what}
    assert verdict(iam_policies.no_star_policy, {"PolicyDocument": {"Statement": [statement]}}) is wanted


def test_a_deny_of_a_whole_service_is_no_grant() -> None:
    statement = {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}
    assert verdict(iam_policies.no_service_star, {"PolicyDocument": {"Statement": [statement]}}) is Verdict.PASS


def test_one_policy_not_known_yet_does_not_hide_another() -> None:
    assert verdict(iam_policies.cloudshell_full, {"ManagedPolicyArns": [HIDDEN, FULL_SHELL]}) is Verdict.FAIL
    assert verdict(iam_policies.cloudshell_full, {"ManagedPolicyArns": [HIDDEN]}) is Verdict.UNKNOWN
    assert verdict(iam.user_no_direct_policies, {"ManagedPolicyArns": [HIDDEN]}) is Verdict.FAIL


@pytest.mark.parametrize("type", ["AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group"])
def test_full_cloudshell_access_is_seen_on_every_kind_of_holder(type: str) -> None:
    holder = resource(type, {"ManagedPolicyArns": [FULL_SHELL]})
    assert type in iam_policies.cloudshell_full.on
    assert judge(iam_policies.cloudshell_full, holder, now=NOW).verdict is Verdict.FAIL


def support(*neighbours: Resource) -> Finding:
    return judge(
        iam_support.support_role, resource("AWS::::Account", {}), now=NOW, neighbours=Neighbours.fixed(neighbours)
    )


def test_support_access_found_on_one_outweighs_what_is_hidden() -> None:
    hidden = Resource.unreadable("AWS::IAM::Role", "global", ACCOUNT, permission="iam:ListRoles", reason="denied")
    some = resource("AWS::IAM::User", {"ManagedPolicyArns": HIDDEN})
    assert support(hidden, some).verdict is Verdict.UNKNOWN
    assert support(hidden, some, resource("AWS::IAM::Group", {"ManagedPolicyArns": [SUPPORT]})).verdict is Verdict.PASS


def test_root_without_mfa_has_no_hardware_mfa_either() -> None:
    account = {"AccountSummary": {"AccountMFAEnabled": 0}, "VirtualMFADevices": []}
    assert judge_example(iam_account.root_hardware_mfa, account).message == "The root user has no MFA device"


@pytest.mark.parametrize("number", [0, 1])
def test_each_of_roots_keys_counts_as_use_of_root(number: int) -> None:
    keys: list[dict[str, Any]] = [{"Active": False, "LastUsedDate": None}, {"Active": False, "LastUsedDate": None}]
    keys[number]["LastUsedDate"] = RECENT
    observed = {"RootCredentials": {"PasswordLastUsed": LONG_AGO, "AccessKeys": keys}}
    assert verdict(iam_account.root_not_used, {"Observed": observed}) is Verdict.FAIL


def test_a_hidden_password_policy_is_unknown_and_none_fails() -> None:
    for rule in (iam_account.password_length, iam_account.password_reuse, iam_account.password_strength):
        assert verdict(rule, {"PasswordPolicy": HIDDEN}) is Verdict.UNKNOWN
        assert verdict(rule, {"PasswordPolicy": {}}) is Verdict.FAIL


def test_a_trust_policy_points_at_its_principal() -> None:
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": ["*"]}, "Action": "sts:AssumeRole"}]}
    finding = judge_example(iam_policies.role_trust_wildcard, {"AssumeRolePolicyDocument": trust})
    assert finding.message == "Anyone can assume this role"
    assert finding.evidence[0].path == "AssumeRolePolicyDocument.Statement[0].Principal.AWS"


# -- S3 ------------------------------------------------------------------------------------------------------------


def test_a_public_bucket_points_at_its_principal_in_a_persons_words() -> None:
    finding = judge_example(s3_access.public_read, bucket({**ALLOW, "Action": "s3:GetObject"}))
    assert finding.message == "Anyone can read objects: policy allows s3:GetObject"
    assert [(each.path, each.value) for each in finding.evidence] == [("Policy.Statement[0].Principal", "*")]


def test_reading_and_writing_are_told_apart() -> None:
    reading = bucket({**ALLOW, "Action": ["s3:Get*", "s3:List*"]})
    writing = bucket({**ALLOW, "Action": "s3:PutObject"})
    assert [verdict(rule, reading) for rule in (s3_access.public_read, s3_access.public_write)] == ["fail", "pass"]
    assert [verdict(rule, writing) for rule in (s3_access.public_read, s3_access.public_write)] == ["pass", "fail"]


def test_an_acl_open_for_writing_says_nothing_about_reading_by_a_hidden_policy() -> None:
    grantee = {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}
    observed = {"AclGrants": [{"Grantee": grantee, "Permission": "WRITE"}], "AccountPublicAccessBlock": None}
    given = bucket(Policy=HIDDEN, Observed=observed)
    assert verdict(s3_access.public_write, given) is Verdict.FAIL
    finding = judge_example(s3_access.public_read, given)
    assert (finding.verdict, finding.permission) == (Verdict.UNKNOWN, "s3:GetBucketPolicy")


def test_every_public_rule_names_its_remediation() -> None:
    for rule in (s3_access.public_read, s3_access.public_write):
        assert rule.remediations == ("aws.s3.remove_public_access", "aws.s3.remove_public_grants")


def test_plain_http_denied_in_a_known_statement_outweighs_a_hidden_one() -> None:
    deny = {**ALLOW, "Effect": "Deny", "Resource": "*", "Condition": {"BoolIfExists": {"aws:securetransport": "false"}}}
    assert verdict(s3_access.tls_only, bucket(HIDDEN, deny)) is Verdict.PASS
    assert verdict(s3_access.tls_only, bucket(HIDDEN)) is Verdict.UNKNOWN
    assert verdict(s3_access.tls_only, bucket({**deny, "Resource": "arn:aws:s3:::example/logs/*"})) is Verdict.FAIL


@pytest.mark.parametrize(
    ("statement", "wanted"),
    [
        ({"NotPrincipal": STRANGER, "Principal": None}, Verdict.FAIL),
        ({"Principal": {"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"}}, Verdict.PASS),
        ({"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}, Verdict.PASS),
        ({"Principal": {"AWS": "arn:aws-us-gov:sts::210987654321:assumed-role/r/s"}}, Verdict.FAIL),
        ({"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}, Verdict.PASS),
        ({"Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::210987654321:role/*"}}}, Verdict.FAIL),
        ({"Principal": STRANGER, "NotAction": "s3:Put*", "Action": None}, Verdict.PASS),
        ({"Principal": STRANGER, "Action": "s3:PutObject"}, Verdict.PASS),
        ({"Principal": STRANGER, "Action": HIDDEN}, Verdict.UNKNOWN),
    ],
)
def test_only_other_accounts_with_administrative_actions_count(statement: Any, wanted: Verdict) -> None:
    assert verdict(s3_access.cross_account, bucket({**ALLOW, **statement})) is wanted


def test_the_buckets_own_canonical_user_is_no_stranger() -> None:
    given = bucket({**ALLOW, "Principal": {"CanonicalUser": "79a59df9"}}, Observed={"Owner": "79a59df9"})
    assert verdict(s3_access.cross_account, given) is Verdict.PASS


def test_in_a_template_of_no_known_account_another_account_cannot_be_told() -> None:
    given = bucket({**ALLOW, "Principal": STRANGER})
    template = Resource("AWS::S3::Bucket", "main.tf#b", "b", "global", "", given, origin="main.tf")
    assert judge(s3_access.cross_account, template, now=NOW).verdict is Verdict.UNKNOWN


def test_a_block_names_the_switches_that_are_off() -> None:
    block = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": False}
    finding = judge_example(s3.bucket_bpa, {"PublicAccessBlockConfiguration": block})
    assert finding.message == "Off: BlockPublicPolicy, RestrictPublicBuckets"


# -- KMS -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        {"KeySpec": "HMAC_256"},
        {"Origin": "AWS_CLOUDHSM"},
        {"Observed": {"KeyState": "Disabled"}},
    ],
)
def test_keys_that_cannot_rotate_are_not_judged(given: dict[str, Any]) -> None:
    assert verdict(kms.rotation, {"EnableKeyRotation": False, **given}) is Verdict.NOT_APPLICABLE


def test_a_hidden_rotation_status_is_unknown() -> None:
    hidden = unknown("access denied", "kms:GetKeyRotationStatus")
    assert verdict(kms.rotation, {"EnableKeyRotation": hidden}) is Verdict.UNKNOWN
