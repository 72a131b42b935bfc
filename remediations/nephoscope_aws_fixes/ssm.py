"""Fixes for documents of AWS Systems Manager."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from nephoscope.domain import Call, FixRequest, LiveSession, Permission, PlanProblem, Remediation, Resource, Step
from nephoscope_aws.call import AwsCall, aws_call
from nephoscope_aws_fixes.setting import unless_hidden

EVERYONE = "all"

_READ = "ssm:DescribeDocumentPermission"
_READ_SETTING = "ssm:GetServiceSetting"
_WRITE = "ssm:ModifyDocumentPermission"

SHARING = "/ssm/documents/console/public-sharing-permission"
"""The setting of a region that lets documents be public:
https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-ssm-sharing.html"""


class MakePrivate(Remediation):
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ModifyDocumentPermission.html"""

    id = "aws.ssm.make_document_private"
    title = "Make the SSM document private"
    summary = "Stops sharing the document with all AWS accounts. Its content and versions stay as they are."
    breaks = "Accounts that use the document only because it is public can no longer run it."
    provider = "aws"
    group = "SSM documents"
    loses = "An undo cannot make public again what the region’s block of public sharing keeps private."
    on = ("AWS::SSM::Document",)
    reads = (_READ, _READ_SETTING)
    writes = (_WRITE,)

    def plan(self, request: FixRequest, session: LiveSession) -> list[Step]:
        document = request.resource
        with unless_hidden():
            before = _shared_with(document.name, document.region, session)
            blocked = _sharing_is_blocked(document.region, session)
        if before is None:
            raise PlanProblem("it does not exist any more.")
        if EVERYONE not in before:
            raise PlanProblem("it is not public any more.")
        after = [each for each in before if each != EVERYONE]
        # What a region's block refuses to make public again cannot be undone.
        inverse = None if blocked else _modify(document, "AccountIdsToAdd")
        call = _modify(document, "AccountIdsToRemove")
        return [Step(document.id, self.title, call, inverse, before, after)]

    def state(self, step: Step, session: LiveSession) -> Any:
        asked = AwsCall.of(step.call)
        return _shared_with(asked.parameters["Name"], asked.region, session)

    def project(self, resource: Resource, steps: Sequence[Step]) -> Resource | None:
        observed = {**resource.properties["Observed"], "AccountIds": steps[-1].after}
        return replace(resource, properties={**resource.properties, "Observed": observed})


def _shared_with(name: str, region: str, session: LiveSession) -> list[str] | None:
    """Return the accounts that a document is shared with, ``all`` for everyone; None when it is gone."""
    found, token = list[str](), dict[str, str]()
    while True:
        asked = {"Name": name, "PermissionType": "Share", **token}
        read = aws_call("ssm", "describe_document_permission", asked, Permission(_READ), region=region)
        answer = session.read(read)
        if answer is None:
            return None
        found += [each.lower() for each in answer.get("AccountIds", [])]
        if not answer.get("NextToken"):
            return sorted(found)
        token = {"NextToken": answer["NextToken"]}


def _sharing_is_blocked(region: str, session: LiveSession) -> bool:
    read = aws_call("ssm", "get_service_setting", {"SettingId": SHARING}, Permission(_READ_SETTING), region=region)
    setting: Mapping[str, Any] = (session.read(read) or {}).get("ServiceSetting", {})
    return setting.get("SettingValue") == "Disable"


def _modify(document: Resource, parameter: str) -> Call:
    asked = {"Name": document.name, "PermissionType": "Share", parameter: [EVERYONE]}
    permission = Permission(_WRITE, document.id)
    return aws_call("ssm", "modify_document_permission", asked, permission, region=document.region)
