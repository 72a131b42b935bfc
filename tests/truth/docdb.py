"""Clusters of DocumentDB, which has the API of RDS; and what Neptune's have in common with them."""

from __future__ import annotations

from typing import Any

from tests.truth.account import ABROAD, HOME, Truth, holds
from tests.truth.rds import PASSWORD

VERSIONS = {"docdb": "5.0.0", "neptune": "1.3.2.1"}

CLUSTERS: dict[str, tuple[bool, dict[str, Any]]] = {
    "sealed": (False, {"StorageEncrypted": True}),
    "plain": (True, {"StorageEncrypted": False}),
    "as-made": (True, {}),
}
"""Each cluster with whether it is not encrypted."""


@holds()
def clusters(truth: Truth) -> None:
    make_clusters(truth)


@holds()
def unreadable_clusters(truth: Truth) -> None:
    make_unreadable(truth, "DocDB")


def make_clusters(truth: Truth) -> None:
    """Clusters of the service at home and abroad, one that is being deleted, and one of RDS."""
    for region in (HOME, ABROAD):
        for name, (fails, settings) in CLUSTERS.items():
            _made(truth, region, f"{name}-{region}", **settings)
            truth.judged(f"{name}-{region}", fails="encrypted" * fails, of="encrypted")
    truth.client(truth.service, HOME).create_db_instance(
        DBInstanceIdentifier="member",
        DBInstanceClass="db.r6g.large",
        Engine=truth.service,
        DBClusterIdentifier=f"sealed-{HOME}",
    )
    _made(truth, HOME, "gone")
    truth.deleting("rds.clusters", "gone")
    rds = truth.client("rds", HOME)
    rds.create_db_cluster(DBClusterIdentifier="of-another", Engine="aurora-mysql", Port=3306, **PASSWORD)


def make_unreadable(truth: Truth, name: str) -> None:
    """What is hidden abroad is unknown there; at home there is none."""
    _made(truth, ABROAD, "hidden")
    truth.hide("rds:DescribeDBClusters", f"AWS::{name}::DBCluster")


def _made(truth: Truth, region: str, name: str, **settings: Any) -> None:
    given = {"EngineVersion": VERSIONS[truth.service], **PASSWORD, **settings}
    truth.client(truth.service, region).create_db_cluster(DBClusterIdentifier=name, Engine=truth.service, **given)
