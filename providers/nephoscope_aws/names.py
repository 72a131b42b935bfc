"""What AWS's names say: the partition in an ARN, and types of resources in words."""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Z][A-Z0-9]*(?=[A-Z][a-z]|$)|[A-Z]?[a-z0-9]+|[A-Z]+")


_REGIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}
"""How the regions of a partition begin, other than those of the standard one."""

_HOMES = {
    "aws": "us-east-1",
    "aws-cn": "cn-north-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-iso": "us-iso-east-1",
    "aws-iso-b": "us-isob-east-1",
    "aws-iso-e": "eu-isoe-west-1",
    "aws-iso-f": "us-isof-south-1",
    "aws-eusc": "eusc-de-east-1",
}


def partition(id: str, region: str = "") -> str:
    """Return the partition that an ARN names, or of an id that is none, the one of its region."""
    parts = id.split(":")
    return parts[1] if len(parts) > 2 and parts[0] == "arn" else partition_of(region)


def partition_of(region: str) -> str:
    """Return the partition that a region belongs to.

    https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
    """
    return next((found for begin, found in _REGIONS.items() if region.startswith(begin)), "aws")


def home_of(partition: str) -> str:
    """Return the region of a partition in which its global services are called and tell of themselves.

    https://docs.aws.amazon.com/general/latest/gr/iam-service.html
    """
    return _HOMES.get(partition, _HOMES["aws"])


def type_name(type: str) -> str:
    """Return a type in words: AWS::EC2::SecurityGroup as EC2 security group. Any other is returned as it is."""
    vendor, *parts = type.split("::")
    if vendor != "AWS" or len(parts) != 2:
        return type
    words = [word if len(word) > 1 and word.isupper() else word.lower() for word in _WORD.findall(parts[1])]
    return " ".join([parts[0], *words])
