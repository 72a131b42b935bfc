"""What one made account holds, and how each rule has to judge it: the project's own truth.

A module of this package is named as a service in rule ids (``ec2`` for ``aws.ec2.*``) and has functions marked with
:func:`holds`, each of which makes one account by the cloud's own API and says what is right and wrong in it. See
``sqs.py``. ``test_truth.py`` judges them, and ``make bench-truth`` counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from nephoscope.plugins import registry
from nephoscope_aws_simulator.testing import Cloud

HOME = "us-east-1"
ABROAD = "eu-west-1"
REGIONS = (HOME, ABROAD)

FAIL, PASS, UNKNOWN, SKIPPED = "fail", "pass", "unknown", "not_applicable"


@dataclass
class Truth:
    """One account while it is made. ``expected`` has the verdict by (rule id, id or name of the resource)."""

    service: str
    cloud: Cloud
    expected: dict[tuple[str, str], str] = field(default_factory=dict)

    def client(self, service: str, region: str = HOME) -> Any:
        return self.cloud.client(service, region)

    def judged(self, thing: str, *, fails: str = "", passes: str = "", unknown: str = "", skipped: str = "") -> None:
        """Say how the service's rules have to judge a resource, by its id or name; rules are separated by spaces.

        What is not said of it has to be anything but a fail, unknown or an error. Rules on the account itself judge
        what is called by the account's number.
        """
        said = {FAIL: fails, PASS: passes, UNKNOWN: unknown, SKIPPED: skipped}
        for verdict, names in said.items():
            for name in names.split():
                key = (f"aws.{self.service}.{name}", thing)
                assert key[0] in registry().rules, f"there is no rule {key[0]}"
                assert key not in self.expected, f"{key} is said twice"
                self.expected[key] = verdict


@dataclass(frozen=True)
class Holding:
    """One account that a module makes. ``regions`` are those that are chosen, ``services`` too where not all are."""

    service: str
    name: str
    make: Callable[[Truth], None]
    regions: tuple[str, ...] = REGIONS
    services: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.service}-{self.name}"


def holds(
    *, regions: tuple[str, ...] = REGIONS, services: tuple[str, ...] = ()
) -> Callable[[Callable[[Truth], None]], Holding]:
    """Mark a function that makes one account.

    :param regions: the regions that are scanned; others are not chosen.
    :param services: the collectors that are chosen; by default those that the service's rules read.
    """

    def mark(make: Callable[[Truth], None]) -> Holding:
        return Holding(make.__module__.rpartition(".")[2].rstrip("_"), make.__name__, make, regions, services)

    return mark


def holdings() -> list[Holding]:
    """Return every account of the truth, by the names of the modules."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("*.py"))
    modules = [import_module(f"tests.truth.{name}") for name in names if not name.startswith("test_")]
    return [each for module in modules for each in vars(module).values() if isinstance(each, Holding)]
