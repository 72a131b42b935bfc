"""``manage.py worker``: work on scans. Run as many, on as many machines, as you like."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django_q.models import Schedule

from nephoscope.tasks import housekeeping


class Command(BaseCommand):
    help = "Run a django-q2 cluster, after taking over what a dead worker left."

    def handle(self, *args: Any, **options: Any) -> None:
        Schedule.objects.update_or_create(
            name="housekeeping",
            defaults={"func": "nephoscope.tasks.housekeeping", "schedule_type": Schedule.MINUTES, "minutes": 1},
        )
        housekeeping()
        call_command("qcluster")
