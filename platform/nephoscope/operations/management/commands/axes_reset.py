"""Lift all sign-in lockouts."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from nephoscope.operations.commands import command_actor
from nephoscope.people.door import Door
from nephoscope.people.services import lift_lockouts


class Command(BaseCommand):
    help = "Lift all sign-in lockouts."

    def handle(self, *args: Any, **options: Any) -> None:
        removed = lift_lockouts(command_actor("axes_reset"), lambda: Door().reset_attempts())
        self.stdout.write(f"{removed} counts of failed sign-ins removed.")
