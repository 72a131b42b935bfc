"""What instances are made of in one region: volumes, own snapshots and images, launch templates, and their defaults.

Calls per region: 8, one more where there is a snapshot, and one more for each further 1,000 of a kind (200 versions of
launch templates). Where there is a launch template, one more for each 100 Auto Scaling groups, and one for each
template of which they use a version that is neither the default nor the latest one. One question tells which snapshots
everyone may restore, instead of one for each snapshot.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from nephoscope.domain import Resource, Service
from nephoscope_aws.answers import Item, Unavailable, Unread
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors import ec2_kinds
from nephoscope_aws.collectors.ec2_kinds import PAGE, Kind, Shaped, listed
from nephoscope_aws.collectors.shape import actions, moment, needed, part, picked

VOLUME = "AWS::EC2::Volume"
SNAPSHOT = "AWS::EC2::Snapshot"
IMAGE = "AWS::EC2::Image"
LAUNCH_TEMPLATE = "AWS::EC2::LaunchTemplate"
SNAPSHOT_BLOCK = "AWS::EC2::SnapshotBlockPublicAccess"
REGION_SETTINGS = "AWS::EC2::RegionSettings"

_SNAPSHOT = ("SnapshotId", "VolumeId", "VolumeSize", "Description", "KmsKeyId", "StorageTier")
_IMAGE = ("ImageId", "Name", "Description", "CreationDate", "ImdsSupport")

SYNTHETIC = {
    SNAPSHOT: (*_SNAPSHOT, "Encrypted", "StartTime", "Tags"),
    IMAGE: (*_IMAGE, "Public", "Tags"),
    REGION_SETTINGS: ("EbsEncryptionByDefault", "ImageBlockPublicAccessState", "InstanceMetadataDefaults"),
}
"""Types that CloudFormation does not have. Snapshots and images have the property names of EC2's API; the settings of
a region exist once in each region, so that one that is off is found where there is nothing else to judge."""

READS = {
    ("ec2", "describe_volumes"): "ec2:DescribeVolumes",
    ("ec2", "describe_snapshots"): "ec2:DescribeSnapshots",
    ("ec2", "describe_images"): "ec2:DescribeImages",
    ("ec2", "describe_launch_template_versions"): "ec2:DescribeLaunchTemplateVersions",
    ("autoscaling", "describe_auto_scaling_groups"): "autoscaling:DescribeAutoScalingGroups",
    ("ec2", "get_snapshot_block_public_access_state"): "ec2:GetSnapshotBlockPublicAccessState",
    ("ec2", "get_ebs_encryption_by_default"): "ec2:GetEbsEncryptionByDefault",
    ("ec2", "get_image_block_public_access_state"): "ec2:GetImageBlockPublicAccessState",
    ("ec2", "get_instance_metadata_defaults"): "ec2:GetInstanceMetadataDefaults",
}

_LAUNCHED = (
    "ImageId",
    "InstanceType",
    "MetadataOptions",
    "NetworkInterfaces",
    "SecurityGroupIds",
    "SecurityGroups",
    "IamInstanceProfile",
)
"""What is kept of a launch template's data. User data is not: people write passwords into it."""

_SNAPSHOTS = listed("describe_snapshots", "Snapshots", "snapshot-id", OwnerIds=["self"], **PAGE)
_PUBLIC_SNAPSHOTS = listed(
    "describe_snapshots", "Snapshots", "snapshot-id", OwnerIds=["self"], RestorableByUserIds=["all"], **PAGE
)


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield what the region holds."""
    return ec2_kinds.collect(api, region, _KINDS.values())


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one again, in one call; a snapshot in two, a launch template in two or three."""
    return ec2_kinds.reread(api, resource, _KINDS[resource.type])


def _volume(volume: Item) -> Shaped:
    return {
        **picked(volume, "VolumeId", "VolumeType", "Size", "AvailabilityZone", "KmsKeyId", "SnapshotId"),
        **needed(volume, "Encrypted"),
        "Observed": {
            "State": volume.get("State"),
            "InstanceIds": part(lambda: sorted(filter(None, (one.get("InstanceId") for one in volume["Attachments"])))),
        },
    }


def _snapshots(api: Api, region: str, id: str) -> Iterator[Item]:
    """Yield the account's snapshots, each with whether every AWS account may restore it."""
    shared: Any = None
    for snapshot in _SNAPSHOTS(api, region, id):
        if shared is None:
            shared = part(lambda: {each["SnapshotId"] for each in _PUBLIC_SNAPSHOTS(api, region, id)})
        yield snapshot.plus(Public=part(partial(_is_shared, snapshot, shared)))


def _is_shared(snapshot: Item, shared: Any) -> Any:
    return snapshot["SnapshotId"] in shared if isinstance(shared, set) else shared


def _snapshot(snapshot: Item) -> Shaped:
    return {
        **picked(snapshot, *_SNAPSHOT),
        **needed(snapshot, "Encrypted"),
        "StartTime": moment(snapshot.get("StartTime")),
        "Observed": picked(snapshot, "Public"),
    }


def _launch_templates(api: Api, region: str, id: str) -> Iterator[Item]:
    """Yield the default version of each template, with the latest one under ``Latest`` where that is another.

    Without an id, the two are given for all templates of the region, in no order that AWS promises.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeLaunchTemplateVersions.html
    """
    versions: dict[str, list[Item]] = {}
    for each in _template_versions(api, region, id):
        if isinstance(each["LaunchTemplateId"], Unread):
            yield _version(each)
        else:
            versions.setdefault(each["LaunchTemplateId"], []).append(_version(each))
    for known in versions.values():
        try:
            yield _all_versions(api, region, known)
        except Unavailable as problem:
            unread = Unread(problem.message)
            yield known[0].plus(LaunchTemplateData=unread, VersionNumber=unread, Latest=unread, InUse=unread)


def _all_versions(api: Api, region: str, known: list[Item]) -> Item:
    """Return the default version with the others that may be launched, of which two are known already."""
    latest = max(known, key=lambda one: int(one["VersionNumber"]))
    default = next((one for one in known if one.get("DefaultVersion")), latest)
    other = latest["VersionNumber"] != default["VersionNumber"]
    numbers = {str(one["VersionNumber"]) for one in known}
    in_use = part(partial(_in_use, api, region, default, numbers))
    return default.plus(Latest=_judged(latest) if other else None, InUse=in_use)


def _version(version: Item) -> Item:
    return version.plus(LaunchTemplateData=picked(version["LaunchTemplateData"], *_LAUNCHED))


def _judged(version: Item) -> Shaped:
    return picked(version, "VersionNumber", "LaunchTemplateData")


def _in_use(api: Api, region: str, template: Item, known: set[str]) -> list[Shaped]:
    """Return the versions of a template that Auto Scaling groups launch from, but for those that are known already."""
    used = api.once(f"templates-in-use-{region}", lambda: _versions_by_template(api, region))
    id = str(template["LaunchTemplateId"])
    named = used.get(id, set()) | used.get(template.get("LaunchTemplateName", ""), set())
    wanted = sorted(one for one in named - known if one.isdecimal())
    if not wanted:
        return []
    pages = api.pages(
        "ec2",
        "describe_launch_template_versions",
        "LaunchTemplateVersions",
        region=region,
        LaunchTemplateId=id,
        Versions=wanted,
    )
    return sorted((_judged(_version(one)) for one in pages), key=lambda one: int(one["VersionNumber"]))


def _versions_by_template(api: Api, region: str) -> dict[str, set[str]]:
    """Return the versions, as Auto Scaling groups name them, by the template's id or name; $Default without a name.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_LaunchTemplateSpecification.html
    """
    used: dict[str, set[str]] = {}
    groups = api.pages(
        "autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", region=region, MaxRecords=100
    )
    for group in groups:
        for one in _specifications(group):
            template = one.get("LaunchTemplateId") or one.get("LaunchTemplateName", "")
            used.setdefault(template, set()).add(str(one.get("Version", "$Default")))
    return used


def _specifications(group: Item) -> Iterator[Shaped]:
    """Yield what a group launches from; one of mixed instances may have a template for each kind of them."""
    mixed = (group.get("MixedInstancesPolicy") or {}).get("LaunchTemplate") or {}
    for one in (group, *mixed.get("Overrides", ())):
        yield one.get("LaunchTemplate") or one.get("LaunchTemplateSpecification") or {}
    yield mixed.get("LaunchTemplateSpecification") or {}


def _template_versions(api: Api, region: str, id: str) -> Iterator[Item]:
    asked: dict[str, Any] = {"Versions": ["$Default", "$Latest"]}
    operation, key = "describe_launch_template_versions", "LaunchTemplateVersions"
    if not id:
        yield from api.pages("ec2", operation, key, region=region, MaxResults=200, **asked)
        return
    gone = ("InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateId.VersionNotFound")
    answer = api.maybe("ec2", operation, gone, region=region, LaunchTemplateId=id, **asked)
    yield from ([] if answer is None else answer[key])


def _launch_template(template: Item) -> Shaped:
    return {
        **picked(template, "LaunchTemplateId", "LaunchTemplateName", "VersionDescription", "LaunchTemplateData"),
        "DefaultVersionNumber": part(lambda: str(template["VersionNumber"])),
        "Observed": {"LatestVersion": template["Latest"], "VersionsInUse": template["InUse"]},
    }


def _snapshot_block(api: Api, region: str, _: str) -> Iterator[Item]:
    yield api.call("ec2", "get_snapshot_block_public_access_state", region=region)


def _region_settings(api: Api, region: str, _: str) -> Iterator[Item]:
    settings = api.call("ec2", "get_ebs_encryption_by_default", region=region)
    yield settings.plus(
        ImageBlockPublicAccessState=part(lambda: _image_block(api, region)),
        InstanceMetadataDefaults=part(lambda: _metadata_defaults(api, region)),
    )


def _image_block(api: Api, region: str) -> Any:
    return api.call("ec2", "get_image_block_public_access_state", region=region)["ImageBlockPublicAccessState"]


def _metadata_defaults(api: Api, region: str) -> Shaped:
    """Return what the account sets for new instances, and nothing for what it leaves to AMI and launch."""
    known = api.call("ec2", "get_instance_metadata_defaults", region=region).get("AccountLevel") or {}
    return picked(known, "HttpTokens", "HttpEndpoint", "HttpPutResponseHopLimit", "InstanceMetadataTags")


_ALL = (
    Kind(VOLUME, listed("describe_volumes", "Volumes", "volume-id", **PAGE), "volume", "VolumeId", _volume),
    Kind(SNAPSHOT, _snapshots, "snapshot", "SnapshotId", _snapshot, owner=False),
    Kind(
        IMAGE,
        listed("describe_images", "Images", "image-id", Owners=["self"], **PAGE),
        "image",
        "ImageId",
        lambda image: picked(image, *_IMAGE) | needed(image, "Public"),
        "Name",
        owner=False,
    ),
    Kind(
        LAUNCH_TEMPLATE,
        _launch_templates,
        "launch-template",
        "LaunchTemplateId",
        _launch_template,
        "LaunchTemplateName",
        tagged=False,
    ),
    Kind(
        SNAPSHOT_BLOCK,
        _snapshot_block,
        "snapshot-block-public-access",
        None,
        lambda block: picked(block, "State"),
        tagged=False,
    ),
    Kind(
        REGION_SETTINGS,
        _region_settings,
        "settings",
        None,
        lambda settings: picked(
            settings, "EbsEncryptionByDefault", "ImageBlockPublicAccessState", "InstanceMetadataDefaults"
        ),
        tagged=False,
    ),
)
_KINDS = {kind.type: kind for kind in _ALL}

COLLECTOR = Collector(
    Service("ebs", "EBS volumes, images and launch templates", tuple(_KINDS), actions(READS)), READS, collect, reread
)
