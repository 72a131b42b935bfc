"""Fixes for Amazon EC2's settings of a whole region: what is public, encrypted or required unless somebody says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from nephoscope.domain import FixRequest, LiveSession, PlanProblem, Resource, Wait
from nephoscope_aws_fixes.setting import Members, Target, at, in_short_list, operation

REGION_SETTINGS = "AWS::EC2::RegionSettings"


class RegionMembers(Members):
    """Settings of a region. Their permissions know no resource.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
    """

    on = (REGION_SETTINGS,)
    keys = ()
    path: ClassVar[tuple[str | int, ...]] = ()

    def names(self, resource: Resource) -> dict[str, Any]:
        return {}

    def found(self, answer: Mapping[str, Any]) -> Any:
        members = super().found(answer)
        by = (at(answer, self.path) or {}).get("ManagedBy", "account")
        return members if members is None or by == "account" else {**members, "ManagedBy": by}

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_declarative.html"""
        if before and "ManagedBy" in before:
            raise PlanProblem("a declarative policy of the organization sets it; change it there.")
        return super().wanted(before, request, session)


class EncryptByDefault(RegionMembers):
    """https://docs.aws.amazon.com/ebs/latest/userguide/encryption-by-default.html"""

    id = "aws.ec2.encrypt_ebs_by_default"
    title = "Turn on EBS encryption by default"
    summary = "Encrypts every new EBS volume and snapshot copy in the region. Existing ones stay as they are."
    breaks = (
        "If the region’s default key is a customer managed key, whoever creates volumes needs permission to use it: "
        "Auto Scaling, for instance, needs a grant. New snapshots are encrypted and cannot be made public."
    )
    group = "EBS encryption by default"
    getter = operation("ec2", "get_ebs_encryption_by_default", "ec2:GetEbsEncryptionByDefault", anywhere=True)
    setter = operation("ec2", "enable_ebs_encryption_by_default", "ec2:EnableEbsEncryptionByDefault", anywhere=True)
    remover = operation("ec2", "disable_ebs_encryption_by_default", "ec2:DisableEbsEncryptionByDefault", anywhere=True)
    default_key = operation("ec2", "get_ebs_default_kms_key_id", "ec2:GetEbsDefaultKmsKeyId", anywhere=True)
    also_reads = default_key.actions
    wants = {"EbsEncryptionByDefault": True}
    off = {"EbsEncryptionByDefault": False}

    def parameters(self, state: Any) -> Mapping[str, Any]:
        return {}

    def uses(self, request: FixRequest, session: LiveSession) -> list[str]:
        answer = session.read(self.default_key.on(self.target(request.resource), {})) or {}
        return [f"New volumes are encrypted with the region’s default key, {answer.get('KmsKeyId', 'alias/aws/ebs')}."]


class BlockPublicSnapshots(RegionMembers):
    """https://docs.aws.amazon.com/ebs/latest/userguide/block-public-access-snapshots.html"""

    id = "aws.ec2.block_public_snapshots"
    title = "Block public access to all EBS snapshots in the region"
    summary = (
        "Blocks all public sharing of EBS snapshots in the region. Sharing with single accounts stays possible, and "
        "the permissions of each snapshot stay as they are."
    )
    breaks = "Other accounts can no longer use the region’s public snapshots, until the block is taken away."
    group = "Public snapshots and AMIs"
    on = ("AWS::EC2::SnapshotBlockPublicAccess",)
    getter = operation(
        "ec2", "get_snapshot_block_public_access_state", "ec2:GetSnapshotBlockPublicAccessState", anywhere=True
    )
    setter = operation(
        "ec2", "enable_snapshot_block_public_access", "ec2:EnableSnapshotBlockPublicAccess", anywhere=True
    )
    remover = operation(
        "ec2", "disable_snapshot_block_public_access", "ec2:DisableSnapshotBlockPublicAccess", anywhere=True
    )
    public = operation("ec2", "describe_snapshots", "ec2:DescribeSnapshots", anywhere=True)
    also_reads = public.actions
    wants = {"State": "block-all-sharing"}
    off = {"State": "unblocked"}

    def uses(self, request: FixRequest, session: LiveSession) -> list[str]:
        asked = {"OwnerIds": ["self"], "RestorableByUserIds": ["all"]}
        answer = session.read(self.public.on(self.target(request.resource), asked)) or {}
        found = sorted(str(each["SnapshotId"]) for each in answer.get("Snapshots", []))
        if not found:
            return ["No snapshot in the region is public now."]
        return [f"Public now, and no longer once this is done: {in_short_list(found)}."]


class BlockPublicImages(RegionMembers):
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/block-public-access-to-amis.html"""

    id = "aws.ec2.block_public_amis"
    title = "Block new public sharing of AMIs in the region"
    summary = "Blocks making AMIs in the region public. AMIs that are public already stay public."
    breaks = "Nobody can make another AMI in the region public, as long as it is blocked. Nothing else stops working."
    group = "Public snapshots and AMIs"
    getter = operation(
        "ec2", "get_image_block_public_access_state", "ec2:GetImageBlockPublicAccessState", anywhere=True
    )
    setter = operation("ec2", "enable_image_block_public_access", "ec2:EnableImageBlockPublicAccess", anywhere=True)
    remover = operation("ec2", "disable_image_block_public_access", "ec2:DisableImageBlockPublicAccess", anywhere=True)
    public = operation("ec2", "describe_images", "ec2:DescribeImages", anywhere=True)
    also_reads = public.actions
    wants = {"ImageBlockPublicAccessState": "block-new-sharing"}
    off = {"ImageBlockPublicAccessState": "unblocked"}

    def wait(self, target: Target) -> Wait:
        """EC2 takes up to 10 minutes: the API reference of EnableImageBlockPublicAccess."""
        [(path, state)] = self.wants.items()
        return Wait(self.getter.on(target, {}), path, (state,), timeout=660, every=15)

    def uses(self, request: FixRequest, session: LiveSession) -> list[str]:
        asked = {"Owners": ["self"], "Filters": [{"Name": "is-public", "Values": ["true"]}]}
        answer = session.read(self.public.on(self.target(request.resource), asked)) or {}
        found = sorted(str(each["ImageId"]) for each in answer.get("Images", []))
        return [f"Public now, and still so afterwards: {in_short_list(found)}."] if found else []


class RequireTokensByDefault(RegionMembers):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceMetadataDefaults.html"""

    id = "aws.ec2.require_imdsv2_by_default"
    title = "Require IMDSv2 on new instances by default"
    summary = (
        "Makes IMDSv2 required for instances that are launched in the region without saying otherwise. Running "
        "instances stay as they are."
    )
    breaks = (
        "Software on new instances that only knows IMDSv1 gets no credentials of their role. Launch templates and AMIs "
        "that set the metadata version are not affected."
    )
    group = "Instance metadata (IMDSv2)"
    getter = operation("ec2", "get_instance_metadata_defaults", "ec2:GetInstanceMetadataDefaults", anywhere=True)
    setter = operation("ec2", "modify_instance_metadata_defaults", "ec2:ModifyInstanceMetadataDefaults", anywhere=True)
    path = ("AccountLevel",)
    wants = {"HttpTokens": "required"}
    shown = {"HttpTokens": "InstanceMetadataDefaults.HttpTokens"}

    def found(self, answer: Mapping[str, Any]) -> Any:
        return super().found({"AccountLevel": {}, **answer})

    def parameters(self, state: Any) -> Mapping[str, Any]:
        return {"HttpTokens": state["HttpTokens"] or "no-preference"}
