"""Django's command, with its audit entry; it revokes the user's API tokens and ends their sessions."""

from __future__ import annotations

import getpass
from functools import partial
from typing import Any

from django.contrib.auth.management.commands import changepassword

from nephoscope.operations.commands import command_actor
from nephoscope.people import services as people


class Command(changepassword.Command):
    def handle(self, *args: Any, **options: Any) -> str | None:
        options["username"] = options["username"] or getpass.getuser()
        change = partial(super().handle, *args, **options)
        return people.set_password_by(command_actor("changepassword"), options["username"], change)
