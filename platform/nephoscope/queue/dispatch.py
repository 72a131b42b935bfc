"""Putting work into the queue, which only wakes workers: the truth about the work is in tables of our own."""

from __future__ import annotations

from django_q.tasks import async_task

TASKS = "nephoscope.operations.tasks"
"""Where the tasks are: above everything that asks for them, so they are known here by name only."""


def dispatch(task: str, *arguments: int, name: str) -> None:
    """Have a worker run a task of :mod:`nephoscope.operations.tasks`; ``name`` is what the queue shows."""
    async_task(f"{TASKS}.{task}", *arguments, task_name=name)
