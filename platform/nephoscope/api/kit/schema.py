"""How the API describes itself: the settings of drf-spectacular, and the refusals that every endpoint can answer."""

from __future__ import annotations

from typing import Any

from nephoscope import __version__
from nephoscope.api.kit.patterns import ANY_TEXT

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
    # The first that can say what the names of members may be.
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "AlertState": "nephoscope.alerts.models.AlertState",
        "FixNoticeState": "nephoscope.changes.automatic_models.NoticeState",
        "SuppressionState": "nephoscope.alerts.models.SuppressionState",
        "AlertKind": "nephoscope.alerts.models.KindChoice",
        "Severity": "nephoscope.alerts.models.SeverityChoice",
        "Verdict": "nephoscope.alerts.models.VerdictChoice",
        "ChangeState": "nephoscope.changes.models.ChangeState",
        "ChangeSetState": "nephoscope.changes.set_queries.STAGES",
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
        "TokenDays": "nephoscope.people.tokens.DAYS_CHOICES",
        "TokenScope": "nephoscope.accounts.permissions.Scope",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "nephoscope.api.kit.schema.describe",
    ],
}

_MESSAGES = {
    "description": "What is wrong with a field; of its members, by name or position.",
    "oneOf": [
        {"type": "array", "items": {"type": "string"}},
        {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Messages"}},
    ],
}
_PROBLEM = {
    "type": "object",
    "description": "What is wrong: `detail`, or the name of each wrong field with messages.",
    "properties": {"detail": {"type": "string"}},
    "additionalProperties": {"$ref": "#/components/schemas/Messages"},
}
_WAIT = {"Retry-After": {"description": "Seconds to wait.", "required": True, "schema": {"type": "integer"}}}
_REFUSALS = {
    "400": "A wrong or unknown field or parameter; named in the answer.",
    "401": "Not signed in.",
    "403": "Your role does not include this.",
    "404": "There is no such thing that you may see.",
    "409": "As described, but it cannot be carried out on what there is; the answer says why.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "429": "Too many failed attempts to sign in.",
    "503": "Not available for a moment.",
}


def describe(result: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
    """Add to every operation the refusals that it can answer, and to parameters what no text may hold."""
    result["components"]["schemas"] |= {"Messages": _MESSAGES, "Problem": _PROBLEM}
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            responses = operation["responses"]
            for code in sorted({*_refusals(path, method, operation), *(set(responses) & set(_REFUSALS))}):
                responses[code] = _refusal(code)
            if "requestBody" in operation:
                _say_whether_needed(operation["requestBody"], result["components"]["schemas"])
            for each in operation.get("parameters", ()):
                if each["in"] == "query":
                    _without_null(each["schema"])
    for name, component in result["components"]["schemas"].items():
        if name.endswith("Request"):
            _names_without_null(component)
    return result


def _refusals(path: str, method: str, operation: dict[str, Any]) -> set[str]:
    parameters = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"}
    codes = {"401", "403", "503"}
    codes |= {"404"} if "{" in path or "page" in parameters else set()
    codes |= {"400"} if parameters else set()
    codes |= {"400", "413", "415"} if method in ("post", "patch") else set()
    codes |= {"409"} if method != "get" else set()
    return codes | ({"429"} if "security" not in operation else set())


def _refusal(code: str) -> dict[str, Any]:
    described: dict[str, Any] = {"description": _REFUSALS[code]}
    if code != "414":  # it comes from the server in front, and is no JSON
        described["content"] = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return described | ({"headers": _WAIT} if code in ("429", "503") else {})


def _say_whether_needed(body: dict[str, Any], components: dict[str, Any]) -> None:
    """A body may be left out where an empty one will do."""
    component = components[body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]]
    body["required"] = "required" in component or "oneOf" in component


def _names_without_null(schema: dict[str, Any]) -> None:
    for each in schema.get("properties", {}).values():
        if each.get("type") == "object":
            each["propertyNames"] = {"pattern": ANY_TEXT}


def _without_null(schema: dict[str, Any]) -> None:
    """A text in an address may be any, but for the null character, which nothing that is stored has."""
    schema = schema.get("items", schema)
    if schema.get("type") == "string" and not {"enum", "format", "pattern"} & set(schema):
        schema["pattern"] = ANY_TEXT
