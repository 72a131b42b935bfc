"""One seeded simulator for all tests of the collectors, and ways to read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.aws.collectors.world import ACCOUNT, READS, Clients, seed

from nephoscope_aws.api import Api
from nephoscope_aws_simulator.testing import Simulator


@pytest.fixture(scope="package")
def simulator() -> Iterator[Simulator]:
    with Simulator() as simulator:
        seed(simulator)
        yield simulator


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
