"""What EMR blocks in a region."""

from __future__ import annotations

from typing import Any

from tests.truth.account import ABROAD, HOME, Truth, holds


def _block(truth: Truth, on: bool, *ranges: tuple[int, ...], region: str = HOME) -> None:
    names = ("MinRange", "MaxRange")
    block: dict[str, Any] = {"BlockPublicSecurityGroupRules": on}
    block["PermittedPublicSecurityGroupRuleRanges"] = [dict(zip(names, each, strict=False)) for each in ranges]
    truth.client("emr", region).put_block_public_access_configuration(BlockPublicAccessConfiguration=block)


def _says(truth: Truth, region: str, **verdict: str) -> None:
    truth.judged(f"EMR in {region}", **verdict)


@holds()
def default(truth: Truth) -> None:
    """On but for SSH, as AWS begins; and off."""
    _block(truth, False, (22, 22), region=ABROAD)
    _says(truth, HOME, passes="bpa")
    _says(truth, ABROAD, fails="bpa")


@holds()
def wider(truth: Truth) -> None:
    """Without any exception; and with one more than SSH."""
    _block(truth, True)
    _block(truth, True, (22, 22), (8088, 8088), region=ABROAD)
    _says(truth, HOME, passes="bpa")
    _says(truth, ABROAD, fails="bpa")


@holds()
def ranges(truth: Truth) -> None:
    """A single port, and a range that has more than SSH."""
    _block(truth, True, (22,))
    _block(truth, True, (22, 23), region=ABROAD)
    _says(truth, HOME, passes="bpa")
    _says(truth, ABROAD, fails="bpa")


@holds()
def all_ports(truth: Truth) -> None:
    """Every port is excepted; and another single port."""
    _block(truth, True, (0, 65535))
    _block(truth, True, (3389,), region=ABROAD)
    _says(truth, HOME, fails="bpa")
    _says(truth, ABROAD, fails="bpa")


@holds()
def hidden(truth: Truth) -> None:
    """One region does not say."""
    _block(truth, True)
    _block(truth, False, region=ABROAD)
    truth.cloud.control("deny", actions=["elasticmapreduce:GetBlockPublicAccessConfiguration"], regions=[HOME])
    truth.judged(f"All AWS::EMR::RegionSettings in {HOME}", unknown="bpa")
    _says(truth, ABROAD, fails="bpa")
