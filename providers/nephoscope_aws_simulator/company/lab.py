"""Northwind's lab: a small account of its own, outside the organisation, with things that nobody looks after."""

from __future__ import annotations

import json

from nephoscope_aws_simulator.company.cloud import EUROPE, HOME, Cloud, tag_list

ACCOUNT = "445566778899"

BUCKETS = ("northwind-lab-downloads", "northwind-lab-notebooks", "northwind-lab-results")
OPEN = BUCKETS[0]


def make_lab(cloud: Cloud) -> None:
    """Three buckets, of which everyone can read one; two keys, a user, and a security group that is open."""
    s3 = cloud.client("s3", EUROPE, ACCOUNT)
    for name in BUCKETS:
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": EUROPE})
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tag_list(Team="lab", Environment="development")})
    s3.delete_public_access_block(Bucket=OPEN)
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{OPEN}/*"}
    s3.put_bucket_policy(Bucket=OPEN, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    for purpose in ("notebooks", "results"):
        cloud.client("kms", EUROPE, ACCOUNT).create_key(Description=f"Lab, {purpose}")
    iam = cloud.client("iam", account=ACCOUNT)
    iam.create_user(UserName="lab-automation")
    iam.create_access_key(UserName="lab-automation")
    ec2 = cloud.client("ec2", HOME, ACCOUNT)
    group = ec2.create_security_group(GroupName="lab-desktop", Description="Remote desktop of the lab")["GroupId"]
    anyone = {"IpProtocol": "tcp", "FromPort": 3389, "ToPort": 3389, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[anyone])
