"""Fixes of public Amazon S3 buckets: who is let in by the policy, by the ACL, and what of it counts."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nephoscope.domain import (
    Call,
    FixRequest,
    LiveSession,
    Permission,
    PlanProblem,
    Recorder,
    Remediation,
    Resource,
    Step,
    View,
)
from nephoscope_aws.access import Exposure, block_flag, bucket_exposure
from nephoscope_aws.call import AwsCall, aws_call
from nephoscope_aws_fixes.policy_text import same_policy, write_like
from nephoscope_aws_fixes.public_policy import limited, named_in, owner_of, parsed, require_fits
from nephoscope_aws_fixes.s3 import MAX_POLICY, WEBSITE_READ, website
from nephoscope_aws_fixes.setting import unless_hidden

_ACTIONS = {
    "get_bucket_policy": "s3:GetBucketPolicy",
    "get_bucket_acl": "s3:GetBucketAcl",
    "get_bucket_ownership_controls": "s3:GetBucketOwnershipControls",
    "get_public_access_block": "s3:GetBucketPublicAccessBlock",
    "put_bucket_policy": "s3:PutBucketPolicy",
    "put_bucket_acl": "s3:PutBucketAcl",
}
_ACCOUNT_BLOCK = "s3:GetAccountPublicAccessBlock"
_BLOCKS = ("PublicAccessBlockConfiguration", "Observed.AccountPublicAccessBlock")
_IN_ACL = re.compile(r"Observed\.AclGrants\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class _Bucket:
    """Where a bucket is, and how it is called upon.

    Every call names the owner, so that none reaches a bucket that another account has made under the same name since.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
    """

    name: str
    arn: str
    region: str
    account: str

    @property
    def owner(self) -> str:
        """The ARN that stands for the whole account."""
        return owner_of(self.arn, self.account)

    def call(self, operation: str, **parameters: Any) -> Call:
        given = {"Bucket": self.name, "ExpectedBucketOwner": self.account, **parameters}
        return aws_call("s3", operation, given, Permission(_ACTIONS[operation], self.arn), region=self.region)

    def ask(self, session: LiveSession, operation: str) -> dict[str, Any] | None:
        answer = session.read(self.call(operation))
        return None if answer is None else dict(answer)


def _bucket(resource: Resource) -> _Bucket:
    return _Bucket(resource.name, resource.id, resource.region, resource.account)


def _policy(bucket: _Bucket, session: LiveSession) -> str | None:
    answer = bucket.ask(session, "get_bucket_policy")
    return str(answer["Policy"]) if answer else None


def _acl(bucket: _Bucket, session: LiveSession) -> dict[str, Any] | None:
    """Return the ACL as PutBucketAcl takes it, None when the bucket is gone."""
    answer = bucket.ask(session, "get_bucket_acl")
    return {"Grants": answer.get("Grants", []), "Owner": answer["Owner"]} if answer else None


@dataclass(frozen=True, slots=True)
class _Live:
    """What decides who may use a bucket, as it is now. ``blocks``: the bucket's and its account's, None for none."""

    policy: str | None
    document: Any
    acl: dict[str, Any]
    ownership: Any
    blocks: tuple[Any, Any]

    @property
    def view(self) -> View:
        """The bucket in its canonical shape, as far as public access is concerned."""
        observed = {"AclGrants": self.acl["Grants"], "AccountPublicAccessBlock": self.blocks[1]}
        properties = {
            "Policy": self.document,
            "OwnershipControls": self.ownership,
            "Observed": observed,
            "PublicAccessBlockConfiguration": self.blocks[0],
        }
        return View(properties, "", Recorder(), "", {})

    def refuses(self, flag: str) -> bool:
        """Whether a public access block refuses to make something public again."""
        return any(block_flag(self.view, flag, block) for block in _BLOCKS)


def _look(bucket: _Bucket, session: LiveSession) -> _Live:
    acl = _acl(bucket, session)
    if acl is None:
        raise PlanProblem("it does not exist any more.")
    policy = _policy(bucket, session)
    ownership = bucket.ask(session, "get_bucket_ownership_controls") or {}
    own = bucket.ask(session, "get_public_access_block") or {}
    asked = aws_call("s3control", "get_public_access_block", {"AccountId": bucket.account}, Permission(_ACCOUNT_BLOCK))
    accounts = session.read(asked) or {}
    blocks = (own.get("PublicAccessBlockConfiguration"), accounts.get("PublicAccessBlockConfiguration"))
    return _Live(policy, None if policy is None else parsed(policy), acl, ownership.get("OwnershipControls"), blocks)


class RemovePublicAccess(Remediation):
    """Limits public statements of the bucket policy to the bucket's own account, and removes public ACL grants.

    Only what lets the public in *effectively* is touched: not what a public access block, the ownership setting, a
    condition or a Deny keeps closed anyway.
    """

    id = "aws.s3.remove_public_access"
    title = "Remove public access from the bucket"
    summary = (
        "Limits public statements of the bucket policy to the bucket's own account, and removes ACL grants to everyone "
        "and to all AWS users. Nothing else changes."
    )
    breaks = (
        "Whatever reads from or writes to the bucket without credentials of its account stops working: a website "
        "served from it, public downloads, and other accounts that have no statement of their own in its policy."
    )
    loses = "An undo cannot make public again what a public access block keeps private."
    provider = "aws"
    group = "Public S3 buckets"
    on = ("AWS::S3::Bucket",)
    reads = (*(action for action in _ACTIONS.values() if ":Get" in action), _ACCOUNT_BLOCK, WEBSITE_READ)
    writes = tuple(action for action in _ACTIONS.values() if ":Put" in action)

    def plan(self, request: FixRequest, session: LiveSession) -> list[Step]:
        bucket = _bucket(request.resource)
        with unless_hidden():
            live = _look(bucket, session)
        ways_in = bucket_exposure(live.view)
        if not ways_in:
            raise PlanProblem("it is not public any more.")
        document, acl = self.closed(bucket, live, ways_in)
        steps = []
        if document != live.document and live.policy is not None:
            steps.append(_policy_step(bucket, live.policy, document, final=live.refuses("BlockPublicPolicy")))
        if acl != live.acl:
            steps.append(_acl_step(bucket, live.acl, acl, final=live.refuses("BlockPublicAcls")))
        return steps

    def closed(self, bucket: _Bucket, live: _Live, ways_in: Sequence[Exposure]) -> tuple[Any, dict[str, Any]]:
        """Return the policy's document and the ACL as they should be; raises PlanProblem."""
        in_policy = [way.at for way in ways_in if way.at.startswith("Policy.")]
        document = limited(live.document, in_policy, bucket.owner) if in_policy else live.document
        acl = _closed_acl(live.acl, ways_in)
        # Judged as the rules will: a plan that leaves the bucket public is none.
        if left := bucket_exposure(replace(live, document=document, acl=acl).view):
            raise PlanProblem(f"change this manually: {left[0].message}.")
        return document, acl

    def state(self, step: Step, session: LiveSession) -> Any:
        """Read the policy's text or the ACL; a text that says the same as before or after is given as that."""
        asked = AwsCall.of(step.call)
        bucket = _Bucket(
            asked.parameters["Bucket"], step.resource, asked.region, asked.parameters["ExpectedBucketOwner"]
        )
        if asked.operation == "put_bucket_acl":
            return _acl(bucket, session)
        now = _policy(bucket, session)
        return next((known for known in (step.before, step.after) if same_policy(now, known)), now)

    def project(self, resource: Resource, steps: Sequence[Step]) -> Resource | None:
        properties = copy.deepcopy(dict(resource.properties))
        for step in steps:
            if AwsCall.of(step.call).operation == "put_bucket_acl":
                properties["Observed"]["AclGrants"] = step.after["Grants"]
            else:
                properties["Policy"] = json.loads(step.after)
        return replace(resource, properties=properties)

    def uses(self, request: FixRequest, session: LiveSession) -> list[str]:
        bucket = _bucket(request.resource)
        policy = _policy(bucket, session)
        return [*website(request.resource, session), *(named_in(parsed(policy)) if policy else [])]


class RemovePublicGrants(RemovePublicAccess):
    """Takes the grants to everyone out of the ACL, and leaves the policy alone.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
    """

    id = "aws.s3.remove_public_grants"
    title = "Remove public grants from the bucket’s ACL"
    summary = "Removes ACL grants to everyone and to all AWS users. The policy and grants to named accounts stay."
    breaks = "Whatever reads from or writes to the bucket by these grants, without a right of its own, stops working."
    reads = RemovePublicAccess.reads
    writes = ("s3:PutBucketAcl",)

    def closed(self, bucket: _Bucket, live: _Live, ways_in: Sequence[Exposure]) -> tuple[Any, dict[str, Any]]:
        acl = _closed_acl(live.acl, ways_in)
        if acl == live.acl:
            raise PlanProblem("its ACL lets nobody in from outside.")
        if left := bucket_exposure(replace(live, acl=acl).view):
            raise PlanProblem(f"this would not close it, remove public access as a whole: {left[0].message}.")
        return live.document, acl


def _closed_acl(acl: Mapping[str, Any], ways_in: Sequence[Exposure]) -> dict[str, Any]:
    public = {int(found[1]) for way in ways_in if (found := _IN_ACL.fullmatch(way.at))}
    return {**acl, "Grants": [grant for index, grant in enumerate(acl["Grants"]) if index not in public]}


def _policy_step(bucket: _Bucket, before: str, document: Any, *, final: bool) -> Step:
    after = write_like(document, before)
    require_fits(after, MAX_POLICY)
    return Step(
        bucket.arn,
        f"Limit the bucket policy to account {bucket.account}",
        bucket.call("put_bucket_policy", Policy=after),
        None if final else bucket.call("put_bucket_policy", Policy=before),
        before,
        after,
    )


def _acl_step(bucket: _Bucket, before: dict[str, Any], after: dict[str, Any], *, final: bool) -> Step:
    return Step(
        bucket.arn,
        "Remove public grants from the ACL",
        bucket.call("put_bucket_acl", AccessControlPolicy=after),
        None if final else bucket.call("put_bucket_acl", AccessControlPolicy=before),
        before,
        after,
    )
