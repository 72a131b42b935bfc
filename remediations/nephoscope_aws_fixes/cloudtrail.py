"""Fixes for trails of AWS CloudTrail.

A trail of another account, such as one of the organization, is changed there and not from here.
https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_UpdateTrail.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from nephoscope.domain import Call, Field, FixRequest, LiveSession, Permission, PlanProblem, Resource, Step
from nephoscope_aws.call import aws_call
from nephoscope_aws_fixes.kms_input import READS_KEY, key_arn
from nephoscope_aws_fixes.setting import Members, Target, operation

TRAIL = "AWS::CloudTrail::Trail"
SERVICE = "cloudtrail.amazonaws.com"


class TrailMembers(Members):
    """Members of a trail; an empty text takes away a key, a log group or its role."""

    group = "CloudTrail"
    on = (TRAIL,)
    keys = ("Name",)
    getter = operation("cloudtrail", "describe_trails", "cloudtrail:DescribeTrails")
    setter = operation("cloudtrail", "update_trail", "cloudtrail:UpdateTrail")
    path = ("trailList", 0)
    told_as: ClassVar[Mapping[str, str]] = {}
    """What DescribeTrails calls a member of UpdateTrail, where that is something else."""

    def names(self, resource: Resource) -> dict[str, Any]:
        return {"Name": resource.id}

    def asked(self, target: Target) -> Mapping[str, Any]:
        return {"trailNameList": [target.names["Name"]], "includeShadowTrails": False}

    def found(self, answer: Mapping[str, Any]) -> Any:
        described = next(iter(answer["trailList"]), None)
        return described and {name: described.get(self.told_as.get(name, name)) for name in self.wants}

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        owner = request.resource.id.split(":")[4]
        if owner != request.resource.account:
            raise PlanProblem(f"it belongs to account {owner}; change it there.")
        return super().wanted(before, request, session)

    def parameters(self, state: Any) -> Mapping[str, Any]:
        return {name: "" if value is None else value for name, value in state.items()}


class ValidateFiles(TrailMembers):
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-enabling.html"""

    id = "aws.cloudtrail.validate_files"
    title = "Turn on log file validation of the trail"
    summary = "Has CloudTrail sign a digest of the log files every hour, so that changed and missing ones are noticed."
    breaks = "Nothing stops working. The digests are stored in the trail’s bucket, in a folder of their own."
    wants = {"EnableLogFileValidation": True}
    told_as = {"EnableLogFileValidation": "LogFileValidationEnabled"}


class Encrypt(TrailMembers):
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html"""

    id = "aws.cloudtrail.encrypt"
    title = "Encrypt the trail’s log files with a KMS key"
    summary = "Encrypts new log files with your KMS key. Files that are stored already stay as they are."
    breaks = (
        "Whoever reads the log files needs permission to decrypt with the key as well: log analysis in another account "
        "stops working for new files until it has that."
    )
    wants = {"KmsKeyId": ""}
    shown = {"KmsKeyId": "KMSKeyId"}
    also_reads = (READS_KEY, "kms:GetKeyPolicy")
    inputs = (
        Field(
            "kms_key",
            "KMS key",
            "The ARN of a symmetric key in the region of the trail’s bucket, whose policy lets CloudTrail use it.",
            required=True,
        ),
    )

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        super().wanted(before, request, session)
        given = request.inputs["kms_key"]
        region = given.split(":")[3] if given.startswith("arn:") else request.resource.region
        key = key_arn(given, region, session)
        asked = {"KeyId": key, "PolicyName": "default"}
        read = aws_call("kms", "get_key_policy", asked, Permission("kms:GetKeyPolicy", key), region=region)
        if SERVICE not in str((session.read(read) or {}).get("Policy")):
            raise PlanProblem(f"the policy of the KMS key {given} does not let CloudTrail ({SERVICE}) use it.")
        return {"KmsKeyId": key}


class SendToLogs(TrailMembers):
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/send-cloudtrail-events-to-cloudwatch-logs.html"""

    id = "aws.cloudtrail.send_to_logs"
    title = "Send the trail’s events to CloudWatch Logs"
    summary = "Has CloudTrail also send its events to a log group of yours, within a few minutes of each call."
    breaks = "Nothing stops working. CloudWatch Logs charges for the events that it takes in and stores."
    settles = 1_200
    wants = {"CloudWatchLogsLogGroupArn": "", "CloudWatchLogsRoleArn": ""}
    also_reads = ("logs:DescribeLogGroups", "iam:GetRole")
    also_writes = ("iam:PassRole",)
    inputs = (
        Field("log_group", "Log group", "The name of a log group in the trail’s home region.", required=True),
        Field("role", "Role", "The name of the role by which CloudTrail writes to that log group.", required=True),
    )

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        super().wanted(before, request, session)
        group = _log_group(request.inputs["log_group"], request.resource.region, session)
        return {"CloudWatchLogsLogGroupArn": group, "CloudWatchLogsRoleArn": _role(request.inputs["role"], session)}

    def set_to(self, target: Target, state: Any) -> Call | None:
        """Whoever has CloudTrail use a role needs permission to pass that role."""
        call = super().set_to(target, state)
        role = state["CloudWatchLogsRoleArn"]
        if not (call and role):
            return call
        return replace(call, permissions=(*call.permissions, Permission("iam:PassRole", role)))

    def project(self, resource: Resource, steps: Sequence[Step]) -> Resource | None:
        """Whether anything arrives there is seen only once it is applied."""
        return None


def _log_group(name: str, region: str, session: LiveSession) -> str:
    asked = {"logGroupNamePrefix": name, "limit": 50}
    read = aws_call("logs", "describe_log_groups", asked, Permission("logs:DescribeLogGroups"), region=region)
    for found in (session.read(read) or {}).get("logGroups", ()):
        if found["logGroupName"] == name:
            return f"{found['arn'].removesuffix(':*')}:*"
    raise PlanProblem(f"there is no log group {name} in {region}.")


def _role(name: str, session: LiveSession) -> str:
    read = aws_call("iam", "get_role", {"RoleName": name.rpartition("/")[2]}, Permission("iam:GetRole"))
    found = session.read(read)
    if found is None:
        raise PlanProblem(f"there is no role {name}.")
    if SERVICE not in json.dumps(found["Role"]["AssumeRolePolicyDocument"]):
        raise PlanProblem(f"the role {name} does not let CloudTrail ({SERVICE}) assume it.")
    return str(found["Role"]["Arn"])
