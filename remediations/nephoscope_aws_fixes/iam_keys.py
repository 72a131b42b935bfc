"""Fixes of access keys: a key is made inactive, never deleted, so that it can be made active again.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccessKey.html
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from nephoscope.domain import Call, FixRequest, LiveSession, Permission, PlanProblem, Remediation, Resource, Step
from nephoscope_aws.call import AwsCall, aws_call
from nephoscope_aws.collectors.shape import moment
from nephoscope_aws_fixes.setting import at, number, unless_hidden

LIST, LAST_USED, WRITE = "iam:ListAccessKeys", "iam:GetAccessKeyLastUsed", "iam:UpdateAccessKey"

Key = Mapping[str, Any]
"""An access key as ListAccessKeys gives it."""


def keys_of(user: str, session: LiveSession) -> list[Key] | None:
    """Return the access keys of a user by its name, there are two at most; None when the user is gone."""
    answer = session.read(aws_call("iam", "list_access_keys", {"UserName": user}, Permission(LIST)))
    return None if answer is None else list(answer["AccessKeyMetadata"])


def last_use(key: Key, session: LiveSession) -> Mapping[str, Any]:
    """Return when a key was last used, for which service and where; without LastUsedDate it never was."""
    asked = {"AccessKeyId": key["AccessKeyId"]}
    answer = session.read(aws_call("iam", "get_access_key_last_used", asked, Permission(LAST_USED)))
    used: Mapping[str, Any] = (answer or {}).get("AccessKeyLastUsed", {})
    return used


def use_in_words(key: Key, session: LiveSession) -> str:
    used = last_use(key, session)
    if "LastUsedDate" not in used:
        return f"Access key {key['AccessKeyId']} was never used."
    when = f"{used['LastUsedDate']:%Y-%m-%d}"
    return f"Access key {key['AccessKeyId']} was last used on {when} for {used['ServiceName']} in {used['Region']}."


def uses_of(user: str, session: LiveSession) -> list[str]:
    """Say of each active key of a user by its name when it was last used."""
    return [use_in_words(key, session) for key in keys_of(user, session) or () if key["Status"] == "Active"]


def step_off(resource: str, user_arn: str, key: Key) -> Step:
    """Return the step that makes an active key inactive."""
    off, on = (_set(user_arn, key, status) for status in ("Inactive", "Active"))
    title = f"Make access key {key['AccessKeyId']} inactive"
    return Step(resource, title, off, on, _state(key), {**_state(key), "Status": "Inactive"})


def _state(key: Key) -> dict[str, Any]:
    """Return the status of a key, with what tells it from others in a credential report."""
    return {"Status": key["Status"], "CreateDate": moment(key["CreateDate"])}


def _set(user_arn: str, key: Key, status: str) -> Call:
    asked = {"UserName": key["UserName"], "AccessKeyId": key["AccessKeyId"], "Status": status}
    return aws_call("iam", "update_access_key", asked, Permission(WRITE, user_arn))


def status_of(step: Step, session: LiveSession) -> Any:
    """Read the status of the key of a step; None when it is gone."""
    asked = AwsCall.of(step.call).parameters
    keys = keys_of(asked["UserName"], session) or []
    return next((_state(each) for each in keys if each["AccessKeyId"] == asked["AccessKeyId"]), None)


class DeactivateKeys(Remediation):
    """Makes access keys of a user inactive."""

    provider = "aws"
    group = "Access keys"
    loses = ""
    reads = (LIST, LAST_USED)
    writes = (WRITE,)
    breaks = "Whatever still signs its calls with the access key is refused from then on."

    def plan(self, request: FixRequest, session: LiveSession) -> list[Step]:
        arn = user_of(request.resource)
        with unless_hidden():
            keys = keys_of(arn.rpartition("/")[2], session)
            going = list(self.going(request, [each for each in keys or () if each["Status"] == "Active"], session))
        if keys is None:
            raise PlanProblem("the user does not exist any more.")
        if not going:
            raise PlanProblem(self.none_left(request))
        return [step_off(request.resource.id, arn, key) for key in going]

    def going(self, request: FixRequest, active: Sequence[Key], session: LiveSession) -> Iterable[Key]:
        """Return those of a user's active keys that are to be made inactive."""
        raise NotImplementedError

    def none_left(self, request: FixRequest) -> str:
        return "it is so already."

    def state(self, step: Step, session: LiveSession) -> Any:
        return status_of(step, session)

    def uses(self, request: FixRequest, session: LiveSession) -> list[str]:
        return uses_of(user_of(request.resource).rpartition("/")[2], session)


def user_of(resource: Resource) -> str:
    """Return the ARN of a user, or of the one whom an access key belongs to."""
    return resource.id.partition("/accesskey/")[0]


class DeactivateOldKey(DeactivateKeys):
    id = "aws.iam.deactivate_old_key"
    title = "Make the access key inactive"
    summary = "Makes the access key inactive. It is not deleted, and can be made active again."
    on = ("AWS::IAM::AccessKey",)

    def going(self, request: FixRequest, active: Sequence[Key], session: LiveSession) -> Iterable[Key]:
        return [key for key in active if key["AccessKeyId"] == request.resource.name]

    def uses(self, request: FixRequest, session: LiveSession) -> list[str]:
        return [use for use in super().uses(request, session) if request.resource.name in use]

    def project(self, resource: Resource, steps: Sequence[Step]) -> Resource | None:
        return replace(resource, properties={**resource.properties, "Status": "Inactive"})


class OfUser(DeactivateKeys):
    on = ("AWS::IAM::User",)

    def project(self, resource: Resource, steps: Sequence[Step]) -> Resource | None:
        """Not known where the credential report, which names no keys, cannot tell which these are."""
        properties = copy.deepcopy(dict(resource.properties))
        keys = at(properties, ("Observed", "CredentialReport", "AccessKeys"))
        going = {step.before["CreateDate"] for step in steps}
        found = [each for each in keys if each["LastRotated"] in going] if isinstance(keys, list) else []
        for key in found:
            key["Active"] = False
        return replace(resource, properties=properties) if len(found) == len(steps) else None


class DeactivateUnusedKeys(OfUser):
    id = "aws.iam.deactivate_unused_keys"
    title = "Make unused access keys inactive"
    summary = "Makes those of the user’s access keys inactive that were not used for as long as the rule allows."

    def going(self, request: FixRequest, active: Sequence[Key], session: LiveSession) -> Iterator[Key]:
        for key in active:
            since = last_use(key, session).get("LastUsedDate") or key["CreateDate"]
            if (datetime.now(UTC) - since).total_seconds() > number(request, "days") * 86_400:
                yield key

    def none_left(self, request: FixRequest) -> str:
        return (
            "none of its access keys is unused. An unused console password is not removed from here, as nothing could "
            "bring it back: disable console access in the IAM console."
        )


class DeactivateSecondKey(OfUser):
    id = "aws.iam.deactivate_second_key"
    title = "Make the less used access key inactive"
    summary = "Makes one of the user’s two active access keys inactive: the one whose last use is longer ago."

    def going(self, request: FixRequest, active: Sequence[Key], session: LiveSession) -> Iterable[Key]:
        used = {key["AccessKeyId"]: moment(last_use(key, session).get("LastUsedDate")) or "" for key in active}
        by_use = sorted(active, key=lambda key: (used[key["AccessKeyId"]], moment(key["CreateDate"])))
        return by_use[:-1]
