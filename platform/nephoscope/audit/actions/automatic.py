"""What is recorded of automatic fixes; each that is planned and applied is recorded as every other change."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from nephoscope.audit.actions.registry import Data, register
from nephoscope.audit.actions.wording import readable, resources


def _on(data: Data) -> str:
    sentence = ngettext(
        "switched on %(target)s: fixes “%(rule)s” by “%(title)s” after %(days)s day of notice",
        "switched on %(target)s: fixes “%(rule)s” by “%(title)s” after %(days)s days of notice",
        data["days"],
    )
    return sentence % data


def _noticed(data: Data) -> str:
    sentence = ngettext(
        "gave notice that %(count)s resource of %(target)s is fixed automatically on %(day)s: %(resources)s",
        "gave notice that %(count)s resources of %(target)s are fixed automatically on %(day)s: %(resources)s",
        data["count"],
    )
    return sentence % readable(data)


_TITLE, _RULE, _RESOURCE = "Block public access", "Bucket can be read by anyone", "logs-prod"

AUTOMATIC_ON = register("automatic.on", _("Automatic fix switched on"), _on, title=_TITLE, rule=_RULE, days=7)
AUTOMATIC_OFF = register(
    "automatic.off",
    _("Automatic fix switched off"),
    _("switched off %(target)s: “%(rule)s” is no longer fixed by “%(title)s”; %(count)s queued changes were withdrawn"),
    title=_TITLE,
    rule=_RULE,
    count=2,
)
AUTOMATIC_NOTICED = register(
    "automatic.noticed",
    _("Notice of an automatic fix given"),
    _noticed,
    day="2026-01-15",
    **resources([_RESOURCE]),
)
AUTOMATIC_OBJECTED = register(
    "automatic.objected",
    _("Objected to an automatic fix"),
    _("objected to the automatic fix “%(title)s” of %(resource)s in %(target)s"),
    title=_TITLE,
    resource=_RESOURCE,
)
AUTOMATIC_OBJECTION_WITHDRAWN = register(
    "automatic.objection_withdrawn",
    _("Objection to an automatic fix withdrawn"),
    _("withdrew the objection to the automatic fix “%(title)s” of %(resource)s in %(target)s"),
    title=_TITLE,
    resource=_RESOURCE,
)
