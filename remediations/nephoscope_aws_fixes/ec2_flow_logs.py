"""The fix of a VPC that records no refused traffic: a flow log of it, to a bucket or a log group that exists."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from nephoscope.domain import (
    Call,
    Field,
    FixRequest,
    LiveSession,
    Permission,
    PlanProblem,
    Remediation,
    Resource,
    Step,
    result,
)
from nephoscope_aws.call import AwsCall, aws_call
from nephoscope_aws.names import partition
from nephoscope_aws_fixes.setting import Target, operation, unless_hidden

VPCS = operation("ec2", "describe_vpcs", "ec2:DescribeVpcs")
FLOW_LOGS = operation("ec2", "describe_flow_logs", "ec2:DescribeFlowLogs", anywhere=True)
LOG_GROUPS = operation("logs", "describe_log_groups", "logs:DescribeLogGroups")
ROLES = operation("iam", "get_role", "iam:GetRole")

_SERVICE = "vpc-flow-logs.amazonaws.com"
_LOG_GROUP = re.compile(r"arn:[\w-]+:logs:([\w-]+):(\d{12}):log-group:([^:*]+)(?::\*)?")
_BUCKET = re.compile(r"arn:[\w-]+:s3:::[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/\S*)?")
_ROLE = re.compile(r"arn:[\w-]+:iam::(\d{12}):role/(?:\S+/)?([^/\s]+)")

_KEPT = ("TrafficType", "LogDestinationType", "LogDestination", "LogGroupName", "DeliverLogsPermissionArn")
"""What makes a flow log the one that was asked for."""

FLOW_LOG = "FlowLogIds.0"


class CreateFlowLog(Remediation):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFlowLogs.html"""

    id = "aws.ec2.create_flow_log"
    title = "Create a flow log of rejected traffic"
    summary = "Creates a flow log of the VPC that records rejected traffic, to a bucket or log group that exists."
    breaks = "Nothing stops working. Flow logs are billed by the gigabyte, and storing them costs as well."
    provider = "aws"
    group = "Subnets and flow logs"
    loses = ""
    on = ("AWS::EC2::VPC",)
    reads = tuple(action for each in (VPCS, FLOW_LOGS, LOG_GROUPS, ROLES) for action in each.actions)
    writes = (
        "ec2:CreateFlowLogs",
        "ec2:DeleteFlowLogs",
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "iam:PassRole",
    )
    inputs = (
        Field(
            "destination",
            "Bucket or log group",
            "Its ARN. A bucket’s policy has to let delivery.logs.amazonaws.com write to it; folders may follow: "
            "arn:aws:s3:::acme-flow-logs/production.",
            required=True,
        ),
        Field(
            "role",
            "Role for the log group",
            "The ARN of a role that vpc-flow-logs.amazonaws.com may assume to write to the log group; none for a "
            "bucket.",
        ),
    )

    def plan(self, request: FixRequest, session: LiveSession) -> list[Step]:
        vpc = request.resource
        target = Target({"VpcId": vpc.id.rpartition("/")[2]}, vpc.id, vpc.region)
        with unless_hidden():
            if session.read(VPCS.on(target, {"VpcIds": [target.names["VpcId"]]})) is None:
                raise PlanProblem("it does not exist any more.")
            wanted = _wanted(request, session)
            known = flow_logs(target, session)
        if any(each.get("FlowLogStatus") == "ACTIVE" and each["TrafficType"] in ("ALL", "REJECT") for each in known):
            raise PlanProblem("it has a flow log of rejected traffic already.")
        if any(_destination(each) == _destination(wanted) for each in known):
            raise PlanProblem("another flow log of it goes to the same destination; delete that first.")
        create, delete = _calls(vpc, wanted)
        return [Step(vpc.id, self.title, create, delete, None, wanted, keep=(FLOW_LOG,))]

    def state(self, step: Step, session: LiveSession) -> Any:
        asked = AwsCall.of(step.call)
        target = Target({"VpcId": asked.parameters["ResourceIds"][0]}, step.resource, asked.region)
        found = ({name: each[name] for name in _KEPT if each.get(name)} for each in flow_logs(target, session))
        return next((each for each in found if _destination(each) == _destination(asked.parameters)), None)

    def project(self, resource: Resource, steps: Sequence[Step]) -> Resource:
        made = {"FlowLogId": None, "FlowLogStatus": "ACTIVE", "TrafficType": "REJECT"}
        observed = dict(resource.properties.get("Observed") or {})
        logs = observed.get("FlowLogs")
        observed["FlowLogs"] = [*(logs if isinstance(logs, list) else []), made]
        return replace(resource, properties={**resource.properties, "Observed": observed})


def flow_logs(vpc: Target, session: LiveSession) -> list[dict[str, Any]]:
    """Return the flow logs of a whole VPC."""
    asked = {"Filter": [{"Name": "resource-id", "Values": [vpc.names["VpcId"]]}]}
    return list((session.read(FLOW_LOGS.on(vpc, asked)) or {}).get("FlowLogs", []))


def _destination(log: Mapping[str, Any]) -> Any:
    """Return where a flow log goes; EC2 says of one to a log group its name, and may say its ARN as well."""
    return log.get("LogGroupName") or log.get("LogDestination")


def _wanted(request: FixRequest, session: LiveSession) -> dict[str, Any]:
    """Return the flow log that is asked for, with what CreateFlowLogs takes of it.

    :raises PlanProblem: its destination or its role is none that would work.
    """
    destination, role = (request.inputs[each].strip() for each in ("destination", "role"))
    rejected = {"TrafficType": "REJECT"}
    if _BUCKET.fullmatch(destination):
        if role:
            raise PlanProblem("a flow log to a bucket takes no role; leave it empty.")
        return {**rejected, "LogDestinationType": "s3", "LogDestination": destination}
    vpc, group = request.resource, _LOG_GROUP.fullmatch(destination)
    if not group or (group[1], group[2]) != (vpc.region, vpc.account):
        raise PlanProblem(f"{destination} is neither a bucket’s ARN nor that of a log group in its region and account.")
    _require_log_group(group[3], vpc, session)
    _require_role(role, vpc, session)
    to = {"LogDestinationType": "cloud-watch-logs", "LogGroupName": group[3]}
    return {**rejected, **to, "DeliverLogsPermissionArn": role}


def _require_log_group(name: str, vpc: Resource, session: LiveSession) -> None:
    answer = session.read(LOG_GROUPS.on(Target({}, "*", vpc.region), {"logGroupNamePrefix": name})) or {}
    if name not in [each["logGroupName"] for each in answer.get("logGroups", [])]:
        raise PlanProblem(f"there is no log group {name} in {vpc.region}.")


def _require_role(role: str, vpc: Resource, session: LiveSession) -> None:
    """https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html"""
    named = _ROLE.fullmatch(role)
    if not named or named[1] != vpc.account:
        raise PlanProblem("a flow log to a log group needs the ARN of a role of its account.")
    answer = session.read(ROLES.on(Target({}, role, vpc.region), {"RoleName": named[2]}))
    if answer is None:
        raise PlanProblem(f"there is no role {named[2]}.")
    if _SERVICE not in json.dumps(answer["Role"].get("AssumeRolePolicyDocument", "")):
        raise PlanProblem(f"{_SERVICE} may not assume the role {named[2]}; change its trust policy.")


def _calls(vpc: Resource, wanted: Mapping[str, Any]) -> tuple[Call, Call]:
    """Return the call that makes the flow log, whose ARN nobody knows before, and the one that deletes it.

    https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-create-flow-log.html: log deliveries, to a bucket.
    """
    logs = f"arn:{partition(vpc.id)}:ec2:{vpc.region}:{vpc.account}:vpc-flow-log/*"
    create = [Permission("ec2:CreateFlowLogs", each) for each in (vpc.id, logs)]
    delete = [Permission("ec2:DeleteFlowLogs", logs)]
    if role := wanted.get("DeliverLogsPermissionArn"):
        create.append(Permission("iam:PassRole", role))
    else:
        create.append(Permission("logs:CreateLogDelivery"))
        delete.append(Permission("logs:DeleteLogDelivery"))
    asked = {"ResourceType": "VPC", "ResourceIds": [vpc.id.rpartition("/")[2]], **wanted}
    made = {"FlowLogIds": [result(0, FLOW_LOG)]}
    return (
        aws_call("ec2", "create_flow_logs", asked, *create, region=vpc.region),
        aws_call("ec2", "delete_flow_logs", made, *delete, region=vpc.region),
    )
