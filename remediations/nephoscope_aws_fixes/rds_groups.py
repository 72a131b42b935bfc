"""Fixes for the parameter groups of Amazon RDS: clients must use TLS."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from nephoscope.domain import Call, FixRequest, LiveSession, PlanProblem, Resource
from nephoscope_aws.databases import TLS_PARAMETERS, cluster_tls_parameter, tls_parameter
from nephoscope_aws_fixes.setting import Operation, Setting, Target, at, in_short_list, operation, put

DEFAULT = "default."
"""How the names of AWS's own groups begin, which nobody can change.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithParamGroups.html"""

LATER = "pending-reboot"


class _RequireTls(Setting):
    """Sets the one parameter that makes TLS a must. The state is its name, what the group says, and how it is applied.

    ``ParameterValue`` is None where the group leaves it to the engine: undo resets it then.
    """

    title = "Require TLS in the parameter group"
    summary = (
        "Sets rds.force_ssl or require_secure_transport, whichever the engine has, to 1. All other parameters stay. "
        "SQL Server takes it at the next reboot only."
    )
    breaks = (
        "Clients that connect without TLS are refused: at once with PostgreSQL, MySQL and MariaDB, after the next "
        "reboot with SQL Server."
    )
    group = "Database parameters"
    users: ClassVar[Operation]
    """Lists what may use such a group."""

    def names(self, resource: Resource) -> dict[str, Any]:
        return {self.keys[0]: resource.name}

    def asked(self, target: Target) -> Mapping[str, Any]:
        names = sorted(set(TLS_PARAMETERS.values()))
        return {**target.names, "Filters": [{"Name": "parameter-name", "Values": names}]}

    def found(self, answer: Mapping[str, Any]) -> Any:
        named = set(TLS_PARAMETERS.values())
        known = [each for each in answer["Parameters"] if each["ParameterName"] in named and each["IsModifiable"]]
        return next((_state(each) for each in known), None)

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        group = request.resource
        if group.name.startswith(DEFAULT):
            raise PlanProblem(
                f"AWS’s default parameter groups cannot be changed. Create one of the family "
                f"{group.properties['Family']}, require TLS in it, and assign it."
            )
        if before is None or before["ParameterName"] != self.tls(group.properties["Family"]):
            raise PlanProblem("it does not exist any more, or has no parameter for TLS that can be changed.")
        return before if _is_on(before["ParameterValue"]) else {**before, "ParameterValue": "1"}

    def set_to(self, target: Target, state: Any) -> Call | None:
        given = {name: value for name, value in state.items() if value is not None}
        if "ParameterValue" in given:
            return self.setter.on(target, {**target.names, "Parameters": [given]})
        assert self.remover
        return self.remover.on(target, {**target.names, "ResetAllParameters": False, "Parameters": [given]})

    def show(self, properties: dict[str, Any], state: Any) -> None:
        held = properties.get("Parameters")
        put(properties, "Parameters", {**(held if isinstance(held, dict) else {}), _name(state): _value(state)})

    def uses(self, request: FixRequest, session: LiveSession) -> list[str]:
        name, target = request.resource.name, self.target(request.resource)
        using = [str(each) for each in self.using(name, lambda asked: session.read(self.users.on(target, asked)) or {})]
        if not using:
            return ["Nothing uses it."]
        late = at(self.read(target, session), ("ApplyMethod",)) == LATER
        return [f"Used by {in_short_list(using)}{': reboot them afterwards' if late else ''}."]

    def tls(self, family: object) -> str | None:
        """Return the parameter of a family; None if it has none."""
        raise NotImplementedError

    def using(self, name: str, page: Callable[[dict[str, Any]], Mapping[str, Any]]) -> Iterator[str]:
        """Yield the identifiers of what uses the group; ``page`` reads one page of all that may."""
        raise NotImplementedError


def _state(parameter: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a group says of a parameter; what it does not set itself has another source than "user"."""
    return {
        "ParameterName": parameter["ParameterName"],
        "ParameterValue": parameter.get("ParameterValue") if parameter["Source"] == "user" else None,
        "ApplyMethod": "immediate" if parameter["ApplyType"] == "dynamic" else LATER,
    }


def _name(state: Mapping[str, Any]) -> str:
    return str(state["ParameterName"])


def _value(state: Mapping[str, Any]) -> str:
    return str(state["ParameterValue"])


def _is_on(value: Any) -> bool:
    return str(value).lower() in ("1", "on", "true")


def _pages(page: Callable[[dict[str, Any]], Mapping[str, Any]], key: str) -> Iterator[Mapping[str, Any]]:
    asked: dict[str, Any] = {"MaxRecords": 100}
    while True:
        answer = page(asked)
        yield from answer.get(key, ())
        if not answer.get("Marker"):
            return
        asked = {**asked, "Marker": answer["Marker"]}


class RequireTls(_RequireTls):
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBParameterGroup.html"""

    id = "aws.rds.require_tls"
    on = ("AWS::RDS::DBParameterGroup",)
    keys = ("DBParameterGroupName",)
    getter = operation("rds", "describe_db_parameters", "rds:DescribeDBParameters")
    setter = operation("rds", "modify_db_parameter_group", "rds:ModifyDBParameterGroup")
    remover = operation("rds", "reset_db_parameter_group", "rds:ResetDBParameterGroup")
    users = operation("rds", "describe_db_instances", "rds:DescribeDBInstances", anywhere=True)
    also_reads = users.actions

    def tls(self, family: object) -> str | None:
        return tls_parameter(family)

    def using(self, name: str, page: Callable[[dict[str, Any]], Mapping[str, Any]]) -> Iterator[str]:
        for instance in _pages(page, "DBInstances"):
            if any(each["DBParameterGroupName"] == name for each in instance["DBParameterGroups"]):
                yield instance["DBInstanceIdentifier"]


class RequireClusterTls(_RequireTls):
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBClusterParameterGroup.html"""

    id = "aws.rds.require_cluster_tls"
    title = "Require TLS in the cluster parameter group"
    on = ("AWS::RDS::DBClusterParameterGroup",)
    keys = ("DBClusterParameterGroupName",)
    getter = operation("rds", "describe_db_cluster_parameters", "rds:DescribeDBClusterParameters")
    setter = operation("rds", "modify_db_cluster_parameter_group", "rds:ModifyDBClusterParameterGroup")
    remover = operation("rds", "reset_db_cluster_parameter_group", "rds:ResetDBClusterParameterGroup")
    users = operation("rds", "describe_db_clusters", "rds:DescribeDBClusters", anywhere=True)
    also_reads = users.actions

    def tls(self, family: object) -> str | None:
        return cluster_tls_parameter(family)

    def using(self, name: str, page: Callable[[dict[str, Any]], Mapping[str, Any]]) -> Iterator[str]:
        for cluster in _pages(page, "DBClusters"):
            if cluster["DBClusterParameterGroup"] == name:
                yield cluster["DBClusterIdentifier"]
