"""The toy cloud as a plugin whose doors stand in a file, so that several processes see them.

The file is named by ``TOY_HOUSE``. While a file of that name with ``.hold`` stands beside it, the call that fits a lock
is not made: its worker writes one with ``.held``, and waits to be killed, or until the file is gone.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nephoscope import domain
from nephoscope import testing as toy
from nephoscope.hookspecs import hookimpl


def house(suffix: str = "") -> Path:
    return Path(os.environ["TOY_HOUSE"] + suffix)


class HouseDoors(toy.Doors):
    @contextmanager
    def _opened(self) -> Iterator[None]:
        kept = json.loads(house().read_text())
        self.doors, self.locks = kept["doors"], kept["locks"]
        yield
        house().write_text(json.dumps({"doors": self.doors, "locks": self.locks}))

    def reread(self, resource: domain.Resource) -> domain.Resource | None:
        with self._opened():
            return super().reread(resource)

    def read(self, call: domain.Call) -> Mapping[str, Any] | None:
        with self._opened():
            return super().read(call)

    def write(self, call: domain.Call) -> Mapping[str, Any]:
        if call.label == "toy:FitLock" and house(".hold").exists():
            house(".held").touch()
            while house(".hold").exists():
                time.sleep(0.05)
        with self._opened():
            return super().write(call)


class HouseWriting(toy.ToyWriting):
    def open(self, connection: domain.Connection, permissions: Sequence[domain.Permission]) -> toy.Doors:
        return HouseDoors({})


class HouseCloud(toy.ToyCloud):
    def __init__(self) -> None:
        super().__init__()
        self.writing = HouseWriting(self)

    def open(self, connection: domain.Connection) -> toy.Doors:
        return HouseDoors({})


CLOUD = HouseCloud()


@hookimpl
def register_providers() -> Iterable[domain.Provider]:
    return [CLOUD]


@hookimpl
def register_rules() -> Iterable[domain.Rule]:
    return [toy.closed]


@hookimpl
def register_frameworks() -> Iterable[domain.Framework]:
    return [toy.POLICY]


@hookimpl
def register_remediations() -> Iterable[domain.Remediation]:
    return [toy.FitLock(), toy.CloseDoor()]
