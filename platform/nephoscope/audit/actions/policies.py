"""What is recorded of policies, and of what is set of their rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nephoscope.audit.actions.registry import Data, register
from nephoscope.audit.actions.wording import SEVERITIES, readable

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


def _created(data: Data) -> str:
    if data["based_on"]:
        return gettext("created the policy %(target)s as a copy of %(based_on)s") % data
    return gettext("created the policy %(target)s") % data


def _changed(data: Data) -> str:
    if data["was"] != data["name"]:
        return gettext("renamed the policy %(was)s to %(name)s") % data
    return gettext("changed the description of the policy %(name)s") % data


def _scoped(data: Data) -> str:
    if data["tags"]:
        return gettext("applied the policy %(policy)s to accounts with the tags %(tags)s") % readable(data)
    return gettext("stopped applying the policy %(policy)s by tags") % data


def _place(data: Data) -> str:
    if data["account"]:
        return gettext("for %(account)s") % data
    return gettext("in the policy %(policy)s") % data if data["policy"] else gettext("in all accounts")


def _placed(sentence: StrPromise) -> Callable[[Data], str]:
    return lambda data: str(sentence % {**data, "place": _place(data)})


def _set(data: Data) -> str:
    changes = "; ".join(map(_change, data["changes"]))
    sentence = gettext("changed “%(title)s” (%(rule)s) %(place)s: %(changes)s")
    if not changes:
        sentence = gettext("changed the reason for the settings of “%(title)s” (%(rule)s) %(place)s")
    return sentence % {**data, "place": _place(data), "changes": changes}


def _change(change: Data) -> str:
    """Write one change of a rule's severity, or of a parameter, which goes by its name."""
    if change["what"] == "severity":
        words = {key: SEVERITIES[change[key]] for key in ("was", "now")}
        return gettext("severity from %(was)s to %(now)s") % words
    return gettext("%(what)s from %(was)s to %(now)s") % readable(change)


_PLACE: dict[str, Any] = {"account": "prod", "policy": ""}
_RULE: dict[str, Any] = {"title": "User is unused", "rule": "users.unused", **_PLACE}

POLICY_CREATED = register("policy.created", _("Policy created"), _created, based_on="Baseline")
POLICY_CHANGED = register("policy.changed", _("Policy changed"), _changed, was="Our policy", name="Our Baseline")
POLICY_RULE_ADDED = register(
    "policy.rule_added",
    _("Rule added to a policy"),
    _("added “%(title)s” to “%(control)s” of %(target)s"),
    title="User is unused",
    rule="users.unused",
    control="1.12",
)
POLICY_RULE_REMOVED = register(
    "policy.rule_removed",
    _("Rule removed from a policy"),
    _("removed “%(title)s” from %(target)s"),
    title="User is unused",
    rule="users.unused",
)
POLICY_REMOVED = register("policy.removed", _("Policy deleted"), _("deleted the policy %(target)s"))
POLICY_SCOPED = register(
    "policy.scoped", _("Policy applied by tags"), _scoped, policy="Baseline", tags=["env=prod", "team=data"]
)

RULE_SWITCHED_OFF = register(
    "rule.switched_off", _("Rule turned off"), _placed(_("turned off “%(title)s” (%(rule)s) %(place)s")), **_RULE
)
RULE_SWITCHED_ON = register(
    "rule.switched_on", _("Rule turned on"), _placed(_("turned on “%(title)s” (%(rule)s) %(place)s")), **_RULE
)
RULE_SET = register(
    "rule.set",
    _("Rule’s settings changed"),
    _set,
    changes=[{"what": "severity", "was": "high", "now": "low"}, {"what": "days", "was": 90, "now": 30}],
    **_RULE,
)
RULE_RESET = register(
    "rule.reset",
    _("Rule’s settings removed"),
    _placed(_("removed the settings of %(rule)s %(place)s")),
    rule="users.unused",
    **_PLACE,
)
