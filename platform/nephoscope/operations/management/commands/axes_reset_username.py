"""Lift lockouts: django-axes' command, for what is counted here and with its audit entry."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from nephoscope.operations.commands import LockoutCommand
from nephoscope.people.door import Door


class Command(LockoutCommand):
    help = "Lift the sign-in lockouts of user names."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", nargs="+")

    def lift(self, **options: Any) -> int:
        return sum(Door().reset_attempts(username=each) for each in options["username"])
