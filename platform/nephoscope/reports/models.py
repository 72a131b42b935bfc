"""Compliance reports that leave by themselves: what goes to whom and when, and what became of each time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from nephoscope.accounts.models import Account, AccountGroup
from nephoscope.accounts.permissions import may, sees_everything
from nephoscope.queue.lease import Leased


class Form(models.TextChoices):
    PDF = "pdf", _("PDF, for people")
    CSV = "csv", _("CSV, for spreadsheets")
    JSON = "json", _("JSON, for programs")


class Every(models.TextChoices):
    DAY = "day", _("Every day")
    WEEK = "week", _("Every week, on Monday")
    MONTH = "month", _("Every month, on the first")


class ReportScheduleQuerySet(models.QuerySet["ReportSchedule"]):
    def visible_to(self, user: Any) -> ReportScheduleQuerySet:
        """One's own; administrators see all."""
        if sees_everything(user):
            return self
        return self.filter(owner=user) if may(user, "view") else self.none()


class ReportSchedule(models.Model):
    """Which reports go where, and when. What is in them is what the owner may see when they are made.

    ``everything`` is kept apart from ``accounts`` and ``groups``: a schedule whose last account was removed must send
    nothing, and not all that its owner sees.
    """

    name = models.CharField(
        _("name"),
        max_length=100,
        validators=[RegexValidator(r"\A[^\x00-\x1f\x7f]*\Z", _("Enter the name on one line."))],
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("owner")
    )
    policies = models.JSONField(_("policies"), default=list, blank=True)
    accounts = models.ManyToManyField(Account, verbose_name=_("accounts"), blank=True, related_name="+")
    groups = models.ManyToManyField(AccountGroup, verbose_name=_("account groups"), blank=True, related_name="+")
    everything = models.BooleanField(default=False, editable=False)
    form = models.CharField(_("form"), max_length=4, choices=Form.choices, default=Form.PDF)
    every = models.CharField(_("every"), max_length=5, choices=Every.choices, default=Every.WEEK)
    hour = models.PositiveSmallIntegerField(_("hour"), default=6, validators=[MaxValueValidator(23)])
    mail_to = models.JSONField(_("mail to"), default=list, blank=True)
    folder = models.CharField(
        _("folder"),
        max_length=64,
        blank=True,
        validators=[
            RegexValidator(
                r"\A[A-Za-z0-9][A-Za-z0-9_-]*\Z", _("Use letters, digits, - and _. Start with a letter or digit.")
            )
        ],
    )
    keep = models.PositiveSmallIntegerField(
        _("keep the last"), default=12, validators=[MinValueValidator(1), MaxValueValidator(400)]
    )
    active = models.BooleanField(_("on"), default=True)
    next_run_at = models.DateTimeField(_("next"), null=True, editable=False)

    objects = ReportScheduleQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        verbose_name = _("report schedule")
        verbose_name_plural = _("report schedules")

    def __str__(self) -> str:
        return self.name

    def next_after(self, now: datetime) -> datetime | None:
        """Return the next turn after a moment, by the clock of the owner; None for one that is off."""
        if not self.active or self.owner is None:
            return None
        local = timezone.localtime(now, ZoneInfo(self.owner.time_zone))
        turn = local.replace(hour=self.hour, minute=0, second=0, microsecond=0, fold=0)
        # A turn that the clock reached in the hour that it repeats in autumn has been.
        while turn.timestamp() <= now.timestamp() or not self._is_day(turn):
            turn = (turn + timedelta(days=1)).replace(hour=self.hour)
        return turn

    def _is_day(self, turn: datetime) -> bool:
        return {Every.DAY: True, Every.WEEK: turn.weekday() == 0, Every.MONTH: turn.day == 1}[Every(self.every)]


class RunState(models.TextChoices):
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")


UNDER_WAY = (RunState.QUEUED, RunState.RUNNING)


class ReportRun(Leased):
    """One time that a schedule was due, or that somebody sent it. Who makes its reports holds it."""

    schedule = models.ForeignKey(ReportSchedule, on_delete=models.CASCADE, related_name="runs")
    state = models.CharField(_("state"), max_length=8, choices=RunState.choices, default=RunState.QUEUED)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("sent by")
    )
    queued_at = models.DateTimeField(_("queued"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    reports = models.PositiveIntegerField(_("reports"), default=0)
    outcome = models.TextField(_("outcome"), blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        constraints = [
            models.UniqueConstraint(
                fields=["schedule"], condition=Q(state__in=["queued", "running"]), name="one_run_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"run {self.pk}"

    @property
    def under_way(self) -> bool:
        return self.state in UNDER_WAY


class UpcomingMail(models.Model):
    """When an account's people were last told by mail of upcoming automatic fixes."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="+")
    sent_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.account)
