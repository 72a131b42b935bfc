"""Django's PostgreSQL, for the embedded server: a connection that finds it gone starts it again.

https://docs.djangoproject.com/en/5.2/ref/databases/#subclassing-the-built-in-database-backends
"""

from __future__ import annotations

import logging
import time
from typing import Any

from django.conf import settings
from django.db.backends.postgresql import base

from nephoscope import postgres

log = logging.getLogger(__name__)

PATIENCE = 20.0
"""Seconds in which a server that died, or is recovering, is waited for."""

RETRY_EVERY = 0.25


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to the embedded server."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect; where the server is gone, start it, and wait for it.

        :raises psycopg.OperationalError: it is there and refuses, or did not come up within :data:`PATIENCE`.
        """
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return super().get_new_connection(conn_params)
            except self.Database.OperationalError as problem:
                if not _is_away(problem) or time.monotonic() > until:
                    raise
            postgres.revive(settings.POSTGRES_DIR)
            time.sleep(RETRY_EVERY)


def _is_away(problem: Exception) -> bool:
    """Whether nobody listens, or the server is starting up, recovering or shutting down; psycopg has only texts here.

    https://www.postgresql.org/docs/current/server-start.html#CLIENT-CONNECTION-PROBLEMS
    """
    said = str(problem)
    return any(
        words in said
        for words in (
            "No such file or directory",
            "Connection refused",
            "server closed the connection",
            "database system is",
            "not yet accepting connections",
        )
    )
