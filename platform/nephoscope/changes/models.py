"""Approved plans, their steps, and how far each step got."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.postgres.indexes import HashIndex
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from nephoscope.accounts.fields import ReasonField
from nephoscope.accounts.models import Account, visible_accounts
from nephoscope.accounts.permissions import may
from nephoscope.alerts.models import Alert, Finding, SeverityChoice, Suppression
from nephoscope.changes.automatic_models import AutomaticFix
from nephoscope.inventory.models import InAccountQuerySet
from nephoscope.plugins import registry
from nephoscope.queue.lease import Leased


class ChangeState(models.TextChoices):
    PLANNED = "planned", _("Planned")
    HALF_APPROVED = "half_approved", _("Needs a second approval")
    APPROVED = "approved", _("Queued")
    APPLYING = "applying", _("Applying")
    WAITING = "waiting", _("Applied, waiting")
    APPLIED = "applied", _("Applied")
    VERIFIED = "verified", _("Applied and verified")
    FAILED = "failed", _("Failed")
    REFUSED = "refused", _("Refused")
    UNDO_QUEUED = "undo_queued", _("Undo queued")
    UNDOING = "undoing", _("Undoing")
    UNDONE = "undone", _("Undone")
    DISCARDED = "discarded", _("Discarded")
    EXPIRED = "expired", _("Expired")


PLAN_LIFETIME = timedelta(days=7)
"""How long a plan can be approved: what it was made from, and who reads it, must be of the same week."""

APPROVAL_LIFETIME = timedelta(hours=24)
"""How long an approved change waits for a worker: what it was approved for must still be so when it is applied."""

QUEUED = (ChangeState.APPROVED, ChangeState.UNDO_QUEUED)
"""A worker is to take it."""

UNDER_WAY = (ChangeState.APPLYING, ChangeState.UNDOING)
"""A worker holds it."""

GIVEN_UP = (ChangeState.REFUSED, ChangeState.FAILED, ChangeState.DISCARDED, ChangeState.EXPIRED)
"""How a change ends that did not do what was planned, so that it can be planned again."""

UNDOABLE = (ChangeState.APPLIED, ChangeState.VERIFIED, ChangeState.FAILED)
"""How a change ends that was applied, whole or in part."""


class SetState(models.TextChoices):
    PLANNING = "planning", _("Planning")
    PLANNED = "planned", _("Planned")
    HALF_APPROVED = "half_approved", _("Needs a second approval")
    APPROVED = "approved", _("Approved")
    STOPPED = "stopped", _("Stopped")
    DISCARDED = "discarded", _("Discarded")
    EXPIRED = "expired", _("Expired")


class ChangeSetQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: Any) -> ChangeSetQuerySet:
        """Those all of whose accounts the user may see: who reviews a set reviews all of it.

        An account that was removed counts as one that is not there.
        """
        items, visible = SetItem.objects.filter(change_set=OuterRef("pk")), visible_accounts(user)
        hidden = items.filter(account__removed_at=None).exclude(account__in=visible)
        return self.filter(Exists(items.filter(account__in=visible))).exclude(Exists(hidden))


class ChangeSet(Leased):
    """One fix for many resources, of one rule, in one account or many: reviewed and approved as one.

    Each resource has a plan of its own, a :class:`Change`; ``digest`` is over all of theirs. ``rule`` is the rule's id.
    """

    rule = models.CharField(max_length=200)
    remediation = models.CharField(_("fix"), max_length=200)
    title = models.CharField(_("title"), max_length=300)
    inputs = models.JSONField(_("inputs"), default=dict)
    state = models.CharField(_("state"), max_length=13, choices=SetState.choices, default=SetState.PLANNING)
    digest = models.CharField(max_length=64, blank=True)
    reason = models.TextField(_("reason"), blank=True)
    planned_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    planned_at = models.DateTimeField(_("planned"), auto_now_add=True)
    first_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    first_at = models.DateTimeField(_("first approved"), null=True)
    first_reason = models.TextField(_("reason of the first approval"), blank=True)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    approved_at = models.DateTimeField(_("approved"), null=True)
    stopped_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    stopped_at = models.DateTimeField(_("stopped"), null=True)

    objects = ChangeSetQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("bulk change")
        verbose_name_plural = _("bulk changes")

    def __str__(self) -> str:
        return f"B-{self.pk:06d}"

    def digest_now(self) -> str:
        """Return the digest over the digests of the plans that wait for approval, in whatever order."""
        digests = self.changes.filter(state=ChangeState.PLANNED).values_list("pk", "digest").order_by("pk")
        return hashlib.sha256("\n".join(f"{pk} {digest}" for pk, digest in digests).encode()).hexdigest()

    @property
    def expires_at(self) -> datetime | None:
        """When it can be approved no more; None for what is approved or over."""
        if self.state in (SetState.PLANNING, SetState.PLANNED):
            return self.planned_at + PLAN_LIFETIME
        return self.first_at + APPROVAL_LIFETIME if self.state == SetState.HALF_APPROVED and self.first_at else None


class SetItem(models.Model):
    """One finding that a set is to fix; ``problem`` says why it is left out, once it was looked at."""

    change_set = models.ForeignKey(ChangeSet, on_delete=models.CASCADE, related_name="items")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    finding = models.ForeignKey(Finding, null=True, on_delete=models.SET_NULL, related_name="+")
    resource_name = models.CharField(max_length=512)
    change = models.OneToOneField("Change", null=True, on_delete=models.CASCADE, related_name="item")
    problem = ReasonField(blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.resource_name


class Change(Leased):
    """One plan of a remediation. What a person approves is its digest; what is applied is exactly these steps.

    ``suppression`` is set on a change that archives a detection in its cloud because it was suppressed here,
    ``automatic`` on one that nobody was asked about. ``before_undo`` is the state that it goes back to when an undo is
    refused; ``undo_digest`` is that of the calls whose undo was asked for. ``parameters`` are the rule's that it was
    planned by; None where that was not kept. ``closes`` are the other findings that it resolves as well, each with its
    ``rule``, ``title`` and ``resource``; ``proven`` the actions that the cloud granted in a dry run. ``quiet_at`` is
    when the last call of a worker that stopped can reach the cloud no more; an undo begins after it. One that waits
    until its new values show is looked at again at ``look_at``, and no more after ``waits_until``.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="changes", verbose_name=_("account"))
    alert = models.ForeignKey(Alert, on_delete=models.PROTECT, related_name="changes", verbose_name=_("alert"))
    remediation = models.CharField(_("fix"), max_length=200)
    title = models.CharField(_("title"), max_length=300)
    digest = models.CharField(max_length=64)
    inputs = models.JSONField(_("inputs"), default=dict)
    warnings = models.JSONField(_("warnings"), default=list)
    permissions = models.JSONField(_("permissions"), default=list)
    uses = models.JSONField(_("used by"), default=list)
    closes = models.JSONField(_("also closes"), default=list)
    proven = models.JSONField(_("proven permissions"), default=list)
    parameters = models.JSONField(null=True, editable=False)
    suppression = models.ForeignKey(Suppression, null=True, on_delete=models.SET_NULL, related_name="changes")
    change_set = models.ForeignKey(ChangeSet, null=True, on_delete=models.SET_NULL, related_name="changes")
    automatic = models.ForeignKey(AutomaticFix, null=True, on_delete=models.PROTECT, related_name="changes")
    state = models.CharField(_("state"), max_length=13, choices=ChangeState.choices, default=ChangeState.PLANNED)
    reason = models.TextField(_("reason"), blank=True)
    outcome = ReasonField(_("outcome"), blank=True)
    planned_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    planned_at = models.DateTimeField(_("planned"), auto_now_add=True)
    first_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    first_at = models.DateTimeField(_("first approved"), null=True)
    first_reason = models.TextField(_("reason of the first approval"), blank=True)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    approved_at = models.DateTimeField(_("approved"), null=True)
    queued_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    undo_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    undo_requested_at = models.DateTimeField(_("undo requested"), null=True)
    undo_reason = models.TextField(_("reason for undoing"), blank=True)
    undo_digest = models.CharField(max_length=64, blank=True, editable=False)
    before_undo = models.CharField(max_length=13, choices=ChangeState.choices, blank=True)
    undone_at = models.DateTimeField(_("undone"), null=True)
    quiet_at = models.DateTimeField(null=True, editable=False)
    look_at = models.DateTimeField(null=True, editable=False)
    waits_until = models.DateTimeField(null=True, editable=False)

    objects = InAccountQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("change")
        verbose_name_plural = _("changes")

    def __str__(self) -> str:
        return f"C-{self.pk:06d}"

    @property
    def expires_at(self) -> datetime | None:
        """When it can be approved no more, or once it is approved, applied no more; None for what is over or begun."""
        if self.state == ChangeState.PLANNED:
            return self.planned_at + PLAN_LIFETIME
        if self.state == ChangeState.HALF_APPROVED and self.first_at:
            return self.first_at + APPROVAL_LIFETIME
        if self.state == ChangeState.APPROVED and self.approved_at:
            return self.approved_at + APPROVAL_LIFETIME
        return None

    @property
    def expired(self) -> bool:
        """Whether that time is over."""
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def under_way(self) -> bool:
        """Whether a worker is at it, as far as is known: one whose lease ran out has stopped."""
        return self.state in UNDER_WAY and self.held


class SecondApprovalQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: Any) -> SecondApprovalQuerySet:
        """Those of fixes and severities, and those of the accounts that the user may see."""
        return (
            self.filter(Q(account=None) | Q(account__in=visible_accounts(user))) if may(user, "view") else self.none()
        )


class SecondApproval(models.Model):
    """What changes need a second approver for: one of a fix, an account, and a severity of alerts."""

    remediation = models.CharField(_("fix"), max_length=200, blank=True)
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.CASCADE, verbose_name=_("account"))
    severity = models.CharField(_("severity"), max_length=10, choices=SeverityChoice.choices, blank=True)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    set_at = models.DateTimeField(_("set"), auto_now_add=True)

    objects = SecondApprovalQuerySet.as_manager()

    class Meta:
        ordering = ["severity", "remediation", "account"]
        verbose_name = _("second approver")
        verbose_name_plural = _("second approvers")
        constraints = [
            models.UniqueConstraint(
                fields=["remediation", "account", "severity"],
                nulls_distinct=False,
                name="one_second_approval_for_each",
                violation_error_message=_("A second approver is required for this already."),
            )
        ]

    def __str__(self) -> str:
        if self.account:
            return str(self.account)
        return self.get_severity_display() if self.severity else self.remediation

    def clean(self) -> None:
        if sum(map(bool, (self.remediation, self.account_id, self.severity))) != 1:
            raise ValidationError(_("Name a fix, an account or a severity: just one of them."))
        if self.remediation and self.remediation not in registry().remediations:
            raise ValidationError({"remediation": [_("There is no fix “%s”.") % self.remediation]})


class StepState(models.TextChoices):
    PENDING = "pending", _("Pending")
    APPLYING = "applying", _("Applying")
    WAITING = "waiting", _("Waiting")
    APPLIED = "applied", _("Applied")
    FAILED = "failed", _("Failed")
    SKIPPED = "skipped", _("Skipped")
    UNDOING = "undoing", _("Undoing")
    UNDONE = "undone", _("Undone")


MADE = (StepState.APPLYING, StepState.WAITING, StepState.APPLIED, StepState.UNDOING)
"""Steps whose call was made, or may have been."""


class ChangeStep(models.Model):
    """One call of a change and its inverse, with the state before and after of what it changes."""

    change = models.ForeignKey(Change, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    resource_id = models.CharField(max_length=2048)
    resource_name = models.CharField(max_length=512)
    title = models.CharField(max_length=300)
    call = models.JSONField()
    inverse = models.JSONField(null=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    wait = models.JSONField(null=True)
    keep = models.JSONField(default=list)
    loses = models.TextField(blank=True)
    restored = models.JSONField(null=True)
    kept = models.JSONField(default=dict)
    """What is kept of the call's answer, by path: just what later steps and the inverses use."""
    state = models.CharField(max_length=10, choices=StepState.choices, default=StepState.PENDING)
    error = ReasonField(blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["change", "position"], name="one_step_per_position")]
        # An id may be longer than what fits into a B-tree.
        indexes = [HashIndex(fields=["resource_id"], name="steps_of_a_resource")]

    def __str__(self) -> str:
        return self.title
