"""Who acts when a command is run, and what the commands share that lift lockouts."""

from __future__ import annotations

import getpass
from abc import ABC, abstractmethod
from typing import Any

from django.core.management.base import BaseCommand

from nephoscope.audit.services import Actor
from nephoscope.people.services import lift_lockouts


def command_actor(name: str) -> Actor:
    """Return the command, with the system's user who runs it where that is known."""
    try:
        return Actor.system(f"manage.py {name} ({getpass.getuser()})")
    except (KeyError, OSError):
        return Actor.system(f"manage.py {name}")


class LockoutCommand(BaseCommand, ABC):
    """Lifts lockouts, and leaves an audit entry."""

    @abstractmethod
    def lift(self, **options: Any) -> int:
        """Forget counts; return how many there were."""

    def handle(self, *args: Any, **options: Any) -> None:
        actor = command_actor(self.__module__.rpartition(".")[2])
        removed = lift_lockouts(actor, lambda: self.lift(**options))
        self.stdout.write(f"Reset {removed} counters of failed sign-ins.")
