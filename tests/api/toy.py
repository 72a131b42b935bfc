"""A cloud of doors, held in memory: all that the API's tests need of a provider, a rule, a policy and a fix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nephoscope import domain
from nephoscope.domain import Call, Connection, Permission, Resource, Step, rule

READ, WRITE = "toy:GetDoor", "toy:SetDoor"


class Doors(domain.Session, domain.Writer):
    """Reads and writes the doors; ``doors`` maps a door's name to whether it is open."""

    def __init__(self, doors: dict[str, bool], read: list[str] | None = None) -> None:
        self.doors = doors
        self.noted = [] if read is None else read

    def collect(self, service: str, region: str) -> Iterator[Resource]:
        self.noted.append("all")
        yield from (door(name, open) for name, open in self.doors.items())

    def reread(self, resource: Resource) -> Resource | None:
        self.noted.append(resource.name)
        return door(resource.name, self.doors[resource.name]) if resource.name in self.doors else None

    def read(self, call: Call) -> Mapping[str, Any] | None:
        return {"Open": self.doors[call.parameters["door"]]}

    @property
    def calls(self) -> int:
        return 0

    def close(self) -> None:
        """Nothing is held open."""

    def write(self, call: Call) -> None:
        self.doors[call.parameters["door"]] = call.parameters["open"]


class ToyCloud(domain.Provider):
    id = "toy"
    name = "Toy cloud"
    fields = (
        domain.Field("role", "Role"),
        domain.Field("secret", "Secret word", generated=True),
        domain.Field("write_role", "Role for fixes", for_writing=True),
    )
    member_permissions = ("toy:ListHouses",)
    services = (domain.Service("doors", "Doors", ("Toy::Door",), (READ,)),)

    def __init__(self) -> None:
        self.doors: dict[str, bool] = {}
        self.calls: list[str] = []
        self.read: list[str] = []
        self.closed = ""

    def prepare(self, settings: Mapping[str, str]) -> dict[str, str]:
        if settings.get("role", "").startswith("user/"):
            raise domain.ConnectionProblem("role", "This is a user, not a role.")
        return {"role": "", "write_role": "", "secret": "generated-secret-word", **settings}

    def kits(self, connection: Connection, permissions: Sequence[str], *, writing: bool) -> list[domain.Kit]:
        secret = connection.settings["secret"]
        text = f"toy create-role --secret {secret} --allow {','.join(permissions)}"
        return [domain.Kit("cli", "Script", "role.sh", "bash", text, "Run it.")]

    def member_settings(
        self, connection: Connection, number: str, reading: domain.MemberRole, writing: domain.MemberRole | None
    ) -> dict[str, str]:
        return self.prepare({"role": f"{number}/{reading.name}"})

    def member_kits(
        self, connection: Connection, role: domain.MemberRole, permissions: Sequence[str], *, writing: bool
    ) -> list[domain.Kit]:
        return [domain.Kit("cli", "Script", "role.sh", "bash", f"toy create-roles {role.name}", "Run it.")]

    def verify(self, connection: Connection, permissions: Sequence[str], *, writing: bool) -> domain.Verification:
        self.calls.append(f"verify {dict(connection.settings)}")
        if connection.settings["role"] == "role/closed":
            raise domain.ConnectionProblem("role", "The role cannot be assumed.")
        checks = tuple(domain.Check(permission, True) for permission in permissions)
        return domain.Verification("1" * 12, "role/reader", checks)

    def regions(self, connection: Connection) -> list[domain.Region]:
        self.calls.append("regions")
        return [domain.Region("north"), domain.Region("south"), domain.Region("far", enabled=False)]

    def event(self, message: Mapping[str, Any]) -> domain.Event:
        """A message names the doors that were moved; none is about all of them, and a window about nothing."""
        if "doors" not in message:
            raise ValueError("it names no doors")
        name = "Toy::Door"
        touched = tuple(
            domain.Touched(
                "doors" if each != "window" else "windows",
                message.get("region", "north"),
                name if each else "",
                f"door/{each}" if each else "",
                each,
            )
            for each in message["doors"]
        )
        return domain.Event(message["id"], message["account"], "toy:SetDoor", "north", touched)

    def event_kits(self, endpoint: str) -> list[domain.Kit]:
        return [domain.Kit("script", "Script", "tell.sh", "bash", f"toy tell {endpoint}", "Run it.")]

    def open(self, connection: Connection) -> Doors:
        self.calls.append("open")
        if self.closed:
            raise domain.ConnectionProblem("role", self.closed)
        return Doors(self.doors, self.read)

    def open_for_writing(self, connection: Connection, permissions: Sequence[Permission]) -> Doors:
        self.calls.append("open for writing")
        return Doors(self.doors)


class CloseDoor(domain.Remediation):
    id = "toy.close"
    title = "Close the door"
    summary = "Closes it."
    provider = "toy"
    on = "Toy::Door"
    reads = (READ,)
    writes = (WRITE,)

    def plan(self, resource: Resource, session: domain.Session) -> list[Step]:
        call, back = (
            Call("toy", "set", {"door": resource.name, "open": open}, Permission(WRITE)) for open in (False, True)
        )
        return [Step(resource.id, f"Close {resource.name}", call, back, {"Open": True}, {"Open": False})]

    def state(self, step: Step, session: domain.Session) -> Any:
        return session.read(step.call)


@rule(
    "toy.closed",
    on="Toy::Door",
    severity=domain.Severity.HIGH,
    fix="1. Push.",
    link="https://example.com/doors",
    remediations=["toy.close"],
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


def door(name: str, open: bool) -> Resource:
    return Resource("Toy::Door", f"door/{name}", name, "north", "1" * 12, {"Open": open})
