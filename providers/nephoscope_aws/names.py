"""What AWS's names say: the partition in an ARN, and types of resources in words."""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Z][A-Z0-9]*(?=[A-Z][a-z]|$)|[A-Z]?[a-z0-9]+|[A-Z]+")


def partition(id: str) -> str:
    """Return the partition that an ARN names; the standard one for an id that is none."""
    parts = id.split(":")
    return parts[1] if len(parts) > 2 and parts[0] == "arn" else "aws"


def type_name(type: str) -> str:
    """Return a type in words: AWS::EC2::SecurityGroup as EC2 security group. Any other is returned as it is."""
    vendor, *parts = type.split("::")
    if vendor != "AWS" or len(parts) != 2:
        return type
    words = [word if len(word) > 1 and word.isupper() else word.lower() for word in _WORD.findall(parts[1])]
    return " ".join([parts[0], *words])
