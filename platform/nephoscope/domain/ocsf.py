"""The export that every Nephoscope has: the Open Cybersecurity Schema Framework.

A finding of a rule is a compliance finding, a detection a detection finding:
https://schema.ocsf.io/1.5.0/classes/compliance_finding and https://schema.ocsf.io/1.5.0/classes/detection_finding
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from nephoscope.domain.exports import VERSION, Export, ExportedFinding, ExportedResource, ExportedStatus
from nephoscope.domain.rules import Severity, Verdict

Row = dict[str, Any]

SCHEMA = "1.5.0"
_EVENT = {"category_uid": 2, "category_name": "Findings", "activity_id": 1, "activity_name": "Create"}
_COMPLIANCE = {**_EVENT, "class_uid": 2003, "class_name": "Compliance Finding", "type_uid": 200301}
_DETECTION = {**_EVENT, "class_uid": 2004, "class_name": "Detection Finding", "type_uid": 200401}
_SEVERITIES = {
    Severity.LOW: (2, "Low"),
    Severity.MEDIUM: (3, "Medium"),
    Severity.HIGH: (4, "High"),
    Severity.CRITICAL: (5, "Critical"),
}
_VERDICTS = {Verdict.PASS: (1, "Pass"), Verdict.FAIL: (3, "Fail")}
_STATUSES = {
    ExportedStatus.NEW: (1, "New"),
    ExportedStatus.SUPPRESSED: (3, "Suppressed"),
    ExportedStatus.RESOLVED: (4, "Resolved"),
}
_UNKNOWN = (0, "Unknown")
_PRODUCT = {"name": "Nephoscope", "vendor_name": "Nephoscope", "version": VERSION}


def row(finding: ExportedFinding) -> Row:
    """Return a finding as OCSF has it."""
    severity_id, severity = _SEVERITIES[finding.severity] if finding.severity else _UNKNOWN
    status_id, status = _STATUSES[finding.status]
    return {
        **(_DETECTION if finding.detection else _COMPLIANCE),
        "time": _milliseconds(finding.changed_at),
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "message": finding.message,
        "metadata": {"version": SCHEMA, "profiles": ["cloud"], "product": _PRODUCT},
        "finding_info": _info(finding),
        **({} if finding.detection else {"compliance": _compliance(finding)}),
        "remediation": _remediation(finding),
        "resources": [_resource(finding.resource)],
        "cloud": _cloud(finding),
        "unmapped": {"evidence": list(finding.evidence), "account_condition": finding.account.condition},
    }


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _cloud(finding: ExportedFinding) -> Row:
    account, region = finding.account, finding.resource.region
    type_id, type = account.type
    return {
        "provider": account.provider.upper(),
        **({"region": region} if region else {}),
        "account": {"uid": account.number, "name": account.name, "type_id": type_id, "type": type},
    }


def _info(finding: ExportedFinding) -> Row:
    since = finding.failing_since
    return {
        "uid": finding.uid,
        "title": finding.title or finding.rule_id,
        "desc": finding.rule.why if finding.rule else finding.message,
        "types": [(finding.detection.type if finding.detection else "") or finding.rule_id],
        "modified_time": _milliseconds(finding.changed_at),
        **({"first_seen_time": _milliseconds(since)} if since else {}),
    }


def _compliance(finding: ExportedFinding) -> Row:
    verdict_id, verdict = _VERDICTS.get(finding.verdict, _UNKNOWN)
    return {
        "control": finding.rule_id,
        "standards": sorted({policy for policy, _control in finding.controls}) or ["Nephoscope"],
        "requirements": [f"{policy} {control}" for policy, control in finding.controls],
        "status_id": verdict_id,
        "status": verdict,
        **({"status_detail": f"missing permission: {finding.permission}"} if finding.permission else {}),
    }


def _remediation(finding: ExportedFinding) -> Row:
    rule, detection = finding.rule, finding.detection
    link = rule.link if rule else detection.guide if detection else ""
    return {"desc": rule.fix if rule else "See the references.", "references": [link] if link else []}


def _resource(resource: ExportedResource) -> Row:
    return {
        "uid": resource.id,
        "name": resource.name,
        "type": resource.type,
        "region": resource.region,
        **({"cloud_partition": resource.partition} if resource.partition else {}),
        "labels": [f"{key}:{value}" for key, value in resource.tags.items()],
    }


OCSF = Export("ocsf", "OCSF", row)
