"""How the API describes itself: the settings of drf-spectacular, and the refusals that every endpoint can answer."""

from __future__ import annotations

from typing import Any

from nephoscope import __version__

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Nephoscope API",
    "DESCRIPTION": "Everything that the console does, for programs.",
    "VERSION": __version__,
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["nephoscope.api.kit.permissions.RolePermission"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # Without this, the page offers the schema to a validator on the Internet.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "AlertState": "nephoscope.alerts.models.AlertState",
        "SuppressionState": "nephoscope.alerts.models.SuppressionState",
        "AlertKind": "nephoscope.alerts.models.KindChoice",
        "Severity": "nephoscope.alerts.models.SeverityChoice",
        "Verdict": "nephoscope.alerts.models.VerdictChoice",
        "ChangeState": "nephoscope.changes.models.ChangeState",
        "StepState": "nephoscope.changes.models.StepState",
        "DeliveryState": "nephoscope.events.models.DeliveryState",
        "AccountCondition": "nephoscope.connections.conditions.ConditionState",
        "ScanState": "nephoscope.inventory.models.ScanState",
        "ShardState": "nephoscope.inventory.models.ShardState",
        "ReportForm": "nephoscope.reports.models.Form",
        "ReportEvery": "nephoscope.reports.models.Every",
        "ControlState": "nephoscope.compliance.states.ControlState",
        "ReportRunState": "nephoscope.reports.models.RunState",
        "Role": "nephoscope.accounts.permissions.Role",
        "TokenScope": "nephoscope.accounts.permissions.Scope",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "nephoscope.api.kit.schema.describe_refusals",
    ],
}

_PROBLEM = {
    "type": "object",
    "description": "What is wrong: `detail`, or the name of each wrong field with messages.",
    "properties": {"detail": {"type": "string"}},
    "additionalProperties": {},
}


def describe_refusals(result: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
    """Add to every operation the refusals that it can answer."""
    result["components"]["schemas"]["Problem"] = _PROBLEM
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            codes = {"401": "Not signed in.", "403": "Your role does not include this."}
            if "{" in path:
                codes["404"] = "There is no such thing that you may see."
            if method != "delete":
                codes["400"] = "A wrong or unknown field or parameter; named in the answer."
            if "requestBody" in operation:
                codes["415"] = "The body is not JSON."
            for code, description in codes.items():
                content = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
                operation["responses"].setdefault(code, {"description": description, "content": content})
    return result
