"""Networks and disks: one right and one wrong thing of each type."""

from __future__ import annotations

from typing import Any

from tests.aws.collectors.world import MARKUP

from nephoscope_aws_simulator.testing import Simulator

SEEDED, BARE = "eu-north-1", "eu-central-1"


def seed(simulator: Simulator) -> None:
    ec2 = simulator.client("ec2", SEEDED)
    seed_networks(ec2)
    seed_disks(ec2)
    seed_templates(ec2)
    seed_groups(ec2, simulator.client("autoscaling", SEEDED))
    other = simulator.client("ec2", BARE)
    other.modify_vpc_block_public_access_options(InternetGatewayBlockMode="block-ingress")
    other.enable_snapshot_block_public_access(State="block-all-sharing")
    other.enable_ebs_encryption_by_default()
    other.enable_image_block_public_access(ImageBlockPublicAccessState="block-new-sharing")
    other.modify_instance_metadata_defaults(HttpTokens="required")


def tagged(type: str, name: str) -> dict[str, Any]:
    return {"TagSpecifications": [{"ResourceType": type, "Tags": [{"Key": "Name", "Value": name}]}]}


def seed_networks(ec2: Any) -> None:
    good, bad = [
        ec2.create_vpc(CidrBlock="10.9.0.0/16", **tagged("vpc", name))["Vpc"]["VpcId"] for name in ("logged", "silent")
    ]
    ec2.create_flow_logs(
        ResourceType="VPC",
        ResourceIds=[good],
        TrafficType="REJECT",
        LogDestinationType="s3",
        LogDestination="arn:aws:s3:::full-bucket",
    )
    for name, public in (("inner", False), ("outer", True)):
        made = ec2.create_subnet(VpcId=bad, CidrBlock=f"10.9.{int(public)}.0/24", **tagged("subnet", name))["Subnet"]
        ec2.modify_subnet_attribute(SubnetId=made["SubnetId"], MapPublicIpOnLaunch={"Value": public})
    for name, ports in (("tight", (443, 443)), ("loose", (0, 65535))):
        acl = ec2.create_network_acl(VpcId=good, **tagged("network-acl", name))["NetworkAcl"]["NetworkAclId"]
        ec2.create_network_acl_entry(
            NetworkAclId=acl,
            RuleNumber=100,
            Protocol="6",
            RuleAction="allow",
            Egress=False,
            CidrBlock="0.0.0.0/0",
            PortRange={"From": ports[0], "To": ports[1]},
        )
    for name, accept in (("asks", "disable"), ("open", "enable")):
        ec2.create_transit_gateway(
            Options={"AutoAcceptSharedAttachments": accept}, Description=MARKUP, **tagged("transit-gateway", name)
        )
    deleted = ec2.create_transit_gateway(**tagged("transit-gateway", "gone"))["TransitGateway"]["TransitGatewayId"]
    ec2.delete_transit_gateway(TransitGatewayId=deleted)
    instance = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    used = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.associate_address(AllocationId=used, InstanceId=instance)
    ec2.allocate_address(Domain="vpc")


def seed_disks(ec2: Any) -> None:
    instance = ec2.describe_instances()["Reservations"][0]["Instances"][0]["InstanceId"]
    zone = f"{SEEDED}a"
    sealed = ec2.create_volume(AvailabilityZone=zone, Size=1, Encrypted=True, **tagged("volume", "sealed"))["VolumeId"]
    ec2.attach_volume(VolumeId=sealed, InstanceId=instance, Device="/dev/sdf")
    plain = ec2.create_volume(AvailabilityZone=zone, Size=1, **tagged("volume", "plain"))["VolumeId"]
    ec2.attach_volume(VolumeId=plain, InstanceId=instance, Device="/dev/sdg")
    ec2.create_volume(AvailabilityZone=zone, Size=1, **tagged("volume", "spare"))
    for name in ("kept", "shared"):
        made = ec2.create_snapshot(VolumeId=plain, Description=MARKUP, **tagged("snapshot", name))["SnapshotId"]
    ec2.modify_snapshot_attribute(
        SnapshotId=made, Attribute="createVolumePermission", OperationType="add", GroupNames=["all"]
    )
    for name in ("private", "public"):
        image = ec2.create_image(InstanceId=instance, Name=name)["ImageId"]
    ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"Group": "all"}]})


def seed_templates(ec2: Any) -> None:
    data = {
        "ImageId": "ami-12c6146b",
        "UserData": "cGFzc3dvcmQ=",
        "MetadataOptions": {"HttpTokens": "required"},
        "NetworkInterfaces": [{"DeviceIndex": 0, "AssociatePublicIpAddress": False}],
    }
    worse = data | {
        "MetadataOptions": {"HttpTokens": "optional"},
        "NetworkInterfaces": [{"DeviceIndex": 0, "AssociatePublicIpAddress": True}],
    }
    for name, first in (("strict", data), ("slack", worse), ("slackening", data)):
        ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=first)
    ec2.create_launch_template_version(LaunchTemplateName="slackening", LaunchTemplateData=worse)


def seed_groups(ec2: Any, autoscaling: Any) -> None:
    """One that stays with a version in between, and one of mixed instances that does in an override."""
    for name, key in (("pinned", "LaunchTemplate"), ("mixed", "MixedInstancesPolicy")):
        for number, tokens in enumerate(("required", "optional", "required")):
            data = {"ImageId": "ami-12c6146b", "MetadataOptions": {"HttpTokens": tokens}}
            make = ec2.create_launch_template_version if number else ec2.create_launch_template
            make(LaunchTemplateName=name, LaunchTemplateData=data)
        pinned = {"LaunchTemplateName": name, "Version": "2"}
        mixed = {
            "LaunchTemplate": {
                "LaunchTemplateSpecification": {"LaunchTemplateName": name, "Version": "$Latest"},
                "Overrides": [{"InstanceType": "m5.large", "LaunchTemplateSpecification": pinned}],
            }
        }
        autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=name,
            MinSize=0,
            MaxSize=0,
            AvailabilityZones=[f"{SEEDED}a"],
            **{key: pinned if name == "pinned" else mixed},
        )
