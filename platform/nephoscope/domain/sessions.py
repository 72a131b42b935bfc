"""Open connections to an account: one that reads, and one that may write what was approved."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

from nephoscope.domain.calls import Call
from nephoscope.domain.resource import WHOLE, Resource, Share


class Session(ABC):
    """An open reading connection to one account. It holds no global state: two sessions never share credentials."""

    @abstractmethod
    def collect(self, service: str, region: str, share: Share = WHOLE) -> Iterator[Resource]:
        """Yield the resources of a service page by page, and :meth:`Resource.unreadable` for what was hidden.

        Of a service that is read in shares only those that the share has; of any other, ``share`` is the whole.
        What one call hid becomes unknown; only a fault that hides everything may raise.
        """

    @abstractmethod
    def reread(self, resource: Resource) -> Resource | None:
        """Read one known resource again; None when it is gone. Raises what the cloud raises."""

    def is_gone(self, resource: Resource) -> bool | None:
        """Say whether one known resource is gone, by asking the cloud for it by its name and not through a listing.

        None where it cannot be asked for by its name. Asked before many are closed that a listing no longer has, and
        before one is closed that :meth:`reread` does not find. Raises what the cloud raises.
        """
        return self.reread(resource) is None

    @abstractmethod
    def close(self) -> None: ...


class LiveSession(Session):
    """A session whose account can also be changed, by a :class:`Writer`: remediations read through it."""

    @abstractmethod
    def read(self, call: Call) -> Mapping[str, Any] | None:
        """Do one reading call; None when the thing asked for does not exist."""


class NotAllowed(Exception):
    """The cloud refused a call because of who makes it; ``permission`` would have allowed it."""

    def __init__(self, permission: str, message: str) -> None:
        super().__init__(message)
        self.permission = permission
        self.message = message


class Writer(ABC):
    """An open writing connection that can do no more than the permissions it was opened with."""

    @abstractmethod
    def write(self, call: Call) -> Mapping[str, Any]:
        """Do one changing call and return its answer. Raises what the cloud raises."""

    def rehearse(self, call: Call) -> bool:
        """Have the cloud check a changing call and its permission without making it; False where it cannot.

        Raises what the cloud would raise, NotAllowed where the access for fixes does not allow it.
        """
        return False

    @abstractmethod
    def close(self) -> None: ...
