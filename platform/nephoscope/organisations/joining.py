"""From a member to an account: connecting one, linking one that was connected by hand, and what then follows."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from nephoscope.accounts.models import Account
from nephoscope.accounts.queries import provider_of
from nephoscope.audit.actions.accounts import ACCOUNT_FOLLOWED
from nephoscope.audit.actions.organisations import MEMBER_CONNECTED, MEMBER_LINKED
from nephoscope.audit.services import Actor, record
from nephoscope.connections.entered import keep
from nephoscope.connections.services import first_policies
from nephoscope.organisations.models import Member, Organisation
from nephoscope.policies import rejudging
from nephoscope.policies.queries import catalogue

LINKED = ("account", "given_name", "linked_at", "problem")
"""What linking changes of a member."""


@dataclass(frozen=True, slots=True)
class ConnectionAttempt:
    """What trying one member came to: its settings, who we are there and its enabled regions, or the problem."""

    settings: dict[str, str] = field(repr=False)
    principal: str = ""
    regions: tuple[str, ...] = ()
    problem: str = ""


def join(actor: Actor, organisation: Organisation, member: Member, attempt: ConnectionAttempt) -> Account:
    """Make the account of a member whose role was proven; its first scan comes only if it is scanned by itself.

    :raises ValidationError: somebody connected the account in the meantime; the next sync links it.
    """
    now = timezone.now()
    account = Account(
        name=free_name(member),
        provider=organisation.account.provider,
        number=member.number,
        tags=member.tags,
        regions=list(attempt.regions),
        policies=organisation.policies,
        scan_every=organisation.scan_every,
        next_scan_at=now if organisation.scan_every else None,
        verified_at=now,
        verification={"reading": {"principal": attempt.principal, "checks": []}},
    )
    keep(account, provider_of(account).fields, attempt.settings)
    account.policies = account.policies or first_policies(account)
    account.full_clean()
    try:
        with transaction.atomic():
            account.save()
            account.groups.set(organisation.groups.all())
            member.account, member.given_name, member.linked_at, member.problem = account, account.name, now, ""
            member.save(update_fields=[*LINKED, "tried_at"])
            joined = {"member": str(member), "organisation": organisation.name}
            record(actor, MEMBER_CONNECTED, account, joined, account=account)
    except IntegrityError as error:
        raise ValidationError({"account": [_("This account was just connected by someone else.")]}) from error
    return account


def free_name(member: Member, account: Account | None = None) -> str:
    """Return what a member's account is called: as in its organisation, with the number where that name is taken."""
    others = Account.objects.exclude(pk=account.pk) if account else Account.objects.all()
    names = [member.name, str(member)]
    return next((name for name in names if not others.filter(name=name).exists()), member.number)


def link(actor: Actor, member: Member, account: Account) -> None:
    """Note that a member is connected already, by hand; its account is not changed."""
    member.account, member.given_name, member.linked_at, member.problem = account, "", timezone.now(), ""
    member.save(update_fields=LINKED)
    record(actor, MEMBER_LINKED, account, {"organisation": member.organisation.name}, account=account)


def follow(actor: Actor, member: Member) -> None:
    """Bring tags and name of an account that a sync connected up to date; a name that a person gave stays."""
    account = member.account
    if account is None or account.removed_at or not member.given_name:
        return
    changed, others_apply = [], False
    if account.tags != member.tags:
        known = catalogue()
        applied, account.tags = known.applied(account), member.tags
        others_apply = known.applied(account) != applied
        changed.append("tags")
    renamed = account.name != member.given_name
    if not renamed and account.name not in (member.name, str(member)):
        account.name = member.given_name = free_name(member, account)
        member.save(update_fields=["given_name"])
        changed.append("name")
    if changed:
        account.save(update_fields=changed)
        followed = {"changed": changed, "organisation": member.organisation.name}
        record(actor, ACCOUNT_FOLLOWED, account, followed, account=account)
    if others_apply:
        rejudging.request([account])
