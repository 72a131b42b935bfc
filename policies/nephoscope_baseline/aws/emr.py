"""Rules on EMR."""

from __future__ import annotations

from typing import Any

from nephoscope.domain import Fail, Severity, View, rule
from nephoscope_aws.access import is_on

SETTINGS = "AWS::EMR::RegionSettings"

SSH = 22
"""The only port that may be open to the world, as it is by default, because people sign in to clusters on it.
https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-block-public-access.html"""

_BLOCK = "BlockPublicAccessConfiguration"


def _block(on: Any, *ranges: Any) -> dict[str, Any]:
    """An example: a region that blocks public access, or does not, but for these ranges of ports."""
    exceptions = [{"MinRange": each[0], "MaxRange": each[1]} if isinstance(each, tuple) else each for each in ranges]
    block = {"BlockPublicSecurityGroupRules": on, "PermittedPublicSecurityGroupRuleRanges": exceptions}
    return {_BLOCK: block}


@rule(
    "aws.emr.bpa",
    on=SETTINGS,
    severity=Severity.CRITICAL,
    live_only=True,
    link="https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-block-public-access.html",
    fix="""
        1. In the EMR console, in the region of the alert, choose Block public access, then Edit.
        2. Turn it on, and remove all exceptions except port 22 (and that one too if nobody connects from outside).
        3. Running clusters are not checked: review their security groups as well.
    """,
    commands="""
        aws emr put-block-public-access-configuration --region={region} --block-public-access-configuration='{
          "BlockPublicSecurityGroupRules": true,
          "PermittedPublicSecurityGroupRuleRanges": [{"MinRange": 22, "MaxRange": 22}]}'
    """,
    remediations=("aws.emr.block_public_access",),
    good=[
        _block(True, (22, 22)),
        _block(True),
        _block(True, {"MinRange": 22}),
        {_BLOCK: {"BlockPublicSecurityGroupRules": True}},
    ],
    bad=[
        _block(False, (22, 22)),
        _block(None),
        _block(True, (22, 22), (8088, 8088)),
        _block(True, (20, 22)),
        _block(True, {"MinRange": "all"}),
        _block(True, "22"),
        {_BLOCK: None},
    ],
)
def bpa(settings: View) -> bool | Fail:
    """Public EMR clusters are not fully blocked.

    The web interfaces of a cluster require no password and run whatever they are given with the cluster's role. Block
    public access refuses to start a cluster whose security groups allow public traffic.
    """
    if not is_on(settings[f"{_BLOCK}.BlockPublicSecurityGroupRules"]):
        return Fail("Block public access is off", f"{_BLOCK}.BlockPublicSecurityGroupRules")
    ranges = settings[f"{_BLOCK}.PermittedPublicSecurityGroupRuleRanges"]
    for permitted in ranges if isinstance(ranges, View) and ranges.is_list else ():
        first, last = _ends(permitted)
        if (first, last) != (SSH, SSH):
            ports = f"port {first}" if first == last else f"ports {first} to {last}"
            return Fail(f"Public access is allowed on {ports}", _at(permitted))
    return True


def _ends(permitted: Any) -> tuple[Any, Any]:
    """Return the first and last port of an exception; without a last one it is a single port."""
    if not isinstance(permitted, View) or permitted.is_list:
        return "?", "?"
    first = permitted["MinRange"]
    return first, permitted.get("MaxRange", first)


def _at(permitted: Any) -> View | str:
    return permitted if isinstance(permitted, View) else f"{_BLOCK}.PermittedPublicSecurityGroupRuleRanges"
