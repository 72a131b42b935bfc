"""Lift the sign-in lockouts of addresses."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from nephoscope.operations.commands import command_actor
from nephoscope.people.door import Door
from nephoscope.people.services import lift_lockouts


class Command(BaseCommand):
    help = "Lift the sign-in lockouts of addresses."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ip", nargs="+")

    def handle(self, *args: Any, **options: Any) -> None:
        removed = lift_lockouts(
            command_actor("axes_reset_ip"),
            lambda: sum(Door().reset_attempts(ip_address=each) for each in options["ip"]),
        )
        self.stdout.write(f"{removed} counts of failed sign-ins removed.")
