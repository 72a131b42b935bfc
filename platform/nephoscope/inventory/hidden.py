"""What gives access to an account and stands in the account itself, as in the policy that trusts Nephoscope.

Everybody who may look at the account reads its resources, so these texts are taken out before they are stored: nobody
finds them in a resource, an evidence, a difference, an export or by searching. That there was one stays to be seen.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from nephoscope import domain
from nephoscope.accounts.models import Account
from nephoscope.plugins import registry
from nephoscope.vault import Secrets, SecretUnreadable

MARK = "[hidden by Nephoscope]"

SHORTEST = 8
"""Characters from which on a text is looked for inside others; a shorter one is hidden where it is all there is."""

_CONNECTIONS = ("", "organisation__", "memberships__organisation__")
"""Where the settings are by which an account is reached: its own, and those of the organisations that it is in."""


def secrets_of(account: Account) -> frozenset[str]:
    """Return the texts that only those who connect accounts may read: what was generated, and what is kept secret."""
    provider = registry().providers.get(account.provider)
    if provider is None:
        return frozenset()
    fields = [*provider.fields, *(provider.organisations.fields if provider.organisations else ())]
    generated, found = {each.name for each in fields if each.generated or each.secret}, set[str]()
    wanted = [f"{place}{name}" for place in _CONNECTIONS for name in ("settings", "secrets")]
    for row in Account.objects.filter(pk=account.pk).values_list(*wanted):
        for kept in filter(None, row):
            found |= _texts(kept, generated)
    return frozenset(found - {""})


def _texts(kept: Mapping[str, Any], names: Collection[str]) -> set[str]:
    found = set()
    for name in kept:
        if name in names or isinstance(kept, Secrets):
            try:
                found.add(str(kept[name]))
            except SecretUnreadable:
                continue  # Nephoscope itself cannot use it
    return found


def without(secrets: Collection[str], resource: domain.Resource, deepest: int) -> domain.Resource:
    """Return the resource with :data:`MARK` where one of these texts was, down to so many levels of nesting."""
    content = [resource.name, resource.tags, resource.properties]
    if not secrets or not _may_hold(secrets, content):
        return resource
    name, tags, properties = (_hidden(secrets, each, deepest) for each in content)
    return replace(resource, name=name, tags=tags, properties=properties)


def _may_hold(secrets: Collection[str], content: Any) -> bool:
    try:
        text = json.dumps(content, ensure_ascii=False, default=str)
    except (RecursionError, TypeError, ValueError):
        return True
    # As they stand in JSON, and in JSON that is a text in it.
    return any(each in text or json.dumps(each, ensure_ascii=False)[1:-1] in text for each in secrets)


def _hidden(secrets: Collection[str], value: Any, deepest: int) -> Any:
    if isinstance(value, str):
        for each in secrets:
            value = MARK if value == each else value.replace(each, MARK) if len(each) >= SHORTEST else value
        return value
    if deepest and isinstance(value, Mapping):
        return {_hidden(secrets, name, 0): _hidden(secrets, member, deepest - 1) for name, member in value.items()}
    if deepest and isinstance(value, list | tuple):
        return [_hidden(secrets, member, deepest - 1) for member in value]
    return value
