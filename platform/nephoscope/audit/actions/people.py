"""What is recorded of users, their tokens and sign-ins, and of account groups."""

from __future__ import annotations

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nephoscope.accounts.permissions import Scope
from nephoscope.audit.actions.registry import Data, register


def _configured(data: Data) -> str:
    if data["password"]:
        return gettext("changed the user %(target)s and set a new password") % data
    return gettext("changed the user %(target)s") % data


def _sign_in_failed(data: Data) -> str:
    if data["known"]:
        return gettext("Failed sign-in as %(target)s: wrong password") % data
    return gettext("Failed sign-in as %(target)s: unknown user name") % data


def _locked_out(data: Data) -> str:
    if data["by"] == "address":
        return gettext("Sign-in from %(address)s locked for %(minutes)s minutes: %(tries)s failed attempts") % data
    if data["by"] == "name":
        message = gettext(
            "Sign-in as %(name)s locked for %(minutes)s minutes, except from addresses used before: "
            "%(tries)s failed attempts"
        )
        return message % data
    message = gettext("Sign-in as %(name)s from %(address)s locked for %(minutes)s minutes: %(tries)s failed attempts")
    return message % data


def _lockout_ended(data: Data) -> str:
    if data["by"] == "all":
        return gettext("Failed sign-ins between %(since)s and %(until)s, not recorded one by one: %(refused)s") % data
    if data["by"] == "address":
        message = gettext("Lockout of %(address)s from %(since)s to %(until)s: %(refused)s sign-ins refused")
    elif data["by"] == "name":
        message = gettext("Lockout of %(name)s from %(since)s to %(until)s: %(refused)s sign-ins refused")
    else:
        message = gettext(
            "Lockout of %(name)s at %(address)s from %(since)s to %(until)s: %(refused)s sign-ins refused"
        )
    return message % data


_LOCKOUT: Data = {"by": "pair", "name": "vera", "address": "10.0.0.5"}
_WHILE: Data = {"since": "2027-02-27 10:00", "until": "2027-02-27 10:15", "refused": 40}

_TOKEN: Data = {"begins": "1a2b3c4d", "name": "backup", "scope": "read", "expiry": "2027-02-27"}


def _token_issued(data: Data) -> str:
    if "name" not in data:  # an entry from before tokens had names
        return gettext("issued the API token %(begins)s… for %(target)s") % data
    values = {**data, "scope": Scope(data["scope"]).label}
    if data["expiry"]:
        return (
            gettext("issued the API token %(name)s (%(begins)s…) for %(target)s: %(scope)s, until %(expiry)s") % values
        )
    return gettext("issued the API token %(name)s (%(begins)s…) for %(target)s: %(scope)s, without expiry") % values


def _token_revoked(data: Data) -> str:
    if "name" not in data:
        return gettext("revoked the API token %(begins)s… of %(target)s") % data
    return gettext("revoked the API token %(name)s (%(begins)s…) of %(target)s") % data


USER_CREATED = register("user.created", _("User added"), _("added the user %(target)s"))
USER_CONFIGURED = register("user.configured", _("User changed"), _configured, password=True)
USER_CHANGED_PASSWORD = register("user.changed_password", _("Own password changed"), _("changed their own password"))
USER_CHANGED_PROFILE = register("user.changed_profile", _("Own profile changed"), _("changed their own profile"))
USER_REMOVED = register("user.removed", _("User removed"), _("removed the user %(target)s"))
TOKEN_ISSUED = register("user.token_issued", _("API token issued"), _token_issued, **_TOKEN)
TOKEN_REVOKED = register("user.token_revoked", _("API token revoked"), _token_revoked, **_TOKEN)
SIGNED_IN = register("user.signed_in", _("Signed in"), _("signed in"))
SIGN_IN_FAILED = register("user.sign_in_failed", _("Sign-in failed"), _sign_in_failed, whole=True, known=True)
LOCKED_OUT = register("user.locked_out", _("Sign-in locked"), _locked_out, whole=True, **_LOCKOUT, tries=10, minutes=15)
LOCKOUT_ENDED = register("user.lockout_ended", _("Lockout ended"), _lockout_ended, whole=True, **_LOCKOUT, **_WHILE)
LOCKOUTS_LIFTED = register(
    "user.lockouts_lifted", _("Lockouts lifted"), _("lifted sign-in lockouts: reset %(removed)s counters"), removed=2
)
PASSWORD_SET = register("user.password_set", _("Password set"), _("set a new password for %(target)s"))

GROUP_CREATED = register("group.created", _("Account group added"), _("added the account group %(target)s"))
GROUP_CONFIGURED = register("group.configured", _("Account group changed"), _("changed the account group %(target)s"))
GROUP_REMOVED = register("group.removed", _("Account group removed"), _("removed the account group %(target)s"))
