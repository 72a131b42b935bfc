"""RDS and its kin, DMS, Redshift, ElastiCache, OpenSearch, and EFS."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from nephoscope_aws_simulator.corrections.patching import extend, replace


def apply() -> None:
    """Engines that moto lacks, parameters of warehouses, what is so by default, and changed backup policies."""
    _engines()
    _replication()
    _parameters()
    _valkey()
    _endpoints()
    _backup_policies()


def _engines() -> None:
    """Db2, and DocumentDB, which shares the API of RDS.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html,
    https://docs.aws.amazon.com/documentdb/latest/developerguide/API_CreateDBCluster.html
    """
    from moto.rds.models import DBCluster, DBInstance
    from moto.rds.utils import ClusterEngine, DbInstanceEngine

    instances, clusters = DbInstanceEngine.valid_db_instance_engine(), ClusterEngine.list_cluster_engines()
    replace(DbInstanceEngine, "valid_db_instance_engine")(lambda: [*instances, "db2-ae", "db2-se", "docdb"])
    replace(ClusterEngine, "list_cluster_engines")(lambda: [*clusters, "docdb"])
    of_docdb = {
        (DBCluster, "default_allocated_storage"): 0,
        (DBCluster, "default_port"): 27017,
        (DBInstance, "default_port"): 27017,
    }
    for (owner, name), value in of_docdb.items():
        replace(owner, name)(_of_docdb(getattr(owner, name), value))


def _of_docdb(moto: Callable[..., int], value: int) -> Any:
    return staticmethod(lambda engine, *more, **named: value if engine == "docdb" else moto(engine, *more, **named))


def _replication() -> None:
    """Public unless it is made otherwise.

    https://docs.aws.amazon.com/dms/latest/APIReference/API_CreateReplicationInstance.html
    """
    from moto.dms.models import DatabaseMigrationServiceBackend

    @extend(DatabaseMigrationServiceBackend, "create_replication_instance")
    def create(moto: Any, self: Any, **given: Any) -> Any:
        public = given.get("publicly_accessible")
        return moto(self, **given | {"publicly_accessible": True if public is None else public})


def _parameters() -> None:
    """moto has the same in all groups.

    https://docs.aws.amazon.com/redshift/latest/APIReference/API_ModifyClusterParameterGroup.html
    The second family demands TLS: https://docs.aws.amazon.com/redshift/latest/mgmt/behavior-changes.html
    """
    from moto.core.responses import ActionResult
    from moto.redshift.models import RedshiftBackend
    from moto.redshift.responses import RedshiftResponse

    @replace(RedshiftResponse, "modify_cluster_parameter_group")
    def modify(self: Any) -> Any:
        name = self._get_param("ParameterGroupName")
        given = {each["ParameterName"]: each["ParameterValue"] for each in self._get_param("Parameters", [])}
        group = self.redshift_backend.parameter_groups[name]
        group.given = vars(group).get("given", {}) | given
        return ActionResult({"ParameterGroupName": name, "ParameterGroupStatus": "Your parameter group was updated"})

    @extend(RedshiftBackend, "describe_cluster_parameters")
    def describe(moto: Any, self: Any, parameter_group_name: str) -> list[dict[str, Any]]:
        held = moto(self, parameter_group_name)
        group = self.parameter_groups[parameter_group_name]
        values = {"require_ssl": "true"} if group.family == "redshift-2.0" else {}
        values |= vars(group).get("given", {})
        return [each | {"ParameterValue": values.get(each["ParameterName"], each["ParameterValue"])} for each in held]


def _valkey() -> None:
    """Encrypted at rest unless it is told not to be.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateReplicationGroup.html
    """
    from moto.elasticache.models import ElastiCacheBackend

    @extend(ElastiCacheBackend, "create_replication_group")
    def create(moto: Any, self: Any, **given: Any) -> Any:
        if given["engine"] == "valkey" and given["at_rest_encryption_enabled"] is None:
            given["at_rest_encryption_enabled"] = True
        return moto(self, **given)


def _endpoints() -> None:
    """What a domain is not told about its endpoint stands in its answer as well.

    https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_DomainEndpointOptions.html
    """
    from moto.opensearch.models import OpenSearchDomain, default_domain_endpoint_options

    @extend(OpenSearchDomain, "__init__")
    def new_domain(moto: Any, self: Any, *args: Any, **given: Any) -> None:
        moto(self, *args, **given)
        self.domain_endpoint_options = default_domain_endpoint_options | self.domain_endpoint_options


def _backup_policies() -> None:
    """moto lacks it, and fails of a file system that is gone.

    https://docs.aws.amazon.com/efs/latest/ug/API_PutBackupPolicy.html
    """
    from moto.efs.models import EFSBackend, FileSystem
    from moto.efs.responses import EFSResponse

    @replace(EFSResponse, "put_backup_policy")
    def put_backup_policy(self: Any) -> Any:
        policy = self._get_param("BackupPolicy")
        found = self.efs_backend.describe_file_systems(file_system_id=self._get_param("FileSystemId"))[1]
        found[0]._backup_policy = policy
        return json.dumps({"BackupPolicy": policy}), {"Content-Type": "application/json"}

    made: Any = vars(FileSystem)["backup_policy"]
    changed = property(lambda self: vars(self).get("_backup_policy") or made.fget(self))
    replace(FileSystem, "backup_policy")(changed)

    @extend(EFSBackend, "describe_backup_policy")
    def describe_backup_policy(moto: Any, self: Any, file_system_id: str) -> Any:
        self.describe_file_systems(file_system_id=file_system_id)
        return moto(self, file_system_id)
