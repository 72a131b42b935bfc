"""``manage.py worker``: work on scans. Run as many, on as many machines, as you like."""

from __future__ import annotations

import gc
from typing import Any

from django_q.models import Schedule

from nephoscope.operations.schema import CurrentCommand
from nephoscope.plugins import registry
from nephoscope.queue.dispatch import TASKS, dispatch
from nephoscope.queue.supervising import Supervisor


class Command(CurrentCommand):
    help = "Run a django-q2 cluster, after taking over what a dead worker left."

    def handle(self, *args: Any, **options: Any) -> None:
        Schedule.objects.update_or_create(
            name="housekeeping",
            defaults={
                "func": f"{TASKS}.housekeeping",
                "schedule_type": Schedule.MINUTES,
                "minutes": 1,
            },
        )
        # A task of its own, so that a worker counts as seen from its first second.
        dispatch("housekeeping", name="housekeeping")
        # Everything is loaded once, before the processes part, and then left alone by the garbage collector: they share
        # the memory, and do not look through it again and again. https://docs.python.org/3/library/gc.html#gc.freeze
        registry().load_all()
        gc.collect()
        gc.freeze()
        Supervisor().run()
