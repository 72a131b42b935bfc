"""The API does what its description says, and takes and refuses what that says: schemathesis, with a fixed seed.

``make fuzz`` has it make up a hundred times as much.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server
from zlib import crc32

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connections
from drf_spectacular.generators import SchemaGenerator
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.generation.meta import TestPhase
from tests.serving import serving

from nephoscope.accounts.models import User
from nephoscope.audit.services import Actor
from nephoscope.people.tokens import issue_token

from .conftest import undone

pytestmark = pytest.mark.django_db

EXAMPLES = max(1, int(os.environ.get("NEPHOSCOPE_FUZZ", "200")) // 200)
"""How many requests are made up for an operation by chance, besides those at each limit that is described."""
SHARE = 16
"""One in so many of those at the limits is made, so that it takes seconds; ``make fuzz`` makes them all."""


class Quiet(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None: ...


@pytest.fixture
def served(world: SimpleNamespace) -> Iterator[str]:
    """The address of the API over HTTP, in the transaction of the test; what a request does to the world is undone."""
    application, connection = WSGIHandler(), connections["default"]

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        connections["default"] = connection
        with undone(world):
            answer = application(environ, start_response)
            body = b"".join(answer)
            answer.close()
        return [body]

    connection.inc_thread_sharing()
    for each in (request_started, request_finished):  # as Django's test client: the transaction's must stay open
        each.disconnect(close_old_connections)
    with serving(make_server("127.0.0.1", 0, app, handler_class=Quiet)) as url:
        yield url
    for each in (request_started, request_finished):
        each.connect(close_old_connections)
    connection.dec_thread_sharing()


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    found: dict[str, Any] = SchemaGenerator().get_schema(public=True)
    return found


def described(description: dict[str, Any], world: SimpleNamespace) -> dict[str, Any]:
    """The description with the ids of what there is, so that requests find something."""
    ids = {
        "accounts": world.account.pk,
        "alerts": world.alert.pk,
        "findings": world.front.pk,
        "changes": world.change.pk,
        "change-sets": world.set.pk,
        "scans": world.scan.pk,
        "resources": world.cellar.pk,
        "suppressions": world.back.suppression_id,
    }
    paths = {}
    for path, operations in description["paths"].items():
        id = ids.get(path.split("/")[3])
        paths[path] = {method: _with_id(each, id) if id else each for method, each in operations.items()}
    return {**description, "paths": paths}


def _with_id(operation: dict[str, Any], id: int) -> dict[str, Any]:
    given = [
        {**each, "schema": {**each["schema"], "enum": [id]}} if (each["in"], each["name"]) == ("path", "id") else each
        for each in operation.get("parameters", ())
    ]
    return {**operation, "parameters": given}


def one_in(share: int) -> Callable[[Any, Any], bool]:
    """Keep one in so many of the requests at the limits that are described, the same ones each time."""
    seen = itertools.count()

    def filter_case(context: Any, case: Any) -> bool:
        chosen = case.meta is None or case.meta.phase.name is not TestPhase.COVERAGE
        return chosen or next(seen) % share == 0

    return filter_case


def differences(
    description: dict[str, Any], address: str, token: str, share: int, operations: int
) -> tuple[list[str], int]:
    """Return what the API does that its description does not say, and how many requests were made."""
    config = SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "headers": {"Authorization": f"Token {token}"} if token else {},
            "base-url": address,
            "workers": 1,
            "continue-on-failure": True,
            "generation": {"max-examples": EXAMPLES, "deterministic": True, "database": "none", "no-shrink": True},
            "phases": {
                "examples": {"enabled": False},
                "fuzzing": {"enabled": EXAMPLES > 1},
                "stateful": {"enabled": False},
            },
        }
    )
    schema = schemathesis.openapi.from_dict(description, config=config)
    schema.hook("filter_case")(one_in(share))
    found, made = [], 0
    chosen = schema.include(lambda context: crc32(context.operation.label.encode()) % operations == 0)
    for event in from_schema(chosen).execute():
        if isinstance(event, events.ScenarioFinished):
            made += len(event.recorder.cases)
            for checks in event.recorder.checks.values():
                found += [_said(event, each) for each in checks if each.failure_info]
        elif isinstance(event, events.NonFatalError | events.FatalError):
            found.append(str(getattr(event, "info", event)))
    return found, made


def _said(event: Any, check: Any) -> str:
    failure = check.failure_info
    return f"{event.recorder.label}: {failure.failure.title}: {failure.failure.message} {failure.code_sample}"


@pytest.mark.parametrize("role", ["administrator", "viewer", "nobody"])
def test_the_api_does_what_its_description_says(
    role: str, everyone: dict[str, User], world: SimpleNamespace, served: str, description: dict[str, Any]
) -> None:
    token = issue_token(Actor.of(everyone[role]), name="fuzz")[1] if role in everyone else ""
    share, operations = (1, 1) if EXAMPLES > 1 else (SHARE, 1 if role == "administrator" else 4)
    found, made = differences(described(description, world), served, token, share, operations)
    assert found == []
    assert made > 50
