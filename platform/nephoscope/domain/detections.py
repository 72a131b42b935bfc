"""What a detector noticed, and what each kind of alert can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from nephoscope.domain.rules import Severity


class Kind(StrEnum):
    """What raised an alert. What can be done with one of a kind is in :data:`TRAITS`."""

    SECURITY = "security"
    ANOMALY = "anomaly"
    THREAT = "threat"
    IAC = "iac"

    @property
    def traits(self) -> Traits:
        return TRAITS[self]


@dataclass(frozen=True, slots=True)
class Traits:
    """What an alert of a kind is about, and what can be done with it.

    ``by_rule``: it is one rule failing in one account, and has what the rule has: its text, controls, evidence and
    fixes. Otherwise it is one detection, which brings its own text and lets nothing be fixed by a change of settings.
    ``recheck``: its resources can be read and judged again without a scan.
    ``suppress``: its resources can be ignored from now on.
    """

    by_rule: bool
    recheck: bool
    suppress: bool = True


TRAITS: Mapping[Kind, Traits] = {
    Kind.SECURITY: Traits(by_rule=True, recheck=True),
    Kind.ANOMALY: Traits(by_rule=False, recheck=False),
    Kind.THREAT: Traits(by_rule=False, recheck=True),
    Kind.IAC: Traits(by_rule=True, recheck=False),
}


@dataclass(frozen=True, slots=True)
class Detection:
    """Something that a detector noticed, in the cloud or in our own; becomes an alert of its own.

    ``key`` is unique within the account and the kind, and stays the same when the detection is updated. ``source`` is
    the detector as people know it, ``type`` what it calls such detections. ``resource_*`` say what it is about,
    ``facts`` what a person should see of it, ``details`` is all of it as the detector wrote it. ``archived``: it no
    longer stands there. ``sample``: somebody asked the detector for an example.
    """

    kind: Kind
    source: str
    key: str
    region: str
    severity: Severity
    title: str
    description: str
    resource_id: str
    resource_type: str
    resource_name: str
    first_seen: datetime
    last_seen: datetime
    updated: datetime
    count: int
    link: str
    guide: str
    facts: Mapping[str, str]
    details: Mapping[str, Any]
    archived: bool = False
    sample: bool = False
    type: str = ""


@dataclass(frozen=True, slots=True)
class DetectionCleared:
    """A detection that stood before and no longer does: it was archived in the cloud, or is gone from it."""

    kind: Kind
    key: str
