"""The simulated account that the fixes are tried on."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from tests.fixes.buckets import ACCOUNT, CONNECTION, PROVIDER, Bucket, make_role

from nephoscope.domain import LiveSession
from nephoscope_aws_simulator.testing import Cloud, Simulator


@pytest.fixture(scope="package")
def simulator(company: Simulator) -> Iterator[Cloud]:
    """An account of its own."""
    simulator = company.other(ACCOUNT)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        none = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        for name, value in (simulator.env() | none).items():
            patch.setenv(name, value)
        make_role(simulator, "nephoscope-read", "read-word", ["*"])
        # More than a fix declares: what holds it back must be the session's policy.
        make_role(simulator, "nephoscope-fix", "write-word", ["*"])
        yield simulator


@pytest.fixture(scope="package")
def session(simulator: Cloud) -> Iterator[LiveSession]:
    session = PROVIDER.open(CONNECTION)
    yield session
    session.close()


@pytest.fixture
def bucket(simulator: Cloud, session: LiveSession) -> Bucket:
    made = len(simulator.client("s3").list_buckets()["Buckets"])
    return Bucket(simulator, session, f"acme-{made}")
