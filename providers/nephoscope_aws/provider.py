"""Amazon Web Services as a provider: what the platform calls, the core and every facet."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from nephoscope.domain import (
    Check,
    Connection,
    ConnectionProblem,
    Deadline,
    Detection,
    DetectionCleared,
    DetectionSource,
    Event,
    EventSource,
    FixGroup,
    LiveSession,
    Member,
    Onboarding,
    OrganisationSource,
    Permission,
    Provider,
    Region,
    Resource,
    Session,
    SetupTemplate,
    TagLimits,
    Verification,
    Writing,
)
from nephoscope_aws import (
    collectors,
    detections,
    event_templates,
    events,
    managers,
    onboarding,
    organisation,
    stacksets,
    tagging,
    verify,
)
from nephoscope_aws.answers import Unavailable
from nephoscope_aws.api import Api, Denied
from nephoscope_aws.clients import too_slow
from nephoscope_aws.connect import Connected, connect, hindrance, own_principal
from nephoscope_aws.defaults import DEFAULTS
from nephoscope_aws.names import partition, type_name
from nephoscope_aws.session import AwsSession
from nephoscope_aws.settings import FIELDS, ORGANISATION_FIELDS, READ_ROLE, WRITE_ROLE
from nephoscope_aws.settings import prepare as prepared
from nephoscope_aws.writer import AwsWriter, session_policy

REGION_READS = {("ec2", "describe_regions"): "ec2:DescribeRegions"}
"""What listing the regions calls."""

TAG_LIMITS = TagLimits(50, 128, 256, r"[\w .:/=+\-@]*", "letters, digits, spaces and _ . : / = + - @")
"""https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html"""

_IDENTITY_ONLY = session_policy([Permission("sts:GetCallerIdentity")])


def reads() -> dict[tuple[str, str], str]:
    """Return every declared call, the collectors' and the provider's own, with the IAM action it needs."""
    declared = {**REGION_READS, **verify.READS, **detections.READS, **tagging.READS}
    for collector in collectors.ALL.values():
        declared.update(collector.reads)
    return declared


def _open(connected: Connected) -> AwsSession:
    return AwsSession(connected, collectors.ALL, reads())


class AwsOnboarding(Onboarding):
    """The role for reading, assumed from Nephoscope's own credentials; or those credentials' own account."""

    intro = (
        "Nephoscope reads the account through a role that you create with one of these and can delete at any time. "
        "Then enter the role's ARN."
    )
    own_credentials = "No role needed: Nephoscope’s own credentials belong to this account."

    def hindrance(self, connection: Connection) -> str:
        return hindrance(connection.settings, connection.deadline)

    def setup_templates(self, connection: Connection, permissions: Sequence[str]) -> list[SetupTemplate]:
        settings = prepared(connection.settings)
        wanted = sorted({*permissions, *reads().values()})
        role = onboarding.reading_role(wanted, settings["external_id"], own_principal(settings, connection.deadline))
        return onboarding.setup_templates(role)

    def verify(self, connection: Connection, permissions: Sequence[str]) -> Verification:
        connected = connect(connection)
        session = _open(connected)
        try:
            checks = _checks(session.api, connected, permissions)
        finally:
            session.close()
        return Verification(connected.account, connected.principal, tuple(checks))

    def regions(self, connection: Connection) -> list[Region]:
        session = _open(connect(connection))
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


class AwsWriting(Writing):
    """A second role, held in each session to what was approved."""

    intro = "It is a second role with its own external ID and only the permissions of the fixes that you choose."

    def setup_templates(self, connection: Connection, groups: Sequence[FixGroup]) -> list[SetupTemplate]:
        settings = prepared(connection.settings)
        trusted = own_principal(settings, connection.deadline)
        return onboarding.setup_templates(onboarding.writing_role(groups, settings["write_external_id"], trusted))

    def allow_command(self, connection: Connection, groups: Sequence[FixGroup]) -> str:
        return onboarding.allow_command(connection.settings.get("write_role_arn", ""), groups)

    def verify(self, connection: Connection, permissions: Sequence[str]) -> Verification:
        """Assume the role, able to do nothing, and have the one for reading simulate its permissions."""
        fixing = connect(_with_write_role(connection), writing=True, policy=_IDENTITY_ONLY)
        session = _open(connect(connection))
        try:
            checks = verify.simulate(session.api, fixing.role, permissions)
        except (Denied, Unavailable) as hidden:
            checks = [Check(permission, None, hidden.message) for permission in permissions]
        finally:
            session.close()
            fixing.clients.close()
        return Verification(fixing.account, fixing.principal, tuple(checks))

    def open(self, connection: Connection, permissions: Sequence[Permission]) -> AwsWriter:
        with_role = _with_write_role(connection)
        return AwsWriter(lambda policy: connect(with_role, writing=True, policy=policy), permissions)

    def managed_by(self, resource: Resource) -> str:
        return managers.manager(resource.tags)

    def tags(self, resources: Sequence[Resource], session: LiveSession) -> Mapping[str, Mapping[str, str]]:
        return tagging.tags(resources, session)


class AwsOrganisations(OrganisationSource):
    """AWS Organizations; its members get their roles from a StackSet."""

    fields = ORGANISATION_FIELDS
    permissions = tuple(sorted(organisation.READS.values()))
    intro = (
        "An organisation is listed through its management account or a delegated administrator. Each member is read "
        "through a role of the same name; next you get a StackSet that creates that role everywhere."
    )
    rollout = "A StackSet creates the role in every member. The external ID and the trusted identity are filled in."

    def prepare(self, connection: Connection, settings: Mapping[str, str]) -> dict[str, str]:
        return organisation.prepare(connection, settings)

    def members(self, connection: Connection) -> Iterator[Member]:
        connected = connect(connection)
        api = Api(connected.account, connected.clients.declared(frozenset(organisation.READS)), organisation.READS)
        try:
            yield from organisation.members(api)
        finally:
            api.close()
            connected.clients.close()

    def member_settings(self, connection: Connection, settings: Mapping[str, str], number: str) -> dict[str, str]:
        return organisation.member_settings(connection, settings, number)

    def setup_templates(
        self, connection: Connection, settings: Mapping[str, str], reading: Sequence[str], writing: Sequence[FixGroup]
    ) -> list[SetupTemplate]:
        trusted, path = own_principal(connection.settings, connection.deadline), settings["role_path"]
        wanted = {*reading, *reads().values()}
        role = onboarding.reading_role(wanted, settings["external_id"], trusted, settings["role_name"])
        found = stacksets.setup_templates(role, path, READ_ROLE)
        if name := settings["write_role_name"]:
            role = onboarding.writing_role(writing, settings["write_external_id"], trusted, name)
            found += stacksets.for_fixes(stacksets.setup_templates(role, path, WRITE_ROLE))
        return found


class AwsEvents(EventSource):
    """EventBridge: calls that CloudTrail records."""

    largest = 256 * 1024
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html"""
    steps = (
        "Make sure that CloudTrail has a trail that logs management events in all regions.",
        f"Use one of these in every region that is scanned, and in {event_templates.HOME_REGION}, where "
        "events of IAM and other global services arrive.",
    )

    def parse(self, message: Mapping[str, Any]) -> Event:
        return events.event(message)

    def setup_templates(self, endpoint: str) -> list[SetupTemplate]:
        return event_templates.setup_templates(endpoint)


class GuardDuty(DetectionSource):
    name = detections.SOURCE
    archive = detections.ARCHIVE

    def responses(self, detection: Resource) -> tuple[str, ...]:
        """A user or role that a finding names can be contained."""
        return (detections.CONTAIN,) if detections.identity(detection) else ()

    def read(
        self, session: Session, service: str, region: str, since: datetime | None, known: Collection[str]
    ) -> Iterator[Detection | DetectionCleared | Resource]:
        assert isinstance(session, AwsSession)
        return detections.read(session.api, region, since, known)


class AwsProvider(Provider):
    """AWS accounts, reached by assuming a role in each, or as the account of one's own credentials."""

    id = "aws"
    name = "Amazon Web Services"
    fields = FIELDS
    services = (*(collector.service for collector in collectors.ALL.values()), detections.SERVICE)
    defaults = DEFAULTS
    tag_limits = TAG_LIMITS
    account_type = (10, "AWS Account")

    onboarding = AwsOnboarding()
    writing = AwsWriting()
    organisations = AwsOrganisations()
    events = AwsEvents()
    detections = GuardDuty()

    def prepare(self, settings: Mapping[str, str]) -> dict[str, str]:
        return prepared(settings)

    def too_slow(self, deadline: Deadline) -> ConnectionProblem:
        return too_slow(deadline)

    def type_name(self, type: str) -> str:
        return type_name(type)

    def partition(self, resource: str) -> str:
        return partition(resource)

    def open(self, connection: Connection) -> AwsSession:
        return _open(connect(connection))


def _with_write_role(connection: Connection) -> Connection:
    if not connection.settings.get("write_role_arn"):
        raise ConnectionProblem(
            "write_role_arn",
            "This account has no role for fixes, so Nephoscope cannot change anything in it. To enable fixes, create "
            "the role with the setup template for fixes and enter its ARN.",
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
