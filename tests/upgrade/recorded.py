"""What was released: the states of databases that were recorded, and every migration as it was then."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RELEASED = HERE / "released.json"
"""Of each migration file that a release had its digest, by its path."""

STATES = sorted(path.name.removesuffix(".json.gz") for path in HERE.glob("*.json.gz"))
"""The recorded databases, by the version that wrote them."""


def state(version: str) -> dict[str, Any]:
    """``migrations``: the newest of each app. ``tables``: of each its columns, and its rows as COPY writes them."""
    found: dict[str, Any] = json.loads(gzip.decompress((HERE / f"{version}.json.gz").read_bytes()))
    return found


def digests() -> dict[str, str]:
    """The migrations as they are now, byte for byte: a formatter does not get to touch a released one either."""
    files = sorted((ROOT / "platform").glob("nephoscope/*/migrations/0*.py"))
    return {path.relative_to(ROOT).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@contextlib.contextmanager
def database_of(old: dict[str, Any], *, migrated: bool = True) -> Iterator[None]:
    """Make a database with the schema and the rows of a state, and work on it; it is migrated unless told not to be."""
    kept = connection.settings_dict["NAME"]
    name = f"{kept}_upgraded"
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
        cursor.execute(f'CREATE DATABASE "{name}"')
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        MigrationExecutor(connection).migrate([tuple(each) for each in old["migrations"].items()])
        _load(old)
        if migrated:
            call_command("migrate", verbosity=0)
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = kept
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _load(old: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # triggers and foreign keys rest
        for table, each in old["tables"].items():
            columns = ", ".join(f'"{column}"' for column in each["columns"])
            cursor.execute(f'DELETE FROM "{table}"')
            with cursor.copy(f'COPY "{table}" ({columns}) FROM STDIN') as copy:
                copy.write(each["rows"])
            if "id" in each["columns"]:
                sequence = f"pg_get_serial_sequence('{table}', 'id')"
                cursor.execute(f'SELECT setval({sequence}, max(id)) FROM "{table}" HAVING {sequence} IS NOT NULL')
        cursor.execute("RESET session_replication_role")


def rows() -> dict[str, int]:
    """How many rows each table has."""
    with connection.cursor() as cursor:
        counted = {}
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            counted[table] = cursor.fetchone()[0]
    return counted
