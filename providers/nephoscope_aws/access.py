"""What a bucket effectively leaves open to everyone: its policy and ACL, less what its settings neutralise.

Whom the policy of any resource lets in is in :mod:`nephoscope_aws.access_grants`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any

from nephoscope.domain import NotKnown, View
from nephoscope_aws.access_denials import applies
from nephoscope_aws.access_grants import Grant, Requests, open_grants
from nephoscope_aws.access_policies import MAX_PATTERNS, Names, members

BLOCK_FLAGS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
"""The four switches of a public access block. BlockPublic* stop new grants; the other two undo the ones in place.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html"""


MAX_SHOWN = 4
"""Actions that a message is made of; it writes three of them and says that there are more."""


class Access(StrEnum):
    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Exposure:
    """One way in for everyone. ``source`` is "policy" or "acl"; ``at`` is the path of what lets them in."""

    access: Access
    source: str
    message: str
    at: str


def _s3(verbs: str, things: str) -> tuple[str, ...]:
    return tuple(f"s3:{verb}{thing}" for verb in verbs.split() for thing in things.split())


_SETTINGS = """AccelerateConfiguration AnalyticsConfiguration BucketAcl BucketCORS BucketLogging BucketNotification
    BucketObjectLockConfiguration BucketOwnershipControls BucketPolicy BucketPublicAccessBlock BucketRequestPayment
    BucketTagging BucketVersioning BucketWebsite EncryptionConfiguration IntelligentTieringConfiguration
    InventoryConfiguration LifecycleConfiguration MetricsConfiguration ReplicationConfiguration"""
_ON_OBJECTS = "ObjectAcl ObjectVersionAcl ObjectTagging ObjectVersionTagging ObjectLegalHold ObjectRetention"

_ACTIONS: dict[Access, dict[str, tuple[str, ...]]] = {
    Access.READ: {
        "read objects": _s3("Get", "Object ObjectVersion ObjectTorrent ObjectVersionTorrent")
        + _s3("Get", "ObjectVersionForReplication"),
        "list objects": _s3("List", "Bucket BucketVersions BucketMultipartUploads MultipartUploadParts"),
        "read object metadata": _s3("Get", f"{_ON_OBJECTS} ObjectAttributes ObjectVersionAttributes"),
        "read bucket settings": _s3("Get", f"{_SETTINGS} BucketLocation BucketPolicyStatus"),
    },
    Access.WRITE: {
        "write objects": _s3("Put", "Object") + _s3("Replicate", "Object"),
        "delete objects": _s3("Delete", "Object ObjectVersion") + _s3("Replicate", "Delete"),
        "change object ACLs": _s3("Put", "ObjectAcl ObjectVersionAcl") + _s3("ObjectOwner", "OverrideToBucketOwner"),
        "change object metadata": _s3("Put", _ON_OBJECTS)
        + _s3("Delete", "ObjectTagging ObjectVersionTagging")
        + ("s3:ReplicateTags", "s3:RestoreObject", "s3:AbortMultipartUpload", "s3:BypassGovernanceRetention"),
        "change bucket settings": _s3("Put", _SETTINGS) + _s3("Delete", "Bucket BucketPolicy BucketWebsite"),
    },
}
"""Actions that a bucket's policy can grant, by what they let a person do. What S3 calls public is any of them.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html"""

_GROUPS = {
    "AllUsers": "Anyone",
    "AuthenticatedUsers": "Anyone with an AWS account",
}
"""Predefined groups that are public. https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html"""

_PERMISSIONS: dict[str, dict[Access, str]] = {
    "READ": {Access.READ: "list objects"},
    "READ_ACP": {Access.READ: "read its ACL"},
    "WRITE": {Access.WRITE: "write and delete objects"},
    "WRITE_ACP": {Access.WRITE: "change its ACL"},
    "FULL_CONTROL": {Access.READ: "list objects", Access.WRITE: "write and delete objects"},
}

_CANNED: dict[str, tuple[tuple[str, str], ...]] = {
    "PublicRead": (("AllUsers", "READ"),),
    "PublicReadWrite": (("AllUsers", "READ"), ("AllUsers", "WRITE")),
    "AuthenticatedRead": (("AuthenticatedUsers", "READ"),),
}
"""CloudFormation's AccessControl, which only templates have; a live bucket has the grants that it made."""


def is_on(value: Any) -> bool:
    """Read a switch; templates may write it as text."""
    return value is True or (isinstance(value, str) and value.lower() == "true")


def block_flag(resource: View, flag: str, block: str = "PublicAccessBlockConfiguration") -> bool:
    """Tell whether one switch of a public access block is on; no block, or one that does not name it, is off."""
    held = resource[block]
    if isinstance(held, View):
        return is_on(held.key(flag))
    # Absent as a whole in a template, it is what the provider's defaults say.
    return isinstance(held, dict) and is_on(held.get(flag))


def owner_enforced(bucket: View) -> bool:
    """Tell whether ACLs are off on a bucket: ObjectOwnership is BucketOwnerEnforced."""
    held = bucket["OwnershipControls"]
    controls = held.value if isinstance(held, View) else held
    rules = controls.get("Rules") if isinstance(controls, dict) else None
    return any(
        isinstance(each, dict) and each.get("ObjectOwnership") == "BucketOwnerEnforced"
        for each in (rules if isinstance(rules, list) else ())
    )


def bucket_exposure(bucket: View, want: Iterable[Access] = (Access.READ, Access.WRITE)) -> list[Exposure]:
    """Return the ways in that a bucket leaves open to everyone.

    Account and bucket settings are ORed switch by switch, as S3 applies them. A switch known to be on settles what it
    neutralises without the policy or ACL having to be readable, and what is proven open is returned although another
    part is hidden.

    :raises NotKnown: nothing is proven open, and a part that decides it could not be read.
    """
    found: list[Exposure] = []
    gap: NotKnown | None = None
    for access in want:
        for look in (_through_policy, _through_acl):
            try:
                found += look(bucket, access)
            except NotKnown as problem:
                gap = gap or problem
    if gap and not found:
        raise gap
    return found


def _through_policy(bucket: View, access: Access) -> list[Exposure]:
    return _unless(bucket, (_policy_is_restricted,), lambda: [*_policy_exposures(bucket, access)])


def _through_acl(bucket: View, access: Access) -> list[Exposure]:
    return _unless(bucket, (_acl_is_ignored, owner_enforced), lambda: _acl_exposures(bucket, access))


def _unless(
    bucket: View, shields: Iterable[Callable[[View], bool]], look: Callable[[], list[Exposure]]
) -> list[Exposure]:
    """Look, unless a shield is up; a shield that cannot be seen matters only if there is something behind it."""
    gap: NotKnown | None = None
    for shield in shields:
        try:
            if shield(bucket):
                return []
        except NotKnown as problem:
            gap = gap or problem
    found = look()
    if gap and found:
        raise gap
    return found


def _policy_is_restricted(bucket: View) -> bool:
    return either_flag(bucket, "RestrictPublicBuckets")


def _acl_is_ignored(bucket: View) -> bool:
    return either_flag(bucket, "IgnorePublicAcls")


def either_flag(bucket: View, flag: str) -> bool:
    """Tell whether a switch is on, on the bucket or on its account; one that is decides although the other is hidden.

    :raises NotKnown: one is hidden and the other off.
    """
    gap: NotKnown | None = None
    for block in ("PublicAccessBlockConfiguration", "Observed.AccountPublicAccessBlock"):
        try:
            if block_flag(bucket, flag, block):
                return True
        except NotKnown as problem:
            gap = gap or problem
    if gap:
        raise gap
    return False


def _policy_exposures(bucket: View, access: Access) -> Iterator[Exposure]:
    every = tuple(action for actions in _ACTIONS[access].values() for action in actions)
    for grant in open_grants(bucket.key("Policy"), _of(every)):
        what = next(words for words, actions in _ACTIONS[access].items() if not set(actions).isdisjoint(grant.open))
        message = f"{grant.who} can {what}: policy allows {_shown(grant)}"
        if "Condition" in grant.statement.names():
            message += ", and its condition restricts nobody"
        yield Exposure(access, "policy", message, grant.at)


def _of(actions: tuple[str, ...]) -> Requests:
    """What a bucket's policy grants of these actions, each where it can be used."""

    def requests(grant: Grant) -> Iterator[tuple[str, str]]:
        found = _in_bucket(grant.places())
        for action in grant.actions.which(actions):
            yield from ((action, place) for place in found if applies(action.lower(), place))

    return requests


def _in_bucket(places: Iterable[str]) -> list[str]:
    """Everything in a bucket's policy is the bucket and its objects."""
    split = (("", "/*") if each and not each.strip("*") else (each,) for each in places)
    return list(dict.fromkeys(part for parts in split for part in parts))


def _shown(grant: Grant) -> Names:
    """The grant's actions that matter here, as they are written."""
    if grant.actions.excepted:
        return grant.actions
    patterns = grant.actions.patterns[:MAX_PATTERNS]
    return Names(tuple(islice((pattern for pattern in patterns if Names((pattern,)).which(grant.open)), MAX_SHOWN)))


def _acl_exposures(bucket: View, access: Access) -> list[Exposure]:
    found: list[Exposure] = []
    try:
        for group, permission, at in _public_grants(bucket):
            if what := _PERMISSIONS.get(permission, {}).get(access):
                words = f"{_GROUPS[group]} can {what}: ACL grants {permission} to {group}"
                found.append(Exposure(access, "acl", words, at))
    except NotKnown:
        if not found:
            raise
    return found


def _public_grants(bucket: View) -> Iterator[tuple[str, str, str]]:
    canned = bucket["AccessControl"]
    for group, permission in _CANNED.get(canned, ()) if isinstance(canned, str) else ():
        yield group, permission, "AccessControl"
    grants = bucket["Observed.AclGrants"]
    if not isinstance(grants, View) or not grants.is_list:
        return
    gaps: list[NotKnown] = []
    for grant in members(grants, gaps):
        try:
            uri, permission = (grant["Grantee.URI"], grant["Permission"]) if isinstance(grant, View) else ("", "")
        except NotKnown as gap:
            gaps.append(gap)
            continue
        group = uri.rpartition("/groups/global/")[2] if isinstance(uri, str) else ""
        if group in _GROUPS and isinstance(permission, str):
            yield group, permission, grant.path
    if gaps:
        raise gaps[0]
