"""What a plugin author tests with: a rule's own examples, and a toy cloud of doors, held in memory.

Examples are resources, and a rule's own are its first tests. The toy cloud is a provider with its facets, a rule, a
policy, two fixes and an export: enough to try everything of the platform that is not about a cloud.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from nephoscope import domain
from nephoscope.domain import (
    Call,
    Connection,
    Finding,
    FixGroup,
    Permission,
    Resource,
    Rule,
    SetupTemplate,
    Step,
    Wait,
    result,
    rule,
)
from nephoscope.domain.examples import ACCOUNT as ACCOUNT
from nephoscope.domain.examples import example as example
from nephoscope.domain.examples import parts, resource
from nephoscope.engine import Defaults, Neighbours, judge

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
"""The time at which examples are judged."""


def judge_example(rule: Rule, given: Mapping[str, Any], defaults: Defaults | None = None) -> Finding:
    """Judge one of a rule's examples at :data:`NOW`."""
    found = parts(given)
    neighbours = Neighbours.fixed(found.pop("neighbours"))
    return judge(rule, resource(rule.on[0], **found), now=NOW, neighbours=neighbours, defaults=defaults)


class Notes(dict[int, str]):
    """A journal for :func:`nephoscope.surgery.apply` and its undo: the last state of each step, with its error."""

    def __init__(self) -> None:
        self.kept: dict[int, Mapping[str, Any]] = {}

    def note(self, position: int, state: str, error: str = "", kept: Mapping[str, Any] | None = None) -> None:
        self[position] = f"{state} {error}".strip()
        if kept is not None:
            self.kept[position] = kept

    def beat(self) -> None:
        """Nobody else waits for this one."""

    def require_held(self) -> None:
        """Nobody else takes it."""


# -- The toy cloud ---------------------------------------------------------------------------------

DOOR = "Toy::Door"
READ, WRITE, ORDER = "toy:GetDoor", "toy:SetDoor", "toy:OrderLock"
SECRET = "generated-secret-word"


class Doors(domain.LiveSession, domain.Writer):
    """Reads and writes the doors; ``doors`` maps a door's name to whether it is open.

    ``overlooked`` are the names that listing them leaves out, and ``nameless`` says that none can be looked up by name.
    ``locks`` are those ordered, by their number: for which ``Door``, from which ``Maker``, and their ``State``. One is
    ready when it is looked at for the second time.
    """

    def __init__(
        self, doors: dict[str, bool], read: list[str] | None = None, locks: dict[str, dict[str, str]] | None = None
    ) -> None:
        self.doors = doors
        self.noted = [] if read is None else read
        self.locks = {} if locks is None else locks
        self.overlooked: Set[str] = frozenset()
        self.nameless = False

    def collect(self, service: str, region: str, share: domain.Share = domain.WHOLE) -> Iterator[Resource]:
        self.noted.append("all")
        yield from (door(name, open) for name, open in self.doors.items() if name not in self.overlooked)

    def reread(self, resource: Resource) -> Resource | None:
        self.noted.append(resource.name)
        return door(resource.name, self.doors[resource.name]) if resource.name in self.doors else None

    def is_gone(self, resource: Resource) -> bool | None:
        return None if self.nameless else super().is_gone(resource)

    def read(self, call: Call) -> Mapping[str, Any] | None:
        body = call.body
        if "lock" in body:
            seen = dict(self.locks[body["lock"]])
            self.locks[body["lock"]]["State"] = "ready"
            return seen
        if "lock_of" in body:
            return next((lock for lock in self.locks.values() if lock["Door"] == body["lock_of"]), None)
        return {"Open": self.doors[body["door"]]} if body["door"] in self.doors else None

    def close(self) -> None:
        """Nothing is held open."""

    def write(self, call: Call) -> Mapping[str, Any]:
        body = call.body
        if "order" in body:
            number = f"lock-{len(self.locks) + 1}"
            self.locks[number] = {"Door": body["order"], "Maker": body["maker"], "State": "ordered"}
            return {"Lock": {"Number": number}}
        if "return" in body:
            return self.locks.pop(body["return"])
        self.doors[body["door"]] = body["open"]
        return {"Moved": body["door"]}


class ToyWriter(Doors):
    """Moves the doors; what ``denied`` names is refused."""

    def __init__(self, doors: dict[str, bool], locks: dict[str, dict[str, str]], denied: Set[str]) -> None:
        super().__init__(doors, locks=locks)
        self.denied = denied

    def rehearse(self, call: Call) -> bool:
        for each in call.permissions:
            if each.action in self.denied:
                raise domain.NotAllowed(each.action, f"{each.action} is not allowed")
        return False


class ToyOnboarding(domain.Onboarding):
    """Access by a role with a secret word; ``role/closed`` cannot be assumed, nor any while ``refused`` says why."""

    intro = "The role opens the doors to look through them."
    own_credentials = "These are our own doors."

    refused = ""

    def __init__(self, calls: list[str]) -> None:
        self.calls = calls

    def setup_templates(self, connection: Connection, permissions: Sequence[str]) -> list[SetupTemplate]:
        return [_script("role.sh", f"toy create-role --secret {connection.settings['secret']} --allow", *permissions)]

    def verify(self, connection: Connection, permissions: Sequence[str]) -> domain.Verification:
        self.calls.append(f"verify {dict(connection.settings)}")
        if self.refused or connection.settings["role"] == "role/closed":
            raise domain.ConnectionProblem("role", self.refused or "The role cannot be assumed.")
        checks = tuple(domain.Check(permission, True) for permission in permissions)
        return domain.Verification("1" * 12, "role/reader", checks)

    def regions(self, connection: Connection) -> list[domain.Region]:
        self.calls.append("regions")
        return [domain.Region("north"), domain.Region("south"), domain.Region("far", enabled=False)]


class ToyWriting(domain.Writing):
    """A second role, which moves the doors; it does not allow the permissions that ``denied`` names."""

    intro = "It is a second role, which moves the doors."
    longest_call = 0

    def __init__(self, cloud: ToyCloud) -> None:
        self.cloud = cloud
        self.denied: set[str] = set()

    def setup_templates(self, connection: Connection, groups: Sequence[FixGroup]) -> list[SetupTemplate]:
        command = f"toy create-role --secret {connection.settings['secret']} --choose"
        return [_script("role.sh", command, *(each.id for each in groups))]

    def allow_command(self, connection: Connection, groups: Sequence[FixGroup]) -> str:
        return f"sh role.sh --allow {','.join(each.id for each in groups)}"

    def verify(self, connection: Connection, permissions: Sequence[str]) -> domain.Verification:
        found = ToyOnboarding(self.cloud.calls).verify(connection, permissions)
        checks = (domain.Check(each.permission, each.permission not in self.denied) for each in found.checks)
        return replace(found, checks=tuple(checks))

    def open(self, connection: Connection, permissions: Sequence[Permission]) -> Doors:
        self.cloud.calls.append("open for writing")
        return ToyWriter(self.cloud.doors, locks=self.cloud.locks, denied=self.denied)

    def managed_by(self, resource: Resource) -> str:
        return ""


class ToyOrganisations(domain.OrganisationSource):
    """Houses that belong together; tests say which by ``listed``."""

    fields = (
        domain.Field("role_name", "Role", required=True, default="reader"),
        domain.Field("token", "Token of the members", secret=True),
    )
    permissions = ("toy:ListHouses",)
    intro = "Every house is looked through by a role of one name."
    rollout = "The script makes the role in every house."

    def __init__(self) -> None:
        self.listed: list[domain.Member] = []

    def prepare(self, connection: Connection, settings: Mapping[str, str]) -> dict[str, str]:
        return domain.completed(self.fields, settings)

    def members(self, connection: Connection) -> Iterator[domain.Member]:
        yield from self.listed

    def member_settings(self, connection: Connection, settings: Mapping[str, str], number: str) -> dict[str, str]:
        role = f"{number}/{settings['role_name']}"
        return {"role": role, "write_role": "", "secret": SECRET, "token": settings.get("token", "")}

    def setup_templates(
        self, connection: Connection, settings: Mapping[str, str], reading: Sequence[str], writing: Sequence[FixGroup]
    ) -> list[SetupTemplate]:
        return [_script("roles.sh", f"toy create-roles {settings['role_name']} --allow", *reading)]


class ToyEvents(domain.EventSource):
    largest = 256 * 1024
    steps = ("Put a bell on every door.", "Run the script.")

    def parse(self, message: Mapping[str, Any]) -> domain.Event:
        """A message names the doors that were moved; none is about all of them, and a window about nothing."""
        if "doors" not in message:
            raise ValueError("it names no doors")
        changed = tuple(
            domain.ChangedResource(
                "doors" if each != "window" else "windows",
                message.get("region", "north"),
                DOOR if each else "",
                f"door/{each}" if each else "",
                each,
            )
            for each in message["doors"]
        )
        return domain.Event(message["id"], message["account"], "toy:SetDoor", "north", changed)

    def setup_templates(self, endpoint: str) -> list[SetupTemplate]:
        return [_script("tell.sh", f"toy tell {endpoint}")]


def _script(filename: str, command: str, *permissions: str) -> SetupTemplate:
    text = " ".join([command, ",".join(permissions)]).strip()
    return SetupTemplate("cli", "Script", filename, "bash", text, "Run it.")


class ToyCloud(domain.Provider):
    """A provider with every facet but detections; ``doors`` maps a door's name to whether it is open."""

    id = "toy"
    name = "Toy cloud"
    fields = (
        domain.Field("role", "Role"),
        domain.Field("secret", "Secret word", generated=True),
        domain.Field("token", "Token", "Of the house, where it asks for one.", secret=True),
        domain.Field("write_role", "Role for fixes", for_writing=True),
    )
    services = (domain.Service("doors", "Doors", (DOOR,), (READ,)),)

    def __init__(self) -> None:
        self.doors: dict[str, bool] = {}
        self.locks: dict[str, dict[str, str]] = {}
        self.calls: list[str] = []
        self.read: list[str] = []
        self.closed = ""
        self.overlooked: set[str] = set()
        self.nameless = False
        self.onboarding = ToyOnboarding(self.calls)
        self.writing = ToyWriting(self)
        self.organisations = ToyOrganisations()
        self.events = ToyEvents()

    def type_name(self, type: str) -> str:
        return "door" if type == DOOR else type

    def partition(self, resource: str) -> str:
        return "toyland" if resource.startswith("door/") else ""

    def prepare(self, settings: Mapping[str, str]) -> dict[str, str]:
        if settings.get("role", "").startswith("user/"):
            raise domain.ConnectionProblem("role", "This is a user, not a role.")
        return {"role": "", "write_role": "", "secret": SECRET, "token": "", **settings}

    def open(self, connection: Connection) -> Doors:
        self.calls.append("open")
        if self.closed:
            raise domain.ConnectionProblem("role", self.closed)
        session = Doors(self.doors, self.read, self.locks)
        session.overlooked, session.nameless = self.overlooked, self.nameless
        return session


class CloseDoor(domain.Remediation):
    id = "toy.close"
    title = "Close the door"
    summary = "Closes it."
    breaks = "Nobody comes in without a key."
    provider = "toy"
    group = "Doors"
    on = (DOOR,)
    reads = (READ,)
    writes = (WRITE,)
    loses = ""

    def plan(self, request: domain.FixRequest, session: domain.LiveSession) -> list[Step]:
        resource = request.resource
        call, back = (
            Call("toy:SetDoor", {"door": resource.name, "open": open}, (Permission(WRITE),)) for open in (False, True)
        )
        return [Step(resource.id, f"Close {resource.name}", call, back, {"Open": True}, {"Open": False})]

    def state(self, step: Step, session: domain.LiveSession) -> Any:
        return session.read(step.call)


class FitLock(domain.Remediation):
    """A fix of two steps, of which the second uses what the first returned, once it is ready; it asks for an input."""

    id = "toy.lock"
    title = "Fit a lock"
    summary = "Orders a lock, and closes the door with it."
    breaks = "Nobody comes in without a key."
    provider = "toy"
    group = "Locks"
    on = (DOOR,)
    reads = (READ,)
    writes = (WRITE, ORDER)
    inputs = (domain.Field("maker", "Maker", "Who makes the lock.", required=True),)

    def plan(self, request: domain.FixRequest, session: domain.LiveSession) -> list[Step]:
        door, maker, number = request.resource, request.inputs["maker"], result(0, "Lock.Number")
        order = replace(_written("toy:OrderLock", order=door.name, maker=maker), permissions=(Permission(ORDER),))
        send_back = _written("toy:ReturnLock", **{"return": number})
        fit, take_out = (
            _written(f"toy:{verb}Lock", door=door.name, open=open, with_lock=number)
            for verb, open in (("Fit", False), ("Remove", True))
        )
        ready = Wait(Call("toy:GetLock", {"lock": number}, (Permission(READ),)), "State", ("ready",), 60, every=0)
        return [
            Step(door.id, "Order a lock", order, send_back, None, {"Maker": maker}, ready, ("Lock.Number",)),
            Step(door.id, f"Close {door.name} with it", fit, take_out, {"Open": True}, {"Open": False}),
        ]

    def state(self, step: Step, session: domain.LiveSession) -> Any:
        if "order" not in step.call.body:
            return session.read(step.call)
        lock = session.read(Call("toy:GetLock", {"lock_of": step.call.body["order"]}, (Permission(READ),)))
        return lock and {"Maker": lock["Maker"]}


def _written(label: str, **body: Any) -> Call:
    return Call(label, body, (Permission(WRITE),))


@rule(
    "toy.closed",
    on=DOOR,
    severity=domain.Severity.HIGH,
    fix="1. Push.",
    commands="toy set-door --name={name} --open=false",
    link="https://example.com/doors",
    remediations=["toy.close", "toy.lock"],
    good=[{"Open": False}],
    bad=[{"Open": True}],
)
def closed(door: domain.View) -> bool:
    """Doors are closed.

    Rain comes in through an open one.
    """
    return not door["Open"]


POLICY = domain.Framework(
    "toy-policy", "Toy policy", "toy", "https://example.com/policy", (domain.Control("1.1", "Doors", ("toy.closed",)),)
)


def _row(finding: domain.ExportedFinding) -> dict[str, Any]:
    return {"door": finding.resource.name, "verdict": finding.verdict, "controls": list(finding.controls)}


EXPORT = domain.Export("doors", "Door list", _row, provider="toy")


def door(name: str, open: bool) -> Resource:
    return Resource(DOOR, f"door/{name}", name, "north", "1" * 12, {"Open": open})
