"""What is recorded of organisations and their members."""

from __future__ import annotations

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nephoscope.audit.actions.registry import Data, register


def _suspended(data: Data) -> str:
    sentences = {
        "pending_activation": gettext("found that %(member)s of the organisation %(target)s is not activated yet"),
        "suspended": gettext("found that %(member)s of the organisation %(target)s is suspended"),
        "pending_closure": gettext("found that %(member)s of the organisation %(target)s is being closed"),
        "closed": gettext("found that %(member)s of the organisation %(target)s is closed"),
    }
    return sentences[data["state"]] % data


ORGANISATION_CREATED = register("organisation.created", _("Organisation added"), _("added the organisation %(target)s"))
ORGANISATION_CONFIGURED = register(
    "organisation.configured",
    _("Organisation’s settings changed"),
    _("changed the settings of the organisation %(target)s"),
)
ORGANISATION_REMOVED = register(
    "organisation.removed", _("Organisation removed"), _("removed the organisation %(target)s")
)
ORGANISATION_SYNC_REQUESTED = register(
    "organisation.sync_requested", _("Organisation’s sync started"), _("started a sync of the organisation %(target)s")
)

MEMBER_CONNECTED = register(
    "member.connected",
    _("Member connected"),
    _("connected %(member)s of the organisation %(organisation)s"),
    member="dev (123456789012)",
    organisation="northwind",
)
MEMBER_LINKED = register(
    "member.linked",
    _("Account linked to its organisation"),
    _("linked %(target)s to the organisation %(organisation)s"),
    organisation="northwind",
)
MEMBER_LEFT = register(
    "member.left",
    _("Member left"),
    _("found that %(member)s left the organisation %(target)s"),
    member="dev (123456789012)",
)
MEMBER_RETURNED = register(
    "member.returned",
    _("Member returned"),
    _("found that %(member)s returned to the organisation %(target)s"),
    member="dev (123456789012)",
)
MEMBER_SUSPENDED = register(
    "member.suspended", _("Member suspended"), _suspended, member="dev (123456789012)", state="pending_closure"
)
