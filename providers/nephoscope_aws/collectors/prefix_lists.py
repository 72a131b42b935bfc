"""The prefix lists that security groups of a region can name: own ones, shared ones, and those that AWS manages.

Calls per region: 1 for each 100 lists, and 1 for each 100 entries of a list that is not AWS's. Those of AWS hold the
addresses of its services; they are known by their owner, and their entries, which change all the time, are not read.
https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from nephoscope_aws.answers import Item
from nephoscope_aws.api import Api
from nephoscope_aws.collectors.ec2_kinds import Kind, Shaped, listed
from nephoscope_aws.collectors.shape import needed, part, picked
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
    for one in _LISTS(api, region, id):
        yield one.plus(Entries=part(partial(_entries, api, region, one)))


def _entries(api: Api, region: str, item: Item) -> list[Shaped] | None:
    if item["OwnerId"] == "AWS":
        return None
    id, operation = str(item["PrefixListId"]), "get_managed_prefix_list_entries"
    pages = api.pages("ec2", operation, "Entries", region=region, PrefixListId=id, **PAGE)
    return sorted(map(_entry, pages), key=lambda entry: str(entry["Cidr"]))


def _entry(entry: Item) -> Shaped:
    return needed(entry, "Cidr") | picked(entry, "Description")


def _shape(item: Item) -> Shaped:
    named = picked(item, "PrefixListId", "PrefixListName", "AddressFamily", "MaxEntries", "Entries")
    return {**named, "Observed": needed(item, "OwnerId")}


KIND = Kind(PREFIX_LIST, _with_entries, "prefix-list", "PrefixListId", _shape, "PrefixListName", arn="PrefixListArn")
