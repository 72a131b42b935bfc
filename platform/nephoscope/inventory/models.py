"""What was found in the accounts, and the scans that found it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from nephoscope import domain
from nephoscope.accounts.models import Account, visible_accounts
from nephoscope.queue.lease import Leased

Part = TypeVar("Part", bound=Hashable)
"""A service in a region, told as the caller likes."""


class InAccountQuerySet(models.QuerySet[Any]):
    """For everything that belongs to one account."""

    def visible_to(self, user: Any) -> InAccountQuerySet:
        """Those of the accounts that the user may see."""
        return self.filter(account__in=visible_accounts(user))


class Resource(models.Model):
    """One thing in an account, as it was last read. ``gone_at`` is set when a scan no longer finds it."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="resources", verbose_name=_("account"))
    service = models.CharField(_("service"), max_length=60)
    type = models.CharField(_("type"), max_length=120)
    resource_id = models.CharField(_("id"), max_length=2048)
    name = models.CharField(_("name"), max_length=512)
    region = models.CharField(_("region"), max_length=60)
    tags = models.JSONField(_("tags"), default=dict)
    properties = models.JSONField(_("properties"), default=dict)
    digest = models.CharField(max_length=32)
    first_seen = models.DateTimeField(_("first seen"), auto_now_add=True)
    changed_at = models.DateTimeField(_("changed"))
    gone_at = models.DateTimeField(_("gone"), null=True)
    unlisted = models.BooleanField(default=False)
    """It stands for all resources of its type in its region, or a share of them, that could not be listed."""
    share = models.PositiveSmallIntegerField(default=0)

    objects = InAccountQuerySet.as_manager()

    class Meta:
        ordering = ["type", "name"]
        verbose_name = _("resource")
        verbose_name_plural = _("resources")
        constraints = [models.UniqueConstraint(fields=["account", "type", "resource_id"], name="one_row_per_resource")]
        indexes = [models.Index(fields=["account", "service", "region"], condition=Q(gone_at=None), name="present")]

    def __str__(self) -> str:
        return self.name

    def to_domain(self) -> domain.Resource:
        return domain.Resource(
            self.type,
            self.resource_id,
            self.name,
            self.region,
            self.account.number,
            self.properties,
            self.tags,
            unlisted=self.unlisted,
            share=self.share,
        )


class ScanState(models.TextChoices):
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    SUCCEEDED = "succeeded", _("Succeeded")
    PARTIAL = "partial", _("Partial")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


ACTIVE = (ScanState.QUEUED, ScanState.RUNNING)
READ = (ScanState.SUCCEEDED, ScanState.PARTIAL)
"""How scans end that read something; without one, an account's counts say nothing."""


class Scan(models.Model):
    """One reading of an account. Its shards hold the truth about its progress."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="scans", verbose_name=_("account"))
    state = models.CharField(_("state"), max_length=12, choices=ScanState.choices, default=ScanState.QUEUED)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("requested by")
    )
    created_at = models.DateTimeField(_("requested"), auto_now_add=True)
    started_at = models.DateTimeField(_("started"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    cancel_requested = models.BooleanField(default=False)
    whole = models.BooleanField(default=False)
    """It reads every part of the account as that is scoped now: widening the scope takes it back."""
    error = models.TextField(_("error"), blank=True)

    objects = InAccountQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("scan")
        verbose_name_plural = _("scans")
        constraints = [
            models.UniqueConstraint(
                fields=["account"], condition=Q(state__in=["queued", "running"]), name="one_active_scan_per_account"
            )
        ]

    def __str__(self) -> str:
        return f"scan {self.pk}"

    @property
    def active(self) -> bool:
        return self.state in ACTIVE


class ShardState(models.TextChoices):
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


LANES = 8
"""Shards that one worker reads at a time, and takes at a time."""

JUDGE = "judge"
"""The service of a scan's last shard: all others read the cloud, this one judges what they stored."""


class Shard(Leased):
    """One service in one region of a scan, or one share of it: claimed by one worker at a time under a lease."""

    scan = models.ForeignKey(Scan, on_delete=models.CASCADE, related_name="shards")
    service = models.CharField(_("service"), max_length=60)
    region = models.CharField(_("region"), max_length=60)
    share = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(_("state"), max_length=12, choices=ShardState.choices, default=ShardState.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    started_at = models.DateTimeField(_("started"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    resources = models.PositiveIntegerField(_("resources"), default=0)
    gaps = models.JSONField(_("could not be read"), default=list)
    missing = ArrayField(models.BigIntegerField(), default=list, editable=False)
    """The resources, by their rows, that it no longer found; judging says whether they are gone."""
    error = models.TextField(_("error"), blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["scan", "service", "region", "share"], name="one_shard_per_share")
        ]

    def __str__(self) -> str:
        return f"{self.service} in {self.region}" + (f", share {self.share + 1}" if self.share else "")


def read_to_end(shards: Iterable[tuple[Part, str]]) -> set[Part]:
    """Return the parts, each told with the state of one of its shares, all of whose shares are done."""
    told = list(shards)
    return {part for part, _state in told} - {part for part, state in told if state != ShardState.DONE}
