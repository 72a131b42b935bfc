"""Sign-ins and failed ones are acts too. Django announces them by signals only."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.dispatch import receiver

from nephoscope.accounts.models import User
from nephoscope.audit.actions.people import SIGN_IN_FAILED, SIGNED_IN
from nephoscope.audit.services import Actor, record


@receiver(user_logged_in)
def signed_in(request: Any, user: User, **_: Any) -> None:
    """Record a sign-in to the console or the browsable API."""
    record(Actor.of(user, request.META.get("REMOTE_ADDR") or None), SIGNED_IN, user)


@receiver(user_login_failed)
def failed(credentials: dict[str, Any], request: Any = None, **_: Any) -> None:
    """Record a failed sign-in by the name that was tried, never with the password."""
    name = str(credentials.get("username", ""))[:150]
    user = User.objects.filter(username=name).first()
    address = request.META.get("REMOTE_ADDR") if request else None
    actor = Actor.of_task("anyone", address=address)
    record(actor, SIGN_IN_FAILED, user or User(username=name), {"known": user is not None})
