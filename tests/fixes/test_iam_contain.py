"""Containing the user or role that a GuardDuty finding names, and taking that back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.fixes.buckets import ACCOUNT, CONNECTION, PROVIDER, make_role, policy
from tests.fixes.planning import BY_ID, planned, refused
from tests.fixes.rounds.iam_keys import keys_of, user

from nephoscope import surgery
from nephoscope.domain import LiveSession, Resource
from nephoscope.testing import Notes
from nephoscope_aws.detections import FINDING
from nephoscope_aws_fixes.iam_contain import POLICY_NAME
from nephoscope_aws_simulator.testing import Cloud

FIX = "aws.iam.contain"
CONTAIN = BY_ID[FIX]
USED = {"age_days": 20, "used_days": 1}
OFF = {"age_days": 300, "used_days": None}


def finding(name: str, kind: str, principal: str = "", account: str = ACCOUNT) -> Resource:
    """A finding about the credentials of a user or role."""
    about = {"AccessKeyDetails": {"UserName": name, "UserType": kind, "PrincipalId": principal}}
    said = {"Resource": about, "AccountId": account}
    return Resource(FINDING, f"us-east-1/{name}", name, "us-east-1", ACCOUNT, said)


def role(simulator: Cloud, name: str, **more: Any) -> None:
    allow = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam = simulator.client("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(allow), **more)
    own = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy(own))


def policies(simulator: Cloud, kind: str, name: str) -> dict[str, Any]:
    iam, of = simulator.client("iam"), {f"{kind.title()}Name": name}
    names = getattr(iam, f"list_{kind}_policies")(**of)["PolicyNames"]
    return {each: getattr(iam, f"get_{kind}_policy")(**of, PolicyName=each)["PolicyDocument"] for each in names}


def state(simulator: Cloud, kind: str, name: str) -> Any:
    return policies(simulator, kind, name), keys_of(simulator, name) if kind == "user" else None


@pytest.fixture
def spy(simulator: Cloud) -> Iterator[str]:
    """A user with an active key, one that is off, and a policy of its own; beside it stands one like it."""
    _, off = user(simulator, "spy", USED, OFF)
    iam = simulator.client("iam")
    iam.update_access_key(UserName="spy", AccessKeyId=off, Status="Inactive")
    allow = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    iam.put_user_policy(UserName="spy", PolicyName="own", PolicyDocument=policy(allow))
    yield "spy"
    for name in ("spy", "spy-beside"):
        for key in keys_of(simulator, name):
            iam.delete_access_key(UserName=name, AccessKeyId=key)
        for each in policies(simulator, "user", name):
            iam.delete_user_policy(UserName=name, PolicyName=each)
        iam.delete_user(UserName=name)


def round_trip(simulator: Cloud, session: LiveSession, kind: str, name: str, about: Resource) -> set[str]:
    """Contain and release; return the actions that were used to change something."""
    before, beside = state(simulator, kind, name), state(simulator, kind, f"{name}-beside")
    plan = planned(session, FIX, about)
    assert plan.digest == planned(session, FIX, about).digest
    assert plan.resources == (about.id,)
    assert plan.reversible
    assert {each.resource.rpartition("/")[2] for each in plan.permissions} == {name}
    simulator.control("calls/reset", {})
    writer, notes = surgery.open_writer(PROVIDER, CONNECTION, plan.permissions), Notes()
    assert surgery.apply(CONTAIN, plan.steps, session, writer, notes), notes
    assert surgery.holds(CONTAIN, plan.steps, notes.kept, session, notes)
    held, keys = state(simulator, kind, name)
    (statement,) = held[POLICY_NAME]["Statement"]
    assert (statement["Effect"], statement["Action"], statement["Resource"]) == ("Deny", "*", "*")
    assert "Condition" not in statement
    assert set((keys or {}).values()) <= {"Inactive"}
    assert "contained already" in refused(session, FIX, about)
    assert surgery.undo(CONTAIN, plan.steps, range(len(plan.steps)), notes.kept, session, writer, notes), notes
    assert state(simulator, kind, name) == before
    assert state(simulator, kind, f"{name}-beside") == beside
    actions = simulator.control("calls")["actions"]
    writer.close()
    return {each for each in actions if each in CONTAIN.writes}


def test_a_user_and_a_role_are_contained_and_released_with_just_the_declared_permissions(
    simulator: Cloud, session: LiveSession, spy: str
) -> None:
    for name in ("ghost", "ghost-beside"):
        role(simulator, name, Path="/service/")
    used = round_trip(simulator, session, "user", spy, finding(spy, "IAMUser"))
    used |= round_trip(simulator, session, "role", "ghost", finding("ghost", "AssumedRole"))
    assert used == set(CONTAIN.writes)


def test_a_session_that_is_open_already_is_cut_off_and_works_again_after_the_undo(
    simulator: Cloud, session: LiveSession
) -> None:
    make_role(simulator, "prey", "word", ["*"])
    arn = f"arn:aws:iam::{ACCOUNT}:role/prey"
    assumed = simulator.client("sts").assume_role(RoleArn=arn, RoleSessionName="open", ExternalId="word")
    s3 = simulator.client("s3", credentials=assumed["Credentials"])
    assert s3.list_buckets()
    plan = planned(session, FIX, finding("prey", "AssumedRole"))
    writer, notes = surgery.open_writer(PROVIDER, CONNECTION, plan.permissions), Notes()
    surgery.apply(CONTAIN, plan.steps, session, writer, notes)
    with pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
        s3.list_buckets()
    surgery.undo(CONTAIN, plan.steps, [0], {}, session, writer, notes)
    assert s3.list_buckets()
    writer.close()


def test_the_plan_says_who_uses_the_role_and_the_keys(simulator: Cloud, session: LiveSession, spy: str) -> None:
    role(simulator, "used")
    simulator.control("patch", {"kind": "role", "account": ACCOUNT, "name": "used", "used_days": 3})
    used, trusted = planned(session, FIX, finding("used", "Role")).uses
    assert "Role used was last used on 20" in used
    assert trusted.endswith("It can be assumed by lambda.amazonaws.com.")
    (key,) = planned(session, FIX, finding(spy, "IAMUser")).uses
    assert "was last used on 20" in key


@pytest.mark.parametrize(
    ("name", "kind", "why"),
    [
        ("root", "Root", "no policy holds for the root user"),
        ("someone", "FederatedUser", "does not name an IAM user or role"),
        ("", "IAMUser", "does not name an IAM user or role"),
        ("nobody", "IAMUser", "there is no user nobody any more"),
        ("nobody", "AssumedRole", "there is no role nobody any more"),
        ("nephoscope-read", "AssumedRole", "Nephoscope itself works as nephoscope-read"),
        ("nephoscope-fix", "AssumedRole", "Nephoscope itself works as nephoscope-fix"),
    ],
)
def test_who_cannot_or_must_not_be_contained_is_refused(
    simulator: Cloud, session: LiveSession, name: str, kind: str, why: str
) -> None:
    assert why in refused(session, FIX, finding(name, kind))


@pytest.mark.parametrize(
    ("name", "more", "why"),
    [
        ("linked", {"Path": "/aws-service-role/guardduty.amazonaws.com/"}, "a service-linked role"),
        ("sso", {"Path": "/aws-reserved/sso.amazonaws.com/"}, "IAM Identity Center manages it"),
        ("tagged", {"Tags": [{"Key": "nephoscope:do-not-fix", "Value": "true"}]}, "is tagged nephoscope:do-not-fix"),
    ],
)
def test_roles_that_aws_or_a_tag_protects_are_refused(
    simulator: Cloud, session: LiveSession, name: str, more: dict[str, Any], why: str
) -> None:
    role(simulator, name, **more)
    assert why in refused(session, FIX, finding(name, "AssumedRole"))


def test_another_policy_of_the_same_name_is_not_written_over(simulator: Cloud, session: LiveSession) -> None:
    role(simulator, "half")
    allow = {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}
    simulator.client("iam").put_role_policy(RoleName="half", PolicyName=POLICY_NAME, PolicyDocument=policy(allow))
    assert "has another policy named" in refused(session, FIX, finding("half", "AssumedRole"))


def test_a_members_identity_is_not_taken_for_one_of_the_administrators_account(
    simulator: Cloud, session: LiveSession
) -> None:
    role(simulator, "twin")
    about = finding("twin", "AssumedRole", account="210987654321")
    assert "does not name an IAM user or role of this account" in refused(session, FIX, about)
    assert planned(session, FIX, finding("twin", "AssumedRole")).reversible


def test_who_has_the_name_of_a_deleted_role_now_is_left_alone(simulator: Cloud, session: LiveSession) -> None:
    role(simulator, "reborn")
    id = simulator.client("iam").get_role(RoleName="reborn")["Role"]["RoleId"]
    assert "was deleted" in refused(session, FIX, finding("reborn", "AssumedRole", "AROAEXAMPLEEXAMPLE12:session"))
    assert planned(session, FIX, finding("reborn", "AssumedRole", f"{id}:session")).reversible
