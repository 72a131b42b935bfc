"""Whether a bucket policy is public, as Amazon S3 defines it; moto takes every condition for a restriction.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
"""

from __future__ import annotations

import ipaddress
from typing import Any

from nephoscope_aws_simulator.policy import Document, as_list, parse, statements

# A statement for everybody is not public when one of these keys is pinned to fixed values.
_PINNING_KEYS = {
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:userid",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
}
_FIXING_OPERATORS = {"stringequals", "stringlike", "arnequals", "arnlike", "stringequalsignorecase"}
# "any IPv4 prefix that is less than /8 and any IPv6 prefix that is less than /32", private ranges excepted
_NARROWEST_PUBLIC = {4: 8, 6: 32}


def _narrow(cidr: Any) -> bool:
    try:
        network = ipaddress.ip_network(str(cidr), strict=False)
    except ValueError:
        return False
    return network.is_private or network.prefixlen >= _NARROWEST_PUBLIC[network.version]


def _fixed(key: str, value: Any) -> bool:
    text = str(value)
    if key == "s3:dataaccesspointarn":  # its access point name may be a wildcard when the account is fixed
        parts = text.split(":")
        return len(parts) > 4 and parts[4].isdigit()
    if key == "aws:userid":  # "outside the pattern AROLEID:*"
        return "*" not in text.split(":")[0]
    return "*" not in text and "?" not in text and "${" not in text


def _pinned(condition: Document) -> bool:
    for operator, keys in condition.items():
        name = operator.split(":")[-1].lower()
        for key, value in keys.items():
            key, values = key.lower(), as_list(value)
            if name == "ipaddress" and key == "aws:sourceip" and all(_narrow(one) for one in values):
                return True
            if name in _FIXING_OPERATORS and key in _PINNING_KEYS and all(_fixed(key, one) for one in values):
                return True
    return False


def _for_everybody(statement: Document) -> bool:
    if "NotPrincipal" in statement:
        return True
    principal = statement.get("Principal")
    if isinstance(principal, dict):
        return any(one == "*" for one in as_list(principal.get("AWS", [])))
    return principal == "*"


def is_public(policy: bytes | str) -> bool:
    """Whether any statement lets everybody in; what is no policy is not public."""
    try:
        document = parse(policy.decode() if isinstance(policy, bytes) else policy)
    except ValueError:
        return False
    return any(
        statement.get("Effect") == "Allow" and _for_everybody(statement) and not _pinned(statement.get("Condition", {}))
        for statement in statements(document)
    )
