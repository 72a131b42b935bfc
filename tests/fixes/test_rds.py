"""What fixes of RDS refuse and say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.fixes.refusals import planned, refused
from tests.fixes.rounds.rds import ARN, PASSWORD, group, instance
from tests.fixes.rounds.round import Made
from tests.fixes.test_meta import REGISTRY

from nephoscope.domain import LiveSession
from nephoscope_aws_simulator.testing import Cloud

BACKUPS = ("aws.rds.keep_backups", "aws.rds.backups")
LOGS = ("aws.rds.export_logs", "aws.rds.logs")
PRIVATE = ("aws.rds.keep_private", "aws.rds.public")


def _set(cloud: Cloud, name: str, member: str, value: object) -> None:
    """Have a DB instance be what no API makes it."""
    where = {"account": cloud.account, "region": "us-east-1", "of": "rds.databases", "id": name}
    cloud.control("patch", {"kind": "status", **where, "member": member, "status": value})


@pytest.fixture(scope="module")
def database(simulator: Cloud) -> Made:
    return instance(simulator, "refused", PubliclyAccessible=True, BackupRetentionPeriod=1)


@pytest.mark.parametrize(
    ("fix", "rule"),
    [
        PRIVATE,
        BACKUPS,
        ("aws.rds.enable_deletion_protection", "aws.rds.deletion_protection"),
        LOGS,
    ],
)
def test_a_database_that_is_gone_is_left_out(session: LiveSession, database: Made, fix: str, rule: str) -> None:
    gone = replace(database, id=f"{ARN}:db:gone", name="gone")
    assert refused(session, fix, rule, gone) == "it does not exist any more."


def test_a_database_that_is_private_already_is_left_out(simulator: Cloud, session: LiveSession) -> None:
    made = instance(simulator, "private", PubliclyAccessible=False)
    assert refused(session, *PRIVATE, made) == "it is so already."


def test_longer_backups_are_not_made_shorter(simulator: Cloud, session: LiveSession) -> None:
    made = instance(simulator, "kept-long", BackupRetentionPeriod=30)
    assert refused(session, *BACKUPS, made) == "it is so already."


def test_a_database_that_is_being_changed_is_left_out(simulator: Cloud, session: LiveSession, database: Made) -> None:
    _set(simulator, "refused", "status", "modifying")
    try:
        assert refused(session, *PRIVATE, database).startswith("it is modifying, and AWS changes it only when")
    finally:
        _set(simulator, "refused", "status", "available")


def test_changes_that_wait_for_the_maintenance_window_are_not_applied_by_the_way(
    simulator: Cloud, session: LiveSession, database: Made
) -> None:
    _set(simulator, "refused", "pending_modified_values", {"DBInstanceClass": "db.r6g.large", "MultiAZ": True})
    try:
        said = refused(session, *BACKUPS, database)
        assert said.startswith("other changes wait for its maintenance window (DBInstanceClass, MultiAZ)")
        [step] = planned(session, *PRIVATE, database).steps
        assert "ApplyImmediately" not in step.call.body["parameters"], "what AWS does at once anyway can be done"
    finally:
        _set(simulator, "refused", "pending_modified_values", {})


@pytest.mark.parametrize(
    ("fix", "rule", "pending"),
    [
        (*BACKUPS, {"BackupRetentionPeriod": 7}),
        ("aws.rds.enable_iam_auth", "aws.rds.iam_auth", {"IAMDatabaseAuthenticationEnabled": True}),
        (*LOGS, {"PendingCloudwatchLogsExports": {"LogTypesToEnable": ["postgresql", "upgrade"]}}),
    ],
)
def test_a_change_that_aws_has_not_made_yet_is_neither_planned_again_nor_taken_for_undone(
    simulator: Cloud, session: LiveSession, database: Made, fix: str, rule: str, pending: dict[str, Any]
) -> None:
    [step] = planned(session, fix, rule, database).steps
    remediation = REGISTRY.remediations[fix]
    assert remediation.state(step, session) == step.before
    _set(simulator, "refused", "pending_modified_values", pending)
    try:
        assert remediation.state(step, session) not in (step.before, step.after)
        assert refused(session, fix, rule, database).startswith("AWS is making this change already")
    finally:
        _set(simulator, "refused", "pending_modified_values", {})


def test_an_undo_of_longer_backups_says_which_are_deleted(
    simulator: Cloud, session: LiveSession, database: Made
) -> None:
    assert "deletes those older than 1 day." in planned(session, *BACKUPS, database).losses[0]
    none = instance(simulator, "no-backups", BackupRetentionPeriod=0)
    assert "deletes all of them, and interrupts I/O." in planned(session, *BACKUPS, none).losses[0]


@pytest.fixture(scope="module")
def member(simulator: Cloud) -> Made:
    rds = simulator.client("rds")
    rds.create_db_cluster(DBClusterIdentifier="orders", Engine="aurora-mysql", BackupRetentionPeriod=1, **PASSWORD)
    given: dict[str, Any] = {"DBInstanceClass": "db.r6g.large", "Engine": "aurora-mysql", "PubliclyAccessible": True}
    rds.create_db_instance(DBInstanceIdentifier="orders-1", DBClusterIdentifier="orders", **given)
    return Made("AWS::RDS::DBInstance", f"{ARN}:db:orders-1", "orders-1", dict, dict)


@pytest.mark.parametrize(
    ("fix", "rule"),
    [BACKUPS, ("aws.rds.enable_iam_auth", "aws.rds.iam_auth"), LOGS],
)
def test_what_a_cluster_decides_is_not_changed_on_its_member(
    session: LiveSession, member: Made, fix: str, rule: str
) -> None:
    assert refused(session, fix, rule, member) == "its cluster decides on that. Change the DB cluster orders."


def test_a_member_of_a_cluster_is_made_private(session: LiveSession, member: Made) -> None:
    assert planned(session, *PRIVATE, member).steps


def test_a_default_parameter_group_is_left_out(simulator: Cloud, session: LiveSession) -> None:
    instance(simulator, "by-default", Engine="mysql", EngineVersion="8.0.39")
    name = "default.mysql8.0"
    made = Made("AWS::RDS::DBParameterGroup", f"{ARN}:pg:{name}", name, dict, dict)
    said = refused(session, "aws.rds.require_tls", "aws.rds.tls_required", made)
    assert said.startswith("AWS’s default parameter groups cannot be changed. Create one of the family mysql8.0")


def test_who_uses_a_parameter_group_is_said(simulator: Cloud, session: LiveSession) -> None:
    made = group(simulator, "used", "mysql8.0", ("require_secure_transport", "0"))
    fix = ("aws.rds.require_tls", "aws.rds.tls_required", made)
    assert planned(session, *fix).uses == ("used: Nothing uses it.",)
    instance(simulator, "user", Engine="mysql", DBParameterGroupName="used")
    assert planned(session, *fix).uses == ("used: Used by user, user-beside.",)


def test_databases_that_have_to_be_rebooted_are_said(simulator: Cloud, session: LiveSession) -> None:
    made = group(simulator, "static", "sqlserver-se-15.0", ("rds.force_ssl", "0"))
    instance(simulator, "mssql", Engine="sqlserver-se", DBParameterGroupName="static")
    plan = planned(session, "aws.rds.require_tls", "aws.rds.tls_required", made)
    assert plan.uses == ("static: Used by mssql, mssql-beside: reboot them afterwards.",)


def test_how_many_connected_to_a_public_database_is_said(
    simulator: Cloud, session: LiveSession, database: Made
) -> None:
    assert planned(session, *PRIVATE, database).uses == (
        "refused: CloudWatch has no data on its connections in the last 14 days.",
    )
    dimensions = [{"Name": "DBInstanceIdentifier", "Value": "refused"}]
    data = [{"MetricName": "DatabaseConnections", "Dimensions": dimensions, "Value": 12}]
    simulator.client("cloudwatch").put_metric_data(Namespace="AWS/RDS", MetricData=data)
    assert planned(session, *PRIVATE, database).uses[0].startswith("refused: It had up to 12 connections at a time")


def test_a_call_is_called_as_aws_calls_it(session: LiveSession, database: Made) -> None:
    [step] = planned(session, *PRIVATE, database).steps
    assert step.call.label == "rds:ModifyDBInstance"
