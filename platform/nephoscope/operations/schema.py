"""Whether the database fits the code: neither newer, nor still to be migrated."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils.translation import gettext as _


def migrations_of_the_code() -> set[str]:
    """Return every migration of our own apps, as ``alerts.0001_initial``."""
    return _ours(MigrationLoader(None).disk_migrations)


def problem() -> str:
    """Say in a sentence why the database does not fit; empty if it does."""
    applied, known = _ours(MigrationRecorder(connection).applied_migrations()), migrations_of_the_code()
    if newer := sorted(applied - known):
        return _newer(newer[0])
    if missing := sorted(known - applied):
        return _(
            "The database is not migrated to this version of Nephoscope: %(name)s is not applied. "
            "Run manage.py migrate."
        ) % {"name": missing[0]}
    return ""


def check_newer(databases: Any = None, **_options: Any) -> list[CheckMessage]:
    """Django's check, which ``migrate`` makes before it begins, and ``check --database default``."""
    if not databases:
        return []
    newer = sorted(_ours(MigrationRecorder(connection).applied_migrations()) - migrations_of_the_code())
    return [Error(_newer(newer[0]), id="nephoscope.E001")] if newer else []


def refuse_newer() -> None:
    """:raises CommandError: the database is of a newer version."""
    for found in check_newer(["default"]):
        raise CommandError(found.msg)


class CurrentCommand(BaseCommand):
    """A command that works on a database that fits the code, and says so where it does not."""

    def execute(self, *args: Any, **options: Any) -> Any:
        if found := problem():
            raise CommandError(found)
        return super().execute(*args, **options)


def _newer(name: str) -> str:
    return _(
        "The database is of a newer version of Nephoscope: this one does not know its migration %(name)s. "
        "Install that version again, or restore a backup of this one."
    ) % {"name": name}


def _ours(migrations: Any) -> set[str]:
    labels = {each.label for each in apps.get_app_configs() if each.name.startswith("nephoscope.")}
    return {f"{app}.{name}" for app, name in migrations if app in labels}
