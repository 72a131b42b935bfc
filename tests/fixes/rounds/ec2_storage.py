"""EBS snapshots and AMIs that are public, beside others that are."""

from __future__ import annotations

from typing import Any

from tests.fixes.rounds.round import Made, goes_round

from nephoscope_aws_simulator.testing import Cloud

PARTNER = "210987654321"
ORGANIZATION = "arn:aws:organizations::123456789012:organization/o-0123456789"
IMAGE = "ami-12c6146b"


def _in_order(permissions: Any) -> Any:
    return sorted(permissions, key=str)


@goes_round("aws.ec2.make_snapshot_private", "aws.ec2.snapshot_public")
def public_and_shared_with_a_partner(cloud: Cloud) -> Made:
    ec2 = cloud.client("ec2")
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    ids = [ec2.create_snapshot(VolumeId=volume)["SnapshotId"] for _ in range(2)]
    for id in ids:
        for whom in ({"GroupNames": ["all"]}, {"UserIds": [PARTNER]}):
            ec2.modify_snapshot_attribute(
                SnapshotId=id, Attribute="createVolumePermission", OperationType="add", **whom
            )

    def shared(id: str) -> Any:
        found = ec2.describe_snapshot_attribute(SnapshotId=id, Attribute="createVolumePermission")
        return _in_order(found["CreateVolumePermissions"])

    arn = f"arn:aws:ec2:us-east-1::snapshot/{ids[0]}"
    return Made("AWS::EC2::Snapshot", arn, ids[0], lambda: shared(ids[0]), lambda: shared(ids[1]))


def image(cloud: Cloud, *also: dict[str, str]) -> Made:
    ec2 = cloud.client("ec2")
    instance = ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    name = f"round-{len(also)}"
    ids = [ec2.create_image(InstanceId=instance, Name=each)["ImageId"] for each in (name, f"{name}-beside")]
    for id in ids:
        ec2.modify_image_attribute(ImageId=id, LaunchPermission={"Add": [{"Group": "all"}, *also]})

    def shared(id: str) -> Any:
        found = ec2.describe_image_attribute(ImageId=id, Attribute="launchPermission")
        return _in_order(found["LaunchPermissions"])

    arn = f"arn:aws:ec2:us-east-1::image/{ids[0]}"
    return Made("AWS::EC2::Image", arn, name, lambda: shared(ids[0]), lambda: shared(ids[1]))


@goes_round("aws.ec2.make_ami_private", "aws.ec2.ami_public")
def public(cloud: Cloud) -> Made:
    return image(cloud)


@goes_round("aws.ec2.make_ami_private", "aws.ec2.ami_public")
def public_and_shared_with_an_organization(cloud: Cloud) -> Made:
    return image(cloud, {"UserId": PARTNER}, {"OrganizationArn": ORGANIZATION})
