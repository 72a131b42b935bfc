"""What moto forgets or mixes up when databases, caches, Kubernetes clusters and load balancers are changed."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from nephoscope_aws.databases import cluster_tls_parameter, tls_parameter
from nephoscope_aws_simulator.corrections.patching import extend, replace


def apply() -> None:
    """Parameters, their source and reset; logs that are off; TLS of caches; updates of clusters; attributes; states."""
    _parameters_of_databases()
    _parameters_of_warehouses()
    _logs_of_warehouses()
    _caches()
    _updates()
    _load_balancers()
    _tables()


def _parameters_of_databases() -> None:
    """moto lists only what a group sets itself, whatever the filter, without its source, and cannot reset it.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBParameters.html,
    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ResetDBParameterGroup.html
    """
    from moto.core.responses import ActionResult
    from moto.rds.responses import RDSResponse

    kinds = {
        "db": ("DBParameterGroupName", "db_parameter_groups", "family", tls_parameter),
        "db_cluster": (
            "DBClusterParameterGroupName",
            "db_cluster_parameter_groups",
            "db_parameter_group_family",
            cluster_tls_parameter,
        ),
    }
    for kind, (key, groups, family, tls) in kinds.items():

        @extend(RDSResponse, f"describe_{kind}_parameters")
        def describe(
            moto: Any, self: Any, key: str = key, groups: str = groups, family: str = family, tls: Any = tls
        ) -> Any:
            moto(self)  # refuses a group that does not exist
            group = getattr(self.backend, groups)[self.params[key]]
            listed = {name: {**each, "Source": "user"} for name, each in group.parameters.items() if each}
            if name := tls(getattr(group, family)):
                listed.setdefault(name, {"ParameterName": name, "Source": "engine-default"})
            filters = self.params.get("Filters") or ()
            wanted = {value for each in filters for value in each["Values"]} if filters else listed
            found = [_described(each, getattr(group, family)) for name, each in listed.items() if name in wanted]
            return ActionResult({"Parameters": found})

        @replace(RDSResponse, f"reset_{kind}_parameter_group")
        def reset(self: Any, key: str = key, groups: str = groups) -> Any:
            group = getattr(self.backend, groups)[self.params[key]]
            given = [each.original_dict()["ParameterName"] for each in self.params.get("Parameters", [])]
            for name in group.parameters.copy() if self.params.get("ResetAllParameters") else given:
                group.parameters.pop(name, None)
            return ActionResult({key: group.name})


def _described(parameter: dict[str, Any], family: str) -> dict[str, Any]:
    """SQL Server takes it at the next restart.
    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/SQLServer.Concepts.General.SSL.Using.html
    """
    applied = "static" if family.startswith("sqlserver") else "dynamic"
    return {**parameter, "ApplyType": applied, "IsModifiable": True}


def _parameters_of_warehouses() -> None:
    """https://docs.aws.amazon.com/redshift/latest/APIReference/API_ResetClusterParameterGroup.html"""
    from moto.core.responses import ActionResult
    from moto.redshift.models import RedshiftBackend
    from moto.redshift.responses import RedshiftResponse

    @extend(RedshiftBackend, "describe_cluster_parameters")
    def describe(moto: Any, self: Any, parameter_group_name: str) -> list[dict[str, Any]]:
        own = vars(self.parameter_groups.get(parameter_group_name)).get("given", {})
        held = moto(self, parameter_group_name)
        return [each | ({"Source": "user"} if each["ParameterName"] in own else {}) for each in held]

    @replace(RedshiftResponse, "reset_cluster_parameter_group")
    def reset(self: Any) -> Any:
        name = self._get_param("ParameterGroupName")
        group = self.redshift_backend.parameter_groups[name]
        reset = {each["ParameterName"] for each in self._get_param("Parameters", [])}
        everything = self._get_bool_param("ResetAllParameters", True)
        own = vars(group).get("given", {})
        group.given = {} if everything else {each: value for each, value in own.items() if each not in reset}
        return ActionResult({"ParameterGroupName": name, "ParameterGroupStatus": "Your parameter group was reset"})


def _logs_of_warehouses() -> None:
    """Of what is off, nothing more is said.

    https://docs.aws.amazon.com/redshift/latest/APIReference/API_DescribeLoggingStatus.html
    """
    from moto.redshift.models import RedshiftBackend

    @extend(RedshiftBackend, "describe_logging_status")
    def status(moto: Any, self: Any, cluster_identifier: str) -> dict[str, Any]:
        held: dict[str, Any] = moto(self, cluster_identifier)
        return held if held["LoggingEnabled"] == "true" else {"LoggingEnabled": "false"}


def _caches() -> None:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ModifyReplicationGroup.html"""
    from moto.elasticache.responses import ElastiCacheResponse

    @extend(ElastiCacheResponse, "modify_replication_group")
    def modify(moto: Any, self: Any) -> Any:
        answer = moto(self)
        group = self.elasticache_backend.replication_groups[self._get_param("ReplicationGroupId")]
        if (enabled := self._get_bool_param("TransitEncryptionEnabled")) is not None:
            group.transit_encryption_enabled = enabled
            group.transit_encryption_mode = self._get_param("TransitEncryptionMode") if enabled else None
        return answer


def _updates() -> None:
    """moto takes a part of a cluster's settings for all of them, and answers with the cluster and not with an update.

    https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateClusterConfig.html,
    https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeUpdate.html
    """
    from moto.core.responses import ActionResult
    from moto.eks.responses import EKSResponse
    from moto.eks.urls import url_paths

    url_paths["{0}/clusters/(?P<name>[^/]+)/updates/(?P<updateId>[^/]+)$"] = EKSResponse.dispatch

    @replace(EKSResponse, "update_cluster_config")
    def update_cluster_config(self: Any) -> Any:
        cluster = self.eks_backend.describe_cluster(name=self._get_param("name"))
        network, logging = self._get_param("resourcesVpcConfig"), self._get_param("logging")
        cluster.resources_vpc_config = cluster.resources_vpc_config | (network or {})
        cluster.logging = _logging(cluster.logging, logging or {})
        made = {"id": str(uuid4()), "type": "LoggingUpdate" if logging else "EndpointAccessUpdate"}
        vars(cluster).setdefault("updates", {})[made["id"]] = made
        return ActionResult({"update": made | {"status": "InProgress"}})

    @replace(EKSResponse, "describe_update")
    def describe_update(self: Any) -> Any:
        cluster = self.eks_backend.describe_cluster(name=self._get_param("name"))
        made = vars(cluster).get("updates", {})[self._get_param("updateId")]
        return ActionResult({"update": made | {"status": "Successful"}})


def _logging(held: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """Return which types are on after a change: the others stay as they are."""
    entries = [each for one in (held, change) for each in one.get("clusterLogging", ())]
    on = {type: each["enabled"] for each in entries for type in each["types"]}
    sides = ((sorted(type for type in on if on[type] == enabled), enabled) for enabled in (True, False))
    return {"clusterLogging": [{"types": types, "enabled": enabled} for types, enabled in sides if types]}


def _load_balancers() -> None:
    """An application load balancer tells every attribute that it has, and takes no empty one; policies of FIPS.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html,
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
    """
    from moto.elbv2.exceptions import ELBClientError
    from moto.elbv2.models import ELBv2Backend, FakeLoadBalancer
    from moto.elbv2.ssl_policies import SSL_POLICIES

    @extend(FakeLoadBalancer, "__init__")
    def new_balancer(moto: Any, self: Any, *args: Any, **given: Any) -> None:
        moto(self, *args, **given)
        if self.type == "application":
            logs = {"access_logs.s3.enabled": "false", "access_logs.s3.bucket": "", "access_logs.s3.prefix": ""}
            self.attrs = logs | {"routing.http.drop_invalid_header_fields.enabled": "false"} | self.attrs

    @extend(ELBv2Backend, "modify_load_balancer_attributes")
    def modify(moto: Any, self: Any, arn: str, attrs: dict[str, Any]) -> Any:
        if attrs.get("access_logs.s3.bucket") == "":
            raise ELBClientError("ValidationError", "The value of 'access_logs.s3.bucket' cannot be empty")
        return moto(self, arn, attrs)

    for name, policy in [each for each in SSL_POLICIES.items() if "-TLS13-1-" in each[0]]:
        of_fips = name.replace("2021-06", "FIPS-2023-04")
        SSL_POLICIES.setdefault(of_fips, {**policy, "name": of_fips})


def _tables() -> None:
    """A table that a test has changed to another state says so; moto's are always ACTIVE."""
    from moto.dynamodb.models.table import Table

    @extend(Table, "describe")
    def describe(moto: Any, self: Any, base_key: str = "TableDescription") -> dict[str, Any]:
        answer: dict[str, Any] = moto(self, base_key)
        answer[base_key]["TableStatus"] = vars(self).get("status", "ACTIVE")
        return answer
