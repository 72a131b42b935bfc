"""Putting work into the queue, which only wakes workers: the truth about the work is in tables of our own."""

from __future__ import annotations

import logging

from django_q.tasks import async_task
from redis import RedisError

log = logging.getLogger(__name__)

TASKS = "nephoscope.operations.tasks"
"""Where the tasks are: above everything that asks for them, so they are known here by name only."""


def dispatch(task: str, *arguments: int, name: str) -> None:
    """Have a worker run a task of :mod:`nephoscope.operations.tasks`; ``name`` is what the queue shows.

    A Redis that is away costs a minute: housekeeping wakes what waits.
    """
    try:
        async_task(f"{TASKS}.{task}", *arguments, task_name=name)
    except RedisError as problem:
        log.warning("the queue does not take %s: %s", name, problem)
