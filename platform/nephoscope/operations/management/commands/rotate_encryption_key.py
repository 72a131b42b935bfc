"""``manage.py rotate_encryption_key``: encrypt all stored secrets by another key."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from nephoscope.accounts.fields import rotate_key
from nephoscope.operations.schema import CurrentCommand
from nephoscope.vault import SecretUnreadable, Vault


class Command(CurrentCommand):
    help = "Encrypt all stored secrets by a new key, or by the first in NEPHOSCOPE_ENCRYPTION_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        vault: Vault = settings.VAULT
        if not vault.keeps_keys and len(vault.read_keys()) == 1:
            raise CommandError(
                "Put a new key before the old one in NEPHOSCOPE_ENCRYPTION_KEYS and restart; then again."
            )
        try:
            rows = rotate_key(vault)
        except SecretUnreadable as problem:
            raise CommandError(f"{problem} All keys were kept.") from problem
        kept = (
            f"The new key is the first in {vault.file}; back it up. The one before it stays until the next rotation."
            if vault.keeps_keys
            else ""
        )
        given = "Remove the old ones from NEPHOSCOPE_ENCRYPTION_KEYS." if not vault.keeps_keys else ""
        self.stdout.write(f"Encrypted the secrets of {rows} rows by the new key. {kept}{given}")
