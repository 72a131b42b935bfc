"""Fixes that a rule does by itself in chosen accounts, and the notices of what they are about to fix."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Case, Q, Value, When
from django.utils.translation import gettext_lazy as _

from nephoscope.accounts.fields import ReasonField
from nephoscope.accounts.models import Account, visible_accounts
from nephoscope.accounts.permissions import sees_everything
from nephoscope.alerts.models import Alert, Finding
from nephoscope.inventory.models import InAccountQuerySet
from nephoscope.queue.lease import Leased


class AutomaticFixQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: Any) -> AutomaticFixQuerySet:
        """Those of any account that the user may see."""
        if sees_everything(user):
            return self
        through = AutomaticFix.accounts.through.objects.filter(account__in=visible_accounts(user))
        return self.filter(pk__in=through.values("automaticfix"))

    def in_force(self) -> AutomaticFixQuerySet:
        """Those that nobody switched off."""
        return self.filter(off_at=None)


class AutomaticFix(models.Model):
    """One rule that is fixed without anybody being asked, in chosen accounts, until an administrator switches it off.

    ``rule`` is the rule's id. Somebody can object for ``notice_days`` before a resource is fixed; 0 is at once. All is
    done by the rights of ``set_by``.
    """

    rule = models.CharField(_("rule"), max_length=200)
    remediation = models.CharField(_("fix"), max_length=200)
    title = models.CharField(_("title"), max_length=300)
    inputs = models.JSONField(_("inputs"), default=dict)
    accounts = models.ManyToManyField(Account, verbose_name=_("accounts"), related_name="automatic_fixes")
    notice_days = models.PositiveSmallIntegerField(_("days of notice"))
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    set_at = models.DateTimeField(_("on since"), auto_now_add=True)
    off_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    off_at = models.DateTimeField(_("switched off"), null=True)

    objects = AutomaticFixQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("automatic fix")
        verbose_name_plural = _("automatic fixes")

    def __str__(self) -> str:
        return f"F-{self.pk:06d}"


class NoticeState(models.TextChoices):
    UPCOMING = "upcoming", _("Upcoming")
    KEPT_BACK = "kept_back", _("Held back")
    OBJECTED = "objected", _("Objected")
    NEEDS_APPROVAL = "needs_approval", _("Needs approval")
    CHANGED = "changed", _("Change made")


class FixNoticeQuerySet(InAccountQuerySet):
    def visible_to(self, user: Any) -> FixNoticeQuerySet:
        return self.filter(account__in=visible_accounts(user))

    def with_state(self) -> FixNoticeQuerySet:
        """Add ``state`` to each: a :class:`NoticeState`."""
        state = Case(
            When(objected_at__isnull=False, then=Value(NoticeState.OBJECTED)),
            When(change__automatic__isnull=False, then=Value(NoticeState.CHANGED)),
            When(change__approved_at__isnull=False, then=Value(NoticeState.CHANGED)),
            When(change__isnull=False, then=Value(NoticeState.NEEDS_APPROVAL)),
            When(~Q(problem=""), then=Value(NoticeState.KEPT_BACK)),
            default=Value(NoticeState.UPCOMING),
        )
        rows: FixNoticeQuerySet = self.annotate(state=state)
        return rows

    def upcoming(self) -> FixNoticeQuerySet:
        """Those of resources that are fixed unless somebody objects."""
        return self.filter(change=None, objected_at=None, problem="")


class FixNotice(Leased):
    """Notice that one resource is about to be fixed; ``failing_since`` is that of the finding that it was given for.

    An objection holds by the resource's id, whatever becomes of the finding, until it is withdrawn. ``problem`` says
    why it is not fixed although it is due; it is tried again from ``retry_at`` on.
    """

    automatic = models.ForeignKey(AutomaticFix, on_delete=models.CASCADE, related_name="notices")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", verbose_name=_("account"))
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="fix_notices", verbose_name=_("alert"))
    finding = models.ForeignKey(Finding, null=True, on_delete=models.SET_NULL, related_name="+")
    failing_since = models.DateTimeField(_("failing since"))
    resource_id = models.CharField(_("resource"), max_length=2048)
    resource_name = models.CharField(_("resource name"), max_length=512)
    noticed_at = models.DateTimeField(_("notice given"), auto_now_add=True)
    due_at = models.DateTimeField(_("due"))
    objected_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    objected_at = models.DateTimeField(_("objected"), null=True)
    objection = models.TextField(_("objection"), blank=True)
    change = models.ForeignKey("Change", null=True, on_delete=models.SET_NULL, related_name="notices")
    problem = ReasonField(_("problem"), blank=True)
    retry_at = models.DateTimeField(null=True, editable=False)

    objects = FixNoticeQuerySet.as_manager()

    class Meta:
        ordering = ["due_at", "pk"]
        verbose_name = _("upcoming automatic fix")
        verbose_name_plural = _("upcoming automatic fixes")
        constraints = [
            models.UniqueConstraint(fields=["automatic", "finding", "failing_since"], name="one_notice_per_failure")
        ]

    def __str__(self) -> str:
        return self.resource_name
