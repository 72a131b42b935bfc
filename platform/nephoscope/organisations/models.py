"""Organisations, and the accounts that they list as theirs."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils.translation import gettext_lazy as _

from nephoscope.accounts.fields import ReasonField
from nephoscope.accounts.models import DAILY, Account, AccountGroup, Connected, visible_accounts
from nephoscope.accounts.permissions import sees_everything
from nephoscope.queue.lease import Leased


class OrganisationQuerySet(models.QuerySet["Organisation"]):
    def visible_to(self, user: Any) -> OrganisationQuerySet:
        """Those with an account that the user may see; administrators see all."""
        if sees_everything(user):
            return self
        seen = visible_accounts(user)
        members = Member.objects.filter(account__in=seen).values("organisation")
        return self.filter(Q(account__in=seen) | Q(pk__in=members))


class Organisation(Leased, Connected):
    """Accounts that belong together in their cloud, read through one that may list them all.

    A sync under way holds it; ``problem`` says why the last listing failed.
    """

    name = models.CharField(_("name"), max_length=100, unique=True)
    account = models.OneToOneField(
        Account, on_delete=models.PROTECT, related_name="organisation", verbose_name=_("read through")
    )
    include = models.JSONField(_("only these units"), default=list, blank=True)
    exclude = models.JSONField(_("not these units"), default=list, blank=True)
    regions = models.JSONField(_("regions"), default=list, blank=True)
    policies = models.JSONField(_("policies"), default=list, blank=True)
    scan_every = models.PositiveSmallIntegerField(
        _("scan every … hours"), default=DAILY, validators=[MaxValueValidator(24 * 31)]
    )
    groups = models.ManyToManyField(
        AccountGroup, verbose_name=_("account groups"), blank=True, related_name="organisations"
    )
    problem = ReasonField(_("problem"), blank=True, editable=False)
    synced_at = models.DateTimeField(_("in sync"), null=True, editable=False)
    next_sync_at = models.DateTimeField(_("next sync"), null=True, editable=False)
    created_at = models.DateTimeField(_("connected"), auto_now_add=True)

    objects: ClassVar[Any] = OrganisationQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")

    def __str__(self) -> str:
        return self.name

    def unique_error_message(self, model_class: Any, unique_check: Any) -> ValidationError:
        if unique_check == ("account",):
            return ValidationError(_("An organisation is already read through this account."), code="unique")
        return ValidationError(
            _("An organisation named %(name)s already exists."), code="unique", params={"name": self.name}
        )

    @property
    def syncing(self) -> bool:
        return self.held

    def wants(self, path: str) -> bool:
        """Whether members in the unit at this path are to be connected."""
        return (not self.include or _under(path, self.include)) and not _under(path, self.exclude)


def _under(path: str, units: list[str]) -> bool:
    return any(path == unit or path.startswith(f"{unit}/") for unit in units)


class StateChoice(models.TextChoices):
    """:class:`nephoscope.domain.MemberState`, with names."""

    ACTIVE = "active", _("Active")
    PENDING_ACTIVATION = "pending_activation", _("Pending activation")
    SUSPENDED = "suspended", _("Suspended")
    PENDING_CLOSURE = "pending_closure", _("Pending closure")
    CLOSED = "closed", _("Closed")


class Standing(models.TextChoices):
    """Where a member stands here: what its state in the cloud and its account here make together."""

    CONNECTED = "connected", _("Connected")
    PENDING = "pending", _("Pending")
    SUSPENDED = "suspended", _("Suspended or closed")
    LEFT = "left", _("Left")
    EXCLUDED = "excluded", _("Excluded")
    REMOVED = "removed", _("Removed")


ACTIVE = Q(left_at=None, state=StateChoice.ACTIVE)


class MemberQuerySet(models.QuerySet["Member"]):
    def visible_to(self, user: Any) -> MemberQuerySet:
        """Those whose account the user may see; administrators see all."""
        return self if sees_everything(user) else self.filter(account__in=visible_accounts(user))

    def with_standing(self) -> Any:
        """Annotate each with its :class:`Standing`, as ``standing``."""
        return self.annotate(
            standing=Case(
                When(left_at__isnull=False, then=Value(Standing.LEFT)),
                When(~Q(state=StateChoice.ACTIVE), then=Value(Standing.SUSPENDED)),
                When(account__removed_at__isnull=False, then=Value(Standing.REMOVED)),
                When(account__isnull=False, then=Value(Standing.CONNECTED)),
                When(linked_at__isnull=False, then=Value(Standing.REMOVED)),
                When(excluded=True, then=Value(Standing.EXCLUDED)),
                default=Value(Standing.PENDING),
                output_field=models.CharField(),
            )
        )

    def resting(self) -> MemberQuerySet:
        """Those of accounts that no scan may start for: gone or suspended, in every organisation that lists them.

        Verifying the connection afterwards proves that the account can be reached all the same.
        """
        alive = Member.objects.filter(ACTIVE, account__isnull=False).values("account")
        gone = self.filter(~ACTIVE, account__isnull=False, since__gte=F("account__verified_at"))
        return gone.exclude(account__in=alive)


class Member(models.Model):
    """One account of an organisation, as it was last listed. It is never deleted while the organisation is known.

    ``account`` is what it is connected as. ``given_name`` is what a sync called that account; empty when it was
    connected by hand. ``linked_at`` without ``account`` means that somebody deleted the account here. ``since`` is when
    its state, or its leaving, was first seen.
    """

    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="members", verbose_name=_("organisation")
    )
    number = models.CharField(_("account number"), max_length=100)
    name = models.CharField(_("name"), max_length=100)
    state = models.CharField(_("state"), max_length=20, choices=StateChoice.choices)
    path = models.CharField(_("unit"), max_length=1000, blank=True)
    tags = models.JSONField(_("tags"), default=dict)
    management = models.BooleanField(default=False)
    excluded = models.BooleanField(default=False)
    account = models.ForeignKey(
        Account, null=True, on_delete=models.SET_NULL, related_name="memberships", verbose_name=_("account")
    )
    given_name = models.CharField(max_length=100, blank=True)
    linked_at = models.DateTimeField(null=True)
    problem = ReasonField(_("problem"), blank=True)
    tried_at = models.DateTimeField(null=True)
    since = models.DateTimeField(_("since"))
    seen_at = models.DateTimeField(_("seen"))
    left_at = models.DateTimeField(_("left"), null=True)

    objects: ClassVar[Any] = MemberQuerySet.as_manager()

    class Meta:
        ordering = ["name", "number"]
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints = [models.UniqueConstraint(fields=["organisation", "number"], name="one_row_per_member")]

    def __str__(self) -> str:
        return f"{self.name} ({self.number})"
