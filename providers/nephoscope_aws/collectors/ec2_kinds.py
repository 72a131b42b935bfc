"""What the collectors of EC2's many types share: one type is a Kind, listed whole or asked for by an id.

One is asked for with a filter instead of by its id: EC2 then answers with an empty list where it is gone, not with an
error of its own for each type. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Filter.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from nephoscope.domain import Resource
from nephoscope_aws.answers import Item, Missing, Unread
from nephoscope_aws.api import Api
from nephoscope_aws.collectors.odd import each
from nephoscope_aws.collectors.shape import Listing, part, tag_dict, tag_list
from nephoscope_aws.lookups import is_over

Shaped = dict[str, Any]
Items = Callable[[Api, str, str], Iterator[Item]]
"""Given the Api, the region and an id, yields that one; with an empty id, all of them."""

PAGE: dict[str, Any] = {"MaxResults": 1000}
"""The most that EC2 gives in one page of most of its lists."""


@dataclass(frozen=True)
class Kind:
    """How one type is read.

    :param place: how an item's ARN ends, after region and account; ``None`` for the account's settings of a region,
        which exist once.
    :param owner: whether the ARN names the account; those of snapshots and images do not.
    :param arn: the member of an item that holds its ARN, for a type of which it matters what others share with the
        account: it is kept too.
    """

    type: str
    items: Items
    place: str
    id: str | None
    shape: Callable[[Item], Shaped]
    name: str = ""
    tagged: bool = True
    owner: bool = True
    arn: str = ""


def listed(operation: str, key: str, by: str, filters: str = "Filters", **parameters: Any) -> Items:
    """Return what lists a type with one paged operation; ``by`` is the filter that names an id."""

    def items(api: Api, region: str, id: str) -> Iterator[Item]:
        which = {filters: [{"Name": by, "Values": [id]}]} if id else {}
        return api.pages("ec2", operation, key, region=region, **parameters, **which)

    return items


def collect(api: Api, region: str, kinds: Iterable[Kind]) -> Iterator[Resource]:
    """Yield what the region holds; a kind that cannot be listed does not hide the others."""
    for kind in kinds:
        listing = Listing(kind.items(api, region, ""))
        yield from each(api, region, kind.type, partial(_resource, api, region, kind), listing)


def reread(api: Api, resource: Resource, kind: Kind) -> Resource | None:
    """Read one again; None when it is gone."""
    items = kind.items(api, resource.region, resource.id.rpartition("/")[2])
    again = filter(None, (_resource(api, resource.region, kind, item) for item in items))
    return next((one for one in again if one.id == resource.id), None)


def _kept(api: Api, kind: Kind, item: Item) -> bool:
    """Tell whether the account can change it: what others share with it is listed too, as VPCs and gateways."""
    owner = item.get("OwnerId", api.account)
    own = bool(kind.arn) or isinstance(owner, Unread) or owner in ("", api.account)  # an odd one is not another's
    return own and not is_over(item)


def _resource(api: Api, region: str, kind: Kind, item: Item) -> Resource | None:
    if not _kept(api, kind, item):
        return None
    tags = tag_list(item.get("Tags"))
    by_name = tag_dict(tags)
    id = str(item[kind.id]) if kind.id else ""
    if kind.id and not id:
        raise Missing(f"AWS's answer has no {kind.id}")
    place = f"{kind.place}/{id}" if id else kind.place
    made = f"arn:{api.partition}:ec2:{region}:{api.account if kind.owner else ''}:{place}"
    arn = item[kind.arn] if kind.arn else made
    given = item.get(kind.name)
    name = given if isinstance(given, str) and given else by_name.get("Name") or id or f"{place} of {region}"
    properties = part(lambda: kind.shape(item) | ({"Tags": tags} if kind.tagged else {}))
    return Resource(kind.type, arn, name, region, api.account, properties, by_name)
