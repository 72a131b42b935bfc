"""What is recorded of accounts, and of their events."""

from __future__ import annotations

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nephoscope.audit.actions.registry import Data, register
from nephoscope.audit.actions.wording import readable


def _verified(data: Data) -> str:
    if data["fixing"] and data["missing"]:
        sentence = gettext("verified the fix role of %(target)s (%(number)s); not allowed: %(missing)s")
    elif data["fixing"]:
        sentence = gettext("verified the fix role of %(target)s (%(number)s)")
    elif data["missing"]:
        sentence = gettext("verified %(target)s (%(number)s); missing permissions: %(missing)s")
    else:
        sentence = gettext("verified %(target)s (%(number)s)")
    return sentence % readable(data)


def _removed(data: Data) -> str:
    if data["number"]:
        return gettext("removed the account %(target)s (%(number)s)") % data
    return gettext("removed the account %(target)s, which was never verified") % data


def _restored(data: Data) -> str:
    if data["number"]:
        return gettext("restored the account %(target)s (%(number)s)") % data
    return gettext("restored the account %(target)s, which was never verified") % data


def _deleted(data: Data) -> str:
    sentence = gettext(
        "deleted the account %(target)s for good (alerts: %(alerts)s, suppressions: %(suppressions)s, changes: "
        "%(changes)s, resources: %(resources)s, scans: %(scans)s)"
    )
    return sentence % data


def _followed(data: Data) -> str:
    sentences = {
        ("tags",): gettext("updated the tags of %(target)s from the organisation %(organisation)s"),
        ("name",): gettext("updated the name of %(target)s from the organisation %(organisation)s"),
        ("tags", "name"): gettext("updated the tags and the name of %(target)s from the organisation %(organisation)s"),
    }
    return sentences[tuple(data["changed"])] % data


def _unreachable(data: Data) -> str:
    sentence = gettext("could not reach %(target)s (%(reason)s)")
    if data["fixing"]:
        sentence = gettext("could not use the fix role of %(target)s (%(reason)s)")
    return sentence % {**data, "reason": data["reason"].rstrip(".")}


def _reached(data: Data) -> str:
    if data["fixing"]:
        return gettext("used the fix role of %(target)s again") % data
    return gettext("reached %(target)s again") % data


ACCOUNT_CREATED = register("account.created", _("Account added"), _("added the account %(target)s"))
ACCOUNT_VERIFIED = register(
    "account.verified",
    _("Account verified"),
    _verified,
    number="123456789012",
    missing=["buckets.get"],
    fixing=True,
)
ACCOUNT_UNREACHABLE = register(
    "account.unreachable",
    _("Account became unreachable"),
    _unreachable,
    fixing=False,
    reason="The role cannot be assumed.",
)
ACCOUNT_REACHED = register("account.reached", _("Account reachable again"), _reached, fixing=False)
ACCOUNT_CONFIGURED = register(
    "account.configured", _("Account’s settings changed"), _("changed the settings of %(target)s")
)
ACCOUNT_REMOVED = register("account.removed", _("Account removed"), _removed, number="123456789012")
ACCOUNT_RESTORED = register("account.restored", _("Account restored"), _restored, number="123456789012")
ACCOUNT_DELETED = register(
    "account.deleted",
    _("Account deleted for good"),
    _deleted,
    number="123456789012",
    alerts=80,
    suppressions=6,
    changes=0,
    resources=166,
    scans=12,
)
ACCOUNT_FOLLOWED = register(
    "account.followed",
    _("Account updated from its organisation"),
    _followed,
    changed=["tags", "name"],
    organisation="northwind",
)

EVENTS_SWITCHED_ON = register(
    "events.switched_on", _("Event-driven recheck turned on"), _("turned on event-driven recheck for %(target)s")
)
EVENTS_ROTATED = register("events.rotated", _("Event secret rotated"), _("rotated the event secret of %(target)s"))
EVENTS_SWITCHED_OFF = register(
    "events.switched_off", _("Event-driven recheck turned off"), _("turned off event-driven recheck for %(target)s")
)
