"""Macie, Inspector, log groups, and the machines of Systems Manager."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from nephoscope_aws_simulator.corrections.patching import extend, replace

_MAY_REPORT = "/AmazonSSMManagedInstanceCore"


def apply() -> None:
    """Macie is off until somebody turns it on; machines report to Systems Manager when their role lets them."""
    _macie()
    _inspector()
    _log_groups()
    _composite_alarms()
    _machines()


def _log_groups() -> None:
    """moto knows no filters of a log group that is gone; AWS does not know the group.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeMetricFilters.html
    """
    from moto.logs.exceptions import ResourceNotFoundException
    from moto.logs.models import LogsBackend

    @extend(LogsBackend, "describe_metric_filters")
    def describe_metric_filters(moto: Any, self: Any, prefix: Any, log_group_name: Any, *more: Any) -> Any:
        if log_group_name and log_group_name not in self.groups:
            raise ResourceNotFoundException()
        return moto(self, prefix, log_group_name, *more)


def _composite_alarms() -> None:
    """moto describes composite alarms and has no call that makes one.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
    """
    from moto.cloudwatch.responses import CloudWatchResponse

    @replace(CloudWatchResponse, "put_composite_alarm")
    def put_composite_alarm(self: Any) -> Any:
        answer = self.put_metric_alarm()
        alarm = self.cloudwatch_backend.alarms[self._get_param("AlarmName")]
        alarm.alarm_rule = self._get_param("AlarmRule")
        alarm.actions_suppressor = self._get_param("ActionsSuppressor")
        return answer


def _macie() -> None:
    """moto has it on from the beginning.

    AWS refuses every call until it is on: "AccessDeniedException: Macie is not enabled".
    https://docs.aws.amazon.com/macie/latest/APIReference/macie.html
    """
    from moto.macie2.exceptions import AccessDeniedException
    from moto.macie2.models import MacieBackend

    @extend(MacieBackend, "__init__")
    def new_backend(moto: Any, self: Any, *args: Any, **kwargs: Any) -> None:
        moto(self, *args, **kwargs)
        self.macie_session = None

    @extend(MacieBackend, "get_macie_session")
    def get_macie_session(moto: Any, self: Any) -> Any:
        if self.macie_session is None:
            raise AccessDeniedException("Macie is not enabled")
        return moto(self)


def _inspector() -> None:
    """An account whose status Inspector could not tell is among those that failed.

    https://docs.aws.amazon.com/inspector/v2/APIReference/API_BatchGetAccountStatus.html
    """
    from moto.inspector2.responses import Inspector2Response

    @extend(Inspector2Response, "batch_get_account_status")
    def batch_get_account_status(moto: Any, self: Any) -> str:
        code = vars(self.inspector2_backend).get("failed")
        if not code:
            return str(moto(self))
        failed = {"accountId": self.current_account, "errorCode": code, "errorMessage": "It could not be told."}
        return json.dumps({"accounts": [], "failedAccounts": [failed]})


def _machines() -> None:
    """moto lacks both calls. What a machine reports, its patches too, is what :func:`report` was told.

    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstanceInformation.html,
    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListResourceComplianceSummaries.html
    """
    from moto.core.responses import ActionResult
    from moto.ssm.responses import SimpleSystemManagerResponse as Response

    @replace(Response, "describe_instance_information")
    def describe_instance_information(self: Any) -> Any:
        machines = list(_reporting(self.current_account, self.region))
        for wanted in self._get_param("Filters", []):
            if wanted["Key"] == "InstanceIds":
                machines = [each for each in machines if each["InstanceId"] in wanted["Values"]]
        return ActionResult({"InstanceInformationList": machines})

    @replace(Response, "list_resource_compliance_summaries")
    def list_resource_compliance_summaries(self: Any) -> Any:
        told = _told(self.current_account, self.region)
        items = [
            {"ComplianceType": "Patch", "ResourceType": "ManagedInstance", "ResourceId": id, "Status": patches}
            for id, (_, patches) in told.items()
            if patches
        ]
        for wanted in self._get_param("Filters", []):
            if wanted["Key"] == "InstanceId":
                items = [each for each in items if each["ResourceId"] in wanted["Values"]]
        return ActionResult({"ResourceComplianceSummaryItems": items})


def report(account: str, region: str, id: str, ping: str, patches: str | None) -> None:
    """Let a machine, of EC2 or elsewhere, report its agent's and its patches' status; None for no patches yet."""
    _told(account, region)[id] = (ping, patches)


def _told(account: str, region: str) -> dict[str, tuple[str, str | None]]:
    from moto.ssm.models import ssm_backends

    told: dict[str, tuple[str, str | None]] = vars(ssm_backends[account][region]).setdefault("machines_told", {})
    return told


def _reporting(account: str, region: str) -> Iterator[dict[str, Any]]:
    """Machines that were told of, and running instances whose role may report; AWS's images carry the agent.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-instance-permissions.html
    """
    from moto.ec2.models import ec2_backends
    from moto.iam.models import iam_backends

    told = _told(account, region)
    yield from (_machine(id, ping) for id, (ping, _) in told.items())
    profiles = iam_backends[account]["aws"].instance_profiles.values()
    able = {profile.arn for profile in profiles if any(_may_report(role) for role in profile.roles)}
    for instance in ec2_backends[account][region].all_instances():
        profile = instance.iam_instance_profile or {}
        if instance.state == "running" and profile.get("Arn") in able and instance.id not in told:
            yield _machine(instance.id, "Online")


def _machine(id: str, ping: str) -> dict[str, Any]:
    kind = "ManagedInstance" if id.startswith("mi-") else "EC2Instance"
    return {"InstanceId": id, "PingStatus": ping, "ResourceType": kind, "PlatformType": "Linux"}


def _may_report(role: Any) -> bool:
    return any(arn.endswith(_MAY_REPORT) for arn in role.managed_policies)
