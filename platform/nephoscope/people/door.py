"""The door: how often passwords may be tried, and how many are checked at once.

Everything that checks a password goes through here, before the costly hash is computed. Three limits hold for a while
each: tries of one name from one address, of all names from one address, and of one name from all addresses. The last
one spares addresses from which the user signed in before, so that a stranger cannot keep a known person out.
Counts are in the database, for all web processes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import BoundedSemaphore
from typing import Any

from axes.handlers.base import AxesHandler
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext as _

from nephoscope.accounts.models import SignInTries, User
from nephoscope.audit.actions.people import LOCKED_OUT, LOCKOUT_ENDED, SIGN_IN_FAILED, SIGNED_IN, TOKEN_ISSUED
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor, record
from nephoscope.people.addresses import one_client
from nephoscope.people.middleware import begin_session

WINDOW = timedelta(minutes=15)
"""How long tries count, and how long a lockout lasts."""

LIMITS = {"address": 30, "name": 50, "pair": 10, "own": 10, "all": 200}
"""Tries by what they are counted for; ``own`` is for the current password when it is changed, ``all`` for the audit
entries that strangers cause: what goes beyond them is summed in one."""

LONGEST_NAME = 150

_HASHING = BoundedSemaphore(1)
_PLACES = BoundedSemaphore(3)
"""One password is checked at a time in a process and two wait: the other threads serve pages."""


class Busy(Exception):
    """Too many passwords are being checked."""


@contextmanager
def hashing() -> Iterator[None]:
    """Check a password within. Raises Busy: too many others are."""
    if not _PLACES.acquire(blocking=False):
        raise Busy
    try:
        with _HASHING:
            yield
    finally:
        _PLACES.release()


def printable(name: object) -> str:
    """Return a name that was tried, as the database can hold it."""
    text = str(name or "").encode(errors="replace").decode()
    return text.replace("\0", "")[:LONGEST_NAME]


def is_busy() -> bool:
    """Whether one more password could not be checked now; asked before anything is counted, which costs queries."""
    if not _PLACES.acquire(blocking=False):
        return True
    _PLACES.release()
    return False


class Door(AxesHandler):
    """What django-axes asks before a password is checked, and tells afterwards."""

    def is_allowed(self, request: Any, credentials: Any = None) -> bool:
        if is_busy():
            request.axes_locked_out = request.too_busy = True
            return False
        name = printable((credentials or {}).get("username"))
        until = admit(name, _address(request))
        if until is not None:
            request.axes_locked_out = True
            request.retry_after = _seconds_to(until)
        return until is None

    def user_login_failed(self, sender: Any, credentials: Any, request: Any = None, **kwargs: Any) -> None:
        if request is None or getattr(request, "axes_locked_out", False):
            return
        until = note_failure(printable(credentials.get("username")), _address(request))
        if until is not None:
            request.axes_locked_out = True
            request.retry_after = _seconds_to(until)

    def user_logged_in(self, sender: Any, request: Any, user: Any, **kwargs: Any) -> None:
        note_success(user.get_username(), _address(request))
        begin_session(request)

    @transaction.atomic
    def reset_attempts(
        self, *, ip_address: str | None = None, username: str | None = None, ip_or_username: bool = False
    ) -> int:
        rows = SignInTries.objects.exclude(kind="all")
        if ip_address is not None:
            rows = rows.filter(address=one_client(ip_address))
        if username is not None:
            rows = rows.filter(name=printable(username))
        for row in rows.select_for_update().order_by("pk"):
            _close(row)
        return rows.delete()[0]


def _address(request: Any) -> str:
    return str(request.META.get("REMOTE_ADDR") or "")


def _seconds_to(until: Any) -> int:
    return max(1, int((until - timezone.now()).total_seconds()) + 1)


_ALL = {"kind": "all", "name": "", "address": ""}


def _keys(name: str, address: str) -> list[dict[str, str]]:
    """Return what a try counts for, in the order in which rows are locked; an unknown address has no limit."""
    client = one_client(address)
    pair = [{"kind": "name", "name": name, "address": ""}, {"kind": "pair", "name": name, "address": client}]
    return [{"kind": "address", "name": "", "address": client}, *pair] if client else pair


def _rows(keys: list[dict[str, str]]) -> list[SignInTries]:
    """Lock counts and return them, at nothing where their while is over.

    All are locked before the audit log is, by which others may wait for them.
    """
    times = {"since": timezone.now(), "until": timezone.now() + WINDOW}
    rows = [SignInTries.objects.select_for_update().get_or_create(**key, defaults=times)[0] for key in keys]
    for row in rows:
        if row.until <= times["since"]:
            _close(row)
            fresh = {"tries": 0, "refused": 0, "locked": False, "recorded": False, **times}
            for field, value in fresh.items():
                setattr(row, field, value)
            row.save()
    return rows


@transaction.atomic
def admit(name: str, address: str) -> Any:
    """Count a try before its password is checked; return None, or until when there are to be none."""
    if (until := _refused(one_client(address))) is not None:
        return until
    rows = _rows(_keys(name, address))
    for row in rows:
        if row.tries >= LIMITS[row.kind] and not (row.kind == "name" and _came_before(name, address)):
            SignInTries.objects.filter(pk=row.pk).update(refused=F("refused") + 1)
            return row.until
    SignInTries.objects.filter(pk__in=[row.pk for row in rows]).update(tries=F("tries") + 1)
    return None


def _refused(client: str) -> Any:
    """Return until when an address is refused, or None: what it tries must not leave a row for each name.

    Asked without holding a row: another one is not to be waited for after a row was closed, which locks the audit log.
    """
    full = SignInTries.objects.filter(
        kind="address", address=client, tries__gte=LIMITS["address"], until__gt=timezone.now()
    )
    if not full.update(refused=F("refused") + 1):
        return None
    return full.values_list("until", flat=True).first()


def _came_before(name: str, address: str) -> bool:
    """Whether the user signed in from this address, or its network, at any time."""
    codes = [SIGNED_IN.code, TOKEN_ISSUED.code]
    entries = Entry.objects.filter(user__in=User.objects.filter(username=name), action__in=codes)
    client = one_client(address)
    return bool(client) and entries.extra(where=["address <<= %s::inet"], params=[client]).exists()


@transaction.atomic
def note_failure(name: str, address: str) -> Any:
    """Record a wrong password or name; return None, or until when the next try is refused."""
    *rows, total = _rows([*_keys(name, address), _ALL])
    user = User.objects.filter(username=name).first()
    target, actor = user or User(username=name), Actor.of_task("anyone", address=address or None)
    if _may_record(total):
        record(actor, SIGN_IN_FAILED, target, {"known": user is not None})
    full = [row for row in rows if row.tries >= LIMITS[row.kind]]
    for row in full:
        if not row.locked:
            _lock(row, total, actor, target)
    return max((row.until for row in full), default=None)


def _lock(row: SignInTries, total: SignInTries, actor: Actor, target: User) -> None:
    row.locked, row.until, row.recorded = True, timezone.now() + WINDOW, _may_record(total)
    row.save()
    if row.recorded:
        minutes = int(WINDOW.total_seconds() // 60)
        record(actor, LOCKED_OUT, target, {**_told(row), "tries": row.tries, "minutes": minutes})


def _told(row: SignInTries) -> dict[str, Any]:
    return {"by": row.kind, "name": row.name, "address": row.address}


def _may_record(total: SignInTries) -> bool:
    """Whether a stranger's failure gets an entry of its own; if not, it is counted for the one that sums them."""
    free = total.tries < LIMITS["all"]
    total.tries, total.refused = total.tries + free, total.refused + (not free)
    total.save()
    return free


def _close(row: SignInTries) -> None:
    """Record how many tries a lockout refused, once it is over."""
    if not row.refused or not (row.recorded or row.kind == "all"):
        return
    ended = min(row.until, timezone.now())
    times = {"since": f"{row.since:%Y-%m-%d %H:%M}", "until": f"{ended:%Y-%m-%d %H:%M}", "refused": row.refused}
    record(Actor.of_task("anyone"), LOCKOUT_ENDED, User(username=row.name), {**_told(row), **times})


@transaction.atomic
def note_success(name: str, address: str) -> None:
    """Forget the tries of this name from this address, and that this one counted elsewhere: it was no guess."""
    give_back(name, address)
    SignInTries.objects.filter(kind="pair", name=name, address=one_client(address), locked=False).update(tries=0)


@transaction.atomic
def give_back(name: str, address: str) -> None:
    """Take back what :func:`admit` counted for one try."""
    for key in _keys(name, address):
        SignInTries.objects.filter(**key, locked=False).update(tries=Greatest(F("tries") - 1, 0))


def check_own_password(user: User, password: str) -> bool:
    """Whether this is the user's current password.

    :raises ValidationError: too many wrong ones, or too many checks at once.
    """
    key = {"kind": "own", "name": printable(user.get_username()), "address": ""}
    with transaction.atomic():
        [row] = _rows([key])
        if row.tries >= LIMITS["own"]:
            raise ValidationError(_("Too many wrong passwords. Wait 15 minutes and try again."))
        SignInTries.objects.filter(pk=row.pk).update(tries=F("tries") + 1)
    try:
        with hashing():
            right = user.check_password(password)
    except Busy:
        raise ValidationError(_("Too many sign-ins at the moment. Wait a few seconds and try again.")) from None
    if right:
        SignInTries.objects.filter(**key).update(tries=0)
    return right


def forget_old_tries() -> None:
    """Close and delete counts whose while is over."""
    while True:
        with transaction.atomic():
            old = SignInTries.objects.filter(until__lte=timezone.now()).order_by("pk")
            rows = list(old.select_for_update(skip_locked=True)[:500])
            for row in rows:
                _close(row)
            SignInTries.objects.filter(pk__in=[row.pk for row in rows]).delete()
        if len(rows) < 500:
            return
