"""The prefix lists that security groups of a region can name: own ones, shared ones, and those that AWS manages.

Calls per region: 1 for each 100 lists, and 1 for each 100 entries of a list that is not AWS's. Those of AWS hold the
addresses of its services; they are known by their owner, and their entries, which change all the time, are not read.
https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nephoscope_aws.api import Api
from nephoscope_aws.collectors.ec2_kinds import Item, Kind, listed
from nephoscope_aws.collectors.shape import part, picked
from nephoscope_aws.network import PREFIX_LIST

READS = {
    ("ec2", "describe_managed_prefix_lists"): "ec2:DescribeManagedPrefixLists",
    ("ec2", "get_managed_prefix_list_entries"): "ec2:GetManagedPrefixListEntries",
}

PAGE: dict[str, Any] = {"MaxResults": 100}
"""The most that both calls give at once.
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetManagedPrefixListEntries.html"""

_LISTS = listed("describe_managed_prefix_lists", "PrefixLists", "prefix-list-id", **PAGE)


def _with_entries(api: Api, region: str, id: str) -> Iterator[Item]:
    for each in _LISTS(api, region, id):
        yield {**each, "Entries": None if each.get("OwnerId") == "AWS" else _entries(api, region, each["PrefixListId"])}


def _entries(api: Api, region: str, id: str) -> Any:
    operation = "get_managed_prefix_list_entries"
    pages = api.pages("ec2", operation, "Entries", region=region, PrefixListId=id, **PAGE)
    return part(
        lambda: sorted((picked(each, "Cidr", "Description") for each in pages), key=lambda each: str(each["Cidr"]))
    )


def _shape(item: Item) -> Item:
    named = picked(item, "PrefixListId", "PrefixListName", "AddressFamily", "MaxEntries", "Entries")
    return {**named, "Observed": picked(item, "OwnerId")}


KIND = Kind(PREFIX_LIST, _with_entries, "prefix-list", "PrefixListId", _shape, "PrefixListName", arn="PrefixListArn")
