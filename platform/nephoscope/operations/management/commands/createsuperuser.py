"""Django's command, with its audit entry."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib.auth.management.commands import createsuperuser

from nephoscope.operations.commands import command_actor
from nephoscope.people import services as people


class Command(createsuperuser.Command):
    def handle(self, *args: Any, **options: Any) -> str | None:
        return people.create_superuser_by(command_actor("createsuperuser"), partial(super().handle, *args, **options))
