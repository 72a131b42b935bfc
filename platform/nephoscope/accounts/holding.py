"""Holding a row, above all an account, while something is written that depends on it.

Whoever locks an account and a change or an alert in it locks the account first.
"""

from __future__ import annotations

from django.core.exceptions import NON_FIELD_ERRORS, ObjectDoesNotExist, ValidationError
from django.db.models import Model
from django.utils.translation import gettext as _

from nephoscope.accounts.models import Account


def reread(row: Model) -> None:
    """Lock a row until the end of the transaction, and read it again: it may have changed since it was loaded.

    :raises ValidationError: it was deleted.
    """
    try:
        row.refresh_from_db(from_queryset=type(row)._base_manager.select_for_update())
    except ObjectDoesNotExist as error:
        raise ValidationError({NON_FIELD_ERRORS: [_("%(name)s was deleted.") % {"name": row}]}) from error


def hold(account: Account) -> None:
    """Do the same with an account, which has to be there still.

    :raises ValidationError: it was removed, or deleted for good.
    """
    reread(account)
    require_present(account)


def require_present(account: Account) -> None:
    """Raise ValidationError if the account, as it was loaded, is removed."""
    if account.removed_at:
        raise ValidationError({"account": [_("%(name)s was removed. Restore it first.") % {"name": account.name}]})
