"""Clients of AWS for one session: its own credentials, one client per service and region, cheap to make."""

from __future__ import annotations

import math
import os
import re
import threading
from collections import OrderedDict
from typing import Any
from urllib.parse import urlsplit

import botocore
from botocore.config import Config
from botocore.credentials import CredentialProvider, CredentialResolver, Credentials
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from botocore.session import Session

from nephoscope.domain import ConnectionProblem, Deadline
from nephoscope_aws.answers import check_body, check_parts
from nephoscope_aws.api import IN_FLIGHT
from nephoscope_aws.models import WHOLE, Models, Operation, declared
from nephoscope_aws.patience import bound_answers

ATTEMPTS = 6
"""Times a call is tried in all while AWS throttles or fails, after waiting longer each time, up to 20 s.

The mode is botocore's *standard*. Its *adaptive* one throttles the client as well, for a long time after each refusal:
with 5 % of all calls refused a scan of 3,000 resources took ten times as long. What keeps scans polite is the bound on
calls in flight: https://boto3.amazonaws.com/v1/documentation/api/latest/guide/retries.html
"""

ATTEMPTS_TO_CONNECT = 3
"""Times a call is tried that finds out whether an account can be reached, when nobody waits."""

CONNECT_TIMEOUT = 5
READ_TIMEOUT = 25
"""Seconds that AWS may take to take the connection, and to answer to the end."""

ATTEMPTS_OF_HANGING = 2
"""Times a call is tried that gets no answer at all: with the time limit, what hangs costs less than a minute."""

WRITE_SECONDS = 30
"""Seconds in which tries of a changing call begin; each reaches AWS within READ_TIMEOUT and CONNECT_TIMEOUT more."""

HOME = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
"""Partition -> the region that calls without one go to, when the configured one is of another partition."""


class _Given(CredentialProvider):  # type: ignore[misc,unused-ignore]
    """A chain of credentials of one link: the ones that were given."""

    METHOD = "given"

    def __init__(self, credentials: Credentials) -> None:
        super().__init__()
        self._credentials = credentials

    def load(self) -> Any:
        return self._credentials


def new_session(profile: str = "", credentials: Credentials | None = None, models: Models = WHOLE) -> Session:
    """Return a session with credentials of its own: the given ones, or boto3's usual chain.

    That chain is the environment, the shared files (``profile``, or the default one), and the role of the machine:
    https://boto3.amazonaws.com/v1/documentation/api/latest/guide/credentials.html

    :raises botocore.exceptions.ProfileNotFound: there is no such profile; raised by whatever first reads it.
    """
    session = Session(profile=profile or None)
    session.register_component("data_loader", models)
    if credentials is not None:
        session.register_component("credential_provider", CredentialResolver([_Given(credentials)]))
    return session


def has_own_endpoint(session: Session) -> bool:
    """Return whether calls go to an address that someone configured instead of AWS's own.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
    """
    in_environment = any(name.startswith("AWS_ENDPOINT_URL") and value for name, value in os.environ.items())
    return in_environment or "endpoint_url" in session.get_scoped_config()


def config(session: Session, attempts: int = ATTEMPTS, patience: float = READ_TIMEOUT) -> Config:
    """Return how clients behave. An own endpoint has one name, so none per bucket or account is put before it.

    :param patience: seconds that AWS may take to say something.
    """
    own = has_own_endpoint(session)
    return Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=min(CONNECT_TIMEOUT, patience),
        read_timeout=patience,
        max_pool_connections=IN_FLIGHT,
        tcp_keepalive=True,
        # A fixed one: botocore would put the usual one together anew for every call, a fifteenth of what a call costs.
        user_agent=f"nephoscope Botocore/{botocore.__version__}",
        inject_host_prefix=not own,
        s3={"addressing_style": "path"} if own else {},
    )


def give_up_hanging(attempts: int, caught_exception: Exception | None = None, **_: Any) -> None:
    """Handle botocore's event ``needs-retry``: what did not answer twice is hanging, and not asked a third time.

    The handlers of this event can only ask for another try, so this one raises what would be raised after the last.
    """
    if attempts >= ATTEMPTS_OF_HANGING and isinstance(caught_exception, ReadTimeoutError | ConnectTimeoutError):
        raise caught_exception


def too_slow(deadline: Deadline) -> ConnectionProblem:
    """Return what is said to the person who waited."""
    return ConnectionProblem(
        "account",
        f"AWS did not answer within {deadline}. Try again; if it stays like this, check the network, "
        "the proxy and AWS_ENDPOINT_URL of the machine that Nephoscope runs on.",
    )


def hold_to(deadline: Deadline, events: Any) -> None:
    """Have a client begin no call after the deadline, when nobody waits any more; it raises ConnectionProblem then."""

    def check(**_: Any) -> None:
        if deadline.left <= 0:
            raise too_slow(deadline)

    events.register("before-call", check)


def home_region(session: Session, partition: str) -> str:
    """Return the configured region if it is of this partition, else the partition's first; no partition is any."""
    region = session.get_config_variable("region")
    if region and (not partition or session.get_partition_for_region(region) == partition):
        return str(region)
    return HOME[partition or "aws"]


def without_account(params: dict[str, Any], **_: Any) -> None:
    """Take the account number off the host that S3 Control is called at, which botocore puts before any endpoint.

    An address, or a name that is not AWS's, has no subdomain per account. The number is in a header as well:
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_ListAccessPoints.html
    """
    url = urlsplit(params["url"])
    if not (url.hostname or "").endswith((".amazonaws.com", ".amazonaws.com.cn")):
        params["url"] = url._replace(netloc=re.sub(r"^\d{12}\.", "", url.netloc)).geturl()


KEPT = 32
"""Clients that a session keeps; the one not used for longest goes first. A scan has some hundred services and regions,
each needed for a moment only, and each client holds half a megabyte."""


class ClientCache:
    """One session's clients, per service and region. botocore's clients are thread-safe, making them is not:

    https://boto3.amazonaws.com/v1/documentation/api/latest/guide/clients.html

    With a deadline, each call is tried once and given up soon after it: the platform stops waiting at the deadline
    itself, and what it leaves behind should not go on for long. ``parts``: for the reading of many things by an Api,
    to which what is odd in one thing of an answer is told; others get no answer that is not all right.
    """

    def __init__(
        self,
        session: Session,
        home: str,
        attempts: int = ATTEMPTS,
        deadline: Deadline | None = None,
        *,
        parts: bool = False,
    ) -> None:
        self.home = home
        self._check = check_parts if parts else check_body
        self.deadline = deadline
        self.tries_until: Deadline | None = None
        self._session = session
        self._attempts = 1 if deadline else attempts
        self._patience = min(READ_TIMEOUT, math.ceil(deadline.seconds) + 1) if deadline else READ_TIMEOUT
        self._lock = threading.Lock()
        self._clients: OrderedDict[tuple[str, str], Any] = OrderedDict()

    def client(self, service: str, region: str = "") -> Any:
        """Return the client of a service in a region, by default the home region."""
        at = (service, region or self.home)
        with self._lock:
            if at not in self._clients:
                self._clients[at] = self._new_client(*at)
            self._clients.move_to_end(at)
            if len(self._clients) > KEPT:
                # Not closed: a thread may be using it. It goes with the last one that does.
                self._clients.popitem(last=False)
            return self._clients[at]

    def _new_client(self, service: str, region: str) -> Any:
        behaviour = config(self._session, self._attempts, self._patience)
        client = self._session.create_client(service, region, config=behaviour)
        bound_answers(client)
        events = client.meta.events
        events.register("before-call.s3-control", without_account)
        events.register("before-parse", self._check)
        events.register("before-send", self._in_time)
        events.register_first("needs-retry", give_up_hanging)
        if self.deadline:
            hold_to(self.deadline, events)
        return client

    def _in_time(self, **_: Any) -> None:
        """Let no try be sent that begins too late; botocore asks before each."""
        if self.tries_until and self.tries_until.left <= 0:
            raise too_slow(self.tries_until)

    def declared(self, operations: frozenset[Operation]) -> ClientCache:
        """Return a cache of clients for the same account, by the same credentials, that have these operations alone."""
        session = new_session(self._session.profile or "", self._session.get_credentials(), declared(operations))
        return ClientCache(session, self.home, deadline=self.deadline, parts=True)

    def close(self) -> None:
        """Close the connections of all clients."""
        with self._lock:
            clients = list(self._clients.values())
            self._clients.clear()
        for client in clients:
            client.close()
