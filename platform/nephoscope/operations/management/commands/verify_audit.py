"""``manage.py verify_audit``: prove that no audit entry was altered or removed."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from nephoscope.audit.chain import check
from nephoscope.audit.models import Entry
from nephoscope.operations.schema import CurrentCommand


class Command(CurrentCommand):
    help = "Check the audit log's hash chain from its first entry to its last, and name every place where it breaks."

    def handle(self, *args: Any, **options: Any) -> None:
        broken = 0
        for place in check():
            broken += place.broken
            if place.broken:
                self.stderr.write(str(place))
            else:
                self.stdout.write(str(place))
        if broken:
            raise CommandError(f"The chain breaks at {broken} of {Entry.objects.count()} entries.")
        self.stdout.write(f"The chain of {Entry.objects.count()} entries is whole.")
