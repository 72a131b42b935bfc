"""The simulated company; each test of the simulator starts without denials, latency and counts."""

from __future__ import annotations

import pytest
from tests.simulator.documents import document, trust

from nephoscope_aws_simulator.company import create_role
from nephoscope_aws_simulator.testing import Simulator


@pytest.fixture(scope="session")
def simulator(company: Simulator) -> Simulator:
    return company


@pytest.fixture(autouse=True)
def undisturbed(request: pytest.FixtureRequest) -> None:
    if "simulator" in request.fixturenames:
        running = request.getfixturevalue("simulator")
        running.control("reset-denials", {})
        running.control("latency", ms=0)
        running.control("calls/reset", {})


@pytest.fixture(scope="session")
def storage_role(simulator: Simulator) -> str:
    """May do everything in S3, nothing else."""
    return create_role(simulator.endpoint, "storage", trust(), [], {"all": document("s3:*")})


@pytest.fixture(scope="session")
def guarded_role(simulator: Simulator) -> str:
    guard = trust(StringEquals={"sts:ExternalId": "right-word"})
    return create_role(simulator.endpoint, "guarded", guard, [], {"all": document("s3:ListAllMyBuckets")})
