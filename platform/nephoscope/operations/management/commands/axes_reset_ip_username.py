"""Lift the sign-in lockout of a user name at an address."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from nephoscope.operations.commands import command_actor
from nephoscope.people.door import Door
from nephoscope.people.services import lift_lockouts


class Command(BaseCommand):
    help = "Lift the sign-in lockout of a user name at an address."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ip")
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        removed = lift_lockouts(
            command_actor("axes_reset_ip_username"),
            lambda: Door().reset_attempts(ip_address=options["ip"], username=options["username"]),
        )
        self.stdout.write(f"{removed} counts of failed sign-ins removed.")
