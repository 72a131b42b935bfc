"""Lift lockouts: django-axes' command, for what is counted here and with its audit entry."""

from __future__ import annotations

from typing import Any

from nephoscope.operations.commands import LockoutCommand
from nephoscope.people.door import Door


class Command(LockoutCommand):
    help = "Lift all sign-in lockouts."

    def lift(self, **options: Any) -> int:
        return Door().reset_attempts()
