"""A region that takes the connection and then says nothing: it costs its time once, and is unknown."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
from botocore.credentials import Credentials
from tests.aws.collectors.world import ACCOUNT, READS

from nephoscope_aws import clients
from nephoscope_aws.answers import Unavailable
from nephoscope_aws.api import Api
from nephoscope_aws.clients import ClientCache, new_session

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
