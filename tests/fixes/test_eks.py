"""What fixes of EKS refuse and send."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.fixes.refusals import planned, refused
from tests.fixes.rounds.eks import OPEN, PRIVATE, cluster
from tests.fixes.rounds.round import Made

from nephoscope.domain import LiveSession
from nephoscope_aws_simulator.testing import Cloud

ENDPOINT = ("aws.eks.close_endpoint", "aws.eks.public_endpoint")
LOGS = ("aws.eks.enable_audit_logs", "aws.eks.audit_logs")


@pytest.fixture(scope="module")
def kubernetes(simulator: Cloud) -> Made:
    return cluster(simulator, "refused", network=OPEN)


@pytest.mark.parametrize(("fix", "rule"), [ENDPOINT, LOGS])
def test_a_cluster_that_is_gone_is_left_out(session: LiveSession, kubernetes: Made, fix: str, rule: str) -> None:
    gone = replace(kubernetes, id=kubernetes.id.replace("refused", "gone"), name="gone")
    assert refused(session, fix, rule, gone) == "it does not exist any more."


def test_a_cluster_that_is_private_already_is_left_out(simulator: Cloud, session: LiveSession) -> None:
    made = cluster(simulator, "private", network={**PRIVATE, "publicAccessCidrs": ["0.0.0.0/0"]}, logs=("audit",))
    assert refused(session, *ENDPOINT, made) == "it is so already."
    assert refused(session, *LOGS, made) == "it is so already."


@pytest.mark.parametrize("cidrs", ["0.0.0.0/0", "0.0.0.0/1, 128.0.0.0/1", "office", "203.0.113.0/33"])
def test_addresses_that_leave_it_open_or_are_none_are_refused(
    session: LiveSession, kubernetes: Made, cidrs: str
) -> None:
    said = refused(session, *ENDPOINT, kubernetes, {"cidrs": cidrs})
    assert said.startswith("with these addresses it would stay as it is: ")


def test_another_update_under_way_is_waited_out(simulator: Cloud, session: LiveSession, kubernetes: Made) -> None:
    where = {"account": simulator.account, "region": "us-east-1", "of": "eks.clusters", "id": "refused"}
    simulator.control("patch", {"kind": "status", **where, "status": "UPDATING"})
    try:
        for fix in (ENDPOINT, LOGS):
            assert refused(session, *fix, kubernetes).startswith("it is UPDATING: EKS makes one update at a time.")
    finally:
        simulator.control("patch", {"kind": "status", **where, "status": "ACTIVE"})


def test_the_update_itself_is_waited_for(session: LiveSession, kubernetes: Made) -> None:
    [step] = planned(session, *ENDPOINT, kubernetes).steps
    assert step.keep == ("update.id",)
    assert step.wait
    assert step.wait.read.label == "eks:DescribeUpdate"
