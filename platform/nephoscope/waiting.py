"""Where a person waits for a cloud: no longer than the deadline, whatever the cloud does.

A provider's own timeouts cannot promise that. They count from the last byte, and looking for credentials may start
programs and make calls that have timeouts of their own. So what is asked runs in a thread that is left behind when the
deadline passes. Such a thread must touch nothing but the provider: connections to the database are per thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from contextlib import closing, suppress
from itertools import islice
from typing import Any, TypeVar

from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from nephoscope import surgery
from nephoscope.domain import (
    WHOLE,
    Call,
    Connection,
    ConnectionProblem,
    Deadline,
    LiveSession,
    Permission,
    Provider,
    Resource,
    Session,
    Share,
    Step,
)

MOST = 64
"""Threads of one process that may wait at once, those left behind among them until the cloud lets go of them."""

PAGE = 100
"""Resources that one thread reads of a service."""

T = TypeVar("T")

_places = threading.BoundedSemaphore(MOST)


def in_time(provider: Provider, deadline: Deadline | None, ask: Callable[[], T]) -> T:
    """Return what ``ask`` returns; without a deadline it simply runs.

    :param ask: calls the provider and nothing else; with a deadline it runs in another thread.
    :raises ConnectionProblem: the deadline passed, or too many earlier questions are still without an answer.
    """
    if deadline is None:
        return ask()
    if deadline.left <= 0:
        raise provider.too_slow(deadline)
    if not _places.acquire(blocking=False):
        message = _("Nephoscope is already waiting for %(count)s answers of %(provider)s. Try again in a few minutes.")
        raise ConnectionProblem("account", message % {"count": MOST, "provider": provider.name})
    answer: Future[T] = Future()
    given = (answer, ask, get_language())
    threading.Thread(target=_answer, args=given, name=f"waiting for {provider.id}", daemon=True).start()
    if not wait([answer], deadline.left).done:
        raise provider.too_slow(deadline)
    return answer.result()


def _answer(answer: Future[T], ask: Callable[[], T], language: str | None) -> None:
    try:
        with override(language):
            answer.set_result(ask())
    except BaseException as problem:
        answer.set_exception(problem)
    finally:
        _places.release()


def open_in_time(provider: Provider, connection: Connection) -> Session:
    """Open an account for reading; all that the session does ends with the connection's deadline, if it has one.

    :raises ConnectionProblem: it cannot be reached as described, or not in time.
    """
    session = in_time(provider, connection.deadline, lambda: provider.open(connection))
    if connection.deadline is None:
        return session
    if isinstance(session, LiveSession):
        return _TimedLiveSession(session, provider, connection.deadline)
    return _TimedSession(session, provider, connection.deadline)


def rehearse(
    provider: Provider, connection: Connection, permissions: list[Permission], steps: Sequence[Step]
) -> tuple[Permission, ...]:
    """Open an account for writing and have it check the calls of some steps, in time; return what was granted.

    :raises ConnectionProblem: it cannot be reached as described, or not in time.
    :raises NotAllowed: the access for fixes does not allow a call.
    :raises PlanProblem: the provider changes nothing, cannot be held to so many permissions, or refuses a call.
    """

    def ask() -> tuple[Permission, ...]:
        with closing(surgery.open_writer(provider, connection, permissions)) as writer:
            return surgery.rehearse(steps, writer)

    return in_time(provider, connection.deadline, ask)


class _TimedSession(Session):
    """A session of which each answer comes before the deadline, or ConnectionProblem."""

    def __init__(self, session: Session, provider: Provider, deadline: Deadline) -> None:
        self._session, self._provider, self._deadline = session, provider, deadline

    def _in_time(self, ask: Callable[[], T]) -> T:
        return in_time(self._provider, self._deadline, ask)

    def collect(self, service: str, region: str, share: Share = WHOLE) -> Iterator[Resource]:
        found = self._in_time(lambda: iter(self._session.collect(service, region, share)))
        while page := self._in_time(lambda: list(islice(found, PAGE))):
            yield from page

    def reread(self, resource: Resource) -> Resource | None:
        return self._in_time(lambda: self._session.reread(resource))

    def close(self) -> None:
        # After the deadline a thread that was left behind may hold what closing needs; it goes with that thread.
        with suppress(ConnectionProblem):
            self._in_time(self._session.close)


class _TimedLiveSession(_TimedSession, LiveSession):
    def __init__(self, session: LiveSession, provider: Provider, deadline: Deadline) -> None:
        super().__init__(session, provider, deadline)
        self._live = session

    def read(self, call: Call) -> Mapping[str, Any] | None:
        return self._in_time(lambda: self._live.read(call))
