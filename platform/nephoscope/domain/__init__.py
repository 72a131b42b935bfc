"""The nouns: frozen, typed, free of Django. All that a plugin author needs.

A plugin imports from here and from :mod:`nephoscope.hookspecs`, and from nowhere else in the platform.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from nephoscope.domain.commands import Commands, Filled, together
from nephoscope.domain.resource import ALL_REGIONS, UNIDENTIFIED, WHOLE, Default, Resource, Share
from nephoscope.domain.rules import (
    Finding,
    Judgement,
    Parameter,
    Rule,
    Severity,
    Value,
    Verdict,
    in_words,
    rule,
    rules_in,
)
from nephoscope.domain.unknown import NotKnown, Unknown, as_unknown, unknown
from nephoscope.domain.view import NO_LIST, NO_OBJECT, Evidence, Fail, Inventory, Recorder, ResourceView, View

if TYPE_CHECKING:
    from nephoscope.domain.calls import Call, Permission, result, with_results
    from nephoscope.domain.connection import Connection, ConnectionProblem, Deadline
    from nephoscope.domain.detections import Detection, DetectionCleared, Kind, Traits
    from nephoscope.domain.exports import (
        VERSION,
        Export,
        ExportedAccount,
        ExportedDetection,
        ExportedFinding,
        ExportedResource,
        ExportedStatus,
    )
    from nephoscope.domain.fix_groups import FixGroup, group_id, grouped
    from nephoscope.domain.fixes import FixRequest, Plan, PlanProblem, Remediation, Step, Wait
    from nephoscope.domain.frameworks import Control, Framework
    from nephoscope.domain.providers import (
        ChangedResource,
        Check,
        DetectionSource,
        Event,
        EventSource,
        Field,
        Member,
        MemberState,
        Onboarding,
        OrganisationSource,
        Provider,
        Region,
        Service,
        SetupTemplate,
        TagLimits,
        Verification,
        Writing,
        completed,
    )
    from nephoscope.domain.sessions import LiveSession, NotAllowed, Session, Writer
else:
    # What rules are not made of is imported when it is asked for: who lists rules waits for no part of it.
    _LATER = (
        "calls",
        "connection",
        "detections",
        "exports",
        "fix_groups",
        "fixes",
        "frameworks",
        "providers",
        "sessions",
    )

    def __getattr__(name: str) -> Any:
        if name in __all__:
            for module in (import_module(f"{__name__}.{each}") for each in _LATER):
                if hasattr(module, name):
                    return globals().setdefault(name, getattr(module, name))
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "ALL_REGIONS",
    "NO_LIST",
    "NO_OBJECT",
    "UNIDENTIFIED",
    "VERSION",
    "WHOLE",
    "Call",
    "ChangedResource",
    "Check",
    "Commands",
    "Connection",
    "ConnectionProblem",
    "Control",
    "Deadline",
    "Default",
    "Detection",
    "DetectionCleared",
    "DetectionSource",
    "Event",
    "EventSource",
    "Evidence",
    "Export",
    "ExportedAccount",
    "ExportedDetection",
    "ExportedFinding",
    "ExportedResource",
    "ExportedStatus",
    "Fail",
    "Field",
    "Filled",
    "Finding",
    "FixGroup",
    "FixRequest",
    "Framework",
    "Inventory",
    "Judgement",
    "Kind",
    "LiveSession",
    "Member",
    "MemberState",
    "NotAllowed",
    "NotKnown",
    "Onboarding",
    "OrganisationSource",
    "Parameter",
    "Permission",
    "Plan",
    "PlanProblem",
    "Provider",
    "Recorder",
    "Region",
    "Remediation",
    "Resource",
    "ResourceView",
    "Rule",
    "Service",
    "Session",
    "SetupTemplate",
    "Severity",
    "Share",
    "Step",
    "TagLimits",
    "Traits",
    "Unknown",
    "Value",
    "Verdict",
    "Verification",
    "View",
    "Wait",
    "Writer",
    "Writing",
    "as_unknown",
    "completed",
    "group_id",
    "grouped",
    "in_words",
    "result",
    "rule",
    "rules_in",
    "together",
    "unknown",
    "with_results",
]
