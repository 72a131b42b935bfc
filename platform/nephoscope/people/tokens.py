"""API tokens: what a program acts with for a user, within a scope and until a day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from knox.models import AuthToken

from nephoscope.accounts.models import ApiToken, User
from nephoscope.accounts.permissions import Scope, scopes_of
from nephoscope.audit.actions.people import TOKEN_ISSUED, TOKEN_REVOKED
from nephoscope.audit.services import Actor, record

DAYS = (7, 30, 90, 365)
"""For how many days a token may be valid; None is until it is revoked."""

DAYS_CHOICES = [(each, str(each)) for each in DAYS]

DEFAULT_DAYS = 90

_USE_NOTED_EVERY = timedelta(minutes=1)


def tokens_of(user: Any) -> QuerySet[ApiToken]:
    """Return a user's tokens, the newest first."""
    return ApiToken.objects.filter(auth__user=user.pk).select_related("auth__user")


def find_token(user: Any, key: str) -> ApiToken | None:
    """Return the user's token that begins so, if there is one."""
    return None if "\0" in key else tokens_of(user).filter(auth__token_key=key).first()


@transaction.atomic
def issue_token(actor: Actor, *, name: str, scope: str = "", days: int | None = DEFAULT_DAYS) -> tuple[ApiToken, str]:
    """Make a token of the user who acts, and of nobody else; its text cannot be shown again.

    :param scope: one of :class:`Scope`; without one, the whole of the user's role.

    :raises ValidationError: no name, a scope beyond the user's role, another number of days; names the field.
    """
    actor.require("profile")
    if days not in (*DAYS, None):
        raise ValidationError({"days": [_("Choose 7, 30, 90 or 365 days, or no expiry.")]})
    user: User = actor.user
    auth, text = AuthToken.objects.create(user, expiry=timedelta(days=days) if days else None)
    token = ApiToken(auth=auth, name=name.strip(), scope=_allowed(user, scope))
    token.full_clean()
    token.save()
    record(actor, TOKEN_ISSUED, user, _described(token))
    return token, text


def _allowed(user: User, scope: str) -> Scope:
    known = scopes_of(user)
    if not scope:
        return known[-1]
    if scope not in known:
        allowed = ", ".join(str(each.label) for each in known)
        raise ValidationError({"scope": [_("Allowed scopes: %(allowed)s.") % {"allowed": allowed}]})
    return Scope(scope)


def _described(token: ApiToken) -> dict[str, Any]:
    expiry = token.auth.expiry
    return {
        "begins": token.auth.token_key,
        "name": token.name,
        "scope": token.scope,
        "expiry": timezone.localdate(expiry).isoformat() if expiry else "",
    }


@transaction.atomic
def revoke_token(actor: Actor, token: ApiToken) -> None:
    """Make a token worthless at once. A token may revoke itself; those of others need an administrator."""
    if actor.user is None or actor.user.used_token != token:
        actor.require("profile" if actor.user == token.auth.user else "administer")
    record(actor, TOKEN_REVOKED, token.auth.user, _described(token))
    token.auth.delete()


def note_use(token: ApiToken) -> None:
    """Keep when a token was last used, to the minute: a busy program must not write at every request."""
    now = timezone.now()
    if token.used_at is None or token.used_at < now - _USE_NOTED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(used_at=now)
