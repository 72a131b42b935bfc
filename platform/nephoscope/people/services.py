"""Users, their tokens, and the groups of accounts that they are granted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from knox.models import AuthToken

from nephoscope.accounts.holding import reread
from nephoscope.accounts.models import Account, AccountGroup, SignInTries, User
from nephoscope.accounts.permissions import Role
from nephoscope.audit.actions.people import (
    GROUP_CONFIGURED,
    GROUP_CREATED,
    GROUP_REMOVED,
    LOCKOUTS_LIFTED,
    PASSWORD_SET,
    USER_CHANGED_PASSWORD,
    USER_CHANGED_PROFILE,
    USER_CONFIGURED,
    USER_CREATED,
    USER_REMOVED,
)
from nephoscope.audit.services import Actor, record

Made = TypeVar("Made")

OWN = ("first_name", "last_name", "email", "time_zone", "language")
"""What users may set of themselves besides the password."""

PROFILE = ("username", *OWN, "role", "is_active", "is_staff")
"""What administrators may set of a user besides the password and the groups."""


@transaction.atomic
def create_user(actor: Actor, *, password: str, account_groups: Iterable[AccountGroup] = (), **profile: Any) -> User:
    """Add a user.

    :raises ValidationError: a name that is taken, a password that is too weak; names the field.
    """
    actor.require("administer")
    user = User(**profile)
    _set_password(user, password)
    _check(user)
    user.save()
    user.account_groups.set(account_groups)
    record(actor, USER_CREATED, user, after=_described(user))
    return user


@transaction.atomic
def configure_user(
    actor: Actor,
    user: User,
    *,
    password: str | None = None,
    account_groups: Iterable[AccountGroup] | None = None,
    **profile: Any,
) -> User:
    """Change what is given. A new password, or an end to being active, revokes the user's tokens.

    :raises ValidationError: wrong values, an administrator who would lock themselves out, or no administrator left;
        names the field.
    """
    actor.require("administer")
    administrators = _hold_administrators(actor)
    reread(user)
    before = _described(user)
    if actor.user == user:
        _stay_administrator(profile)
    _keep_an_administrator(administrators, user, profile)
    for name, value in profile.items():
        setattr(user, name, value)
    if "role" in profile:
        user.is_superuser = user.is_superuser and profile["role"] == Role.ADMINISTRATOR
    if password is not None:
        _set_password(user, password)
    _check(user)
    user.save()
    if account_groups is not None:
        user.account_groups.set(account_groups)
    if password is not None or not user.is_active:
        AuthToken.objects.filter(user=user).delete()
    changed = {"password": password is not None}
    record(actor, USER_CONFIGURED, user, changed, before=before, after=_described(user))
    return user


@transaction.atomic
def remove_user(actor: Actor, user: User) -> None:
    """Delete a user; what they did stays in the audit log under their name.

    :raises ValidationError: it is the actor, or the last administrator.
    """
    actor.require("administer")
    administrators = _hold_administrators(actor)
    if actor.user == user:
        raise ValidationError({"id": [_("You cannot remove yourself. Ask another administrator.")]})
    _keep_an_administrator(administrators, user, {"is_active": False})
    record(actor, USER_REMOVED, user, before=_described(user))
    user.delete()


def _stay_administrator(profile: dict[str, Any]) -> None:
    message = _("You cannot remove this from yourself. Ask another administrator.")
    if profile.get("role", Role.ADMINISTRATOR) != Role.ADMINISTRATOR:
        raise ValidationError({"role": [message]})
    for name in ("is_active", "is_staff"):
        if not profile.get(name, True):
            raise ValidationError({name: [message]})


def _hold_administrators(actor: Actor) -> list[User]:
    """Lock all who administer, so that no two of them take the role from each other at once; return them.

    :raises PermissionDenied: the actor was one, but is no longer.
    """
    rows = User.objects.filter(Q(role=Role.ADMINISTRATOR) | Q(is_superuser=True), is_active=True)
    held = list(rows.select_for_update().order_by("pk"))
    if actor.user is not None and actor.user not in held:
        raise PermissionDenied(_("You are no longer an administrator."))
    return held


def _keep_an_administrator(administrators: list[User], user: User, profile: dict[str, Any]) -> None:
    able = [each for each in administrators if each.is_staff]
    wanted = {"role": Role.ADMINISTRATOR, "is_active": True, "is_staff": True}
    lost = [name for name, value in wanted.items() if profile.get(name, value) != value]
    if lost and able == [user]:
        message = _("This is the last active administrator with console access. Add another one first.")
        raise ValidationError({lost[0]: [message]})


def _check(user: User) -> None:
    # Some characters become several: without this, Django makes the name longer after it measured it.
    user.username = User.normalize_username(user.username)
    user.full_clean()


def _set_password(user: User, password: str) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from error
    user.set_password(password)


@transaction.atomic
def change_own_password(actor: Actor, user: User, password: str) -> None:
    """Set one's own password; the tokens of the old one end."""
    _set_password(user, password)
    user.save(update_fields=["password"])
    AuthToken.objects.filter(user=user).delete()
    record(actor, USER_CHANGED_PASSWORD, user)


@transaction.atomic
def set_password_by(actor: Actor, username: str, change: Callable[[], str | None]) -> str | None:
    """Have a command set a user's password; the tokens of the old one end. Returns what the command says."""
    said = change()
    user = User.objects.get(username=username)
    AuthToken.objects.filter(user=user).delete()
    record(actor, PASSWORD_SET, user)
    return said


@transaction.atomic
def create_superuser_by(actor: Actor, create: Callable[[], Made]) -> Made:
    """Have a command add a superuser. Returns what ``create`` does."""
    known = set(User.objects.values_list("pk", flat=True))
    made = create()
    for user in User.objects.filter(is_superuser=True).exclude(pk__in=known):
        record(actor, USER_CREATED, user, after=_described(user))
    return made


@transaction.atomic
def lift_lockouts(actor: Actor, lift: Callable[[], int]) -> int:
    """Forget counts of failed sign-ins, which ends lockouts. Returns how many counts there were."""
    removed = lift()
    record(actor, LOCKOUTS_LIFTED, SignInTries(), {"removed": removed})
    return removed


@transaction.atomic
def change_own_profile(actor: Actor, **profile: str) -> User:
    """Set what is given of :data:`OWN` for the user who acts.

    :raises ValidationError: a wrong value; names the field.
    """
    actor.require("profile")
    user = User.objects.select_for_update().get(pk=actor.user.pk)
    before = {name: getattr(user, name) for name in OWN}
    for name in OWN:
        setattr(user, name, profile.get(name, before[name]))
    user.full_clean()
    user.save(update_fields=OWN)
    record(actor, USER_CHANGED_PROFILE, user, before=before, after={name: getattr(user, name) for name in OWN})
    return user


def _described(user: User) -> dict[str, Any]:
    groups = list(user.account_groups.values_list("name", flat=True))
    return {name: getattr(user, name) for name in PROFILE} | {"account_groups": groups}


@transaction.atomic
def save_group(
    actor: Actor,
    group: AccountGroup,
    *,
    accounts: Iterable[Account] | None = None,
    users: Iterable[User] | None = None,
    **values: str,
) -> AccountGroup:
    """Add or change a group. ``accounts`` are all that it holds from now on, ``users`` all who are granted it.

    :raises ValidationError: a name that is taken.
    """
    actor.require("administer")
    if group.pk:
        reread(group)
    before = _group_described(group) if group.pk else None
    for name, value in values.items():
        setattr(group, name, value)
    group.full_clean()
    group.save()
    if accounts is not None:
        # Removed ones are not offered; they keep their groups for when they are restored.
        group.accounts.set([*accounts, *group.accounts.removed()])
    if users is not None:
        group.users.set(users)
    record(actor, GROUP_CONFIGURED if before else GROUP_CREATED, group, before=before, after=_group_described(group))
    return group


def _group_described(group: AccountGroup) -> dict[str, Any]:
    return {
        "name": group.name,
        "description": group.description,
        "accounts": list(group.accounts.order_by("name").values_list("name", flat=True)),
        "users": list(group.users.order_by("username").values_list("username", flat=True)),
    }


@transaction.atomic
def remove_group(actor: Actor, group: AccountGroup) -> None:
    """Delete a group; its users no longer see its accounts."""
    actor.require("administer")
    record(actor, GROUP_REMOVED, group, before=_group_described(group))
    group.delete()
