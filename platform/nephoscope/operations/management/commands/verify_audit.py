"""``manage.py verify_audit``: prove that no audit entry was altered or removed."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from nephoscope.audit.models import Entry
from nephoscope.audit.services import first_broken
from nephoscope.operations.schema import CurrentCommand


class Command(CurrentCommand):
    help = "Check the audit log's hash chain from its first entry to its last."

    def handle(self, *args: Any, **options: Any) -> None:
        if broken := first_broken():
            raise CommandError(f"The chain breaks at entry {broken.pk} ({broken.at:%Y-%m-%d %H:%M:%S} UTC).")
        self.stdout.write(f"The chain of {Entry.objects.count()} entries is whole.")
