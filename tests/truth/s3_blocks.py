"""Public access blocks of account, bucket and access point, what they neutralise, and ACLs."""

from __future__ import annotations

from typing import Any

from tests.truth.account import ABROAD, HOME, Truth, holds
from tests.truth.buckets import COMPLETE, FLAGS, OWNER, block_account, judged, made, put_policy, statement, unblock

DENIED = "eu-central-1"
EVERYBODY, ANY_USER = "AllUsers", "AuthenticatedUsers"

PERMISSIONS: dict[tuple[str, str], str] = {
    (EVERYBODY, "READ"): "public_read",
    (EVERYBODY, "READ_ACP"): "public_read",
    (EVERYBODY, "WRITE"): "public_write",
    (EVERYBODY, "WRITE_ACP"): "public_write",
    (EVERYBODY, "FULL_CONTROL"): "public_read public_write",
    (ANY_USER, "READ"): "public_read",
    (ANY_USER, "WRITE"): "public_write",
}


def _acl(truth: Truth, bucket: str, group: str, permission: str) -> None:
    """Grant a permission to a predefined group; only the bucket's owner has something else."""
    space = "s3/" if group == "LogDelivery" else "global/"
    grantee = {"Type": "Group", "URI": f"http://acs.amazonaws.com/groups/{space}{group}"}
    owner = {"Grantee": {"Type": "CanonicalUser", "ID": OWNER}, "Permission": "FULL_CONTROL"}
    grants = [owner, {"Grantee": grantee, "Permission": permission}]
    truth.client("s3").put_bucket_acl(
        Bucket=bucket, AccessControlPolicy={"Grants": grants, "Owner": {"ID": OWNER, "DisplayName": "owner"}}
    )


def _with_acls(truth: Truth, name: str) -> str:
    """A bucket that is not blocked and takes ACLs."""
    bucket = made(truth, name)
    unblock(truth, bucket)
    controls = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    truth.client("s3").put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=controls)
    return bucket


@holds()
def acls(truth: Truth) -> None:
    """Who is granted what, and what undoes it."""
    truth.judged(truth.cloud.account, fails="account_bpa")
    for (group, permission), fails in PERMISSIONS.items():
        bucket = _with_acls(truth, f"{group}-{permission}".lower().replace("_", "-"))
        _acl(truth, bucket, group, permission)
        judged(truth, bucket, fails=f"bucket_bpa acl_disabled {fails}")
    bucket = _with_acls(truth, "private")
    judged(truth, bucket, fails="bucket_bpa acl_disabled")
    bucket = _with_acls(truth, "log-delivery")
    _acl(truth, bucket, "LogDelivery", "WRITE")
    judged(truth, bucket, fails="bucket_bpa acl_disabled")
    for canned, fails in (("public-read", "public_read"), ("public-read-write", "public_read public_write")):
        bucket = _with_acls(truth, canned)
        truth.client("s3").put_bucket_acl(Bucket=bucket, ACL=canned)
        judged(truth, bucket, fails=f"bucket_bpa acl_disabled {fails}")
    for flag in FLAGS:
        bucket = _with_acls(truth, f"acl-{flag.lower()}")
        _acl(truth, bucket, EVERYBODY, "READ")
        unblock(truth, bucket, {flag: True})
        open_yet = "" if flag == "IgnorePublicAcls" else "public_read"
        judged(truth, bucket, fails=f"bucket_bpa acl_disabled {open_yet}")
    bucket = _with_acls(truth, "enforced-later")
    _acl(truth, bucket, EVERYBODY, "READ")
    controls = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    truth.client("s3").put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=controls)
    judged(truth, bucket, fails="bucket_bpa")


@holds()
def bucket_blocks(truth: Truth) -> None:
    """Buckets whose policy is public, with each switch on its own and each missing; the account has no block."""
    truth.judged(truth.cloud.account, fails="account_bpa")
    blocks: dict[str, dict[str, bool]] = {"none": {}, "whole": COMPLETE, "off": dict.fromkeys(FLAGS, False)}
    blocks |= {f"only-{flag.lower()}": {flag: True} for flag in FLAGS}
    blocks |= {f"not-{flag.lower()}": {**COMPLETE, flag: False} for flag in FLAGS}
    for name, block in blocks.items():
        bucket = made(truth, name)
        unblock(truth, bucket)
        put_policy(truth, bucket, [statement(Action=["s3:GetObject", "s3:DeleteObject"])])
        unblock(truth, bucket, block or None)
        fails = "" if block.get("RestrictPublicBuckets") else "public_read public_write"
        judged(truth, bucket, fails=fails + (" bucket_bpa" if block != COMPLETE else ""))


def _under_account(truth: Truth, block: dict[str, bool], fails: str, *, on_bucket: str) -> None:
    """Make a public bucket without a block, a private one and a blocked one, and then the account's block."""
    for name in ("public", "private", "blocked"):
        bucket = made(truth, name)
        if name != "blocked":
            unblock(truth, bucket)
        if name == "public":
            put_policy(truth, bucket, [statement()])
        judged(truth, bucket, fails={"public": f"{fails} {on_bucket}", "private": on_bucket}.get(name, ""))
    block_account(truth, block)
    complete = block == COMPLETE
    truth.judged(truth.cloud.account, **{"passes" if complete else "fails": "account_bpa"})


@holds()
def account_blocks_all(truth: Truth) -> None:
    """The account's block is every bucket's: one of their own would change nothing."""
    _under_account(truth, COMPLETE, "", on_bucket="")


@holds()
def account_blocks_half(truth: Truth) -> None:
    """What the account lacks is what a policy gets through by."""
    _under_account(truth, {**COMPLETE, "RestrictPublicBuckets": False}, "public_read", on_bucket="bucket_bpa")


@holds()
def account_restricts(truth: Truth) -> None:
    """Enough for the policies that are there, but not complete."""
    _under_account(truth, {"RestrictPublicBuckets": True}, "", on_bucket="bucket_bpa")


@holds()
def account_blocks_nothing(truth: Truth) -> None:
    _under_account(truth, dict.fromkeys(FLAGS, False), "public_read", on_bucket="bucket_bpa")


@holds()
def account_block_deleted(truth: Truth) -> None:
    block_account(truth, COMPLETE)
    truth.client("s3control").delete_public_access_block(AccountId=truth.cloud.account)
    truth.judged(truth.cloud.account, fails="account_bpa")


@holds()
def blocks_together(truth: Truth) -> None:
    """Switches of account and bucket count together: half and half are whole."""
    half, other = FLAGS[:2], FLAGS[2:]
    bucket = made(truth, "halves")
    unblock(truth, bucket)
    put_policy(truth, bucket, [statement()])
    unblock(truth, bucket, dict.fromkeys(half, True))
    block_account(truth, dict.fromkeys(other, True))
    judged(truth, bucket)
    truth.judged(truth.cloud.account, fails="account_bpa")


@holds()
def hidden_account_block(truth: Truth) -> None:
    """Without the account's block, what a bucket without one of its own leaves open is not known."""
    for name in ("public", "private", "blocked"):
        bucket = made(truth, name)
        if name != "blocked":
            unblock(truth, bucket)
        if name == "public":
            put_policy(truth, bucket, [statement()])
        unknown = {"public": "public_read bucket_bpa", "private": "bucket_bpa"}.get(name, "")
        judged(truth, bucket, unknown=unknown)
    truth.cloud.control("deny", actions=["s3:GetAccountPublicAccessBlock"])
    truth.judged(truth.cloud.account, unknown="account_bpa")


@holds(regions=(HOME, ABROAD, DENIED))
def access_points(truth: Truth) -> None:
    """Points with each block, in both regions, for a VPC or for the internet."""
    points: dict[str, dict[str, Any]] = {
        "as-made": {},
        "whole": {"PublicAccessBlockConfiguration": COMPLETE},
        "off": {"PublicAccessBlockConfiguration": dict.fromkeys(FLAGS, False)},
        "in-vpc-off": {
            "PublicAccessBlockConfiguration": dict.fromkeys(FLAGS, False),
            "VpcConfiguration": {"VpcId": "vpc-0a1b2c3d4e5f60718"},
        },
    }
    points |= {f"not-{f.lower()}": {"PublicAccessBlockConfiguration": {**COMPLETE, f: False}} for f in FLAGS}
    bucket = made(truth, "behind")
    judged(truth, bucket)
    for number, (name, settings) in enumerate(points.items()):
        truth.client("s3control", (HOME, ABROAD)[number % 2]).create_access_point(
            AccountId=truth.cloud.account, Name=name, Bucket=bucket, **settings
        )
        truth.judged(name, **{"passes" if name in ("as-made", "whole") else "fails": "access_point_bpa"})
    truth.client("s3control", DENIED).create_access_point(AccountId=truth.cloud.account, Name="hidden", Bucket=bucket)
    truth.cloud.control("deny", actions=["s3:GetAccessPoint"], regions=[DENIED])
    truth.judged("hidden", unknown="access_point_bpa")
    truth.judged(truth.cloud.account, fails="account_bpa")
