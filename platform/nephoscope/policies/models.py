"""What people decide about policies: policies of their own, settings of rules, and to which accounts a policy applies.

What plugins bring stays as it is; what stands here is laid over it (:mod:`nephoscope.policies.queries`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from nephoscope import domain
from nephoscope.accounts.models import Account, visible_accounts
from nephoscope.accounts.permissions import may
from nephoscope.queue.lease import Leased

OWN = "own_"
"""How the key of a person's own policy begins; no plugin's framework may be named so."""


class Policy(models.Model):
    """A person's own policy. ``controls`` are a framework's, as JSON: id, title, rules, manual, demands."""

    key = models.SlugField(_("key"), max_length=100, unique=True)
    name = models.CharField(_("name"), max_length=100, unique=True)
    description = models.CharField(_("description"), max_length=1000, blank=True)
    provider = models.CharField(_("provider"), max_length=30)
    based_on = models.CharField(_("based on"), max_length=100, blank=True)
    controls = models.JSONField(_("controls"), default=list)
    created_at = models.DateTimeField(_("made"), auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["name"]
        verbose_name = _("policy")
        verbose_name_plural = _("policies")

    def __str__(self) -> str:
        return self.name

    def to_domain(self) -> domain.Framework:
        controls = tuple(_control(each) for each in self.controls)
        return domain.Framework(self.key, self.name, self.provider, "", controls, family=str(_("Custom")))


def _control(stored: Mapping[str, Any]) -> domain.Control:
    # Policies that were cloned before controls named figures have none.
    demands = {
        rule: {name: tuple(value) if isinstance(value, list) else value for name, value in named.items()}
        for rule, named in stored.get("demands", {}).items()
    }
    return domain.Control(stored["id"], stored["title"], tuple(stored["rules"]), stored["manual"], demands)


class RuleSettingQuerySet(models.QuerySet["RuleSetting"]):
    def visible_to(self, user: Any) -> RuleSettingQuerySet:
        """Those of visible accounts; what holds everywhere or for a policy is seen by everyone who may look."""
        if not may(user, "view"):
            return self.none()
        return self.filter(Q(account=None) | Q(account__in=visible_accounts(user)))


class RuleSetting(models.Model):
    """What is set of a rule in one place: for one own policy, for one account, or, with neither, everywhere."""

    rule_id = models.CharField(_("rule"), max_length=200)
    policy = models.ForeignKey(
        Policy, null=True, on_delete=models.CASCADE, related_name="rule_settings", verbose_name=_("policy")
    )
    account = models.ForeignKey(
        Account, null=True, on_delete=models.CASCADE, related_name="rule_settings", verbose_name=_("account")
    )
    off = models.BooleanField(_("off"), default=False)
    severity = models.CharField(_("severity"), max_length=10, blank=True)
    parameters = models.JSONField(_("parameters"), default=dict)
    reason = models.TextField(_("reason"), blank=True)
    set_by = models.CharField(_("set by"), max_length=200)
    set_at = models.DateTimeField(_("set"), auto_now=True)

    objects = RuleSettingQuerySet.as_manager()

    class Meta:
        ordering = ["rule_id", "pk"]
        verbose_name = _("setting of a rule")
        verbose_name_plural = _("settings of rules")
        constraints = [
            models.UniqueConstraint(
                fields=["rule_id", "policy", "account"], nulls_distinct=False, name="one_setting_per_rule_and_place"
            ),
            models.CheckConstraint(condition=Q(policy=None) | Q(account=None), name="one_place_per_setting"),
            models.CheckConstraint(condition=Q(policy=None) | Q(off=False), name="a_policy_leaves_a_rule_out_instead"),
        ]

    def __str__(self) -> str:
        return f"{self.rule_id} ({self.place})"

    @property
    def place(self) -> str:
        """Where it holds, in words."""
        return str(self.account or self.policy or _("all accounts"))


class PolicyScope(models.Model):
    """A policy, own or of a plugin, applies to every account that has all these tags."""

    policy = models.CharField(_("policy"), max_length=100, unique=True)
    tags = models.JSONField(_("tags"), default=dict)

    class Meta:
        ordering = ["policy"]
        verbose_name = _("scope of a policy")
        verbose_name_plural = _("scopes of policies")

    def __str__(self) -> str:
        return self.policy


class Rejudging(Leased):
    """That what is stored of an account is to be judged again: it waits while ``wanted_at`` is after ``judged_for``.

    A worker holds it while it judges, so that one that dies is followed by another.
    """

    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="rejudging")
    wanted_at = models.DateTimeField()
    judged_for = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(_("judged again"), null=True)

    def __str__(self) -> str:
        return f"judging {self.account} again"

    @property
    def waiting(self) -> bool:
        """Whether a change was made that what is stored was not judged by yet."""
        return self.judged_for is None or self.judged_for < self.wanted_at


class JudgedType(models.Model):
    """A type of an account's resources that a whole scan judged, with a digest of all that its verdicts hang on."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    type = models.CharField(max_length=100)
    content = models.CharField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "type"], name="one_judged_type_per_account")]

    def __str__(self) -> str:
        return self.type
