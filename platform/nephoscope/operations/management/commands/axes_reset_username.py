"""Lift the sign-in lockouts of user names."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from nephoscope.operations.commands import command_actor
from nephoscope.people.door import Door
from nephoscope.people.services import lift_lockouts


class Command(BaseCommand):
    help = "Lift the sign-in lockouts of user names."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", nargs="+")

    def handle(self, *args: Any, **options: Any) -> None:
        removed = lift_lockouts(
            command_actor("axes_reset_username"),
            lambda: sum(Door().reset_attempts(username=each) for each in options["username"]),
        )
        self.stdout.write(f"{removed} counts of failed sign-ins removed.")
