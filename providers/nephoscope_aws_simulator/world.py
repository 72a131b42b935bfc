"""The state that is the simulator's own: what no AWS API can set, and what the tests switch on and off."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from nephoscope_aws_simulator.wildcards import matches


def ago(days: float) -> datetime:
    """A naive UTC time `days` ago in whole seconds: moto stores naive times, AWS answers whole seconds."""
    return (datetime.now(UTC) - timedelta(days=days)).replace(microsecond=0, tzinfo=None)


@dataclass
class Root:
    """The account's root user, which no API can change and moto does not have."""

    password: bool = True
    mfa: bool = False
    virtual_mfa: bool = True
    access_key: bool = False
    access_key_rotated: datetime | None = None
    password_used: datetime | None = None
    created: datetime = field(default_factory=lambda: ago(900))
    access_key_used: datetime | None = None


@dataclass
class Denial:
    """Calls that must fail: matched by IAM action or operation name, region and resource, with wildcards."""

    actions: tuple[str, ...]
    error: str
    regions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    times: int | None = None

    def covers(self, names: set[str], region: str, resources: list[str]) -> bool:
        """Whether a call with these names, in this region and on these resources, is one of them."""
        return (
            self.times != 0
            and any(matches(pattern, name, ignore_case=True) for pattern in self.actions for name in names)
            and (not self.regions or region in self.regions)
            and (not self.resources or any(matches(p, r) for p in self.resources for r in resources))
        )


@dataclass
class CallLog:
    """What was called, counted; and how much of it at once. ``actions`` are the IAM actions that roles used."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    errors: Counter[tuple[str, str]] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    in_flight: Counter[tuple[str, str]] = field(default_factory=Counter)
    max_in_flight: Counter[tuple[str, str]] = field(default_factory=Counter)
    now_in_flight: int = 0
    most_in_flight: int = 0


@dataclass
class World:
    """One simulated cloud. Every field is read and written under `lock`, except by the save, which has the gate."""

    roots: dict[str, Root] = field(default_factory=dict)
    disabled_regions: set[str] = field(default_factory=set)
    seeded: bool = False
    analyzers: dict[tuple[str, str], dict[str, dict[str, Any]]] = field(default_factory=dict)
    denials: list[Denial] = field(default_factory=list)
    latency_ms: float = 0
    calls: CallLog = field(default_factory=CallLog)
    ready: bool = False
    dirty: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def root(self, account: str) -> Root:
        """The root user of an account; by default without MFA, as in a fresh account."""
        return self.roots.setdefault(account, Root())

    def denial_for(self, names: set[str], region: str, resources: list[str]) -> str | None:
        """The error to inject into a call, if any; uses up one of a denial's `times`."""
        with self.lock:
            for denial in self.denials:
                if denial.covers(names, region, resources):
                    if denial.times is not None:
                        denial.times -= 1
                    return denial.error
        return None

    @contextmanager
    def counted(self, operation: str, region: str) -> Iterator[None]:
        """Count a call, and for its duration the calls in flight to that service and region."""
        place = (operation.partition(":")[0], region)
        with self.lock:
            log = self.calls
            log.counts[operation, region] += 1
            log.in_flight[place] += 1
            log.max_in_flight[place] = max(log.max_in_flight[place], log.in_flight[place])
            log.now_in_flight += 1
            log.most_in_flight = max(log.most_in_flight, log.now_in_flight)
        try:
            yield
        finally:
            with self.lock:
                log.in_flight[place] -= 1
                log.now_in_flight -= 1


class Gate:
    """Lets calls through side by side, and a save alone: a backend must not change while it is written out."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._inside = 0
        self._closed = False

    @contextmanager
    def call(self) -> Iterator[None]:
        """Pass, after a save that is under way."""
        with self._condition:
            self._condition.wait_for(lambda: not self._closed)
            self._inside += 1
        try:
            yield
        finally:
            with self._condition:
                self._inside -= 1
                self._condition.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until no call is inside, and keep new ones out."""
        with self._condition:
            self._condition.wait_for(lambda: not self._closed)
            self._closed = True
            self._condition.wait_for(lambda: self._inside == 0)
        try:
            yield
        finally:
            with self._condition:
                self._closed = False
                self._condition.notify_all()
