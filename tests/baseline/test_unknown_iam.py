"""What could not be read of IAM: it never passes, and it does not hide what is certain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from nephoscope.domain import Finding, Resource, Rule, Verdict, unknown
from nephoscope.engine import Neighbours, judge
from nephoscope.testing import ACCOUNT, NOW, resource
from nephoscope_aws.identity_policies import GROUP, POLICY, ROLE, USER
from nephoscope_baseline.aws import iam, iam_account, iam_permissions

HIDDEN = unknown("access denied", "iam:GetAccountAuthorizationDetails")
OLD, RECENT = "2024-03-01T09:00:00Z", "2026-01-10T09:00:00Z"
OWN = f"arn:aws:iam::{ACCOUNT}"
LIMIT, ROLES = f"example:{POLICY}:limit", f"example:{ROLE}:"
FAIL, PASS, UNKNOWN = Verdict.FAIL, Verdict.PASS, Verdict.UNKNOWN


def judged(rule: Rule, properties: Mapping[str, Any], *neighbours: Resource, type: str = "") -> Finding:
    return judge(rule, resource(type or rule.on[0], properties), now=NOW, neighbours=Neighbours.fixed(neighbours))


def allow(*actions: str, on: str = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": on}


def document(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def holding(*statements: Any, **more: Any) -> dict[str, Any]:
    inline = [{"PolicyName": "own", "PolicyDocument": document(*statements)}] if statements else []
    return {"Policies": inline, "ManagedPolicyArns": [], **more}


def policy(properties: Any) -> Resource:
    return resource(POLICY, {"PolicyDocument": properties}, name="limit", region="global")


BOUNDED = {"PermissionsBoundary": LIMIT}
NOTHING = policy(document(allow("s3:*")))
ALL = policy(document(allow("*")))


@pytest.mark.parametrize(
    ("properties", "neighbours", "verdict"),
    [
        (holding(allow("s3:*"), **BOUNDED), [policy(HIDDEN)], PASS),
        (holding(allow("s3:*"), **BOUNDED), [], PASS),
        (holding(allow("s3:*"), PermissionsBoundary=HIDDEN), [], PASS),
        (holding(allow("iam:PutUserPolicy"), **BOUNDED), [policy(HIDDEN)], UNKNOWN),
        (holding(allow("*"), **BOUNDED), [policy(HIDDEN)], UNKNOWN),
        (holding(Policies=HIDDEN, **BOUNDED), [NOTHING], PASS),
        (holding(Policies=HIDDEN, **BOUNDED), [ALL], UNKNOWN),
        (holding(allow("s3:*"), ManagedPolicyArns=HIDDEN, **BOUNDED), [NOTHING], PASS),
        (holding(allow("s3:*"), ManagedPolicyArns=HIDDEN), [], UNKNOWN),
        (holding(allow("s3:*"), Groups=["gone"], **BOUNDED), [NOTHING], PASS),
        (holding(allow("s3:*"), Groups=["gone"]), [], UNKNOWN),
        (holding(allow("iam:CreatePolicyVersion"), ManagedPolicyArns=HIDDEN), [], UNKNOWN),
        (holding(Policies=HIDDEN), [], UNKNOWN),
    ],
)
def test_what_was_not_read_decides_only_where_it_can_change_the_verdict(
    properties: Mapping[str, Any], neighbours: list[Resource], verdict: Verdict
) -> None:
    assert judged(iam_permissions.privilege_escalation, properties, *neighbours).verdict is verdict


@pytest.mark.parametrize(
    ("properties", "neighbours", "verdict"),
    [
        (holding(allow("*"), ManagedPolicyArns=[LIMIT]), [NOTHING], FAIL),
        (holding(allow("*"), ManagedPolicyArns=[LIMIT]), [policy(HIDDEN)], UNKNOWN),
        (holding(allow("*"), ManagedPolicyArns=HIDDEN), [], UNKNOWN),
        (holding(allow("s3:*"), ManagedPolicyArns=HIDDEN), [], PASS),
        (holding(allow("s3:*"), **BOUNDED), [policy(HIDDEN)], PASS),
    ],
)
def test_an_attached_policy_that_was_not_read_may_deny_what_an_inline_one_allows(
    properties: Mapping[str, Any], neighbours: list[Resource], verdict: Verdict
) -> None:
    assert judged(iam_permissions.no_star_inline, properties, *neighbours).verdict is verdict


BOSS = f"{ROLES}boss"


def boss(**properties: Any) -> Resource:
    return resource(ROLE, holding(allow("*"), **properties), name="boss", region="global")


def trusting(service: Any) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"AssumeRolePolicyDocument": document(trust)}


OTHER = resource(ROLE, holding(Policies=HIDDEN), name="another", region="global")
GATED = resource(ROLE, holding(Policies=HIDDEN, **BOUNDED), name="another", region="global")


@pytest.mark.parametrize(
    ("on", "neighbours", "verdict"),
    [
        (f"{ROLES}*o*", [OTHER, boss()], FAIL),
        (f"{ROLES}boss", [OTHER], PASS),
        (f"{ROLES}an*", [OTHER, boss()], UNKNOWN),
        (f"{ROLES}an*", [GATED, NOTHING], PASS),
        (f"{ROLES}an*", [GATED, ALL], UNKNOWN),
        (f"{ROLES}boss", [boss(AssumeRolePolicyDocument=HIDDEN)], UNKNOWN),
        (f"{ROLES}boss", [boss(**trusting([HIDDEN, "ec2.amazonaws.com"]))], FAIL),
        (f"{ROLES}boss", [boss(**trusting([HIDDEN, "rds.amazonaws.com"]))], UNKNOWN),
        (f"{ROLES}boss", [boss(**trusting("rds.amazonaws.com"))], PASS),
    ],
)
def test_a_role_that_was_not_read_decides_only_where_it_can_be_passed(
    on: str, neighbours: list[Resource], verdict: Verdict
) -> None:
    passing = holding(allow("iam:PassRole", on=on), allow("ec2:RunInstances"))
    assert judged(iam_permissions.privilege_escalation, passing, *neighbours).verdict is verdict


def test_a_path_that_is_open_is_found_beside_one_of_which_that_is_not_known() -> None:
    statements = [allow("iam:UpdateAssumeRolePolicy", on=OTHER.id), allow("iam:PassRole", on=BOSS)]
    properties = holding(*statements, allow("ec2:RunInstances"))
    found = judged(iam_permissions.privilege_escalation, properties, OTHER, boss())
    assert found.message == "Can escalate its privileges with iam:PassRole + ec2:RunInstances (inline policy 'own')"


def test_groups_that_are_hidden_do_not_hide_the_paths_of_roles() -> None:
    hidden = Resource.unreadable(GROUP, "global", ACCOUNT, permission="", reason="denied")
    properties = holding(allow("iam:AddUserToGroup", on=f"example:{GROUP}:g"), allow("lambda:UpdateFunctionCode"))
    assert judged(iam_permissions.privilege_escalation, properties, hidden, type=USER).verdict is FAIL


USED = {"Active": True, "LastRotated": OLD, "LastUsedDate": RECENT}
UNUSED = {"Active": True, "LastRotated": OLD, "LastUsedDate": None}


def report(*keys: Any, **line: Any) -> dict[str, Any]:
    password = {"PasswordEnabled": False, "PasswordLastUsed": None, "PasswordLastChanged": None}
    row = {**password, "UserCreationTime": OLD, "AccessKeys": list(keys), **line}
    return {"Observed": {"CredentialReport": row, "RootCredentials": row}}


APP = {"SerialNumber": f"{OWN}:mfa/root-account-mfa-device", "UserArn": HIDDEN}
KEY = {"Active": True, "LastRotated": OLD, "LastUsedDate": HIDDEN}
MFA = {"AccountSummary": {"AccountMFAEnabled": 1}}
KINDS = ("RequireUppercaseCharacters", "RequireLowercaseCharacters", "RequireSymbols", "RequireNumbers")
ALL_KINDS = dict.fromkeys(KINDS, True)
WITHOUT_MFA = {"AccountMFAEnabled": 0, "AccountAccessKeysPresent": HIDDEN, "AccountPasswordPresent": 0}


@pytest.mark.parametrize(
    ("rule", "properties", "verdict"),
    [
        (iam.unused_credentials, report(KEY, UNUSED), FAIL),
        (iam.unused_credentials, report(HIDDEN, UNUSED), FAIL),
        (iam.unused_credentials, report(UNUSED, PasswordEnabled=HIDDEN), FAIL),
        (iam.unused_credentials, report(USED, PasswordEnabled=HIDDEN), UNKNOWN),
        (iam.unused_credentials, report(KEY, USED), UNKNOWN),
        (iam.unused_credentials, report(HIDDEN), UNKNOWN),
        (iam.one_active_key, report(HIDDEN, USED, USED), FAIL),
        (iam.one_active_key, report({"Active": HIDDEN}, USED), UNKNOWN),
        (iam_account.root_not_used, report(KEY, USED), FAIL),
        (iam_account.root_not_used, report(HIDDEN, USED), FAIL),
        (iam_account.root_not_used, report(USED, PasswordLastUsed=HIDDEN), FAIL),
        (iam_account.root_not_used, report(KEY, UNUSED), UNKNOWN),
        (iam_account.root_not_used, report(PasswordLastUsed=HIDDEN), UNKNOWN),
        (iam_account.root_hardware_mfa, {**MFA, "VirtualMFADevices": [HIDDEN, APP]}, FAIL),
        (iam_account.root_hardware_mfa, {**MFA, "VirtualMFADevices": [{**APP, "SerialNumber": "s"}]}, UNKNOWN),
        (iam_account.root_mfa, {"AccountSummary": {**WITHOUT_MFA, "AccountSigningCertificatesPresent": 1}}, FAIL),
        (iam_account.root_mfa, {"AccountSummary": {**WITHOUT_MFA, "AccountSigningCertificatesPresent": 0}}, UNKNOWN),
        (iam_account.password_strength, {"PasswordPolicy": {**ALL_KINDS, KINDS[0]: HIDDEN, KINDS[3]: False}}, FAIL),
        (iam_account.password_strength, {"PasswordPolicy": {**ALL_KINDS, KINDS[0]: HIDDEN}}, UNKNOWN),
    ],
)
def test_one_that_is_hidden_does_not_hide_what_is_wrong_in_another(
    rule: Rule, properties: Mapping[str, Any], verdict: Verdict
) -> None:
    assert judged(rule, properties).verdict is verdict
