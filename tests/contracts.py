"""What the tools at the other end refuse of an export: Security Hub by its model and limits, OCSF by its own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any

from botocore.session import Session
from botocore.validate import ParamValidator
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding
from py_ocsf_models.events.findings.detection_finding import DetectionFinding
from py_ocsf_models.objects.cloud import Cloud
from pydantic import ValidationError

LENGTHS = {
    "Id": 512,
    "ProductArn": 2048,
    "GeneratorId": 512,
    "Title": 256,
    "Description": 1024,
    "Resources.Id": 512,
    "Resources.Region": 16,
    "Remediation.Recommendation.Text": 512,
    "ProductFields": 2048,
    "Resources.Tags": 256,
    "Compliance.RelatedRequirements": 64,
}
"""What the model does not hold: https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html"""

LARGEST = 240 * 1000
NAMESPACES = {
    "Software and Configuration Checks",
    "TTPs",
    "Effects",
    "Unusual Behaviors",
    "Sensitive Data Identifications",
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)")


@cache
def _finding() -> Any:
    return Session().get_service_model("securityhub").operation_model("BatchImportFindings").input_shape


def refused_by_security_hub(row: dict[str, Any]) -> list[str]:
    """Return what is wrong with a finding in ASFF."""
    report = ParamValidator().validate({"Findings": [row]}, _finding())
    found = [report.generate_report()] if report.has_errors() else []
    found += _of_shape(row, _finding().members["Findings"].member, "")
    found += [f"{path}: too long" for path, text in _texts(row, "") if len(text) > LENGTHS.get(path, 10_000)]
    found += [f"{name}: {row[name]}" for name in ("CreatedAt", "UpdatedAt") if not TIME.fullmatch(row[name])]
    found += [f"type {each}" for each in row["Types"] if each.split("/")[0] not in NAMESPACES]
    found += [] if re.fullmatch(r"\d{12}", row["AwsAccountId"]) else ["AwsAccountId"]
    found += [f"{len(each['Tags'])} tags" for each in row["Resources"] if len(each.get("Tags", ())) > 50]
    found += [] if len(row.get("Compliance", {}).get("RelatedRequirements", ())) <= 32 else ["RelatedRequirements"]
    found += [] if datetime.fromisoformat(row["CreatedAt"]) <= datetime.fromisoformat(row["UpdatedAt"]) else ["times"]
    return found + ([] if len(json.dumps(row, ensure_ascii=False).encode()) <= LARGEST else ["too large"])


def _of_shape(value: Any, shape: Any, path: str) -> Iterator[str]:
    """Patterns and enumerations, which botocore leaves to the service; a pattern is for the whole of a text."""
    if shape.type_name == "structure":
        for name, member in value.items():
            yield from _of_shape(member, shape.members[name], f"{path}.{name}")
    elif shape.type_name == "list":
        for member in value:
            yield from _of_shape(member, shape.member, path)
    elif shape.type_name == "map":
        for name, member in value.items():
            yield from _of_shape(name, shape.key, f"{path} (name)")
            yield from _of_shape(member, shape.value, f"{path}.{name}")
    elif shape.type_name == "string":
        pattern, enum = shape.metadata.get("pattern"), getattr(shape, "enum", None)
        if pattern and not re.fullmatch(pattern, value):
            yield f"{path}: {value!r} is not {pattern}"
        if enum and value not in enum:
            yield f"{path}: {value!r} is none of {enum}"


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, member in value.items():
            nested = path if path in ("ProductFields", "Resources.Tags") else f"{path}.{name}".lstrip(".")
            yield from _texts(member, nested)
    elif isinstance(value, list):
        for member in value:
            yield from _texts(member, path)
    elif isinstance(value, str):
        yield path, value


CLASSES: dict[int, tuple[str, type[ComplianceFinding] | type[DetectionFinding]]] = {
    2003: ("Compliance Finding", ComplianceFinding),
    2004: ("Detection Finding", DetectionFinding),
}
# https://schema.ocsf.io/1.5.0/classes/compliance_finding and its objects: captions of the ids.
CAPTIONS = {
    "activity_id": ("activity_name", {1: "Create", 2: "Update", 3: "Close"}),
    "severity_id": ("severity", {0: "Unknown", 2: "Low", 3: "Medium", 4: "High", 5: "Critical"}),
    "status_id": ("status", {1: "New", 2: "In Progress", 3: "Suppressed", 4: "Resolved"}),
}
STATES = {0: "Unknown", 1: "Pass", 2: "Warning", 3: "Fail"}


def refused_by_ocsf(row: dict[str, Any]) -> list[str]:
    """Return what is wrong with an event in OCSF."""
    caption, model = CLASSES[row["class_uid"]]
    try:
        model.model_validate(row, strict=False)
        Cloud.model_validate(row["cloud"])
    except ValidationError as wrong:
        return [str(wrong)]
    found = [name for name, (said, known) in CAPTIONS.items() if known.get(row[name]) != row[said]]
    state = row.get("compliance", {"status_id": 0, "status": "Unknown"})
    found += [] if STATES[state["status_id"]] == state["status"] else ["compliance.status"]
    found += (
        [] if (row["category_uid"], row["category_name"], row["class_name"]) == (2, "Findings", caption) else ["class"]
    )
    found += [] if row["type_uid"] == row["class_uid"] * 100 + row["activity_id"] else ["type_uid"]
    found += [] if row["metadata"]["profiles"] == ["cloud"] and row["metadata"]["version"] == "1.5.0" else ["metadata"]
    moments = [row["time"], *(value for name, value in row["finding_info"].items() if name.endswith("_time"))]
    found += [f"time {each}" for each in moments if not (isinstance(each, int) and 10**12 < each < 10**13)]
    found += [name for name in ("title", "uid") if not row["finding_info"][name]]
    return found + [each for each in (row["cloud"]["account"].get("type"),) if not each]
