"""What fixes of Lambda functions keep, and what they refuse."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.fixes.refusals import planned, refused
from tests.fixes.rounds.lambda_access import ANY_BUCKET, ANYONE, BUCKET, PARTNER, url, with_permissions
from tests.fixes.rounds.round import ACCOUNT, Made

from nephoscope.domain import LiveSession, PlanProblem
from nephoscope_aws.call import AwsCall
from nephoscope_aws_fixes.lambda_access import as_permission
from nephoscope_aws_simulator.testing import Cloud

PUBLIC = ("aws.lambda.remove_public_access", "aws.lambda.public")
URL = ("aws.lambda.require_url_auth", "aws.lambda.url_auth")
OWN_BUCKET = {**BUCKET, "SourceAccount": ACCOUNT}


def test_buckets_of_the_account_go_on_invoking_the_function(simulator: Cloud, session: LiveSession) -> None:
    made = with_permissions(simulator, "for-buckets", ANY_BUCKET, PARTNER)
    add, remove = planned(session, *PUBLIC, made).steps
    assert add.after == {
        **remove.before,
        "Sid": "buckets-own-account",
        "Condition": {**remove.before["Condition"], "StringEquals": {"AWS:SourceAccount": ACCOUNT}},
    }
    assert (add.before, remove.after) == (None, None)
    assert [AwsCall.of(each.call).operation for each in (add, remove)] == ["add_permission", "remove_permission"]


def test_only_the_open_statements_are_touched(simulator: Cloud, session: LiveSession) -> None:
    made = with_permissions(simulator, "one-of-three", PARTNER, OWN_BUCKET, ANYONE)
    [step] = planned(session, *PUBLIC, made).steps
    assert step.before["Sid"] == "anyone"


def test_a_permission_on_an_alias_is_asked_for_on_it_and_on_its_function(
    simulator: Cloud, session: LiveSession
) -> None:
    made = with_permissions(simulator, "with-alias", ANYONE, Qualifier="live")
    plan = planned(session, *PUBLIC, made)
    assert {each.resource for each in plan.permissions} == {made.id, f"{made.id}:live"}


def test_who_else_may_invoke_the_function_is_said(simulator: Cloud, session: LiveSession) -> None:
    plan = planned(session, *PUBLIC, with_permissions(simulator, "used", PARTNER, ANYONE))
    assert plan.uses


def test_what_is_not_public_or_gone_is_left_out(simulator: Cloud, session: LiveSession) -> None:
    made = with_permissions(simulator, "known", PARTNER, OWN_BUCKET)
    gone = replace(made, id=f"{made.id}-gone", name="known-gone")
    assert refused(session, *PUBLIC, made) == refused(session, *PUBLIC, gone) == "it is not public any more."


def test_a_statement_whose_place_is_taken_is_left_to_a_person(simulator: Cloud, session: LiveSession) -> None:
    made = with_permissions(simulator, "taken", ANY_BUCKET, {**PARTNER, "StatementId": "buckets-own-account"})
    assert refused(session, *PUBLIC, made) == (
        "its policy already has a statement buckets-own-account: remove one of the two manually."
    )


@pytest.mark.parametrize(
    "odd",
    [
        {"Condition": {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}},
        {"Condition": {"StringLike": {"AWS:SourceArn": "arn:aws:s3:::*"}}},
        {"Condition": {"ArnLike": {"AWS:SourceArn": ["arn:aws:s3:::a*", "arn:aws:s3:::b*"]}}},
        {"Principal": {"AWS": ["*", "210987654321"]}},
        {"Principal": {"AWS": "*", "Service": "s3.amazonaws.com"}},
        {"Action": ["lambda:InvokeFunction", "lambda:GetFunction"]},
        {"Principal": None, "NotPrincipal": {"AWS": "210987654321"}},
    ],
)
def test_a_statement_that_could_not_be_put_back_is_left_to_a_person(odd: dict[str, Any]) -> None:
    statement = {"Sid": "Odd", "Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction", "Resource": "f"}
    with pytest.raises(PlanProblem, match="statement Odd of its policy could not be put back as it is"):
        as_permission(statement | odd)


def test_a_statement_is_put_back_with_all_of_its_conditions() -> None:
    condition = {
        "StringEquals": {
            "AWS:SourceAccount": ACCOUNT,
            "aws:PrincipalOrgID": "o-a1b2c3d4e5",
            "lambda:FunctionUrlAuthType": "NONE",
        },
        "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::uploads"},
        "Bool": {"lambda:InvokedViaFunctionUrl": "true"},
    }
    statement = {"Sid": "s", "Principal": {"AWS": "*"}, "Action": "lambda:InvokeFunctionUrl", "Condition": condition}
    assert as_permission(statement) == {
        "Action": "lambda:InvokeFunctionUrl",
        "Principal": "*",
        "SourceAccount": ACCOUNT,
        "PrincipalOrgID": "o-a1b2c3d4e5",
        "FunctionUrlAuthType": "NONE",
        "SourceArn": "arn:aws:s3:::uploads",
        "InvokedViaFunctionUrl": True,
    }


def test_how_often_a_url_was_requested_is_said(simulator: Cloud, session: LiveSession) -> None:
    made = url(simulator, "counted")
    assert planned(session, *URL, made).uses == (
        f"{made.name}: CloudWatch has no data on requests to it in the last 14 days.",
    )
    requests = {
        "MetricName": "UrlRequestCount",
        "Dimensions": [{"Name": "FunctionName", "Value": made.name}],
        "Timestamp": datetime.now(UTC) - timedelta(days=1),
        "Value": 1200,
    }
    simulator.client("cloudwatch").put_metric_data(Namespace="AWS/Lambda", MetricData=[requests])
    assert planned(session, *URL, made).uses == (f"{made.name}: It was requested 1,200 times in the last 14 days.",)


def test_a_url_that_is_gone_is_left_out(session: LiveSession) -> None:
    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:nowhere"
    properties = {"TargetFunctionArn": arn, "Qualifier": None}
    gone = Made("AWS::Lambda::Url", f"{arn}/url", "nowhere", lambda: None, lambda: None, properties=properties)
    assert refused(session, *URL, gone) == "it does not exist any more."
