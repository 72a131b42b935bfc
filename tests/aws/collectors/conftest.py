"""The seeded simulators that all tests of the collectors share, and ways to read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from tests.aws.collectors.places import PLACE_OF, fill
from tests.aws.collectors.world import ACCOUNT, READS, Clients, collected

from nephoscope.domain import Resource
from nephoscope_aws.api import Api
from nephoscope_aws_simulator.testing import Simulator

Simulators = Callable[[str], Simulator]


@pytest.fixture(scope="package")
def simulators() -> Iterator[Simulators]:
    """Gives a simulator by its name in ``places``, started and filled when it is first asked for."""
    started: dict[str, Simulator] = {}
    with ExitStack() as stack:

        def start(name: str) -> Simulator:
            if name not in started:
                started[name] = stack.enter_context(Simulator())
                fill(name, started[name])
            return started[name]

        yield start


@pytest.fixture(scope="package")
def all_clients() -> dict[str, Clients]:
    """Clients by endpoint: making them costs more than the calls."""
    return {}


class NotingApi(Api):
    """Keeps which of the declared calls were made."""

    def __init__(self, clients: Clients) -> None:
        super().__init__(ACCOUNT, clients, READS)
        self.asked: set[tuple[str, str]] = set()

    def permission(self, service: str, operation: str) -> str:
        self.asked.add((service, operation))
        return super().permission(service, operation)


@dataclass(frozen=True)
class Reader:
    """One collector on the place where its things are."""

    service: str
    simulator: Simulator
    region: str
    api: NotingApi

    def collect(self, region: str = "") -> list[Resource]:
        return collected(self.api, self.service, region or self.region)


@pytest.fixture
def readers(simulators: Simulators, all_clients: dict[str, Clients]) -> Iterator[Callable[[str], Reader]]:
    """Makes a reader of a service, with an Api that has read nothing yet."""
    made: list[Reader] = []

    def make(service: str) -> Reader:
        place = PLACE_OF[service]
        simulator = simulators(place.simulator)
        clients = all_clients.setdefault(simulator.endpoint, Clients(simulator.endpoint))
        made.append(Reader(service, simulator, place.region, NotingApi(clients)))
        return made[-1]

    yield make
    for reader in made:
        reader.api.close()
    for simulator in {id(each.simulator): each.simulator for each in made}.values():
        simulator.control("reset-denials", {})


@pytest.fixture(scope="package")
def simulator(simulators: Simulators) -> Simulator:
    return simulators("shared")


@pytest.fixture(scope="package")
def clients(simulator: Simulator) -> Clients:
    return Clients(simulator.endpoint)


@pytest.fixture
def api(simulator: Simulator, clients: Clients) -> Iterator[Api]:
    api = Api(ACCOUNT, clients, READS)
    yield api
    api.close()
    simulator.control("reset-denials", {})


@pytest.fixture
def watched(simulator: Simulator) -> Iterator[Callable[..., Api]]:
    """Makes an Api that runs a function before each call of an operation."""
    made: list[Api] = []

    def make(**before: Callable[..., Any]) -> Api:
        events = {name.replace("__", "."): function for name, function in before.items()}
        made.append(Api(ACCOUNT, Clients(simulator.endpoint, events), READS))
        return made[-1]

    yield make
    for each in made:
        each.close()
    simulator.control("reset-denials", {})
