"""What is known of the accounts behind a page, said on it: a banner above, a chip beside a number."""

from __future__ import annotations

from typing import Any

from django import template
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from nephoscope.accounts.models import Account
from nephoscope.accounts.permissions import may
from nephoscope.accounts.queries import has_provider
from nephoscope.api.kit.conditions import conditions_of, in_view
from nephoscope.connections.conditions import Condition, ConditionState
from nephoscope.console.kit.conditions import grouped
from nephoscope.console.templatetags.neph import when
from nephoscope.organisations.queries import why_resting
from nephoscope.scans.health import working

register = template.Library()

COLOURS = dict.fromkeys((ConditionState.UNAVAILABLE, ConditionState.UNREACHABLE, ConditionState.FAILED), "neph-bad")
"""Of a mark; those that are not here warn."""


@register.inclusion_tag("console/conditions.html", takes_context=True)
def conditions(context: template.Context, account: Account | None = None, acts: bool = True) -> dict[str, Any]:
    """Show what keeps the page's accounts from being current; of one account in detail, with what to do.

    :param acts: whether to offer that; not on a page that does so elsewhere.
    """
    request: HttpRequest = context["request"]
    known = conditions_of(request)
    found = [known[account.pk]] if account and account.pk in known else [] if account else in_view(request)
    if len(found) == 1:
        return {"one": found[0], "csrf_token": context.get("csrf_token"), **(_acts(request, found[0]) if acts else {})}
    return {"groups": grouped(found)}


def _acts(request: HttpRequest, found: Condition) -> dict[str, bool]:
    account = found.account
    if not has_provider(account):
        return {}
    scannable = may(request.user, "scan") and account.verified_at and not found.active and not why_resting(account)
    return {
        "scan": bool(found.marks and scannable),
        "reconnect": bool((account.unreachable or not account.verified_at) and may(request.user, "connect")),
    }


@register.inclusion_tag("console/no_worker.html")
def no_worker() -> dict[str, Any]:
    """Say that no worker runs, on a page where something waits for one; nothing while one does."""
    return {"working": working()}


@register.simple_tag(takes_context=True)
def any_known(context: template.Context) -> bool:
    """Whether any account that the user sees was read: before, there is no number."""
    return any(each.known for each in conditions_of(context["request"]).values())


@register.simple_tag(takes_context=True)
def marks(context: template.Context, account: int) -> SafeString | str:
    """Return the marks of an account's numbers as chips, with their texts on hover; nothing for one that is current."""
    found = conditions_of(context["request"]).get(account)
    return chips(found) if found else ""


def chips(found: Condition) -> SafeString:
    """Return an account's marks as chips."""
    return format_html_join(
        " ",
        '<span class="neph-chip {}" title="{}">{}</span>',
        ((COLOURS.get(mark.state, "neph-warn"), mark.text, mark.label) for mark in found.marks),
    )


def condition_cell(found: Condition) -> SafeString:
    """Return when an account was last read, with its marks, for a list."""
    return format_html("{} {}", when(found.as_of), chips(found))
