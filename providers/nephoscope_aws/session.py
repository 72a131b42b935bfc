"""Open connections to one account: the one that reads, and the one that may write what was approved."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from nephoscope.domain import (
    ALL_REGIONS,
    WHOLE,
    Call,
    Incident,
    Over,
    Permission,
    PlanProblem,
    Resource,
    Session,
    Share,
    Writer,
)
from nephoscope_aws import incidents
from nephoscope_aws.api import Api, code_of, translated
from nephoscope_aws.clients import ClientCache
from nephoscope_aws.collector import Collector
from nephoscope_aws.connect import Connected

MAX_SESSION_POLICY = 2_048
"""Characters of an inline session policy: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"""

_READING = ("get_", "list_", "describe_", "head_")
"""How operations that change nothing begin, in boto3's names."""


def send(clients: ClientCache, call: Call) -> dict[str, Any]:
    """Make the call as it stands. Raises Denied, Unavailable, or what botocore raises."""
    try:
        client = clients.client(call.service, "" if call.region == ALL_REGIONS else call.region)
        answer: dict[str, Any] = getattr(client, call.operation)(**call.parameters)
    except (ClientError, BotoCoreError, ResponseParserError) as error:
        raise translated(error, call.permission.action) from error
    answer.pop("ResponseMetadata", None)
    return answer


def says_missing(error: ClientError) -> bool:
    """Return whether AWS says that what was asked for does not exist: NoSuchBucket, TrailNotFoundException, 404 …"""
    code = code_of(error)
    return code.startswith("NoSuch") or "NotFound" in code or code == "404"


class AwsSession(Session):
    """One account, open for reading. Safe to use from several threads."""

    def __init__(
        self, connected: Connected, collectors: Mapping[str, Collector], reads: Mapping[tuple[str, str], str]
    ) -> None:
        self._clients = connected.clients
        self._declared = connected.clients.declared(frozenset(reads))
        self.api = Api(connected.account, self._declared, reads)
        self._collectors = collectors
        self._by_type = {type: each for each in collectors.values() for type in each.service.types}
        self._reads = 0

    def collect(self, service: str, region: str, share: Share = WHOLE) -> Iterator[Resource]:
        collector = self._collectors[service]
        return collector.collect(self.api, region, *(() if share == WHOLE else (share,)))

    def incidents(
        self, service: str, region: str, since: datetime | None, known: Collection[str]
    ) -> Iterator[Incident | Over | Resource]:
        return incidents.incidents(self.api, region, since, known)

    def reread(self, resource: Resource) -> Resource | None:
        if resource.type == incidents.FINDING:
            return incidents.reread(self.api, resource)
        return self._by_type[resource.type].reread(self.api, resource)

    def read(self, call: Call) -> Mapping[str, Any] | None:
        """Do one reading call, by an operation that begins with get, list, describe or head.

        Own credentials may be allowed more than reading, hence the look at the operation: ValueError for another one.
        """
        if not call.operation.startswith(_READING):
            raise ValueError(f"{call.service}.{call.operation} is not a reading call")
        self._reads += 1
        try:
            return send(self._clients, call)
        except ClientError as error:
            if says_missing(error):
                return None
            raise

    @property
    def calls(self) -> int:
        return self.api.calls + self._reads

    def close(self) -> None:
        self.api.close()
        self._declared.close()
        self._clients.close()


class AwsWriter(Writer):
    """One account, open for writing, held by AWS to the permissions in its session policy."""

    def __init__(self, connected: Connected) -> None:
        self._clients = connected.clients

    def write(self, call: Call) -> None:
        """Do one changing call. Raises Denied, Unavailable, or what botocore raises."""
        send(self._clients, call)


def session_policy(permissions: Sequence[Permission]) -> str:
    """Return the JSON that holds a role's session to just these permissions, one statement per set of resources.

    :raises PlanProblem: it would be longer than :data:`MAX_SESSION_POLICY`.
    """
    actions: dict[str, set[str]] = defaultdict(set)
    for permission in permissions:
        actions[permission.resource].add(permission.action)
    resources: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for resource, allowed in sorted(actions.items()):
        resources[tuple(sorted(allowed))].append(resource)
    statements = [{"Effect": "Allow", "Action": list(allowed), "Resource": on} for allowed, on in resources.items()]
    text = json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
    if not permissions:
        raise PlanProblem("A plan that needs no permissions changes nothing.")
    if len(text) > MAX_SESSION_POLICY:
        raise PlanProblem(
            f"What this plan may do takes {len(text):,} characters to say and AWS allows {MAX_SESSION_POLICY:,}. "
            "Plan for fewer resources at a time."
        )
    return text
