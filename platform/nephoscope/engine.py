"""Rules x resources -> findings. Pure: no clock, no database, no network."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar, cast

from nephoscope.domain import (
    ALL_REGIONS,
    Default,
    Evidence,
    Fail,
    Finding,
    Inventory,
    NotKnown,
    Recorder,
    Resource,
    ResourceView,
    Rule,
    Value,
    Verdict,
)
from nephoscope.domain.reasons import in_short, one_line
from nephoscope.domain.texts import kept

Defaults = Mapping[str, Mapping[str, Default]]
T = TypeVar("T")

MAX_EVIDENCE = 12
"""Properties kept as a finding's evidence; a rule that reads more shows the deciding one and the first others."""

MAX_VALUE = 2_000
"""Characters of one evidence value, as JSON; a bucket policy alone may have 20 KB."""

MAX_MESSAGE = 1_000
"""Characters of a finding's message."""


class Neighbours:
    """An account's resources of the types that a rule needs; ``load`` brings all of one type.

    ``beyond`` stands for those of a type that are not looked for in a region, or without one in any region: None where
    all are.
    """

    def __init__(
        self,
        load: Callable[[str], Sequence[Resource]],
        beyond: Callable[[str, str], Resource | None] = lambda type, region: None,
    ) -> None:
        self._load, self._beyond = load, beyond
        self._loaded: dict[str, Sequence[Resource]] = {}
        self._by_name: dict[str, dict[str, Resource]] = {}
        self.worked_out: dict[tuple[str, Callable[[Inventory], Any]], Any] = {}

    def all(self, type: str) -> Sequence[Resource]:
        if type not in self._loaded:
            self._loaded[type] = self._load(type)
        return self._loaded[type]

    def of(self, type: str, region: str = "") -> list[Resource]:
        """Return those of a type (in a region), with what stands for those that are not known."""
        found = [each for each in self.all(type) if not region or each.region in (region, ALL_REGIONS)]
        outside = self._beyond(type, region)
        return [*found, outside] if outside else found

    def named(self, type: str, name: str, region: str = "") -> Resource | None:
        """Return the first of a type with this id or name (in a region)."""
        if region:
            return next((each for each in self.of(type, region) if name in (each.id, each.name)), None)
        if type not in self._by_name:
            index = self._by_name[type] = {}
            for each in self.all(type):
                index.setdefault(each.id, each)
                index.setdefault(each.name, each)
        return self._by_name[type].get(name)

    @classmethod
    def fixed(cls, resources: Iterable[Resource]) -> Neighbours:
        everything = list(resources)
        return cls(lambda type: [each for each in everything if each.type == type])


class BoundInventory:
    """The Inventory that one judgement gets: neighbours are recorded in that judgement's evidence."""

    def __init__(
        self, rule: Rule, neighbours: Neighbours, recorder: Recorder, defaults: Defaults, now: datetime
    ) -> None:
        self._rule, self._neighbours, self._recorder = rule, neighbours, recorder
        self._defaults, self._now = defaults, now

    def _needed(self, type: str) -> Neighbours:
        if type not in self._rule.needs:
            raise LookupError(f"rule {self._rule.id} reads {type}, which its `needs` does not name")
        return self._neighbours

    def _view(self, resource: Resource) -> ResourceView:
        return ResourceView(
            resource,
            self._recorder,
            self._defaults.get(resource.type, {}),
            self._now,
            f"{resource.type} {resource.name}",
        )

    def of(self, type: str, region: str = "") -> Iterator[ResourceView]:
        """All of a type (in a region); raises NotKnown after those that are known."""
        resources = self._needed(type).of(type, region)
        yield from (self._view(each) for each in resources if not each.unlisted)
        for each in resources:
            if each.unlisted:
                self._view(each)

    def get(self, type: str, id: str, region: str = "") -> ResourceView | None:
        """The one with this id or name (in a region)."""
        if found := self._needed(type).named(type, id, region):
            return self._view(found)
        for each in self._neighbours.of(type, region):
            if each.unlisted:
                self._view(each)
        return None

    def once(self, work: Callable[[Inventory], T]) -> T:
        """What is worked out of the neighbours alone, once for all resources that this rule judges."""
        key = (self._rule.id, work)
        if key not in self._neighbours.worked_out:
            apart = BoundInventory(self._rule, self._neighbours, _Unrecorded(), self._defaults, self._now)
            self._neighbours.worked_out[key] = work(apart)
        return cast(T, self._neighbours.worked_out[key])


class _Unrecorded(Recorder):
    """Keeps nothing of what is read."""

    def note(self, resource: str, path: str, value: Any, *, absent: bool = False) -> None:
        pass


def judge(
    rule: Rule,
    resource: Resource,
    *,
    now: datetime,
    neighbours: Neighbours | None = None,
    defaults: Defaults | None = None,
    parameters: Mapping[str, Value] | None = None,
) -> Finding:
    """Judge one resource by one rule, with its parameters as they are given, or else their defaults.

    What could not be read gives *unknown* with the permission; a rule that raises gives *error* with the exception's
    text, so that one bad rule or one odd resource costs one finding.
    """
    recorder, tables = Recorder(), defaults or {}
    given = {**rule.defaults, **(parameters or {})} if rule.parameters else {}
    try:
        view = ResourceView(resource, recorder, tables.get(resource.type, {}), now)
        if rule.needs:
            inventory = BoundInventory(rule, neighbours or Neighbours.fixed(()), recorder, tables, now)
            judgement = rule.check(view, inventory, **given)
        else:
            judgement = rule.check(view, **given)
    except NotKnown as gap:
        what = gap.path or resource.name
        return Finding(
            rule,
            resource,
            Verdict.UNKNOWN,
            one_line(f"{what} could not be read: {gap.why.reason}", MAX_MESSAGE),
            _evidence(recorder, ()),
            gap.why.permission,
        )
    except Exception as error:
        return Finding(
            rule, resource, Verdict.ERROR, in_short(f"{type(error).__name__}: {error}"), _evidence(recorder, ())
        )
    if judgement is None:
        return Finding(rule, resource, Verdict.NOT_APPLICABLE)
    if judgement is True:
        return Finding(rule, resource, Verdict.PASS)
    if judgement is False:
        evidence = _last_first(recorder)
        return Finding(rule, resource, Verdict.FAIL, _in_words(evidence), evidence)
    if isinstance(judgement, Fail):
        return Finding(
            rule, resource, Verdict.FAIL, one_line(judgement.message, MAX_MESSAGE), _evidence(recorder, judgement.at)
        )
    return Finding(rule, resource, Verdict.ERROR, f"the rule returned {type(judgement).__name__}, not a judgement")


def evaluate(
    rules: Iterable[Rule],
    resources: Iterable[Resource],
    *,
    now: datetime,
    neighbours: Neighbours | None = None,
    defaults: Defaults | None = None,
) -> Iterator[Finding]:
    """Judge every resource by every rule on its type, resource by resource."""
    by_type: dict[str, list[Rule]] = {}
    for rule in rules:
        for type in rule.on:
            by_type.setdefault(type, []).append(rule)
    for resource in resources:
        for rule in by_type.get(resource.type, ()):
            yield judge(rule, resource, now=now, neighbours=neighbours, defaults=defaults)


def _evidence(recorder: Recorder, at: tuple[str, ...]) -> tuple[Evidence, ...]:
    """Return what was read, or of it what is at these places, in their order; the deciding one comes first."""
    reads = list(recorder.reads.values())
    pointed = dict.fromkeys(number for place in at for number, read in enumerate(reads) if _under(read, place))
    return _kept(reads[number] for number in pointed) if pointed else _kept(reads)


def _last_first(recorder: Recorder) -> tuple[Evidence, ...]:
    """Return what a rule read that said no more than False: it read the deciding property last."""
    reads = list(recorder.reads.values())
    return _kept(reads[-1:] + reads[:-1])


def _kept(reads: Iterable[Evidence]) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(read.path, _bounded(read.value), read.absent, read.resource) for read in islice(reads, MAX_EVIDENCE)
    )


def _under(read: Evidence, place: str) -> bool:
    return read.path == place or read.path.startswith((f"{place}.", f"{place}["))


def _bounded(value: Any) -> Any:
    try:
        text, plain = json.dumps(value, allow_nan=False), True
    except (RecursionError, TypeError, ValueError):
        text, plain = "", False
    if not plain or "\\u0000" in text or "\\ud" in text:
        value = kept(value)
        text = json.dumps(value)
    if len(text) <= MAX_VALUE:
        return value
    return f"{text[:MAX_VALUE]}… ({len(text):,} characters)"


def _in_words(evidence: tuple[Evidence, ...]) -> str:
    if not evidence:
        return ""
    deciding = evidence[0]
    if deciding.value is None:
        return f"{deciding.path} is not set"
    return f"{deciding.path} is {json.dumps(deciding.value, default=str)[:200]}"
