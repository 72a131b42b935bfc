"""Where an account's cloud tells of changes, and what it told lately."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from nephoscope.accounts.fields import ReasonField
from nephoscope.accounts.models import Account
from nephoscope.domain import ChangedResource
from nephoscope.queue.lease import Leased


class Listener(Leased):
    """An account's door for events. Its secret is made of the installation's key and ``salt``; it is stored nowhere.

    Who holds it works on what came in.
    """

    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="listener")
    address = models.SlugField(_("address"), max_length=40, unique=True)
    salt = models.CharField(max_length=64)
    created_at = models.DateTimeField(_("turned on"), auto_now_add=True)
    rotated_at = models.DateTimeField(_("secret created"))
    last_delivery_at = models.DateTimeField(_("last delivery"), null=True)
    ignored = models.PositiveBigIntegerField(_("not about a collected resource"), default=0)
    last_refused_at = models.DateTimeField(_("last rejected"), null=True)
    last_refusal = models.CharField(_("why"), max_length=300, blank=True)

    def __str__(self) -> str:
        return f"events of {self.account}"


class DeliveryState(models.TextChoices):
    QUEUED = "queued", _("Queued")
    AFTER_SCAN = "after_scan", _("Read, again after the scan")
    DONE = "done", _("Done")
    FAILED = "failed", _("Partly read")


WAITING = (DeliveryState.QUEUED, DeliveryState.AFTER_SCAN)


class Delivery(models.Model):
    """One event: what it says to look at. Its other content is not kept."""

    listener = models.ForeignKey(Listener, on_delete=models.CASCADE, related_name="deliveries")
    event_id = models.CharField(max_length=100)
    name = models.CharField(_("event"), max_length=200)
    region = models.CharField(_("region"), max_length=60)
    changed = models.JSONField(default=list)
    state = models.CharField(_("state"), max_length=12, choices=DeliveryState.choices, default=DeliveryState.QUEUED)
    error = ReasonField(_("error"), blank=True)
    received_at = models.DateTimeField(_("received"), auto_now_add=True)
    done_at = models.DateTimeField(_("read again"), null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["listener", "event_id"], name="one_delivery_per_event")]
        indexes = [
            models.Index(fields=["listener", "received_at"]),
            models.Index(
                fields=["listener", "id"], condition=Q(state__in=["queued", "after_scan"]), name="deliveries_waiting"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} in {self.region}"

    @property
    def wanted(self) -> list[ChangedResource]:
        """What it says to look at."""
        return [ChangedResource(*each) for each in self.changed]

    @staticmethod
    def stored(changed: tuple[ChangedResource, ...]) -> list[Any]:
        return [[each.service, each.region, each.type, each.id, each.name] for each in changed]
