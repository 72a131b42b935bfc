"""Reading one AWS account: declared calls only, many in flight, every refusal told apart from every fault."""

from __future__ import annotations

import re
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any, Protocol, TypeVar

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PaginationError,
    ParamValidationError,
    PartialCredentialsError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from nephoscope.configuration import configuration
from nephoscope.domain import ALL_REGIONS, NotAllowed
from nephoscope_aws.answers import ODD, Answer, Unavailable, items, listed, marked, require_names

IN_FLIGHT = configuration().calls_per_account
"""Calls that one process has in flight to one account at once, over all its sessions, services and regions."""

SILENT_SERVICES = 2
"""Services of a region that gave no answer in time, from which on the region is not asked any more in a session."""

_slots: defaultdict[str, threading.BoundedSemaphore] = defaultdict(lambda: threading.BoundedSemaphore(IN_FLIGHT))
_slots_lock = threading.Lock()


def slots(account: str) -> threading.BoundedSemaphore:
    """Return what a call to the account holds while it is made."""
    with _slots_lock:
        return _slots[account]


DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AccessDeniedFault",
        "AllAccessDisabled",
        "AuthorizationError",
        "AuthorizationErrorException",
        "Client.UnauthorizedOperation",
        "Forbidden",
        "NotAuthorized",
        "NotAuthorizedException",
        "UnauthorizedAccess",
        "UnauthorizedException",
        "UnauthorizedOperation",
        "403",
    }
)
"""Error codes by which the services of AWS, in their several protocols, say that the caller may not do this.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html and each service's API reference;
``403`` is what boto3 makes of a HEAD request's empty answer.
"""

UNAVAILABLE = frozenset(
    {
        "AuthFailure",
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "ExpiredToken",
        "ExpiredTokenException",
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "InternalServiceError",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "LimitExceededException",
        "NotSignedUp",
        "OptInRequired",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestExpired",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "SlowDown",
        "SubscriptionRequiredException",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
        "Unavailable",
        "UnrecognizedClientException",
    }
)
"""Error codes of throttling, faults, expiry and regions or services that are not switched on for the account.

https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html,
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html; a region that is not enabled answers
``AuthFailure``, ``InvalidClientTokenId`` or ``UnrecognizedClientException`` to keys that work elsewhere.
"""

_FAULTS = (
    ConnectionError,
    HTTPClientError,
    IncompleteReadError,
    CredentialRetrievalError,
    NoCredentialsError,
    PaginationError,
    ParamValidationError,
    PartialCredentialsError,
    ResponseParserError,
)

MALFORMED = (AttributeError, LookupError, OverflowError, RecursionError, TypeError, UnicodeError, ValueError)
"""What botocore and collectors raise when they cannot take an answer apart, as one with a time that is none."""

RAISED = (ClientError, BotoCoreError, ResponseParserError, *MALFORMED)
"""All that a call raises by itself."""

MOST_PAGES = 20_000
"""Pages of one listing that are read: more than any quota of AWS allows to be there, and not for ever."""

_REASON = re.compile(r"because no [a-z -]+ allows (it|the \S+ action)|with an explicit deny( in an? [a-z -]+)?")

_CODE = re.compile(r"[\w.:-]{1,80}", re.ASCII)

_QUERY = re.compile(r"\?[^\"\s]*")

T = TypeVar("T")
R = TypeVar("R")


class Denied(NotAllowed):
    """AWS refused a call; ``permission`` is the IAM action that would have allowed it."""


class Clients(Protocol):
    """Where an Api gets its boto3 clients; an empty region means the session's home region."""

    def client(self, service: str, region: str) -> Any: ...


def code_of(error: Exception) -> str:
    """Return the error code of a botocore ClientError, else an empty text."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def translated(error: Exception, permission: str) -> Exception:
    """Return Denied or Unavailable for what botocore raised when it means that, else ``error`` itself."""
    if isinstance(error, ClientError):
        code = code_of(error)
        if code in DENIED:
            return Denied(permission, f"access denied: {permission} is not allowed{_reason(error)}")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in UNAVAILABLE or status >= 500 or not code:
            return Unavailable(said(error))
        return error
    if isinstance(error, _FAULTS):
        return Unavailable(f"{permission}: {type(error).__name__}: {_first_line(error)}")
    if isinstance(error, ParamValidationError):
        return Unavailable(f"{permission}: AWS takes no such name as it gave itself")
    if isinstance(error, MALFORMED):
        return Unavailable(f"{permission}: AWS's answer could not be read ({type(error).__name__})")
    return error


def said(error: ClientError) -> str:
    """Return in words which error AWS answered: by its code, since the message may be anything and of any length."""
    code = code_of(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", "")
    return f"{error.operation_name}: AWS answered {code if _CODE.fullmatch(code) else f'an error, status {status}'}"


_MISSING = ("NotFound", "NoSuch", "NonExistent", "Nonexistent", "DoesNotExist")
_MISSING_TOO = frozenset({"InvalidAMIID.Unavailable", "InvalidDocument", "InvalidInstanceId"})
"""Error codes that say that what was asked for does not exist, in part or as a whole (each service's API reference)."""


def says_missing(error: ClientError) -> bool:
    """Return whether AWS says that what was asked for does not exist: NoSuchBucket, TrailNotFoundException …

    Just a status is that only of a HEAD request, whose answer cannot hold more; else it may be a proxy's.
    """
    code = code_of(error)
    by_status = code == "404" and error.operation_name.startswith("Head")
    return by_status or code in _MISSING_TOO or any(word in code for word in _MISSING)


def _first_line(error: Exception) -> str:
    """Return what botocore says, without the request in the address and the answer in the lines that follow."""
    return _QUERY.sub("", str(error).partition("\n")[0])


def switched_off(denied: Denied) -> bool:
    """Tell whether AWS means that a service is not switched on: Macie says so as if access were denied.

    https://repost.aws/questions/QU8ZC1xd9BQV2vnGkod7gQww
    """
    cause = denied.__cause__
    return isinstance(cause, ClientError) and "is not enabled" in str(cause.response["Error"].get("Message", ""))


def _reason(error: ClientError) -> str:
    """Return which kind of policy refused, where AWS says so; the rest of its message names callers and tokens.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    """
    found = _REASON.search(str(error.response.get("Error", {}).get("Message", "")))
    return f" {found[0]}" if found else ""


class Api:
    """One account through one session; safe to use from several threads.

    All methods raise :class:`Denied` and :class:`Unavailable`; every other answer of AWS is botocore's ClientError.
    A call that no collector declares raises LookupError before anything is sent.

    :param regions: those that are scanned; none where that is not known.
    :param partition: the one that the account is in, as its ARNs name it.
    """

    def __init__(
        self,
        account: str,
        clients: Clients,
        reads: Mapping[tuple[str, str], str],
        regions: Sequence[str] = (),
        partition: str = "aws",
    ) -> None:
        self.account = account
        self.regions = regions
        self.partition = partition
        self._clients = clients
        self._reads = reads
        self._slots = slots(account)
        self._lock = threading.Lock()
        self._calls = 0
        self._once: dict[str, Future[Any]] = {}
        self._silent: defaultdict[str, set[str]] = defaultdict(set)
        self._inside = threading.local()
        self._pool = ThreadPoolExecutor(IN_FLIGHT, "nephoscope-aws", self._mark_inside)

    def arn(self, service: str, region: str, rest: str) -> str:
        """Return the ARN of something of this account; ``region`` is empty for what belongs to all regions."""
        return f"arn:{self.partition}:{service}:{region}:{self.account}:{rest}"

    @property
    def calls(self) -> int:
        """How many calls were made so far; a page counts as one, botocore's retries do not count."""
        return self._calls

    def permission(self, service: str, operation: str) -> str:
        """Return the IAM action that a declared call needs."""
        try:
            return self._reads[service, operation]
        except KeyError:
            raise LookupError(f"{service}.{operation} is not declared by any collector's READS") from None

    def call(self, service: str, operation: str, *, region: str = "", **parameters: Any) -> Answer:
        """Make one call and return what it answered; what is read of it by ``[]`` and is not there is Unread."""
        permission = self.permission(service, operation)
        require_names(operation, parameters)
        client = self._client(service, region, permission)
        self._count()
        try:
            with self._slots:
                answer: dict[str, Any] = getattr(client, operation)(**parameters)
        except RAISED as error:
            raise self._translated(error, permission, service, region) from error
        answer.pop("ResponseMetadata", None)
        return Answer(operation, marked(operation, answer))

    def pages(self, service: str, operation: str, key: str, *, region: str = "", **parameters: Any) -> Iterator[Any]:
        """Yield the items under ``key``, page by page; in one call where the operation does not paginate.

        A page without ``key`` is no answer: it raises Unavailable, and is not taken for an empty one. So does one that
        says the same as the page before it: the list would never end.
        """
        permission = self.permission(service, operation)
        require_names(operation, parameters)
        client = self._client(service, region, permission)
        if not client.can_paginate(operation):
            yield from listed(service, operation, self.call(service, operation, region=region, **parameters), key)
            return
        pages = iter(client.get_paginator(operation).paginate(**parameters))
        before: Any = None
        for _page in range(MOST_PAGES):
            self._count()
            try:
                with self._slots:
                    page = next(pages)
            except StopIteration:
                self._count(-1)
                return
            except RAISED as error:
                raise self._translated(error, permission, service, region) from error
            found = listed(service, operation, page, key)
            if found and found == before:
                break
            before = None if ODD in page else found
            yield from items(operation, listed(service, operation, marked(operation, page), key))
        raise Unavailable(f"{permission}: AWS answers the same page again and again")

    def maybe(
        self, service: str, operation: str, missing: tuple[str, ...], *, region: str = "", **parameters: Any
    ) -> Answer | None:
        """Make one call; None when AWS answers one of the error codes ``missing``, as NoSuchBucketPolicy."""
        try:
            return self.call(service, operation, region=region, **parameters)
        except ClientError as error:
            if code_of(error) in missing:
                return None
            raise

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Yield ``function(item)`` in the order of the items, with many running on the session's threads.

        No more than :data:`IN_FLIGHT` results wait to be taken, so memory does not grow with the items. The first
        exception is raised in its place and ends the iteration.

        :raises RuntimeError: called from within a function that was given to ``map``; threads waiting for threads of
            the same pool would wait for ever.
        """
        if getattr(self._inside, "pool", False):
            raise RuntimeError("a function given to Api.map must not call Api.map")
        return self._mapped(function, iter(items))

    def _mapped(self, function: Callable[[T], R], items: Iterator[T]) -> Iterator[R]:
        running = deque(self._pool.submit(function, item) for item in islice(items, IN_FLIGHT))
        try:
            while running:
                result = running.popleft().result()
                running.extend(self._pool.submit(function, item) for item in islice(items, 1))
                yield result
        finally:
            for future in running:
                future.cancel()

    def once(self, key: str, make: Callable[[], T]) -> T:
        """Return ``make()``, made once per session for this key; a failure is remembered and raised again."""
        with self._lock:
            future = self._once.get(key)
            mine = future is None
            if future is None:
                future = self._once[key] = Future()
        if mine:
            try:
                future.set_result(make())
            except BaseException as error:
                future.set_exception(error)
        result: T = future.result()
        return result

    def close(self) -> None:
        """Stop the session's threads; what has not started is dropped."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _mark_inside(self) -> None:
        self._inside.pool = True

    def _translated(self, error: Exception, permission: str, service: str, region: str) -> Exception:
        """Return what an error means, and remember who gave no answer at all."""
        if isinstance(error, ReadTimeoutError | ConnectTimeoutError):
            self._silent[region].add(service)
        return translated(error, permission)

    def _client(self, service: str, region: str, permission: str) -> Any:
        silent = self._silent.get(region, ())
        if service in silent or (region and len(silent) >= SILENT_SERVICES):
            raise Unavailable(f"{permission}: not asked, because nothing in {region or 'AWS'} answered in time before")
        try:
            return self._clients.client(service, "" if region == ALL_REGIONS else region)
        except BotoCoreError as error:
            raise translated(error, permission) from error

    def _count(self, by: int = 1) -> None:
        with self._lock:
            self._calls += by
