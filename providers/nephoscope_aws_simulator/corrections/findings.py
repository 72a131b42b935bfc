"""GuardDuty's findings, of which moto has none: listed, read, archived. ``POST /simulator/patch`` makes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from nephoscope_aws_simulator.corrections.patching import replace

PAGE = 50


def apply() -> None:
    """https://docs.aws.amazon.com/guardduty/latest/APIReference/API_ListFindings.html and its neighbours."""
    from moto.guardduty.responses import GuardDutyResponse
    from moto.guardduty.urls import url_paths

    for path in ("", "/get", "/archive", "/unarchive"):
        url_paths[f"{{0}}/detector/(?P<detector_id>[^/]+)/findings{path}$"] = GuardDutyResponse.dispatch

    @replace(GuardDutyResponse, "list_findings")
    def list_findings(self: Any) -> str:
        criterion = (self._get_param("findingCriteria") or {}).get("criterion", {})
        found = [each for each in _detector(self).values() if _meets(each, criterion)]
        sorting = self._get_param("sortCriteria") or {}
        found.sort(key=lambda each: str(each[sorting.get("attributeName", "id")]))
        if sorting.get("orderBy") == "DESC":
            found.reverse()
        start = int(self._get_param("nextToken") or 0)
        end = start + int(self._get_param("maxResults") or PAGE)
        more = {"nextToken": str(end)} if end < len(found) else {}
        return json.dumps({"findingIds": [each["id"] for each in found[start:end]], **more})

    @replace(GuardDutyResponse, "get_findings")
    def get_findings(self: Any) -> str:
        known = _detector(self)
        return json.dumps({"findings": [known[id] for id in self._get_param("findingIds") if id in known]})

    def archiving(archived: bool) -> Any:
        def act(self: Any) -> str:
            known = _detector(self)
            for id in self._get_param("findingIds"):
                known[id]["service"]["archived"] = archived
            return "{}"

        return act

    replace(GuardDutyResponse, "archive_findings")(archiving(True))
    replace(GuardDutyResponse, "unarchive_findings")(archiving(False))


def put(account: str, region: str, finding: Mapping[str, Any]) -> None:
    """Make a finding, or change the members of one with this id; the detector is the region's only one."""
    from moto.guardduty.models import guardduty_backends

    [detector] = guardduty_backends[account][region].detectors.values()
    findings = vars(detector).setdefault("findings", {})
    new = {
        "schemaVersion": "2.0",
        "accountId": account,
        "region": region,
        "partition": "aws",
        "arn": f"arn:aws:guardduty:{region}:{account}:detector/{detector.id}/finding/{finding['id']}",
    }
    old = findings.get(finding["id"], new)
    service = {
        "serviceName": "guardduty",
        "detectorId": detector.id,
        "archived": False,
        "count": 1,
        **old.get("service", {}),
        **finding.get("service", {}),
    }
    findings[finding["id"]] = {**old, **finding, "service": service}


def _detector(response: Any) -> dict[str, Any]:
    id = response.path.split("/detector/")[1].split("/")[0]
    findings: dict[str, Any] = vars(response.guardduty_backend.get_detector(id)).setdefault("findings", {})
    return findings


def _meets(finding: Mapping[str, Any], criterion: Mapping[str, Any]) -> bool:
    for name, condition in criterion.items():
        value: Any = finding
        for member in name.split("."):
            value = value[member]
        if name == "updatedAt":
            value = int(datetime.fromisoformat(value).timestamp() * 1000)
        text = json.dumps(value) if isinstance(value, bool) else str(value)
        if text not in condition.get("equals", [text]):
            return False
        if "greaterThanOrEqual" in condition and value < condition["greaterThanOrEqual"]:
            return False
    return True
