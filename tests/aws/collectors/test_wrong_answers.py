"""What is no answer: status 200 with a proxy's page, nothing, half of it, or something else. It never reads as none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.credentials import Credentials
from tests.aws.collectors.test_every_collector import TYPES, everything
from tests.aws.collectors.world import ACCOUNT, READS, why
from tests.serving import serving

from nephoscope.domain import Connection, ConnectionProblem
from nephoscope.domain.unknown import as_unknown
from nephoscope_aws.answers import Answer, Unavailable, listed
from nephoscope_aws.api import Api
from nephoscope_aws.clients import ClientCache, new_session
from nephoscope_aws.collectors import account
from nephoscope_aws.connect import _as_metadata, connect
from nephoscope_aws_simulator.testing import env_for

WRONG = {
    "a page": (b"<!DOCTYPE html><html><body>Sign in to the network</body></html>", "text/html"),
    "a page by another name": (b"<html xmlns='http://www.w3.org/1999/xhtml'><body/></html>", "text/xml"),
    "nothing": (b"", ""),
    "an empty object": (b"{}", "application/x-amz-json-1.1"),
    "half an object": (b'{"Buckets": [{"Name": "lo', "application/json"),
    "a list": (b"[]", "application/json"),
    "half a document": (b"<?xml version='1.0'?><ListUsersResponse><Users><member>", "text/xml"),
    "another document": (b"<?xml version='1.0'?><OkResponse><Ok>true</Ok></OkResponse>", "text/xml"),
    "another object": (b'{"result": "ok"}', "application/json"),
}


@contextmanager
def server_that_says(body: bytes, kind: str) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(200)
            if kind:
                self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PUT = do_HEAD = do_GET  # noqa: N815 - as the base class looks for them

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as endpoint:
        yield endpoint


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_answer_leaves_nothing_but_stand_ins(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with server_that_says(*WRONG[name]) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        clients = ClientCache(new_session("", Credentials("AKIA", "secret")), "us-east-1", attempts=1)
        api = Api(ACCOUNT, clients, READS)
        found = everything(api)
        api.close()
        clients.close()
    [summary] = [each for each in found if each.type == account.ACCOUNT]
    others = [each for each in found if each is not summary]
    assert all(as_unknown(value) for member, value in summary.properties.items() if member != "Observed")
    assert {each.type for each in others} == set(TYPES) - {account.ACCOUNT}
    assert all(why(each.properties)["reason"] for each in others if each.unlisted)
    settings = [each for each in others if not each.unlisted]
    assert all(told_nothing(each.properties) for each in settings), settings


def told_nothing(properties: Any) -> bool:
    """Whether all that an answer should have said of a setting that is always there is unknown."""
    values = [value for value in properties.values() if isinstance(value, dict)]
    return bool(values) and all(as_unknown(value) or told_nothing(value) for value in values)


def test_a_listing_that_leaves_out_its_empty_list_is_believed_when_it_says_which_request_it_answers() -> None:
    answered = {"ResponseMetadata": {"RequestId": "1b2c"}}
    assert listed("sqs", "list_queues", answered, "QueueUrls") == ()
    for service, operation, answer in (
        ("sqs", "list_queues", {}),
        ("ec2", "describe_vpcs", answered),
    ):
        with pytest.raises(Unavailable, match=operation):
            listed(service, operation, answer, "QueueUrls")


USES: dict[str, Callable[[Any], object]] = {
    "whether there is one": bool,
    "comparing": lambda it: it == "Enabled",
    "comparing the other way": lambda it: it != "Enabled",
    "looking it up": lambda it: it in {"Enabled", "Disabled"},
    "looking into it": lambda it: "Enabled" in it,
    "going through it": list,
    "writing it down": lambda it: f"{it}",
    "its end": lambda it: it.rpartition("/")[2],
    "its size": len,
    "counting with it": lambda it: it + 1,
    "more or less": lambda it: it >= 7,
    "a number": int,
    "taking it apart": lambda it: dict(**it),
    "what is inside": lambda it: bool(it["Statement"][0].get("Effect")),
}


@pytest.mark.parametrize("use", USES)
def test_nothing_is_concluded_from_what_an_answer_does_not_have(use: str) -> None:
    answer = Answer("get_key_policy", {"PolicyName": "default"})
    assert answer["PolicyName"] == "default"
    assert answer.get("Policy") is None
    with pytest.raises(Unavailable, match=r"get_key_policy: AWS's answer has no Policy"):
        USES[use](answer["Policy"])


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_answer_to_a_role_is_a_problem_of_the_connection(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with server_that_says(*WRONG[name]) as endpoint:
        for variable, value in env_for(endpoint).items():
            monkeypatch.setenv(variable, value)
        role = f"arn:aws:iam::{ACCOUNT}:role/nephoscope-read"
        for settings in ({"role_arn": role, "external_id": "x" * 20}, {}):
            with pytest.raises(ConnectionProblem, match=r"not AWS|could not be reached"):
                connect(Connection("", settings))


def test_credentials_that_are_not_whole_are_unavailable() -> None:
    for answer in ({}, {"Credentials": {}}, {"Credentials": {"Expiration": "soon"}}):
        with pytest.raises(Unavailable, match="assume_role"):
            _as_metadata(answer)
