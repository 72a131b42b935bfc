"""Fixes for EBS snapshots and AMIs that everyone may use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from nephoscope.domain import FixRequest, LiveSession, PlanProblem, Resource
from nephoscope_aws_fixes.setting import Setting, Target, in_short_list, operation, put

EVERYONE = {"Group": "all"}


class Unshare(Setting):
    """Takes everyone out of those who may use something; accounts and organizations that are named stay.

    The state is the list of those who may, in an order of our own: that of EC2 means nothing.
    """

    attribute: ClassVar[str]
    shared_with: ClassVar[str]
    """The list in the getter's answer."""
    groups: ClassVar[str]
    """The setter's parameter for groups, of which there is one."""
    shown_at: ClassVar[str]

    def names(self, resource: Resource) -> dict[str, Any]:
        [key] = self.keys
        return {key: resource.id.rpartition("/")[2]}

    def asked(self, target: Target) -> Mapping[str, Any]:
        return {**target.names, "Attribute": self.attribute}

    def found(self, answer: Mapping[str, Any]) -> Any:
        return sorted(answer.get(self.shared_with, []), key=lambda each: sorted(each.items()))

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        if before is None:
            raise PlanProblem("it does not exist any more.")
        return [each for each in before if each != EVERYONE]

    def parameters(self, state: Any) -> Mapping[str, Any]:
        what = "add" if EVERYONE in state else "remove"
        return {"Attribute": self.attribute, "OperationType": what, self.groups: [EVERYONE["Group"]]}

    def show(self, properties: dict[str, Any], state: Any) -> None:
        put(properties, self.shown_at, EVERYONE in state)

    def uses(self, request: FixRequest, session: LiveSession) -> list[str]:
        named = [next(iter(each.values())) for each in self.read(self.target(request.resource), session) or []]
        others = [name for name in named if name != EVERYONE["Group"]]
        return [f"It stays shared with {in_short_list(others)}."] if others else []


class MakeSnapshotPrivate(Unshare):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySnapshotAttribute.html"""

    id = "aws.ec2.make_snapshot_private"
    title = "Make the EBS snapshot private"
    summary = "Stops sharing the snapshot with everyone. Accounts that it is shared with by their number keep it."
    breaks = (
        "Accounts that use the snapshot only because it is public can no longer copy it or create volumes from it. "
        "Copies and volumes that they already have stay theirs."
    )
    group = "Public snapshots and AMIs"
    on = ("AWS::EC2::Snapshot",)
    keys = ("SnapshotId",)
    getter = operation("ec2", "describe_snapshot_attribute", "ec2:DescribeSnapshotAttribute")
    setter = operation("ec2", "modify_snapshot_attribute", "ec2:ModifySnapshotAttribute")
    attribute = "createVolumePermission"
    shared_with = "CreateVolumePermissions"
    groups = "GroupNames"
    shown_at = "Observed.Public"


class MakeImagePrivate(Unshare):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyImageAttribute.html"""

    id = "aws.ec2.make_ami_private"
    title = "Make the AMI private"
    summary = "Stops sharing the AMI with everyone. Accounts and organizations that it is shared with by name keep it."
    breaks = (
        "Accounts that launch the AMI only because it is public can no longer do so. Their running instances and the "
        "copies that they already have stay theirs."
    )
    group = "Public snapshots and AMIs"
    on = ("AWS::EC2::Image",)
    keys = ("ImageId",)
    getter = operation("ec2", "describe_image_attribute", "ec2:DescribeImageAttribute")
    setter = operation("ec2", "modify_image_attribute", "ec2:ModifyImageAttribute")
    attribute = "launchPermission"
    shared_with = "LaunchPermissions"
    groups = "UserGroups"
    shown_at = "Public"

    def uses(self, request: FixRequest, session: LiveSession) -> list[str]:
        """EC2 reports a launch, by whatever account, a day later: the API reference of DescribeImageAttribute."""
        target = self.target(request.resource)
        asked = {**target.names, "Attribute": "lastLaunchedTime"}
        answer = session.read(self.getter.on(target, asked)) or {}
        last = str(answer.get("LastLaunchedTime", {}).get("Value", ""))[:10]
        launched = f"It was last launched on {last}." if last else "EC2 knows of no launch of it."
        return [launched, *super().uses(request, session)]
