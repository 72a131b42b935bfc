"""``manage.py restore FILE``: put the database and the keys of a backup in place."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from nephoscope.operations.backups import restore_backup


class Command(BaseCommand):
    help = "Restore what manage.py backup wrote. Stop web processes and workers first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the file that manage.py backup wrote")
        parser.add_argument("--replace", action="store_true", help="delete what the database holds now")

    def handle(self, *args: Any, **options: Any) -> None:
        version = restore_backup(options["file"], replace=options["replace"])
        self.stdout.write(
            f"Restored the backup of version {version}. Run manage.py migrate and manage.py verify_audit, then start "
            "web processes and workers."
        )
