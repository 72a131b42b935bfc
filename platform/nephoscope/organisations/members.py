"""Reconciling the members of an organisation with what it lists: who is new, changed, gone or back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone

from nephoscope import domain
from nephoscope.accounts.models import Account
from nephoscope.audit.actions import Action
from nephoscope.audit.actions.organisations import MEMBER_LEFT, MEMBER_RETURNED, MEMBER_SUSPENDED
from nephoscope.audit.services import Actor, record
from nephoscope.organisations import joining
from nephoscope.organisations.models import Member, Organisation, StateChoice

FOLLOWED = ("name", "state", "path", "tags", "management", "excluded")
"""What of a member is as it was listed last."""

LONGEST_NAME = 80


def reconcile(actor: Actor, organisation: Organisation, listed: Sequence[domain.Member]) -> None:
    """Note who is there and in which state, who left, and what of the connected accounts follows from that."""
    now = timezone.now()
    known = {each.number: each for each in organisation.members.select_related("account")}
    accounts = _accounts(organisation, [each.number for each in listed])
    for each in listed:
        member = known.get(each.number) or Member(organisation=organisation, number=each.number, since=now, seen_at=now)
        _note(actor, member, each, now)
        if member.account is None and (account := accounts.get(each.number)):
            joining.link(actor, member, account)
        joining.follow(actor, member)
    here = {each.number for each in listed}
    organisation.members.filter(number__in=here).update(seen_at=now)
    for member in known.values():
        if member.number not in here and member.left_at is None:
            member.left_at = member.since = now
            member.save(update_fields=["left_at", "since"])
            _record(actor, member, MEMBER_LEFT)


def _accounts(organisation: Organisation, numbers: list[str]) -> dict[str, Account]:
    provider = organisation.account.provider
    return {each.number: each for each in Account.objects.filter(provider=provider, number__in=numbers)}


def _note(actor: Actor, member: Member, listed: domain.Member, now: datetime) -> None:
    """Bring a row up to date, and write down when its state changed."""
    new = member.pk is None
    moved = not new and (member.left_at is not None or member.state != listed.state)
    found = _read(listed, member.organisation)
    if new or moved or any(getattr(member, name) != found[name] for name in FOLLOWED):
        for name in FOLLOWED:
            setattr(member, name, found[name])
        if moved:
            member.left_at, member.since = None, now
        member.save()
    if moved and _active(member):
        _record(actor, member, MEMBER_RETURNED)
    elif moved:
        _record(actor, member, MEMBER_SUSPENDED, state=member.state)


def _active(member: Member) -> bool:
    return member.left_at is None and member.state == StateChoice.ACTIVE


def _read(listed: domain.Member, organisation: Organisation) -> dict[str, object]:
    """Return a row's content; what a cloud wrote is bounded, and made printable."""
    path = "/".join(_printable(each) for each in listed.path)[:1000]
    tags = {_printable(key)[:200]: _printable(value)[:500] for key, value in list(listed.tags.items())[:100]}
    return {
        "name": _printable(listed.name)[:LONGEST_NAME] or listed.number,
        "state": str(listed.state),
        "path": path,
        "tags": tags,
        "management": listed.management,
        "excluded": not organisation.wants(path),
    }


def _printable(text: str) -> str:
    return "".join(each for each in text if each.isprintable()).strip()


def _record(actor: Actor, member: Member, action: Action, **data: str) -> None:
    record(actor, action, member.organisation, {"member": str(member), **data}, account=member.account)
