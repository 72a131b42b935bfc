"""Amazon Web Services as a provider: what the platform calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nephoscope.domain import (
    Call,
    Check,
    Connection,
    ConnectionProblem,
    Event,
    Kit,
    Member,
    MemberRole,
    Permission,
    Provider,
    Region,
    Resource,
    Verification,
)
from nephoscope_aws import (
    collectors,
    event_kits,
    events,
    incidents,
    onboarding,
    organisation,
    stacksets,
    verify,
)
from nephoscope_aws.api import Api, Denied, Unavailable
from nephoscope_aws.connect import Connected, connect, own_principal
from nephoscope_aws.defaults import DEFAULTS
from nephoscope_aws.session import AwsSession, AwsWriter, session_policy
from nephoscope_aws.settings import FIELDS, READ_ROLE, WRITE_ROLE
from nephoscope_aws.settings import prepare as prepared

REGION_READS = {("ec2", "describe_regions"): "ec2:DescribeRegions"}
"""What listing the regions calls."""

_IDENTITY_ONLY = session_policy([Permission("sts:GetCallerIdentity")])


def reads() -> dict[tuple[str, str], str]:
    """Return every declared call, the collectors' and the provider's own, with the IAM action it needs."""
    declared = {**REGION_READS, **verify.READS, **incidents.READS}
    for collector in collectors.ALL.values():
        declared.update(collector.reads)
    return declared


class AwsProvider(Provider):
    """AWS accounts, reached by assuming a role in each, or as the account of one's own credentials."""

    id = "aws"
    name = "Amazon Web Services"
    fields = FIELDS
    services = (*(collector.service for collector in collectors.ALL.values()), incidents.SERVICE)
    defaults = DEFAULTS
    member_permissions = tuple(sorted(organisation.READS.values()))

    def prepare(self, settings: Mapping[str, str]) -> dict[str, str]:
        return prepared(settings)

    def kits(self, connection: Connection, permissions: Sequence[str], *, writing: bool) -> list[Kit]:
        settings = prepared(connection.settings)
        trusted = own_principal(settings)
        if writing:
            return onboarding.kits(onboarding.writing_role(permissions, settings["write_external_id"], trusted))
        wanted = {*permissions, *reads().values()}
        return onboarding.kits(onboarding.reading_role(sorted(wanted), settings["external_id"], trusted))

    def verify(self, connection: Connection, permissions: Sequence[str], *, writing: bool) -> Verification:
        if writing:
            return self._verify_writing(connection, permissions)
        connected = connect(connection)
        session = self._session(connected)
        try:
            checks = _checks(session.api, connected, permissions)
        finally:
            session.close()
        return Verification(connected.account, connected.principal, tuple(checks))

    def _verify_writing(self, connection: Connection, permissions: Sequence[str]) -> Verification:
        """Assume the role for fixes, able to do nothing, and have the one for reading simulate its permissions."""
        fixing = connect(_with_write_role(connection), writing=True, policy=_IDENTITY_ONLY)
        session = self.open(connection)
        try:
            checks = verify.simulate(session.api, fixing.role, permissions)
        except (Denied, Unavailable) as hidden:
            checks = [Check(permission, None, hidden.message) for permission in permissions]
        finally:
            session.close()
            fixing.clients.close()
        return Verification(fixing.account, fixing.principal, tuple(checks))

    def regions(self, connection: Connection) -> list[Region]:
        session = self.open(connection)
        try:
            found = session.api.call("ec2", "describe_regions", AllRegions=True)["Regions"]
        except (Denied, Unavailable) as hidden:
            field = "role_arn" if connection.settings.get("role_arn") else "profile"
            raise ConnectionProblem(field, f"The regions could not be listed: {hidden.message}.") from None
        finally:
            session.close()
        return sorted(
            (Region(each["RegionName"], each.get("OptInStatus") != "not-opted-in") for each in found),
            key=lambda region: region.id,
        )

    def members(self, connection: Connection) -> Iterator[Member]:
        connected = connect(connection)
        api = Api(connected.account, connected.clients.declared(frozenset(organisation.READS)), organisation.READS)
        try:
            yield from organisation.members(api)
        finally:
            api.close()
            connected.clients.close()

    def member_settings(
        self, connection: Connection, number: str, reading: MemberRole, writing: MemberRole | None
    ) -> dict[str, str]:
        return organisation.member_settings(connection, number, reading, writing)

    def member_kits(
        self, connection: Connection, role: MemberRole, permissions: Sequence[str], *, writing: bool
    ) -> list[Kit]:
        trusted = own_principal(connection.settings)
        if writing:
            made = onboarding.writing_role(permissions, role.external_id, trusted, role.name)
            return stacksets.kits(made, role.path, WRITE_ROLE)
        wanted = {*permissions, *reads().values()}
        made = onboarding.reading_role(wanted, role.external_id, trusted, role.name)
        return stacksets.kits(made, role.path, READ_ROLE)

    def archiving(self, incident: Resource, *, archive: bool) -> Call:
        return incidents.archiving(incident, archive=archive)

    def event(self, message: Mapping[str, Any]) -> Event:
        return events.event(message)

    def event_kits(self, endpoint: str) -> list[Kit]:
        return event_kits.kits(endpoint)

    def open(self, connection: Connection) -> AwsSession:
        return self._session(connect(connection))

    def _session(self, connected: Connected) -> AwsSession:
        return AwsSession(connected, collectors.ALL, reads())

    def open_for_writing(self, connection: Connection, permissions: Sequence[Permission]) -> AwsWriter:
        """Open for writing. Raises ConnectionProblem; PlanProblem when AWS cannot be told so many permissions."""
        policy = session_policy(permissions)
        return AwsWriter(connect(_with_write_role(connection), writing=True, policy=policy))


def _with_write_role(connection: Connection) -> Connection:
    if not connection.settings.get("write_role_arn"):
        raise ConnectionProblem(
            "write_role_arn",
            "This account has no role for fixes, so Nephoscope cannot change anything in it. To enable fixes, create "
            "the role with the kit for writing and enter its ARN.",
        )
    return connection


def _checks(api: Api, connected: Connected, permissions: Sequence[str]) -> list[Check]:
    """Simulate; where that is refused, try; and know that root needs neither."""
    if connected.principal.endswith(":root"):
        return verify.all_allowed(permissions)
    why = "the session of a federated user cannot be simulated"
    if source := verify.policy_source(connected):
        try:
            return verify.simulate(api, source, permissions)
        except (Denied, Unavailable) as hidden:
            why = f"it could not be simulated ({hidden.message}), nor tried without naming a resource"
    return verify.attempt(api, connected.clients, reads(), permissions, why)
