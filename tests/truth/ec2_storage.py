"""Disks, snapshots, images and launch templates, and the settings of a region for them."""

from __future__ import annotations

from typing import Any

from tests.truth.account import ABROAD, HOME, Truth, holds
from tests.truth.ec2_instances import tagged

SNAPSHOT = "snapshot_public snapshot_encrypted"
SETTINGS = "ebs_default_encryption ami_bpa imds_defaults"

TOKENS = {"HttpTokens": "required", "HttpEndpoint": "enabled"}
NO_TOKENS = {"HttpTokens": "optional", "HttpEndpoint": "enabled"}


def data(metadata: dict[str, str] | None, *public: bool | None) -> dict[str, Any]:
    """The data of a launch template with an interface for each switch; None leaves it to the subnet."""
    interfaces = [
        {"DeviceIndex": index} | ({} if each is None else {"AssociatePublicIpAddress": each})
        for index, each in enumerate(public)
    ]
    given = {"MetadataOptions": metadata, "NetworkInterfaces": interfaces}
    return {"InstanceType": "t3.micro", **{name: each for name, each in given.items() if each}}


RIGHT = data(TOKENS, False)

TEMPLATES: dict[str, tuple[str, list[dict[str, Any]], int]] = {
    "lt-right": ("", [RIGHT], 1),
    "lt-no-endpoint": ("", [data({"HttpTokens": "optional", "HttpEndpoint": "disabled"})], 1),
    "lt-subnet-decides": ("", [data(TOKENS, None, None)], 1),
    "lt-mended": ("", [data(NO_TOKENS, True), RIGHT], 2),
    "lt-v1": ("lt_imdsv2", [data(NO_TOKENS, False)], 1),
    "lt-nothing-said": ("lt_imdsv2", [data(None)], 1),
    "lt-public": ("lt_public_ip", [data(TOKENS, True)], 1),
    "lt-public-second": ("lt_public_ip", [data(TOKENS, False, True)], 1),
    "lt-mended-not-default": ("lt_imdsv2 lt_public_ip", [data(NO_TOKENS, True), RIGHT], 1),
    "lt-worse-not-default": ("lt_imdsv2 lt_public_ip", [RIGHT, data(NO_TOKENS, True)], 1),
    "lt-worse-default": ("lt_imdsv2 lt_public_ip", [RIGHT, data(NO_TOKENS, True)], 2),
    "lt-<b>märkup": ("lt_imdsv2", [data(NO_TOKENS)], 1),
}
"""Each launch template with the rules that it fails, its versions, and the number of the default one."""


USED: dict[str, tuple[str, str]] = {
    "old": ("lt_imdsv2 lt_public_ip", "1"),
    "older-right": ("", "2"),
    "default": ("", "$Default"),
    "latest": ("", "$Latest"),
}
"""Launch templates whose first version alone is wrong, with what they fail by the version that a group starts."""


@holds(services=("ebs",))
def templates_in_use(truth: Truth) -> None:
    """What an Auto Scaling group goes on starting is judged, although newer versions are right."""
    ec2, autoscaling = truth.client("ec2"), truth.client("autoscaling")
    for region in (HOME, ABROAD):
        _judged_region(truth, region, fails=SETTINGS, block="fails")
    for name, (fails, version) in USED.items():
        ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data(NO_TOKENS, True))
        for _ in range(3):
            ec2.create_launch_template_version(LaunchTemplateName=name, LaunchTemplateData=RIGHT)
        ec2.modify_launch_template(LaunchTemplateName=name, DefaultVersion="3")
        autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=name,
            MinSize=0,
            MaxSize=1,
            AvailabilityZones=[f"{HOME}a"],
            LaunchTemplate={"LaunchTemplateName": name, "Version": version},
        )
        truth.judged(name, fails=fails, of="lt_imdsv2 lt_public_ip")


@holds(services=("ebs",))
def disks(truth: Truth) -> None:
    home, abroad = truth.client("ec2", HOME), truth.client("ec2", ABROAD)
    home.enable_ebs_encryption_by_default()
    home.enable_snapshot_block_public_access(State="block-all-sharing")
    home.enable_image_block_public_access(ImageBlockPublicAccessState="block-new-sharing")
    home.modify_instance_metadata_defaults(HttpTokens="required", HttpPutResponseHopLimit=2)
    abroad.enable_snapshot_block_public_access(State="block-new-sharing")
    abroad.modify_instance_metadata_defaults(HttpTokens="optional")
    _judged_region(truth, HOME, passes=SETTINGS, block="passes")
    _judged_region(truth, ABROAD, fails=SETTINGS, block="fails")
    _treated_as_private(truth, home, _volumes(truth, home, HOME, by_default=True))
    plain = _volumes(truth, abroad, ABROAD, by_default=False)
    abroad.enable_ebs_encryption_by_default()
    abroad.disable_ebs_encryption_by_default()
    _snapshots(truth, abroad, plain)
    _encrypted(truth, abroad)
    _images(truth, abroad)
    for name, (fails, versions, default) in TEMPLATES.items():
        first, *later = versions
        abroad.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=first)
        for each in later:
            abroad.create_launch_template_version(LaunchTemplateName=name, LaunchTemplateData=each)
        abroad.modify_launch_template(LaunchTemplateName=name, DefaultVersion=str(default))
        truth.judged(name, fails=fails, of="lt_imdsv2 lt_public_ip")


def _arn(truth: Truth, region: str, place: str) -> str:
    return f"arn:aws:ec2:{region}:{truth.cloud.account}:{place}"


def _judged_region(truth: Truth, region: str, *, block: str, **settings: str) -> None:
    """Say of a region's settings, and of its block of public snapshots, how they have to be judged."""
    truth.judged(_arn(truth, region, "settings"), **settings)
    truth.judged(_arn(truth, region, "snapshot-block-public-access"), **{block: "snapshot_bpa"})


def _volumes(truth: Truth, ec2: Any, region: str, *, by_default: bool) -> str:
    """Volumes attached and not, encrypted, plain and as the region has it. Return one that is plain or by default."""
    run = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)["Instances"][0]
    root = ec2.describe_volumes()["Volumes"][0]
    fails = "" if by_default else "volume_encrypted"
    truth.judged(_arn(truth, region, f"volume/{root['VolumeId']}"), fails=fails, of="volume_encrypted")
    for number, (name, given, encrypted) in enumerate(
        (
            ("encrypted", {"Encrypted": True}, True),
            ("plain", {"Encrypted": False}, False),
            ("said-nothing", {}, by_default),
            ("spare", {"Encrypted": False}, None),
        )
    ):
        if by_default and name in ("plain", "spare"):
            continue  # such a region makes none
        called = f"{name}-{region}"
        made = ec2.create_volume(AvailabilityZone=f"{region}a", Size=1, **given, **tagged("volume", called))["VolumeId"]
        if encrypted is None:
            truth.judged(called, skipped="volume_encrypted")
            continue
        ec2.attach_volume(VolumeId=made, InstanceId=run["InstanceId"], Device=f"/dev/sd{'fghi'[number]}")
        truth.judged(called, **{"passes" if encrypted else "fails": "volume_encrypted"})
    return str(root["VolumeId"])


def _snapshots(truth: Truth, ec2: Any, volume: str) -> None:
    everyone, other = {"GroupNames": ["all"]}, {"UserIds": ["123456789012"]}
    for name, fails, steps in (
        ("kept", False, []),
        ("shared", False, [("add", other)]),
        ("for-everyone", True, [("add", everyone)]),
        ("for-everyone-and-one", True, [("add", other), ("add", everyone)]),
        ("no-longer", False, [("add", everyone), ("remove", everyone)]),
    ):
        made = ec2.create_snapshot(VolumeId=volume, **tagged("snapshot", name))["SnapshotId"]
        for step, whom in steps:
            ec2.modify_snapshot_attribute(
                SnapshotId=made, Attribute="createVolumePermission", OperationType=step, **whom
            )
        truth.judged(name, fails="snapshot_encrypted" + " snapshot_public" * fails, of=SNAPSHOT)


def _encrypted(truth: Truth, ec2: Any) -> None:
    """A snapshot is encrypted as its volume is."""
    volume = ec2.create_volume(AvailabilityZone=f"{ABROAD}a", Size=1, Encrypted=True, **tagged("volume", "sealed"))
    truth.judged("sealed", skipped="volume_encrypted")
    ec2.create_snapshot(VolumeId=volume["VolumeId"], **tagged("snapshot", "sealed-kept"))
    truth.judged("sealed-kept", passes=SNAPSHOT)


def _treated_as_private(truth: Truth, ec2: Any, volume: str) -> None:
    """Where all sharing is blocked, nobody can restore a snapshot that is still said to be public."""
    made = ec2.create_snapshot(VolumeId=volume, **tagged("snapshot", "blocked"))["SnapshotId"]
    ec2.modify_snapshot_attribute(
        SnapshotId=made, Attribute="createVolumePermission", OperationType="add", GroupNames=["all"]
    )
    truth.judged("blocked", passes=SNAPSHOT)


def _images(truth: Truth, ec2: Any) -> None:
    instance = ec2.describe_instances()["Reservations"][0]["Instances"][0]["InstanceId"]
    everyone, other = [{"Group": "all"}], [{"UserId": "123456789012"}]
    for name, fails, steps in (
        ("image-kept", False, []),
        ("image-shared", False, [{"Add": other}]),
        ("image-for-everyone", True, [{"Add": everyone}]),
        ("image-no-longer", False, [{"Add": everyone}, {"Remove": everyone}]),
    ):
        image = ec2.create_image(InstanceId=instance, Name=name)["ImageId"]
        for each in steps:
            ec2.modify_image_attribute(ImageId=image, LaunchPermission=each)
        truth.judged(name, fails="ami_public" * fails, of="ami_public")
    gone = ec2.create_image(InstanceId=instance, Name="image-gone")["ImageId"]
    ec2.modify_image_attribute(ImageId=gone, LaunchPermission={"Add": everyone})
    ec2.deregister_image(ImageId=gone)
    for each in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]:  # those of the images' volumes
        if not each.get("Tags"):
            id = f"arn:aws:ec2:{ABROAD}::snapshot/{each['SnapshotId']}"
            truth.judged(id, fails="snapshot_encrypted", of=SNAPSHOT)


LISTED = {
    "DescribeVolumes": "Volume",
    "DescribeSnapshots": "Snapshot",
    "DescribeImages": "Image",
    "DescribeLaunchTemplateVersions": "LaunchTemplate",
    "GetSnapshotBlockPublicAccessState": "SnapshotBlockPublicAccess",
    "GetEbsEncryptionByDefault": "RegionSettings",
}


@holds(services=("ebs",))
def unreadable_disks(truth: Truth) -> None:
    """Abroad nothing can be listed; at home it is not known whether public snapshots are treated as private."""
    ec2 = truth.client("ec2")
    volume = ec2.create_volume(AvailabilityZone=f"{HOME}a", Size=1, **tagged("volume", "spare"))["VolumeId"]
    truth.judged("spare", skipped="volume_encrypted")
    for name, verdict in (("private", "passes"), ("public", "unknown")):
        made = ec2.create_snapshot(VolumeId=volume, **tagged("snapshot", name))["SnapshotId"]
        truth.judged(name, **{verdict: "snapshot_public"}, fails="snapshot_encrypted")
    ec2.modify_snapshot_attribute(
        SnapshotId=made, Attribute="createVolumePermission", OperationType="add", GroupNames=["all"]
    )
    truth.hide("ec2:GetImageBlockPublicAccessState", region=HOME)
    truth.judged(_arn(truth, HOME, "settings"), unknown="ami_bpa", fails="ebs_default_encryption imds_defaults")
    truth.hide("ec2:GetSnapshotBlockPublicAccessState", "AWS::EC2::SnapshotBlockPublicAccess", region=HOME)
    for name, type in LISTED.items():
        truth.hide(f"ec2:{name}", f"AWS::EC2::{type}")
