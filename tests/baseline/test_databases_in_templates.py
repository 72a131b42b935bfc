"""What a template of a database leaves open is not guessed."""

from __future__ import annotations

from typing import Any

import pytest

from nephoscope.domain import Rule, Verdict, unknown
from nephoscope.testing import judge_example
from nephoscope_baseline.aws import docdb, neptune, rds, rds_clusters, redshift

NOT_YET = unknown("the parameter has no value")


@pytest.mark.parametrize(
    ("rule", "given", "verdict"),
    [
        (rds.encrypted, {"DBSnapshotIdentifier": "s"}, Verdict.UNKNOWN),
        (rds.encrypted, {"SourceDBInstanceIdentifier": NOT_YET}, Verdict.UNKNOWN),
        (rds.encrypted, {"DBClusterIdentifier": NOT_YET, "Engine": "mysql"}, Verdict.NOT_APPLICABLE),
        (rds.encrypted, {"StorageEncrypted": NOT_YET}, Verdict.UNKNOWN),
        (rds.public, {"Engine": "mysql", "DBSubnetGroupName": NOT_YET}, Verdict.UNKNOWN),
        (rds.backups, {"SourceDBInstanceIdentifier": "s", "UseLatestRestorableTime": True}, Verdict.FAIL),
        (rds_clusters.cluster_encrypted, {"Engine": "aurora-mysql", "SnapshotIdentifier": "s"}, Verdict.UNKNOWN),
        (rds_clusters.tls_required, {"Family": "mysql8.0", "Parameters": "{}"}, Verdict.UNKNOWN),
        (rds_clusters.snapshot_public, {"SnapshotType": "manual"}, Verdict.UNKNOWN),
        (redshift.encrypted, {"SnapshotIdentifier": "s"}, Verdict.UNKNOWN),
    ],
)
def test_what_is_decided_elsewhere_is_not_guessed(rule: Rule, given: dict[str, Any], verdict: Verdict) -> None:
    assert judge_example(rule, given).verdict is verdict


@pytest.mark.parametrize("odd", [None, 7, "x", [], ["x"], [7], {}, {"x": 1}, [[]]])
def test_odd_shapes_raise_nothing(odd: Any) -> None:
    names = (
        "Engine",
        "EngineVersion",
        "StorageEncrypted",
        "BackupRetentionPeriod",
        "EnableCloudwatchLogsExports",
        "PubliclyAccessible",
        "DBSubnetGroupName",
        "DBClusterIdentifier",
        "Family",
        "Parameters",
        "Observed",
        "ParameterGroupFamily",
        "LoggingProperties",
        "SnapshotIdentifier",
        "Encrypted",
    )
    for module in (rds, rds_clusters, docdb, neptune, redshift):
        for rule in (each for each in vars(module).values() if isinstance(each, Rule)):
            for given in (dict.fromkeys(names, odd), {"Engine": "mysql", "Family": "mysql8.0", "Parameters": odd}):
                assert judge_example(rule, given).verdict is not Verdict.ERROR, (rule.id, given)
