"""Who acts when a command is run."""

from __future__ import annotations

import getpass

from nephoscope.audit.services import Actor


def command_actor(name: str) -> Actor:
    """Return the command, with the system's user who runs it where that is known."""
    try:
        return Actor.system(f"manage.py {name} ({getpass.getuser()})")
    except (KeyError, OSError):
        return Actor.system(f"manage.py {name}")
