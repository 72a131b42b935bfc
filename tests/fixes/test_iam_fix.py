"""Keys and password policies that are left alone, and what is said of who uses a key."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.fixes.buckets import ACCOUNT, ROOT
from tests.fixes.planning import BY_ID, planned, refused
from tests.fixes.rounds.iam_keys import made, user

from nephoscope.domain import FixRequest, LiveSession, Resource
from nephoscope_aws_simulator.testing import Cloud

UNUSED, SECOND, OLD = (f"aws.iam.deactivate_{name}" for name in ("unused_keys", "second_key", "old_key"))


def of_user(simulator: Cloud, name: str, *keys: dict[str, float | None]) -> Resource:
    user(simulator, name, *keys)
    return made(simulator, "User", f"user/people/{name}", name, name).resource


def test_keys_that_are_used_are_left_alone(simulator: Cloud, session: LiveSession) -> None:
    resource = of_user(simulator, "busy", {"age_days": 400, "used_days": 1})
    why = refused(session, UNUSED, resource, "aws.iam.unused_credentials")
    assert "none of its access keys is unused" in why
    assert "console password is not removed" in why
    assert "it is so already" in refused(session, SECOND, resource, "aws.iam.one_active_key")


def test_a_user_that_is_gone_is_refused(simulator: Cloud, session: LiveSession) -> None:
    gone = Resource("AWS::IAM::User", f"arn:aws:iam::{ACCOUNT}:user/gone", "gone", "global", ACCOUNT, {})
    assert "does not exist any more" in refused(session, UNUSED, gone, "aws.iam.unused_credentials")


def test_the_key_whose_last_use_is_longer_ago_goes_whatever_its_age(simulator: Cloud, session: LiveSession) -> None:
    ids = user(simulator, "twice", {"age_days": 300, "used_days": 0.1}, {"age_days": 3, "used_days": 2})
    resource = made(simulator, "User", "user/people/twice", "twice", "twice").resource
    (step,) = planned(session, SECOND, resource, "aws.iam.one_active_key").steps
    assert step.call.body["parameters"]["AccessKeyId"] == ids[1]


def test_the_plan_says_when_and_for_what_a_key_was_last_used(simulator: Cloud, session: LiveSession) -> None:
    id, other = user(simulator, "told", {"age_days": 200, "used_days": 1}, {"age_days": 200, "used_days": None})
    resource = made(simulator, "AccessKey", f"user/people/told/accesskey/{id}", id, "told").resource
    (use,) = planned(session, OLD, resource, "aws.iam.key_rotation").uses
    assert f"Access key {id} was last used on 20" in use
    assert use.endswith("for s3 in us-east-1.")
    third = replace(resource, name=other, id=resource.id.replace(id, other))
    (use,) = planned(session, OLD, third, "aws.iam.key_rotation").uses
    assert use.endswith("was never used.")


def test_what_the_credential_report_will_say_is_known_unless_two_keys_are_of_one_age(
    simulator: Cloud, session: LiveSession
) -> None:
    resource = of_user(simulator, "apart", {"age_days": 300, "used_days": 200}, {"age_days": 5, "used_days": 1})
    plan = planned(session, UNUSED, resource, "aws.iam.unused_credentials")
    read = session.reread(resource)
    assert read
    keys = read.properties["Observed"]["CredentialReport"]["AccessKeys"]
    after = BY_ID[UNUSED].project(read, plan.steps)
    assert after
    shown = after.properties["Observed"]["CredentialReport"]["AccessKeys"]
    assert {key["LastRotated"]: key["Active"] for key in shown} == {
        key["LastRotated"]: key["LastRotated"] != plan.steps[0].before["CreateDate"] for key in keys
    }
    for key in keys:
        key["LastRotated"] = plan.steps[0].before["CreateDate"]
    assert BY_ID[UNUSED].project(read, plan.steps) is None


@pytest.mark.parametrize(
    ("rule", "parameters", "policy", "asked"),
    [
        ("password_length", {"length": 14}, {"MinimumPasswordLength": 20}, {}),
        ("password_length", {"length": 16}, {"MinimumPasswordLength": 6}, {"MinimumPasswordLength": 16}),
        ("password_reuse", {"passwords": 24}, {"MinimumPasswordLength": 6}, {"PasswordReusePrevention": 24}),
    ],
)
def test_a_password_policy_is_never_made_weaker_and_the_rest_of_it_stays(
    simulator: Cloud,
    session: LiveSession,
    rule: str,
    parameters: dict[str, int],
    policy: dict[str, int],
    asked: dict[str, int],
) -> None:
    simulator.client("iam").update_account_password_policy(**policy, MaxPasswordAge=30)
    fix = BY_ID["aws.iam.strengthen_passwords"]
    account = Resource("AWS::::Account", ROOT, ACCOUNT, "global", ACCOUNT, {})
    request = FixRequest(account, f"aws.iam.{rule}", parameters=parameters)
    if not asked:
        assert "it is so already" in refused(session, fix.id, account, f"aws.iam.{rule}")
        return
    (step,) = fix.plan(request, session)
    sent = step.call.body["parameters"]
    assert sent == {**policy, "MaxPasswordAge": 30, **asked}
