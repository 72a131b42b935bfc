"""Lift lockouts: django-axes' command, for what is counted here and with its audit entry."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from nephoscope.operations.commands import LockoutCommand
from nephoscope.people.door import Door


class Command(LockoutCommand):
    help = "Lift the sign-in lockout of a user name at an address."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ip")
        parser.add_argument("username")

    def lift(self, **options: Any) -> int:
        return Door().reset_attempts(ip_address=options["ip"], username=options["username"])
