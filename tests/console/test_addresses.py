"""Forms are reached by GET and only acts are posted, so that Back and reload ask nobody to send something again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.exceptions import NoReverseMatch

from nephoscope.accounts.models import AccountGroup, User
from nephoscope.audit.services import Actor
from nephoscope.policies.services import create_policy

from .conftest import Things

pytestmark = pytest.mark.django_db
SignIn = Callable[..., Client]

NOT_OURS = {"index", "search"}
"""Pages of the admin that answer a POST as they answer a GET; no page of ours posts to them."""


def patterns(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[URLPattern]:
    """Yield all patterns of the console."""
    for each in (resolver or get_resolver()).url_patterns:
        if isinstance(each, URLPattern):
            yield each
        elif each.namespace in (None, "admin"):
            yield from patterns(each)


@pytest.fixture
def known(things: Things, administrator: User, group: AccountGroup, system: Actor) -> dict[str, Any]:
    """What stands in addresses, by the name of the model or parameter."""
    policy = create_policy(system, name="Ours", based_on=things.account.policies[0])
    finding = things.alert.findings.get(resource__name="assets")
    return {
        "alert": things.alert.pk,
        "change": things.change.pk,
        "scan": things.scan.pk,
        "account": things.account.pk,
        "entry": things.entry.pk,
        "organisation": things.organisation.pk,
        "member": things.organisation.members.all()[0].pk,
        "finding": finding.pk,
        "resource": finding.resource_id,
        "user": administrator.pk,
        "accountgroup": group.pk,
        "account_id": things.account.pk,
        "policy_id": policy.key,
        "rule_id": things.alert.key,
        "fix_id": things.change.remediation,
        "form": "csv",
        "id": "cli",
        "key": "0" * 8,
    }


def addresses(known: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the name and the address of each page and act."""
    for each in patterns():
        name = each.name or ""
        model = name.split("_")[1] if name.count("_") > 1 else name
        wanted = each.pattern.converters or dict.fromkeys(each.pattern.regex.groupindex)
        values = {key: known.get(key, known.get(model, 1)) for key in wanted}
        try:
            yield name, reverse(f"admin:{name}", kwargs=values)
        except NoReverseMatch:
            continue


def errors_of(answer: Any) -> bool:
    """Whether a page says what is wrong with what was posted."""
    context = answer.context or {}
    form = context.get("form")
    return bool(context.get("errors") or context.get("wrong") or (form is not None and form.errors))


def test_a_posted_page_is_answered_by_a_page_only_to_say_what_is_wrong(
    administrator: User, known: dict[str, Any], sign_in: SignIn
) -> None:
    seen = set()
    for name, address in addresses(known):
        with transaction.atomic():  # what an act did is taken back, so that the next one finds everything in its place
            answer = sign_in(administrator).post(address, {"csrfmiddlewaretoken": "x"})
            transaction.set_rollback(True)
        seen.add(name)
        told = answer.status_code in (302, 403, 404, 405) or errors_of(answer)
        assert told or name in NOT_OURS, (name, address, answer.status_code)
    assert {"alerts_alert_suppress", "changes_change_apply", "events", "tokens", "policy_new", "logout"} <= seen
