"""Random requests to every endpoint, by every role: never an error of ours, never another account's data.

``NEPHOSCOPE_FUZZ`` says how many each role sends. What a request is depends on its number alone, so that a failure
comes again: its number is in the message.
"""

from __future__ import annotations

import json
import os
import random
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from drf_spectacular.generators import SchemaGenerator

from nephoscope import testing as toy
from nephoscope.accounts.models import Account, AccountGroup, User
from nephoscope.alerts.models import Alert
from nephoscope.alerts.suppressions import suppress
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.changes.planning import plan_change
from nephoscope.inventory import store
from nephoscope.judging.services import judge_resources
from nephoscope.scans.services import start_scan

from .conftest import undone

pytestmark = pytest.mark.django_db

COUNT = int(os.environ.get("NEPHOSCOPE_FUZZ", "200"))
HIDDEN = "hidden-estate"
"""Part of every name in an account that the viewer and the analyst were not granted."""

ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    2**31,
    2**63,
    10**30,
    1.5,
    1e308,
    "",
    " ",
    "0",
    "-1",
    "x" * 3000,
    "nul \0",
    "half \ud800",
    "\u202e<script>alert('é')</script>",
    "'; DROP TABLE accounts_user; --",
    "%",
    "a,b,,c",
    "../../etc/passwd",
    "2026-01-15T12:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-12:00",
    "high",
    "open",
    "true",
    [],
    {},
    [[[[]]]],
    {"a": {"b": None}},
]


Ids = dict[str, list[int]]
"""Of what there is, by the noun that stands in an address."""


@dataclass(frozen=True)
class Operation:
    """One of the API's own description."""

    method: str
    path: str
    parameters: tuple[dict[str, Any], ...]
    body: dict[str, Any] | None


@pytest.fixture(scope="module")
def operations() -> list[Operation]:
    schema = SchemaGenerator().get_schema(public=True)
    components = schema["components"]["schemas"]
    found = []
    for path, methods in schema["paths"].items():
        for method, each in methods.items():
            content = each.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            if content and "$ref" in content:
                content = components[content["$ref"].rpartition("/")[2]]
            found.append(Operation(method.upper(), path, tuple(each.get("parameters", ())), content))
    return found


@pytest.fixture
def hidden(world: SimpleNamespace, administrator: User) -> Account:
    """A second account with the same in it, of a group of its own."""
    account = Account.objects.create(
        name=HIDDEN,
        provider="toy",
        number="2" * 12,
        settings=world.account.settings,
        regions=["north"],
        policies=world.account.policies,
        verified_at=world.account.verified_at,
        writing_verified_at=world.account.verified_at,
    )
    account.groups.add(AccountGroup.objects.create(name=f"{HIDDEN} group"))
    world.cloud.doors |= {f"{HIDDEN}-gate": True, f"{HIDDEN}-hatch": True}
    doors = [toy.door(f"{HIDDEN}-{name}", open=True) for name in ("gate", "hatch")]
    judge_resources(account, Actor.system(), store.save(account, "doors", doors), ())
    alert, actor = Alert.objects.get(account=account), Actor.of(administrator)
    gate, hatch = alert.findings.order_by("resource__name")
    suppress(actor, alert, [hatch], f"{HIDDEN} reason")
    plan_change(actor, alert, [gate], toy.CloseDoor.id)
    start_scan(actor, account, enqueue=False)
    return account


class Requests:
    """Makes a request of a number: mostly what could be, with what could not be in some places."""

    def __init__(self, number: int, operations: list[Operation], texts: list[str], ids: Ids) -> None:
        self.random = random.Random(number)
        self.operation = self.random.choice(operations)
        self.texts, self.ids, self.noun = texts, ids, self.operation.path.split("/")[3]

    def address(self) -> str:
        path = self.operation.path
        query = []
        for each in self.operation.parameters:
            if each["in"] == "path":
                value = self.like(each["schema"], odd=0.05)
                path = path.replace(f"{{{each['name']}}}", quote(_text(value), safe=""))
            elif self.random.random() < 0.1:
                query.append((each["name"], _text(self.named(each["name"], each["schema"], odd=0.3))))
        if self.random.random() < 0.05:
            query.append(("colour", "red"))
        return f"{path}?{urlencode(query)}" if query else path

    def body(self) -> str:
        if self.operation.body is None or self.random.random() < 0.05:
            return "" if self.random.random() < 0.5 else json.dumps(self.odd())
        body = self.like({"type": "object", **self.operation.body}, odd=0.03)
        if isinstance(body, dict) and self.random.random() < 0.1:
            body["colour"] = self.odd()
        return json.dumps(body)

    def odd(self) -> Any:
        return self.random.choice(ODD)

    def like(self, schema: dict[str, Any], *, odd: float = 0.1) -> Any:
        """Return a value of a schema, or now and then any other."""
        if self.random.random() < odd:
            return self.odd()
        if "enum" in schema:
            return self.random.choice(schema["enum"])
        match schema.get("type"):
            case "integer" | "number":
                return self.random.choice(self.ids.get(self.noun, [1]))
            case "boolean":
                return self.random.random() < 0.5
            case "array":
                return [self.like(schema.get("items", {})) for _ in range(self.random.randrange(4))]
            case "object":
                return self._object(schema)
        return self.random.choice(self.texts)

    def named(self, name: str, schema: dict[str, Any], *, odd: float = 0.1) -> Any:
        """Return a value of a member or parameter; one that is called as something there is takes the ids of that."""
        kept, self.noun = self.noun, next((each for each in (name, f"{name}s") if each in self.ids), self.noun)
        try:
            return self.like(schema, odd=odd)
        finally:
            self.noun = kept

    def _object(self, schema: dict[str, Any]) -> dict[str, Any]:
        required = schema.get("required", ())
        chance = {name: 0.95 if name in required else 0.4 for name in schema.get("properties", {})}
        made = {
            name: self.named(name, schema["properties"][name])
            for name, odds in chance.items()
            if self.random.random() < odds
        }
        if "additionalProperties" in schema:
            made |= {self.random.choice(self.texts): self.like({}) for _ in range(self.random.randrange(3))}
        return made


def _text(value: Any) -> str:
    """A value in an address: lists with commas, what no address can hold replaced."""
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    return text.encode(errors="replace").decode()


def content(answer: Any) -> str:
    return (answer.getvalue() if answer.streaming else answer.content).decode(errors="replace")


def ids_of(*accounts: Account) -> Ids:
    ids: Ids = {
        "accounts": [account.pk for account in accounts],
        "groups": [group.pk for account in accounts for group in account.groups.all()],
        "users": list(User.objects.values_list("pk", flat=True)),
        "audit": list(Entry.objects.values_list("pk", flat=True)[:20]),
    }
    for noun in ("alerts", "findings", "resources", "changes", "scans"):
        ids[noun] = [row.pk for account in accounts for row in getattr(account, noun).all()]
    ids["suppressions"] = [
        each.pk for account in accounts for alert in account.alerts.all() for each in alert.suppressions.all()
    ]
    return ids


@pytest.mark.parametrize("role", ["viewer", "analyst", "administrator"])
def test_no_request_fails_or_tells_of_another_account(
    role: str, everyone: dict[str, User], world: SimpleNamespace, hidden: Account, operations: list[Operation], api: Any
) -> None:
    ids = ids_of(world.account, hidden)
    texts = ["toy", "toy.closed", "toy.close", "toy-policy", "doors", "north", "role", "reason", "csv", "ocsf", "x"]
    texts += [world.change.digest, world.account.name, world.account.number, everyone[role].username, "-pk"]
    client = api(everyone[role])
    for number in range(COUNT):
        made = Requests(number, operations, texts, ids)
        address, body, said = made.address(), made.body(), f"request {number} of {role}"
        with undone(world):
            entries = Entry.objects.filter(account=hidden).count()
            try:
                answer = client.generic(made.operation.method, address, body, content_type="application/json")
                text = content(answer)
            except Exception as problem:
                raise AssertionError(f"{said}: {made.operation.method} {address} {body}") from problem
            assert answer.status_code < 500, f"{said}: {made.operation.method} {address} {body}"
            if role != "administrator":
                assert HIDDEN not in text, f"{said}: {made.operation.method} {address} {body}"
                assert Entry.objects.filter(account=hidden).count() == entries, said


def test_what_is_made_up_reaches_what_is_there(
    everyone: dict[str, User], world: SimpleNamespace, hidden: Account, operations: list[Operation], api: Any
) -> None:
    """The requests would find something: the administrator is told of the other account, and most are understood."""
    client, answers = api(everyone["administrator"]), []
    assert HIDDEN in content(client.get(f"/api/v1/accounts/{hidden.pk}"))
    ids, texts = ids_of(world.account, hidden), ["toy", "north", "x"]
    for number in range(100):
        made = Requests(number, operations, texts, ids)
        with undone(world):
            answers.append(
                client.generic(made.operation.method, made.address(), made.body(), content_type="application/json")
            )
    assert sum(answer.status_code < 300 for answer in answers) > 20
    assert {made.operation.method for made in (Requests(n, operations, texts, ids) for n in range(100))} == {
        "GET",
        "POST",
        "PATCH",
        "DELETE",
    }
