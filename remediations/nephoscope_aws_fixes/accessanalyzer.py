"""The fix that makes an analyzer of IAM Access Analyzer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nephoscope.domain import Call, FixRequest, LiveSession, PlanProblem, Step
from nephoscope_aws_fixes.setting import Target, at, operation, unless_hidden
from nephoscope_aws_fixes.switching import CREATE_ROLE, Place, SwitchOn

NAME = "external-access"
"""What the analyzer is called."""

_LIST = operation("accessanalyzer", "list_analyzers", "access-analyzer:ListAnalyzers", anywhere=True)
_RULES = operation("accessanalyzer", "list_archive_rules", "access-analyzer:ListArchiveRules")
_CREATE = operation("accessanalyzer", "create_analyzer", "access-analyzer:CreateAnalyzer")
_DELETE = operation("accessanalyzer", "delete_analyzer", "access-analyzer:DeleteAnalyzer")


class Enable(SwitchOn):
    """https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_CreateAnalyzer.html"""

    id = "aws.accessanalyzer.enable"
    title = "Create an analyzer for external access in the region"
    summary = f"Creates the analyzer {NAME} of IAM Access Analyzer, with the account as its zone of trust."
    breaks = "Nothing stops working. Analyzers for external access are free."
    on = ("AWS::AccessAnalyzer::RegionSettings",)
    role = "access-analyzer.amazonaws.com/AWSServiceRoleForAccessAnalyzer"
    reads = ("access-analyzer:ListAnalyzers", "access-analyzer:ListArchiveRules")
    writes = ("access-analyzer:CreateAnalyzer", "access-analyzer:DeleteAnalyzer", CREATE_ROLE)
    fresh = {"type": "ACCOUNT"}
    adds = {"archive rules": (_RULES, "archiveRules")}

    def plan(self, request: FixRequest, session: LiveSession) -> list[Step]:
        with unless_hidden():
            others = _analyzers(request.resource.region, session)
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference.html: one for each zone of trust
        if found := next((each for each in others if each["type"] == "ACCOUNT" or each["name"] == NAME), None):
            raise PlanProblem(
                f"it has the analyzer {found['name']} with status {found['status']}, and AWS allows no second one."
            )
        return super().plan(request, session)

    def names(self, region: str, session: LiveSession) -> Mapping[str, Any] | None:
        own = any(each["name"] == NAME for each in _analyzers(region, session))
        return {"analyzerName": NAME} if own else None

    def settings(self, region: str, names: Mapping[str, Any], session: LiveSession) -> dict[str, Any]:
        [own] = (each for each in _analyzers(region, session) if each["name"] == NAME)
        return {"type": own["type"]}

    def switch_on(self, place: Place) -> Call:
        return _CREATE.on(_analyzer(place), {"analyzerName": NAME, "type": "ACCOUNT"})

    def switch_off(self, place: Place) -> Call:
        return _DELETE.on(_analyzer(place), {"analyzerName": NAME})

    def shown(self) -> dict[str, Any]:
        own = {"AnalyzerName": NAME, "Type": "ACCOUNT", "Observed": {"Status": "ACTIVE"}}
        return {"Analyzers": [own]}


def _analyzer(place: Place) -> Target:
    return place.target(place.arn("access-analyzer", f"analyzer/{NAME}"))


def _analyzers(region: str, session: LiveSession) -> list[Any]:
    answer = session.read(_LIST.on(Target({}, "*", region), {"maxResults": 1000}))
    return list(at(answer, ("analyzers",)) or ())
