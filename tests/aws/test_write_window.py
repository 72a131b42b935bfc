"""No try of a changing call is sent late, not even by a process that was stopped in between."""

from __future__ import annotations

import pytest
from botocore.credentials import Credentials

from nephoscope.domain import ConnectionProblem, Deadline
from nephoscope_aws.clients import ClientCache, new_session


def test_a_try_that_begins_too_late_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    clients = ClientCache(new_session(credentials=Credentials("key", "secret")), "us-east-1", attempts=1)
    clients.tries_until = Deadline(0)
    with pytest.raises(ConnectionProblem):
        clients.client("sts").get_caller_identity()
