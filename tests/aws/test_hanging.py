"""A region that takes the connection and then says nothing: it costs its time once, and is unknown."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.credentials import Credentials
from tests.aws.collectors.world import ACCOUNT, READS

from nephoscope.connections.services import hindrance
from nephoscope.domain import Connection, Deadline
from nephoscope_aws import clients
from nephoscope_aws.answers import Unavailable
from nephoscope_aws.api import Api
from nephoscope_aws.clients import ClientCache, new_session
from nephoscope_aws.provider import AwsProvider

PATIENCE = 0.2


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A server that listens and never answers; AWS is there."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.getsockname()[1]}")
        monkeypatch.setattr(clients, "READ_TIMEOUT", PATIENCE)
        yield server


@pytest.fixture
def api(silent: socket.socket) -> Iterator[Api]:
    cache = ClientCache(new_session("", Credentials("AKIA", "secret")), "us-east-1")
    api = Api(ACCOUNT, cache, READS)
    yield api
    api.close()
    cache.close()


def test_what_does_not_answer_is_asked_twice_and_then_no_more(api: Api) -> None:
    begun = time.monotonic()
    for _try in range(3):
        with pytest.raises(Unavailable):
            api.call("kms", "list_keys", region="eu-west-1")
    waited = time.monotonic() - begun
    assert 2 * PATIENCE <= waited < 2 * PATIENCE + 2, "two tries of the first call, and none after it"


def test_a_region_in_which_two_services_are_silent_is_not_asked_any_more(api: Api) -> None:
    for service, operation in (("kms", "list_keys"), ("sqs", "list_queues")):
        with pytest.raises(Unavailable):
            api.call(service, operation, region="eu-west-1")
    begun = time.monotonic()
    with pytest.raises(Unavailable, match="eu-west-1 answered in time"):
        api.call("sns", "list_topics", region="eu-west-1")
    assert time.monotonic() - begun < PATIENCE
    begun = time.monotonic()
    with pytest.raises(Unavailable):
        api.call("sns", "list_topics", region="us-east-1")
    assert time.monotonic() - begun >= PATIENCE, "another region is asked"


def test_a_machine_that_does_not_say_whether_it_has_a_role_is_not_waited_for(
    silent: socket.socket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_EC2_METADATA_DISABLED"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
    begun = time.monotonic()
    why = AwsProvider().onboarding.hindrance(Connection("", {}, Deadline(10)))
    assert "Nephoscope has no AWS credentials of its own" in why and "docs/operating.md" in why
    assert time.monotonic() - begun < 3


def test_credentials_are_looked_for_until_the_deadline(silent: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setattr(clients, "READ_TIMEOUT", 25)
    begun = time.monotonic()
    assert "within 1 second" in hindrance(AwsProvider(), deadline=Deadline(1))
    assert time.monotonic() - begun < 2.5
