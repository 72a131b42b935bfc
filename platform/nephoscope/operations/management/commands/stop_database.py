"""``manage.py stop_database``: stop the embedded PostgreSQL."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connections

from nephoscope import postgres


class Command(BaseCommand):
    help = "Stop the embedded PostgreSQL of this data directory; any command starts it again."

    def handle(self, *args: Any, **options: Any) -> None:
        connections.close_all()
        postgres.stop(settings.POSTGRES_DIR)
