"""Sign-ins are acts too. Django announces them by signal only; failed ones are recorded where they are counted."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver

from nephoscope.accounts.models import User
from nephoscope.audit.actions.people import SIGNED_IN
from nephoscope.audit.services import Actor, record


@receiver(user_logged_in)
def signed_in(request: Any, user: User, **_: Any) -> None:
    """Record a sign-in to the console."""
    record(Actor.of(user, request.META.get("REMOTE_ADDR") or None), SIGNED_IN, user)
