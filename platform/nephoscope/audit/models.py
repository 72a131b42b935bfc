"""The audit log: append-only by database trigger, and chained by hash."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pgtrigger
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from nephoscope.accounts.models import Account, AccountGroup, visible_accounts
from nephoscope.accounts.permissions import may, sees_everything
from nephoscope.audit.actions import ACTIONS
from nephoscope.audit.actors import task_name


class EntryQuerySet(models.QuerySet["Entry"]):
    def visible_to(self, user: Any) -> EntryQuerySet:
        """Entries of visible accounts and one's own; administrators see all, sign-ins included."""
        if sees_everything(user):
            return self
        if not may(user, "view"):
            return self.none()
        return self.filter(Q(account__in=visible_accounts(user)) | Q(account=None, user=user))


_FOR_ADMINISTRATORS = {"include", "exclude", "settings"}


def _narrowed(changed: Any, groups: set[str]) -> Any:
    if not isinstance(changed, dict):
        return changed
    shown = {name: value for name, value in changed.items() if name not in _FOR_ADMINISTRATORS}
    if isinstance(shown.get("groups"), list):
        shown["groups"] = [each for each in shown["groups"] if each in groups]
    return shown


class Entry(models.Model):
    """Who did what to what, when, from where and why; never altered.

    The sentence is made of ``action`` and ``data`` when it is read (:mod:`nephoscope.audit.actions`). Names are kept as
    they were, so that an entry still reads right when those are renamed. Entries of versions up to 0.1 have
    no data; their text is in ``summary``.
    """

    at = models.DateTimeField(_("time"), db_index=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    actor = models.CharField(_("who"), max_length=200)
    action = models.CharField(_("what"), max_length=60, db_index=True)
    account = models.ForeignKey(
        Account,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
        verbose_name=_("account"),
    )
    target_type = models.CharField(max_length=30)
    target_id = models.CharField(max_length=60)
    target = models.CharField(_("target"), max_length=400)
    data = models.JSONField(null=True)
    summary = models.TextField(_("summary"))
    reason = models.TextField(_("reason"), blank=True)
    address = models.GenericIPAddressField(_("from"), null=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64, unique=True)

    objects = EntryQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        indexes = [models.Index(fields=["target_type", "target_id"]), models.Index(fields=["account", "-id"])]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            pgtrigger.Trigger(
                name="no_truncate",
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                operation=pgtrigger.Truncate,
                func="RAISE EXCEPTION 'the audit log is append-only';",
            ),
        ]

    def __str__(self) -> str:
        return self.sentence if self.whole else f"{self.who} {self.sentence}"

    @property
    def whole(self) -> bool:
        """Whether the sentence stands without who acted."""
        return self.data is not None and self.action in ACTIONS and ACTIONS[self.action].whole

    @property
    def who(self) -> str:
        """Who acted, in the active language."""
        try:
            return task_name((self.data or {})["task"])
        except (KeyError, TypeError, ValueError):
            return self.actor

    @property
    def sentence(self) -> str:
        """The rest of the sentence that begins with who acted, in the active language."""
        if self.data is None:
            return self.summary
        try:
            return ACTIONS[self.action].describe({**self.data, "target": self.target})
        except (KeyError, TypeError, ValueError):
            # A package that registered the action may be gone, and a translation may be wrong: the log stays readable.
            return f"{self.action}: {self.target}"

    def changed(self, user: Any) -> tuple[Any, Any]:
        """Return what was before and after, as far as the user may see it: no names of groups that are not granted.

        How an organisation is read is for administrators, here as on its page.
        """
        if sees_everything(user):
            return self.before, self.after
        names = set(AccountGroup.objects.visible_to(user).values_list("name", flat=True))
        return _narrowed(self.before, names), _narrowed(self.after, names)

    def compute_digest(self, *, address: str | None = None) -> str:
        """The hash over this entry and the one before it; a changed or missing entry breaks the chain.

        :param address: as it was written, where the database writes it otherwise.
        """
        content: list[Any] = [
            self.previous,
            self.at.isoformat(),
            self.user_id,
            self.actor,
            self.action,
            self.account_id,
            self.target_type,
            self.target_id,
            self.target,
            self.summary,
            self.reason,
            address or self.address,
            self.before,
            self.after,
        ]
        if self.data is not None:
            content.append(self.data)
        return hashlib.sha256(json.dumps(content, cls=DjangoJSONEncoder, sort_keys=True).encode()).hexdigest()
