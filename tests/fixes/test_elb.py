"""What fixes of load balancers refuse."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.fixes.refusals import planned, refused
from tests.fixes.rounds.elb import BALANCER, FORWARD, balancer, listener
from tests.fixes.rounds.round import Made

from nephoscope.domain import LiveSession
from nephoscope_aws_simulator.testing import Cloud

REDIRECT = ("aws.elb.redirect_to_https", "aws.elb.https_redirect")
LOGS = ("aws.elb.enable_access_logs", "aws.elb.logging")


@pytest.fixture(scope="module")
def forwards(simulator: Cloud) -> Made:
    return listener(simulator, "refused", [FORWARD], port=8443)


def test_a_redirect_leads_to_the_port_of_the_https_listener(session: LiveSession, forwards: Made) -> None:
    [step] = planned(session, *REDIRECT, forwards).steps
    assert step.after[0]["RedirectConfig"]["Port"] == "8443"


def test_there_is_no_redirect_to_https_that_is_not_there(
    simulator: Cloud, session: LiveSession, forwards: Made
) -> None:
    elb, arn = simulator.client("elbv2"), balancer(simulator, "no-https")
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    plain = {"LoadBalancerArn": arn, "Protocol": "HTTP", "Port": 80, "DefaultActions": [answer]}
    made = replace(forwards, id=elb.create_listener(**plain)["Listeners"][0]["ListenerArn"])
    said = "its load balancer has no HTTPS listener. Add one with a certificate first."
    assert refused(session, *REDIRECT, made) == said


def test_a_listener_with_rules_that_serve_http_is_left_out(simulator: Cloud, session: LiveSession) -> None:
    made, elb = listener(simulator, "ruled", [FORWARD]), simulator.client("elbv2")
    forward = elb.describe_listeners(ListenerArns=[made.id])["Listeners"][0]["DefaultActions"]
    paths = [{"Field": "path-pattern", "Values": ["/api/*"]}]
    elb.create_rule(ListenerArn=made.id, Priority=1, Conditions=paths, Actions=forward)
    said = refused(session, *REDIRECT, made)
    assert said.startswith("it has rules of its own, which have to be changed manually: HTTP on port 80 is not")


@pytest.mark.parametrize("bucket", ["No_Bucket", "s3://logs", "a"])
def test_access_logs_need_the_name_of_a_bucket(simulator: Cloud, session: LiveSession, bucket: str) -> None:
    arn = balancer(simulator, f"logs-{len(bucket)}")
    made = Made(BALANCER, arn, "logs", dict, dict)
    assert refused(session, *LOGS, made, {"bucket": bucket}) == f"{bucket!r} is not the name of a bucket."


def test_undo_turns_access_logs_off_and_says_that_the_bucket_stays_entered(
    simulator: Cloud, session: LiveSession
) -> None:
    made = Made(BALANCER, balancer(simulator, "logs-off"), "logs-off", dict, dict)
    plan = planned(session, *LOGS, made, {"bucket": "acme-access-logs"})
    [step] = plan.steps
    assert step.inverse
    assert step.inverse.body["parameters"]["Attributes"] == [{"Key": "access_logs.s3.enabled", "Value": "false"}]
    assert plan.losses == ("Undo turns access logs off; the bucket’s name stays entered.",)


def test_what_is_gone_is_left_out(session: LiveSession, forwards: Made) -> None:
    gone = replace(forwards, id=f"{forwards.id[:-8]}00000000")
    assert refused(session, "aws.elb.use_strong_tls", "aws.elb.tls_policy", gone) == "it does not exist any more."
