"""What people work on: alerts, the findings under them, and the decisions to ignore some of those."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from nephoscope import domain
from nephoscope.accounts.models import Account, visible_accounts
from nephoscope.inventory.models import InAccountQuerySet, Resource
from nephoscope.policies.queries import Catalogue, catalogue
from nephoscope.queue.outbox import Outgoing


class SeverityChoice(models.TextChoices):
    CRITICAL = "critical", _("Critical")
    HIGH = "high", _("High")
    MEDIUM = "medium", _("Medium")
    LOW = "low", _("Low")


class KindChoice(models.TextChoices):
    """:class:`nephoscope.domain.Kind`, with names."""

    SECURITY = "security", _("Security monitoring")
    ANOMALY = "anomaly", _("Anomaly")
    THREAT = "threat", _("Threat")
    IAC = "iac", _("IaC")


DETECTED = [kind.value for kind in domain.Kind if not kind.traits.by_rule]
"""What stands for the rule of findings that are one detection: its kind. No policy holds it."""


class AlertState(models.TextChoices):
    OPEN = "open", _("Open")
    SUPPRESSED = "suppressed", _("Suppressed")
    RESOLVED = "resolved", _("Resolved")


class VerdictChoice(models.TextChoices):
    PASS = "pass", _("Pass")
    FAIL = "fail", _("Fail")
    UNKNOWN = "unknown", _("Unknown")
    ERROR = "error", _("Error")


class Alert(models.Model):
    """One rule failing in one account. ``key`` is the rule's id; the row is kept, resolved and reopened.

    Of a kind that is not judged by a rule it is one detection: ``key`` is the detection's, ``source`` the detector as
    people know it, ``details`` hold its description, link, guide, facts, and how often it was seen, and its one finding
    bears the kind for a rule.
    ``affected`` and ``suppressed`` count its failing findings; open while any is affected, suppressed while all are.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="alerts", verbose_name=_("account"))
    kind = models.CharField(_("kind"), max_length=12, choices=KindChoice.choices, default=KindChoice.SECURITY)
    source = models.CharField(_("source"), max_length=60, blank=True)
    key = models.CharField(_("rule"), max_length=200)
    severity = models.CharField(_("severity"), max_length=10, choices=SeverityChoice.choices)
    rank = models.PositiveSmallIntegerField(editable=False)
    title = models.CharField(_("title"), max_length=300)
    details = models.JSONField(_("details"), default=dict)
    state = models.CharField(_("state"), max_length=12, choices=AlertState.choices, default=AlertState.RESOLVED)
    affected = models.PositiveIntegerField(_("affected"), default=0)
    suppressed = models.PositiveIntegerField(_("suppressed"), default=0)
    first_seen = models.DateTimeField(_("first seen"))
    last_seen = models.DateTimeField(_("last seen"))
    opened_at = models.DateTimeField(_("open since"))
    resolved_at = models.DateTimeField(_("resolved"), null=True)

    objects = InAccountQuerySet.as_manager()

    class Meta:
        ordering = ["rank", "-opened_at", "pk"]
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        constraints = [models.UniqueConstraint(fields=["account", "kind", "key"], name="one_alert_per_rule")]
        indexes = [models.Index(fields=["state", "rank", "-opened_at"])]

    def __str__(self) -> str:
        return f"A-{self.pk:06d}"

    @property
    def traits(self) -> domain.Traits:
        """What can be done with it."""
        return domain.Kind(self.kind).traits

    @property
    def kind_name(self) -> str:
        """The kind as people know it: the detector's name where there is one."""
        return self.source or str(KindChoice(self.kind).label)

    @cached_property
    def catalogue(self) -> Catalogue:
        """The rules and policies, read for this alert when it is first asked; for many alerts, read one for all."""
        return catalogue()

    @property
    def rule(self) -> domain.Rule | None:
        """The rule as the alert's catalogue has it; None when nothing brings it any more."""
        return self.catalogue.rule(self.key)


class TransitionKind(models.TextChoices):
    OPENED = "opened", _("Opened")
    REOPENED = "reopened", _("Reopened")
    RESOLVED = "resolved", _("Resolved")
    SUPPRESSED = "suppressed", _("Suppressed")
    UNSUPPRESSED = "unsuppressed", _("Unsuppressed")
    GRADED = "graded", _("Severity changed")


class Transition(Outgoing):
    """A change of an alert's state, or of its severity, written with it. Kept for NEPHOSCOPE_TRANSITION_DAYS.

    ``was`` and ``now`` are states; of a change of severity they are severities. The rest is the alert as it was then.
    """

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="transitions")
    what = models.CharField(max_length=12, choices=TransitionKind.choices)
    was = models.CharField(max_length=12)
    now = models.CharField(max_length=12)
    severity = models.CharField(max_length=10, choices=SeverityChoice.choices)
    affected = models.PositiveIntegerField()
    suppressed = models.PositiveIntegerField()

    class Meta(Outgoing.Meta):
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.alert} {self.what}"


class DetectionCursor(models.Model):
    """Up to when the detections of an account's service in a region were read."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    service = models.CharField(max_length=60)
    region = models.CharField(max_length=60)
    since = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "service", "region"], name="one_cursor_per_region")]

    def __str__(self) -> str:
        return f"{self.service} in {self.region}"


class SuppressionState(models.TextChoices):
    IN_FORCE = "in_force", _("In force")
    LIFTED = "lifted", _("Lifted")
    EXPIRED = "expired", _("Expired")


class SuppressionQuerySet(InAccountQuerySet):
    def visible_to(self, user: Any) -> SuppressionQuerySet:
        return self.filter(alert__account__in=visible_accounts(user))

    def standing(self) -> SuppressionQuerySet:
        """Those neither lifted nor expired."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()), lifted_at=None)

    def with_state(self) -> SuppressionQuerySet:
        """Add ``state`` to each: a :class:`SuppressionState`."""
        over = Q(expires_at__lte=timezone.now()) & (Q(lifted_at=None) | Q(lifted_at__gte=F("expires_at")))
        state = Case(
            When(over, then=Value(SuppressionState.EXPIRED)),
            When(lifted_at=None, then=Value(SuppressionState.IN_FORCE)),
            default=Value(SuppressionState.LIFTED),
        )
        rows: SuppressionQuerySet = self.annotate(state=state)
        return rows


class Suppression(models.Model):
    """A decision to ignore one resource of an alert. It holds by the resource's id, over scans and rebirths."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="suppressions", verbose_name=_("alert"))
    resource_id = models.CharField(_("resource"), max_length=2048)
    resource_name = models.CharField(_("resource name"), max_length=512)
    reason = models.TextField(_("reason"))
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(_("since"), auto_now_add=True)
    expires_at = models.DateTimeField(_("until"), null=True)
    lifted_at = models.DateTimeField(_("lifted"), null=True)

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("suppression")
        verbose_name_plural = _("suppressions")
        constraints = [
            models.UniqueConstraint(
                fields=["alert", "resource_id"], condition=Q(lifted_at=None), name="one_standing_suppression"
            )
        ]

    def __str__(self) -> str:
        return f"{self.resource_name} of {self.alert}"


class Finding(models.Model):
    """One rule's verdict on one resource. Not applicable has no row.

    ``failing_since`` and ``alert`` are set by a fail and cleared only by a pass, by not applicable, or with the
    resource: a verdict that becomes unknown leaves them, because unknown closes nothing.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="findings", verbose_name=_("account"))
    rule_id = models.CharField(_("rule"), max_length=200)
    resource = models.ForeignKey(
        Resource, on_delete=models.CASCADE, related_name="findings", verbose_name=_("resource")
    )
    verdict = models.CharField(_("verdict"), max_length=10, choices=VerdictChoice.choices)
    message = models.TextField(_("what was found"), blank=True)
    evidence = models.JSONField(_("evidence"), default=list)
    permission = models.CharField(_("missing permission"), max_length=200, blank=True)
    changed_at = models.DateTimeField(_("changed"))
    failing_since = models.DateTimeField(_("failing since"), null=True)
    alert = models.ForeignKey(Alert, null=True, on_delete=models.SET_NULL, related_name="findings")
    suppression = models.ForeignKey(Suppression, null=True, on_delete=models.SET_NULL, related_name="findings")

    objects = InAccountQuerySet.as_manager()

    class Meta:
        ordering = ["rule_id", "resource_id"]
        verbose_name = _("finding")
        verbose_name_plural = _("findings")
        constraints = [
            models.UniqueConstraint(fields=["rule_id", "resource"], name="one_finding_per_rule_and_resource")
        ]
        indexes = [
            models.Index(fields=["alert"], condition=Q(failing_since__isnull=False), name="failing"),
            models.Index(fields=["account", "verdict"]),
        ]

    def __str__(self) -> str:
        return f"{self.rule_id} on {self.resource}"


class ComplianceDay(models.Model):
    """How an account stood by a policy at the end of a day's last scan; in controls. Older days are never recounted.

    The newest also says that the policy was judged by the account's newest scan (:mod:`nephoscope.compliance.queries`).
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", verbose_name=_("account"))
    policy = models.CharField(_("policy"), max_length=100)
    day = models.DateField(_("day"))
    judged_at = models.DateTimeField(_("judged"))
    passed = models.PositiveIntegerField(_("passed"))
    failed = models.PositiveIntegerField(_("failed"))
    unknown = models.PositiveIntegerField(_("unknown"))

    objects = InAccountQuerySet.as_manager()

    class Meta:
        ordering = ["day"]
        verbose_name = _("day of compliance")
        verbose_name_plural = _("days of compliance")
        constraints = [
            models.UniqueConstraint(fields=["account", "policy", "day"], name="one_row_per_account_policy_and_day")
        ]

    def __str__(self) -> str:
        return f"{self.policy} on {self.day}"
