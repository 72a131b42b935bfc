"""``manage.py backup FILE``: the database and the keys as one archive."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from nephoscope.operations.backups import write_backup
from nephoscope.operations.schema import CurrentCommand


class Command(CurrentCommand):
    help = "Write the database, the secret key and the encryption keys to one file. Nothing has to be stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the file to write, which must not exist")

    def handle(self, *args: Any, **options: Any) -> None:
        size = write_backup(options["file"])
        self.stdout.write(f"Wrote {options['file']} ({size / 1e6:.1f} MB). It holds the keys: keep it secret.")
