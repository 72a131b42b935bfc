"""Reading bulk changes: what console and API show of one, however many resources it has, with a handful of queries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from nephoscope.accounts.models import Account
from nephoscope.alerts.models import Finding
from nephoscope.changes.models import QUEUED, UNDER_WAY, Change, ChangeSet, ChangeState, ChangeStep, SetItem, SetState
from nephoscope.changes.readiness import why_no_fixes
from nephoscope.changes.sets import fixable

MOVING = (*QUEUED, *UNDER_WAY, ChangeState.WAITING)
"""States of changes that are not over."""

WRONG = (ChangeState.FAILED, ChangeState.REFUSED)

NAMED = 20
"""Resources that are named of those for which something holds; of more, the number says the rest."""

FIRST = {
    state: rank
    for rank, states in enumerate(
        (
            (ChangeState.FAILED,),
            (ChangeState.REFUSED, ChangeState.EXPIRED),
            (ChangeState.APPLIED,),
            (ChangeState.APPLYING, ChangeState.UNDOING),
            (ChangeState.WAITING,),
        )
    )
    for state in states
}
"""The order of a set's changes by their states: first what needs a person."""


# -- How far a set is ------------------------------------------------------------------------------


_LABELS = {state: (state.value, state.label) for state in SetState}

STAGES: list[tuple[str, Any]] = [
    *(_LABELS[each] for each in (SetState.PLANNING, SetState.PLANNED, SetState.HALF_APPROVED)),
    ("in_progress", _("In progress")),
    ("finished", _("Finished")),
    *(_LABELS[each] for each in (SetState.STOPPED, SetState.DISCARDED, SetState.EXPIRED)),
]
"""How far sets are, in words: their states, but one that was approved is in progress or finished."""


def with_stage(sets: QuerySet[ChangeSet]) -> QuerySet[ChangeSet]:
    """Have each set say its ``stage``, one of :data:`STAGES`, and the number of its ``resources``."""
    moving = Exists(Change.objects.filter(change_set=OuterRef("pk"), state__in=MOVING))
    stage = Case(
        When(moving, state__in=(SetState.APPROVED, SetState.STOPPED), then=Value("in_progress")),
        When(state=SetState.APPROVED, then=Value("finished")),
        default=F("state"),
        output_field=CharField(),
    )
    items = SetItem.objects.filter(change_set=OuterRef("pk")).order_by().values("change_set")
    counted = Coalesce(items.annotate(n=Count("pk")).values("n"), 0, output_field=IntegerField())
    return sets.annotate(stage=stage, resources=counted)


@dataclass(frozen=True, slots=True)
class Progress:
    """How many resources a set has, in how many accounts, and how many of its changes are in each state."""

    resources: int
    accounts: int
    left_out: int
    states: Mapping[str, int]

    def of(self, state: str) -> int:
        return self.states.get(state, 0)

    @property
    def changes(self) -> int:
        return sum(self.states.values())

    @property
    def looked_at(self) -> int:
        """Resources that a plan was made for, or that are left out."""
        return self.changes + self.left_out

    @property
    def moving(self) -> int:
        """Changes that wait for a worker, or that one is at."""
        return sum(self.of(state) for state in MOVING)

    @property
    def over(self) -> int:
        return self.changes - self.moving - self.of(ChangeState.PLANNED)

    @property
    def wrong(self) -> int:
        """Changes that failed or were refused."""
        return sum(self.of(state) for state in WRONG)


def progress(found: ChangeSet) -> Progress:
    """Count a set's resources and how far each is."""
    items = found.items.filter(account__removed_at=None).order_by()
    counted = items.values_list("change__state").annotate(n=Count("pk"), out=Count("pk", filter=~Q(problem="")))
    rows = list(counted)
    return Progress(
        sum(count for _state, count, _out in rows),
        items.aggregate(n=Count("account", distinct=True))["n"],
        sum(out for _state, _count, out in rows),
        {state: count for state, count, _out in rows if state},
    )


def items_of(found: ChangeSet, *states: str) -> QuerySet[SetItem]:
    """Return a set's resources that have a plan, with its calls; those first that need a person.

    :param states: only those whose change is in one of these; in any, when none is given.
    """
    rank = Case(*(When(change__state=each, then=Value(n)) for each, n in FIRST.items()), default=Value(len(FIRST)))
    rows = found.items.filter(account__removed_at=None, change__isnull=False).annotate(rank=rank)
    rows = rows.filter(change__state__in=states) if states else rows
    steps = ChangeStep.objects.only("change", "position", "call", "error")
    rows = rows.select_related("account", "change").prefetch_related(Prefetch("change__steps", steps))
    return rows.defer("change__warnings", "change__uses", "change__closes", "change__permissions").order_by(
        "rank", "pk"
    )


# -- What a set brings about -----------------------------------------------------------------------


@dataclass(slots=True)
class Told:
    """Something that holds for some of a set's resources: how many, and the first of their names."""

    text: str
    count: int = 0
    names: list[str] = field(default_factory=list)
    alert: int | None = None

    def add(self, name: str) -> None:
        self.count += 1
        if len(self.names) < NAMED:
            self.names.append(name)

    @property
    def more(self) -> int:
        """How many are not named."""
        return self.count - len(self.names)


@dataclass(slots=True)
class Review:
    """What all plans of a set bring about: each thing once, with the resources that it holds for."""

    warnings: dict[str, Told] = field(default_factory=dict)
    uses: list[str] = field(default_factory=list)
    closed: list[dict[str, Any]] = field(default_factory=list)
    closes: dict[tuple[str, int | None], Told] = field(default_factory=dict)
    permissions: dict[str, int] = field(default_factory=dict)
    losses: list[tuple[str, int]] = field(default_factory=list)
    irreversible: int = 0


def review(found: ChangeSet) -> Review:
    """Read what the plans of a set say, of those that were not discarded."""
    told, permitted = Review(), Counter[str]()
    changes = found.changes.filter(account__removed_at=None).exclude(state=ChangeState.DISCARDED)
    rows = changes.order_by("pk").values_list("item__resource_name", "warnings", "uses", "closes", "permissions")
    for name, warnings, uses, closes, permissions in rows:
        for text in warnings:
            _told(told.warnings, _shared(text, name), text, name)
        told.uses += uses
        told.closed += closes
        for each in closes:
            _told(told.closes, (each["rule"], each["alert"]), each["title"], each["resource"], each["alert"])
        permitted.update({each["action"] for each in permissions})
    told.permissions = dict(permitted)
    steps = ChangeStep.objects.filter(change__in=changes).order_by()
    told.losses = list(steps.exclude(loses="").values_list("loses").annotate(n=Count("change", distinct=True)))
    told.irreversible = steps.filter(inverse__isnull=True).aggregate(n=Count("change", distinct=True))["n"]
    return told


def _shared(text: str, name: str) -> str:
    """Return a text without the name of its resource, to find the same one of others."""
    return text.replace(name, "…") if len(name) > 1 else text


def _told(among: dict[Any, Told], key: Any, text: str, name: str, alert: int | None = None) -> None:
    one = among.setdefault(key, Told(text, alert=alert))
    one.add(name)
    if one.count > 1 and isinstance(key, str):
        one.text = key.replace("…", _t("The resource"))


def left_out(found: ChangeSet) -> list[Told]:
    """Return why resources of a set are left out, with their names; the most frequent reason first."""
    rows = found.items.filter(account__removed_at=None).exclude(problem="").order_by()
    grouped = rows.values("problem").annotate(n=Count("pk"), names=ArrayAgg("resource_name", order_by="pk"))
    return [Told(each["problem"], each["n"], each["names"][:NAMED]) for each in grouped.order_by("-n", "problem")]


# -- What a set could be about ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reach:
    """How many resources a fix could be planned for, by account, and in which accounts none can, with why."""

    ready: list[tuple[Account, int]]
    not_ready: list[tuple[Account, int, str]]

    @property
    def count(self) -> int:
        return sum(count for _account, count in self.ready)


def reach(findings: QuerySet[Finding]) -> Reach:
    """Count the findings that a bulk change could fix, by account.

    :param findings: those that the user may see.
    """
    counted: dict[int, int] = dict(fixable(findings).order_by().values_list("account").annotate(Count("pk")))
    accounts = Account.objects.filter(pk__in=counted).order_by("name")
    rows = [(each, counted[each.pk], why_no_fixes(each)) for each in accounts]
    return Reach([(each, n) for each, n, why in rows if not why], [row for row in rows if row[2]])
