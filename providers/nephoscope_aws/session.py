"""Open connections to one account: the one that reads, and the one that may write what was approved."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from nephoscope.domain import (
    ALL_REGIONS,
    WHOLE,
    Call,
    LiveSession,
    Resource,
    Share,
)
from nephoscope_aws import detections, lookups
from nephoscope_aws.answers import Unavailable
from nephoscope_aws.api import MALFORMED, RAISED, Api, says_missing, slots, translated
from nephoscope_aws.call import AwsCall
from nephoscope_aws.clients import ClientCache
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.shape import PROBLEMS, unreadable
from nephoscope_aws.connect import Connected
from nephoscope_aws.names import partition

log = logging.getLogger(__name__)

_READING = ("get_", "list_", "describe_", "head_", "batch_get_")
"""How operations that change nothing begin, in boto3's names."""


def send(clients: ClientCache, call: Call) -> dict[str, Any]:
    """Make the call as it stands. Raises Denied, Unavailable, or what botocore raises."""
    asked = AwsCall.of(call)
    try:
        client = clients.client(asked.service, "" if asked.region == ALL_REGIONS else asked.region)
        answer: dict[str, Any] = getattr(client, asked.operation)(**asked.parameters)
    except RAISED as error:
        raise translated(error, call.permissions[0].action) from error
    answer.pop("ResponseMetadata", None)
    return answer


def _understood(problem: Exception, what: str) -> Exception:
    """Return what a collector raised, as Unavailable when that is because an answer holds what no answer should."""
    if isinstance(problem, MALFORMED):
        return Unavailable(f"{what}: AWS's answer could not be read ({type(problem).__name__})")
    return problem


class AwsSession(LiveSession):
    """One account, open for reading. Safe to use from several threads."""

    def __init__(
        self, connected: Connected, collectors: Mapping[str, Collector], reads: Mapping[tuple[str, str], str]
    ) -> None:
        self._clients = connected.clients
        self._declared = connected.clients.declared(frozenset(reads))
        self.api = Api(connected.account, self._declared, reads, connected.regions, partition(connected.principal))
        self._collectors = collectors
        self._by_type = {type: each for each in collectors.values() for type in each.service.types}

    def collect(self, service: str, region: str, share: Share = WHOLE) -> Iterator[Resource]:
        """See :class:`nephoscope.domain.Session`. What an answer lacks in one resource hides all of the service."""
        collector = self._collectors[service]
        try:
            yield from collector.collect(self.api, region, *(() if share == WHOLE else (share,)))
        except (*PROBLEMS, *MALFORMED) as problem:
            log.warning("%s in %s could not be read to the end", service, region, exc_info=True)
            for type in collector.service.types:
                yield unreadable(self.api, region, type, _understood(problem, service), share)

    def reread(self, resource: Resource) -> Resource | None:
        try:
            if resource.type == detections.FINDING:
                return detections.reread(self.api, resource)
            return self._by_type[resource.type].reread(self.api, resource)
        except MALFORMED as problem:
            raise _understood(problem, resource.type) from problem

    def is_gone(self, resource: Resource) -> bool | None:
        return lookups.is_gone(self.api, resource)

    def read(self, call: Call) -> Mapping[str, Any] | None:
        """Do one reading call, by an operation that begins with get, list, describe, head or batch_get.

        Own credentials may be allowed more than reading, hence the look at the operation: ValueError for another one.
        """
        asked = AwsCall.of(call)
        if not asked.operation.startswith(_READING):
            raise ValueError(f"{asked.service}.{asked.operation} is not a reading call")
        try:
            with slots(self.api.account):
                return send(self._clients, call)
        except ClientError as error:
            if says_missing(error):
                return None
            raise

    def close(self) -> None:
        self.api.close()
        self._declared.close()
        self._clients.close()
