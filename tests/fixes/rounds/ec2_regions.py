"""Amazon EC2's settings of a region, each beside the same ones of another region."""

from __future__ import annotations

from typing import Any

from tests.fixes.rounds.round import ACCOUNT, Made, goes_round

from nephoscope_aws_simulator.testing import Cloud

HOME, BESIDE = "eu-west-1", "eu-west-2"
SETTINGS = ("AWS::EC2::RegionSettings", "settings")
SNAPSHOTS = ("AWS::EC2::SnapshotBlockPublicAccess", "snapshot-block-public-access")
VPCS = ("AWS::EC2::VPCBlockPublicAccessOptions", "vpc-block-public-access")


def settings(cloud: Cloud, region: str) -> Any:
    """All that these fixes may change in a region."""
    ec2 = cloud.client("ec2", region)
    return {
        "encryption": ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"],
        "snapshots": ec2.get_snapshot_block_public_access_state()["State"],
        "images": ec2.get_image_block_public_access_state()["ImageBlockPublicAccessState"],
        "metadata": ec2.get_instance_metadata_defaults().get("AccountLevel", {}),
        "vpcs": ec2.describe_vpc_block_public_access_options()["VpcBlockPublicAccessOptions"][
            "InternetGatewayBlockMode"
        ],
    }


def region(cloud: Cloud, what: tuple[str, str], region: str = HOME) -> Made:
    type, place = what
    arn = f"arn:aws:ec2:{region}:{ACCOUNT}:{place}"
    return Made(type, arn, place, lambda: settings(cloud, region), lambda: settings(cloud, BESIDE), region)


@goes_round("aws.ec2.encrypt_ebs_by_default", "aws.ec2.ebs_default_encryption")
def unencrypted(cloud: Cloud) -> Made:
    return region(cloud, SETTINGS)


@goes_round("aws.ec2.block_public_snapshots", "aws.ec2.snapshot_bpa")
def public_snapshots(cloud: Cloud) -> Made:
    return region(cloud, SNAPSHOTS)


@goes_round("aws.ec2.block_public_snapshots", "aws.ec2.snapshot_bpa")
def new_snapshots_blocked(cloud: Cloud) -> Made:
    cloud.client("ec2", "eu-west-3").enable_snapshot_block_public_access(State="block-new-sharing")
    return region(cloud, SNAPSHOTS, "eu-west-3")


@goes_round("aws.ec2.block_public_amis", "aws.ec2.ami_bpa")
def public_images(cloud: Cloud) -> Made:
    return region(cloud, SETTINGS)


@goes_round("aws.ec2.require_imdsv2_by_default", "aws.ec2.imds_defaults")
def no_preference(cloud: Cloud) -> Made:
    return region(cloud, SETTINGS)


@goes_round("aws.ec2.require_imdsv2_by_default", "aws.ec2.imds_defaults")
def optional_with_a_hop_limit(cloud: Cloud) -> Made:
    ec2 = cloud.client("ec2", "eu-west-3")
    ec2.modify_instance_metadata_defaults(HttpTokens="optional", HttpPutResponseHopLimit=2)
    return region(cloud, SETTINGS, "eu-west-3")


@goes_round("aws.ec2.block_public_vpcs", "aws.ec2.vpc_bpa")
def public_vpcs(cloud: Cloud) -> Made:
    return region(cloud, VPCS)
