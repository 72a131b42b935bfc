"""The account's own KMS keys of one region; the keys that AWS manages for its services are left out.

Calls per region: 1 for each 1,000 keys, 1 for each 100 aliases, and 4 for each own key (3 for one that cannot rotate).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from nephoscope.domain import Resource, Service
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.odd import each, is_one_of
from nephoscope_aws.collectors.shape import (
    PROBLEMS,
    Listing,
    actions,
    document,
    existing,
    hidden,
    moment,
    needed,
    part,
    picked,
    tag_dict,
    tag_list,
)

KEY = "AWS::KMS::Key"

READS = {
    ("kms", "list_keys"): "kms:ListKeys",
    ("kms", "list_aliases"): "kms:ListAliases",
    ("kms", "describe_key"): "kms:DescribeKey",
    ("kms", "get_key_policy"): "kms:GetKeyPolicy",
    ("kms", "get_key_rotation_status"): "kms:GetKeyRotationStatus",
    ("kms", "list_resource_tags"): "kms:ListResourceTags",
}

RESERVED = "alias/aws/"
"""How the aliases of AWS managed keys begin, and no others.
https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html"""

Item = dict[str, Any]

_MEMBERS = ("Description", "Enabled", "KeySpec", "KeyUsage", "MultiRegion", "Origin")
_OBSERVED = ("KeyState", "KeyManager", "DeletionDate")


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the region's own keys."""
    aliases = _aliases(api, region)
    listing = Listing(api.pages("kms", "list_keys", "Keys", region=region, Limit=1000))
    yield from each(api, region, KEY, partial(_own, api, region, aliases), listing, calls=True)


def _own(api: Api, region: str, aliases: Callable[[str], Any], key: Item) -> Resource | None:
    arn = str(key["KeyArn"])
    named = aliases(arn)
    return None if _reserved(named) else _resource(api, region, arn, named)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one key again: 5 calls. Raises Denied and Unavailable when the key cannot be described."""
    arn, region = resource.id, resource.region

    def again() -> Resource | None:
        return _shaped(api, region, arn, _aliases(api, region, KeyId=arn)(arn), _described(api, region, arn))

    return existing(again)


def _aliases(api: Api, region: str, **which: str) -> Callable[[str], Any]:
    """Return what gives a key's aliases by its ARN, or what stands for them."""
    by_key: defaultdict[str, list[str]] = defaultdict(list)
    try:
        for alias in api.pages("kms", "list_aliases", "Aliases", region=region, Limit=100, **which):
            by_key[str(alias.get("TargetKeyId", ""))].append(str(alias["AliasName"]))
    except PROBLEMS as problem:
        why = hidden(problem)
        return lambda arn: why
    return lambda arn: sorted(by_key.get(arn.rpartition("/")[2], ()))


def _reserved(aliases: Any) -> bool:
    return isinstance(aliases, list) and any(alias.startswith(RESERVED) for alias in aliases)


def _described(api: Api, region: str, arn: str) -> Item:
    """Return a key's properties from DescribeKey."""
    key = api.call("kms", "describe_key", region=region, KeyId=arn)["KeyMetadata"]
    return {
        **picked(key, *_MEMBERS),
        "EnableKeyRotation": part(lambda: _rotates(api, region, key)),
        "Observed": {**needed(key, "KeyState", "KeyManager"), "DeletionDate": moment(key.get("DeletionDate"))},
    }


def _resource(api: Api, region: str, arn: str, aliases: Any) -> Resource | None:
    try:
        described = _described(api, region, arn)
    except PROBLEMS as problem:
        why = hidden(problem)
        described = dict.fromkeys((*_MEMBERS, "EnableKeyRotation"), why) | {"Observed": dict.fromkeys(_OBSERVED, why)}
    return _shaped(api, region, arn, aliases, described)


def _shaped(api: Api, region: str, arn: str, aliases: Any, described: Item) -> Resource | None:
    """Return a key with its policy and tags; None for one that AWS manages."""
    if is_one_of(described["Observed"]["KeyManager"], ("AWS",)):
        return None
    tags = part(lambda: tag_list(api.pages("kms", "list_resource_tags", "Tags", region=region, KeyId=arn)))
    properties = {
        **described,
        "KeyPolicy": part(lambda: _policy(api, region, arn)),
        "Tags": tags,
        "Observed": {**described["Observed"], "Aliases": aliases},
    }
    name = aliases[0] if isinstance(aliases, list) and aliases else arn.rpartition("/")[2]
    return Resource(KEY, arn, name, region, api.account, properties, tag_dict(tags))


def _policy(api: Api, region: str, arn: str) -> Any:
    return document(api.call("kms", "get_key_policy", region=region, KeyId=arn, PolicyName="default")["Policy"])


def _rotates(api: Api, region: str, key: Mapping[str, Any]) -> bool | None:
    """Return whether AWS rotates a key each year; None for one that it cannot rotate.

    That is every key but a symmetric one with material of KMS's own making, and one that is about to be deleted.
    https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
    """
    deleting = key["KeyState"] in ("PendingDeletion", "PendingReplicaDeletion")
    if deleting or key["KeySpec"] != "SYMMETRIC_DEFAULT" or key["Origin"] != "AWS_KMS":
        return None
    answer = api.maybe(
        "kms", "get_key_rotation_status", ("UnsupportedOperationException",), region=region, KeyId=key["Arn"]
    )
    return answer["KeyRotationEnabled"] if answer else None


COLLECTOR = Collector(Service("kms", "AWS KMS", (KEY,), actions(READS)), READS, collect, reread)
