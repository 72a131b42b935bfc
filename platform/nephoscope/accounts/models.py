"""Users, groups of accounts, and the accounts themselves."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from nephoscope import domain
from nephoscope.accounts.fields import SecretsField
from nephoscope.accounts.permissions import Role, Scope, may, sees_everything
from nephoscope.vault import SecretUnreadable

DAILY = 24
"""Hours between two scans of an account, until somebody says otherwise."""


def validate_time_zone(value: str) -> None:
    if value not in available_timezones():
        raise ValidationError(
            _("“%(value)s” is not a time zone. Use a name such as Europe/Zurich."), params={"value": value}
        )


def validate_language(value: str) -> None:
    if value not in dict(settings.LANGUAGES):
        raise ValidationError(_("“%(value)s” is not a language of Nephoscope."), params={"value": value})


def _taken(message: Any, name: str) -> ValidationError:
    """Return what is said of a name that is taken: it is all that must be unique and is typed by people."""
    return ValidationError(message, code="unique", params={"name": name})


class AccountGroupQuerySet(models.QuerySet["AccountGroup"]):
    def visible_to(self, user: Any) -> AccountGroupQuerySet:
        """Those that the user was granted; administrators see all. An account that is seen may be in others too."""
        if sees_everything(user):
            return self
        return self.filter(users=user) if may(user, "view") else self.none()


class AccountGroup(models.Model):
    """A set of accounts that users are granted together."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    description = models.CharField(_("description"), max_length=300, blank=True)

    objects = AccountGroupQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("account group")
        verbose_name_plural = _("account groups")

    def __str__(self) -> str:
        return self.name

    def unique_error_message(self, model_class: Any, unique_check: Any) -> ValidationError:
        return _taken(_("An account group named %(name)s already exists."), self.name)


class Users(UserManager["User"]):
    def create_user(self, username: str, email: str | None = None, password: str | None = None, **extra: Any) -> User:
        # Django's manager would lock new users out of the admin, which here is the console.
        return super().create_user(username, email, password, **{"is_staff": True, **extra})

    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **extra: Any
    ) -> User:
        return super().create_superuser(username, email, password, **{"role": Role.ADMINISTRATOR, **extra})


class User(AbstractUser):
    """A person or a program. The role says what they may do, the account groups say to which accounts."""

    role = models.CharField(_("role"), max_length=20, choices=Role.choices, default=Role.VIEWER)
    account_groups = models.ManyToManyField(
        AccountGroup,
        verbose_name=_("account groups"),
        blank=True,
        related_name="users",
        help_text=_("The accounts that this user sees. Administrators see all."),
    )
    time_zone = models.CharField(_("time zone"), max_length=60, default="UTC", validators=[validate_time_zone])
    language = models.CharField(
        _("language"),
        max_length=10,
        blank=True,
        validators=[validate_language],
        help_text=_("Empty: the browser’s language."),
    )
    is_staff = models.BooleanField(_("can sign in to the console"), default=True)

    objects: ClassVar[Users] = Users()
    used_token: ApiToken | None = None
    """The token that the user's request was made with; its scope narrows what :meth:`may` allows."""

    def may(self, act: str) -> bool:
        """Whether the role includes this act (see :data:`nephoscope.accounts.permissions.ACTS`)."""
        return may(self, act)


class ApiToken(models.Model):
    """What an API token is called and may do. Its hash, user, start and expiry are in knox's row."""

    auth = models.OneToOneField("knox.AuthToken", on_delete=models.CASCADE, primary_key=True, related_name="api_token")
    name = models.CharField(_("name"), max_length=100)
    scope = models.CharField(_("scope"), max_length=20, choices=Scope.choices)
    used_at = models.DateTimeField(_("last used"), null=True, editable=False)

    class Meta:
        ordering = ["-auth__created"]
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return self.name


class SignInTries(models.Model):
    """Tries with a password within a while, counted for one of the limits of :mod:`nephoscope.people.door`."""

    kind = models.CharField(max_length=10)
    name = models.CharField(max_length=150, blank=True)
    address = models.CharField(max_length=50, blank=True)
    tries = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    locked = models.BooleanField(default=False)
    recorded = models.BooleanField(default=False)
    """Whether the audit log has the lockout's beginning."""
    since = models.DateTimeField()
    until = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "name", "address"], name="one_count_per_limit")]


class KeptForm(models.Model):
    """A form that came without a session, until it is shown to whoever signs in with the same browser."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    path = models.TextField()
    fields = models.JSONField()
    left_out = models.JSONField()
    kept_at = models.DateTimeField(auto_now_add=True, db_index=True)


class AccountQuerySet(models.QuerySet["Account"]):
    def present(self) -> AccountQuerySet:
        """Those that were not removed."""
        return self.filter(removed_at=None)

    def removed(self) -> AccountQuerySet:
        """Those that were removed, which only those who may connect accounts hear of; the last one first."""
        return self.filter(removed_at__isnull=False).order_by("-removed_at")

    def visible_to(self, user: Any) -> AccountQuerySet:
        """The accounts that a user may see: all for administrators, else those of the groups granted.

        None that was removed, for anybody, and so nothing of what is in it.
        """
        if sees_everything(user):
            return self.present()
        if not may(user, "view"):
            return self.none()
        return self.present().filter(
            pk__in=Account.groups.through.objects.filter(accountgroup__users=user).values("account_id")
        )


def visible_accounts(user: Any) -> models.QuerySet[Any]:
    """The ids of the accounts that a user may see, as a subquery for the ``visible_to`` of everything in an account."""
    return Account.objects.visible_to(user).values("pk")


class Connected(models.Model):
    """What is reached by settings that its provider describes; those that are secret are kept apart."""

    settings = models.JSONField(default=dict, editable=False)
    secrets = SecretsField()

    class Meta:
        abstract = True

    @property
    def all_settings(self) -> dict[str, str]:
        """The settings with the secrets, for the provider alone.

        Raises ConnectionProblem: a secret cannot be decrypted.
        """
        found = dict(self.settings)
        for name in self.secrets:
            try:
                found[name] = self.secrets[name]
            except SecretUnreadable as problem:
                raise domain.ConnectionProblem(name, str(problem)) from problem
        return found


class Account(Connected):
    """One connected environment. It is *pending* until it was verified once."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    provider = models.CharField(_("provider"), max_length=30)
    number = models.CharField(_("account number"), max_length=100, blank=True)
    groups = models.ManyToManyField(AccountGroup, verbose_name=_("account groups"), blank=True, related_name="accounts")
    regions = models.JSONField(_("regions"), default=list, blank=True)
    services = models.JSONField(_("services"), default=list, blank=True, help_text=_("Empty: all."))
    policies = models.JSONField(_("policies"), default=list, blank=True)
    tags = models.JSONField(_("tags"), default=dict, blank=True)
    scan_every = models.PositiveSmallIntegerField(
        _("scan every … hours"),
        default=DAILY,
        validators=[MaxValueValidator(24 * 31)],
        help_text=_("0 turns scheduled scans off."),
    )
    next_scan_at = models.DateTimeField(_("next scan"), null=True, editable=False)
    verification = models.JSONField(default=dict, editable=False)
    failures = models.JSONField(default=dict, editable=False)
    """Why the last attempt to reach it failed and since when they do, ``{"since", "reason"}``, under ``reading`` and
    ``writing`` (the fix role); nothing once an attempt works."""
    verified_at = models.DateTimeField(_("verified"), null=True, editable=False)
    writing_verified_at = models.DateTimeField(_("fix role verified"), null=True, editable=False)
    created_at = models.DateTimeField(_("connected"), auto_now_add=True)
    removed_at = models.DateTimeField(_("removed"), null=True, editable=False)

    objects = AccountQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "number"], condition=~models.Q(number=""), name="one_account_per_number"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def unique_error_message(self, model_class: Any, unique_check: Any) -> ValidationError:
        if Account.objects.removed().filter(name=self.name).exists():
            message = _("A removed account is named %(name)s. Restore it, delete it for good, or choose another name.")
            return _taken(message, self.name)
        return _taken(_("An account named %(name)s already exists."), self.name)

    @property
    def unreachable(self) -> bool:
        """Whether the last attempt to read it failed."""
        return "reading" in self.failures

    @property
    def connection(self) -> domain.Connection:
        """How to reach it. Raises ConnectionProblem: a secret cannot be decrypted."""
        return domain.Connection(self.number, self.all_settings, regions=tuple(self.regions))

    @property
    def shown_connection(self) -> domain.Connection:
        """The same without secrets, for what people are shown."""
        return domain.Connection(self.number, self.settings)
