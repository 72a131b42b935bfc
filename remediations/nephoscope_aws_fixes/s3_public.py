"""Fixes for Amazon S3 buckets."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nephoscope.domain import Call, FixRequest, LiveSession, Permission, PlanProblem, Recorder, Remediation, Step, View
from nephoscope_aws.access import Exposure, block_flag, bucket_exposure
from nephoscope_aws.answers import Unavailable
from nephoscope_aws.api import Denied
from nephoscope_aws.call import AwsCall, aws_call
from nephoscope_aws_fixes.policy_text import owner_for_everyone, same_policy, write_like

MAX_POLICY = 20_480
"""Bytes of a bucket policy: https://docs.aws.amazon.com/AmazonS3/latest/userguide/add-bucket-policy.html"""

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
_IN_POLICY = re.compile(r"Policy\.Statement(?:\[(\d+)\])?\.(?:Not)?Principal")
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
        """The ARN that stands for the whole account, in the partition of the bucket."""
        return f"arn:{self.arn.split(':')[1]}:iam::{self.account}:root"

    def call(self, operation: str, **parameters: Any) -> Call:
        given = {"Bucket": self.name, "ExpectedBucketOwner": self.account, **parameters}
        return aws_call("s3", operation, given, Permission(_ACTIONS[operation], self.arn), region=self.region)

    def ask(self, session: LiveSession, operation: str) -> dict[str, Any] | None:
        answer = session.read(self.call(operation))
        return None if answer is None else dict(answer)


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
    return _Live(policy, _parsed(policy), acl, ownership.get("OwnershipControls"), blocks)


def _parsed(policy: str | None) -> Any:
    try:
        return None if policy is None else json.loads(policy)
    except ValueError as problem:
        raise PlanProblem(f"its policy is not JSON ({problem}); change it manually.") from problem


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
    reads = (*(action for action in _ACTIONS.values() if ":Get" in action), _ACCOUNT_BLOCK)
    writes = tuple(action for action in _ACTIONS.values() if ":Put" in action)

    def plan(self, request: FixRequest, session: LiveSession) -> list[Step]:
        resource = request.resource
        bucket = _Bucket(resource.name, resource.id, resource.region, resource.account)
        try:
            live = _look(bucket, session)
        except (Denied, Unavailable) as hidden:
            raise PlanProblem(f"it could not be read: {hidden.message}.") from hidden
        ways_in = bucket_exposure(live.view)
        if not ways_in:
            raise PlanProblem("it is not public any more.")
        document = _closed_policy(live.document, ways_in, bucket.owner)
        acl = _closed_acl(live.acl, ways_in)
        _require_closed(replace(live, document=document, acl=acl))
        steps = []
        if document != live.document and live.policy is not None:
            steps.append(_policy_step(bucket, live.policy, document, final=live.refuses("BlockPublicPolicy")))
        if acl != live.acl:
            steps.append(_acl_step(bucket, live.acl, acl, final=live.refuses("BlockPublicAcls")))
        return steps

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


def _closed_policy(document: Any, ways_in: Sequence[Exposure], owner: str) -> Any:
    closed = copy.deepcopy(document)
    for way in ways_in:
        if not (found := _IN_POLICY.fullmatch(way.at)):
            continue
        index = found[1]
        statement = closed["Statement"] if index is None else closed["Statement"][int(index)]
        if "NotPrincipal" in statement:
            raise PlanProblem(
                f"{_called(statement, index)} of its policy allows everyone but a few (NotPrincipal). Nephoscope "
                "cannot know whom it is meant for: rewrite it manually to name them under Principal."
            )
        statement["Principal"] = owner_for_everyone(statement["Principal"], owner)
    return closed


def _called(statement: Mapping[str, Any], index: str | None) -> str:
    return f"statement {statement.get('Sid') or int(index or 0) + 1}"


def _closed_acl(acl: Mapping[str, Any], ways_in: Sequence[Exposure]) -> dict[str, Any]:
    public = {int(found[1]) for way in ways_in if (found := _IN_ACL.fullmatch(way.at))}
    return {**acl, "Grants": [grant for index, grant in enumerate(acl["Grants"]) if index not in public]}


def _require_closed(after: _Live) -> None:
    """Judge what would be there afterwards, as the rules will: a plan that leaves the bucket public is none."""
    if left := bucket_exposure(after.view):
        raise PlanProblem(f"change this manually: {left[0].message}.")


def _policy_step(bucket: _Bucket, before: str, document: Any, *, final: bool) -> Step:
    after = write_like(document, before)
    if (size := len(after.encode())) > MAX_POLICY:
        raise PlanProblem(
            f"its policy would have {size:,} bytes and Amazon S3 allows {MAX_POLICY:,}; shorten it first."
        )
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
