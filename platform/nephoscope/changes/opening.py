"""Opening an account for a change: to read as its fix reads, and to write what was approved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from nephoscope import domain, surgery, waiting
from nephoscope.accounts.models import Account
from nephoscope.accounts.queries import provider_of
from nephoscope.changes.readiness import FixNotAllowed, offered
from nephoscope.waiting import open_in_time


def open_session(account: Account, deadline: domain.Deadline | None = None) -> domain.LiveSession:
    """Open an account for reading, as a fix reads it; raises ValidationError."""
    try:
        session = open_in_time(provider_of(account), account.connection.until(deadline))
    except domain.ConnectionProblem as problem:
        raise ValidationError({problem.field: [problem.message]}) from problem
    if not isinstance(session, domain.LiveSession):
        session.close()
        raise ValidationError({"account": [_("Nephoscope cannot change anything in this account.")]})
    return session


def open_writer(account: Account, calls: Iterable[domain.Call]) -> domain.Writer:
    """Open an account for just these calls; raises ValidationError."""
    with _problems_named():
        return surgery.open_writer(provider_of(account), account.connection, _permissions(calls))


def rehearse(
    account: Account,
    remediation: domain.Remediation,
    steps: Sequence[domain.Step],
    deadline: domain.Deadline | None = None,
) -> tuple[domain.Permission, ...]:
    """Open an account for just the calls of these steps, and have it check them, in time; raises ValidationError.

    Returns the permissions that the cloud proved so. Raises FixNotAllowed where the fix role does not allow a call.
    """
    connection, permissions = account.connection.until(deadline), _permissions(step.call for step in steps)
    try:
        with _problems_named():
            return waiting.rehearse(provider_of(account), connection, permissions, steps)
    except domain.NotAllowed as refusal:
        raise FixNotAllowed(offered(account, remediation, refusal.permission)) from refusal


def _permissions(calls: Iterable[domain.Call]) -> list[domain.Permission]:
    return list(dict.fromkeys(permission for call in calls for permission in call.permissions))


@contextmanager
def _problems_named() -> Iterator[None]:
    try:
        yield
    except domain.ConnectionProblem as problem:
        raise ValidationError({problem.field: [problem.message]}) from problem
    except domain.PlanProblem as problem:
        raise ValidationError({"change": [str(problem)]}) from problem
