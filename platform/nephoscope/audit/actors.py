"""Who acts: a user, or a task of Nephoscope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.utils import translation
from django.utils.translation import gettext_lazy as _

from nephoscope.accounts.permissions import require

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

TASKS: dict[str, StrPromise] = {
    "scan": _("Scan %(scan)s"),
    "recheck": _("Recheck by %(by)s"),
    "change": _("%(change)s by %(by)s"),
    "automatic": _("Automatic fix set by %(by)s"),
    "schedule": _("Schedule"),
    "events": _("Events"),
    "sync": _("Sync"),
    "reports": _("Report schedule"),
    "command": _("%(by)s with %(command)s"),
    "anyone": _("somebody"),
}
"""Names of the tasks that act; an entry keeps the code and what its name holds."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a user from an address, a command (``Actor.system("manage.py scan")``) or a task.

    ``name`` is in the source's language, for filters; ``task`` is how a reader's own is made of it.
    """

    name: str
    user: Any = None
    address: str | None = None
    task: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def system(cls, name: str = "Nephoscope") -> Actor:
        return cls(name)

    @classmethod
    def of_task(cls, code: str, *, address: str | None = None, **facts: Any) -> Actor:
        """A part of Nephoscope at work, for example ``Actor.of_task("scan", scan=12)``; see :data:`TASKS`."""
        task = {"code": code, **facts}
        with translation.override(None):
            return cls(task_name(task), address=address, task=task)

    @classmethod
    def of(cls, user: Any, address: str | None = None) -> Actor:
        return cls(user.get_username(), user, address)

    @classmethod
    def of_command(cls, user: Any, command: str) -> Actor:
        """A user whom somebody on the server named to a command such as ``manage.py fix``, with that user's rights."""
        task = {"code": "command", "by": user.get_username(), "command": command}
        with translation.override(None):
            return cls(task_name(task), user, task=task)

    @classmethod
    def from_request(cls, request: Any) -> Actor:
        """The signed-in user at the address that the web server saw."""
        return cls.of(request.user, request.META.get("REMOTE_ADDR") or None)

    def require(self, act: str) -> None:
        """Raise PermissionDenied unless the user's role includes the act; Nephoscope itself may do everything."""
        if self.user is not None:
            require(self.user, act)


def task_name(task: Mapping[str, Any]) -> str:
    """Return the name of a task in the active language."""
    return str(TASKS[task["code"]] % task)
