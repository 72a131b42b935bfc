"""What is asked about an account: its provider, what of it is scanned, and whether one is granted at all."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Prefetch
from django.utils.translation import gettext as _

from nephoscope import domain
from nephoscope.accounts.models import Account, AccountGroup
from nephoscope.accounts.permissions import sees_everything
from nephoscope.plugins import registry


def is_granted_none(user: Any) -> bool:
    """Whether no account is granted to a user, so that an empty list says nothing about accounts."""
    return not sees_everything(user) and not Account.objects.visible_to(user).exists()


def groups_seen_by(user: Any) -> Prefetch[Any]:
    """Return what fetches the ``groups`` of rows: those alone that the user may see, though a row be in others too."""
    return Prefetch("groups", AccountGroup.objects.visible_to(user))


def provider_of(account: Account) -> domain.Provider:
    """Return the account's provider.

    :raises ValidationError: its plugin is not enabled.
    """
    return provider_named(account.provider)


def has_provider(account: Account) -> bool:
    """Whether the plugin of the account's provider is enabled; without it, nothing of the account can be read."""
    return account.provider in registry().providers


def provider_named(id: str) -> domain.Provider:
    """Return the provider of this id; where none is named, the only one that is enabled.

    :raises ValidationError: no enabled plugin brings it, or none is named and there are several; names those known.
    """
    providers = registry().providers
    if id in providers:
        return providers[id]
    if not id and len(providers) == 1:
        return next(iter(providers.values()))
    known = ", ".join(providers) or _("none")
    message = (
        _("No enabled plugin provides “%(provider)s”. Enabled: %(known)s.") if id else _("Name one of: %(known)s.")
    )
    raise ValidationError({"provider": [message % {"provider": id, "known": known}]})


def tag_limits(provider: str) -> domain.TagLimits | None:
    """Return what the provider of this id takes as tags; None where it sets no limits, or is not enabled."""
    found = registry().providers.get(provider)
    return found.tag_limits if found else None


def patience() -> domain.Deadline:
    """Return until when a person waits for an act that begins now, over all the calls it makes to a cloud."""
    return domain.Deadline(settings.NEPHOSCOPE_INTERACTIVE_SECONDS)


def scanned_services(account: Account) -> list[domain.Service]:
    """Return the services that the account's scans read: those chosen for it, all where none is."""
    known = provider_of(account).services
    return [each for each in known if not account.services or each.id in account.services]


def all_parts(account: Account) -> list[tuple[domain.Service, str]]:
    """Return every service of the account's provider with each region; none when its plugin is not enabled."""
    provider = registry().providers.get(account.provider)
    return [
        (service, region)
        for service in (provider.services if provider else ())
        for region in (account.regions if service.regional else [domain.ALL_REGIONS])
    ]


def parts_of(account: Account) -> list[tuple[domain.Service, str]]:
    """Return the services and regions that a whole scan of the account reads; none when its plugin is not enabled."""
    return [part for part in all_parts(account) if not account.services or part[0].id in account.services]


def in_scope(account: Account, service: str, region: str) -> bool:
    """Tell whether the account's scans read this service there."""
    return any((each.id, place) == (service, region) for each, place in parts_of(account))
