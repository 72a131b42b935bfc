"""Switching recheck on events on and off for an account, and its secret."""

from __future__ import annotations

import secrets

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from nephoscope.accounts.models import Account
from nephoscope.audit.actions.accounts import EVENTS_ROTATED, EVENTS_SWITCHED_OFF, EVENTS_SWITCHED_ON
from nephoscope.audit.services import Actor, record
from nephoscope.domain import EventSource, SetupTemplate
from nephoscope.events.models import Listener
from nephoscope.plugins import registry


def listener_of(account: Account) -> Listener | None:
    """Return the account's listener; None where recheck on events is off."""
    return Listener.objects.filter(account=account).first()


def secret_of(listener: Listener) -> str:
    """Return what deliveries are signed with: without the installation's secret key the database does not tell it."""
    return salted_hmac("nephoscope.events", f"{listener.address}:{listener.salt}", algorithm="sha256").hexdigest()


def endpoint(listener: Listener, url: str) -> str:
    """Return where the account's events go; ``url`` is where this installation is reached."""
    return f"{url.rstrip('/')}/events/{listener.account.provider}/{listener.address}"


def setup_templates(listener: Listener, url: str) -> list[SetupTemplate]:
    """Return the setup templates that make the cloud tell of changes."""
    source = source_of(listener.account)
    return source.setup_templates(endpoint(listener, url)) if source else []


def source_of(account: Account) -> EventSource | None:
    """Return how the account's provider tells of changes, if an enabled one does."""
    provider = registry().providers.get(account.provider)
    return provider.events if provider else None


def offered(account: Account) -> bool:
    """Tell whether the account's provider can tell of changes, and the account is connected."""
    return bool(account.verified_at and source_of(account))


@transaction.atomic
def switch_on(actor: Actor, account: Account) -> tuple[Listener, str]:
    """Open a door for the account's events; return it and its secret, which is shown this once.

    :raises ValidationError: it is open already, the account is pending, or its provider takes no events.
    """
    actor.require("connect")
    Account.objects.select_for_update().get(pk=account.pk)
    if listener_of(account):
        raise ValidationError({"events": [_("Event-driven recheck is already on.")]})
    if not offered(account):
        raise ValidationError({"events": [_("This account cannot send events.")]})
    listener = Listener.objects.create(
        account=account, address=secrets.token_urlsafe(16), salt=secrets.token_hex(32), rotated_at=timezone.now()
    )
    record(actor, EVENTS_SWITCHED_ON, account, account=account)
    return listener, secret_of(listener)


@transaction.atomic
def rotate(actor: Actor, account: Account) -> tuple[Listener, str]:
    """Make a new secret; what is signed with the one before is refused from now on.

    :raises ValidationError: recheck on events is off.
    """
    actor.require("connect")
    listener = _found(account)
    listener.salt, listener.rotated_at = secrets.token_hex(32), timezone.now()
    listener.save(update_fields=["salt", "rotated_at"])
    record(actor, EVENTS_ROTATED, account, account=account)
    return listener, secret_of(listener)


@transaction.atomic
def switch_off(actor: Actor, account: Account) -> None:
    """Close the door and forget what came in; the address is never used again.

    :raises ValidationError: recheck on events is off.
    """
    actor.require("connect")
    _found(account).delete()
    record(actor, EVENTS_SWITCHED_OFF, account, account=account)


def _found(account: Account) -> Listener:
    listener = Listener.objects.select_for_update().filter(account=account).first()
    if listener is None:
        raise ValidationError({"events": [_("Event-driven recheck is off.")]})
    return listener
