"""Findings for other tools: what is known of one, and the forms that it is written in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from nephoscope import __version__
from nephoscope.domain.rules import Rule, Severity, Verdict

VERSION = __version__
"""The version of Nephoscope, for forms that name the product."""


class ExportedStatus(StrEnum):
    """How far a finding was dealt with. One whose verdict is unknown is not resolved."""

    NEW = "new"
    SUPPRESSED = "suppressed"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class ExportedAccount:
    """The account of a finding; ``provider`` is the provider's id, ``condition`` how well the account is known.

    ``type`` is what the provider says that its accounts are in OCSF: an id, and its caption.
    """

    name: str
    number: str
    provider: str
    condition: str = "current"
    type: tuple[int, str] = (99, "Other")


@dataclass(frozen=True, slots=True)
class ExportedResource:
    """The resource of a finding; of a detection the one that it is about. ``partition`` as the provider says it."""

    type: str
    id: str
    name: str
    region: str
    partition: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ExportedDetection:
    """What a finding has that is one detection: the detector, what it calls such detections, the vendor's guide."""

    source: str
    type: str
    guide: str


@dataclass(frozen=True, slots=True)
class ExportedFinding:
    """All that is known of one finding.

    ``uid`` stays the same from export to export. ``rule`` is None for a detection, and where no enabled plugin brings
    it. ``severity`` is that of the alert, which somebody may have set; None when nothing says it. ``controls`` are the
    policies, by name, and the control numbers that the rule answers. Times bear the zone that they are written in.
    """

    uid: str
    rule_id: str
    rule: Rule | None
    title: str
    severity: Severity | None
    verdict: Verdict
    status: ExportedStatus
    message: str
    account: ExportedAccount
    resource: ExportedResource
    changed_at: datetime
    failing_since: datetime | None = None
    evidence: Sequence[Mapping[str, Any]] = ()
    permission: str = ""
    controls: tuple[tuple[str, str], ...] = ()
    detection: ExportedDetection | None = None


@dataclass(frozen=True, slots=True)
class Export:
    """One form that findings are exported in: a file that holds a JSON array with a row for each.

    ``row`` is pure and returns JSON. ``id`` stands in addresses and before the ``extension`` of the file's name. With a
    ``provider`` it fits only that provider's findings, and exports no others.
    """

    id: str
    name: str
    row: Callable[[ExportedFinding], Mapping[str, Any]]
    media_type: str = "application/json"
    extension: str = "json"
    provider: str = ""

    @property
    def suffix(self) -> str:
        """What the names of its files end with."""
        return f".{self.id}.{self.extension}"
