"""Small pieces of pages. Everything that comes from a cloud goes through Django's escaping here, too."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django import template
from django.conf import settings
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from nephoscope.alerts.models import DETECTED, Finding, SeverityChoice, VerdictChoice
from nephoscope.compliance.states import in_percent
from nephoscope.connections.fix_access import GroupAccess
from nephoscope.domain import Control, Parameter, Rule, as_unknown, in_words
from nephoscope.plugins import registry
from nephoscope.policies.queries import EffectiveRule

register = template.Library()

LONG = 160
"""Characters of a value that are shown at once; a longer one is folded."""


@register.simple_tag
def severity(value: str) -> SafeString:
    """Return a severity as a colour and a word."""
    known = value in SeverityChoice.values
    return format_html(
        '<span class="neph-severity neph-{}">{}</span>',
        value if known else "unknown",
        SeverityChoice(value).label if known else _("Unknown"),
    )


@register.simple_tag
def threshold(given: EffectiveRule, parameter: Parameter, control: Control) -> str:
    """Return the value of a rule's parameter that is in force, and what the control names instead."""
    value = given.parameters[parameter.name]
    named = control.demands.get(given.rule.id, {}).get(parameter.name, value)
    if named == value:
        return in_words(value)
    words = {"value": in_words(value), "named": in_words(named)}
    return _("%(value)s (this control requires %(named)s)") % words


@register.filter
def percent(score: int | None) -> str:
    """Return a score as it is printed everywhere."""
    return in_percent(score)


def age(moment: datetime) -> str:
    """Return how long ago, or in how long, short."""
    seconds = (timezone.now() - moment).total_seconds()
    if seconds <= -60:
        return _in(-seconds)
    if seconds < 60:
        return _("just now")
    if seconds < 3600:
        return _("%(n)s min ago") % {"n": int(seconds // 60)}
    if seconds < 86_400:
        return _("%(n)s h ago") % {"n": int(seconds // 3600)}
    return _("%(n)s d ago") % {"n": int(seconds // 86_400)}


def _in(seconds: float) -> str:
    if seconds < 3600:
        return _("in %(n)s min") % {"n": round(seconds / 60)}
    if seconds < 86_400:
        return _("in %(n)s h") % {"n": round(seconds / 3600)}
    return _("in %(n)s d") % {"n": round(seconds / 86_400)}


def exact(moment: datetime) -> str:
    """Return the moment in the user's time zone, with the zone's name."""
    local = timezone.localtime(moment)
    return f"{date_format(local, 'j M Y, H:i:s')} {local.tzname()}"


@register.simple_tag
def when(moment: datetime | None, empty: str = "—") -> SafeString | str:
    """Return a relative time with the exact one on hover."""
    if moment is None:
        return empty
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact(moment), age(moment))


@register.simple_tag
def clock(moment: datetime) -> SafeString:
    """Return the exact time, with the relative one on hover."""
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), age(moment), exact(moment))


@register.simple_tag
def copy(text: str, label: str = "") -> SafeString:
    """Return a button that copies the text; shown only where scripts run."""
    return format_html(
        '<button type="button" class="neph-copy" data-copy="{}" data-copied="{}" aria-label="{}" title="{}">'
        '<span class="material-symbols-outlined" aria-hidden="true">content_copy</span></button>',
        text,
        _("Copied"),
        label or _("Copy"),
        label or _("Copy"),
    )


@register.filter
def pretty(value: Any) -> str:
    """Return JSON, indented."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


@register.filter
def ids(rows: Iterable[Any]) -> str:
    """Return the ids of rows with commas between them."""
    return ",".join(str(row.pk) for row in rows)


@register.filter
def compact(value: Any) -> str:
    """Return JSON on one line."""
    return json.dumps(value, ensure_ascii=False, default=str)


@register.simple_tag
def value(given: Any) -> SafeString:
    """Return a value as JSON; what is not known says why; what is long is folded."""
    if why := as_unknown(given):
        text = f"{why.reason} ({why.permission})" if why.permission else why.reason
        return format_html('<span class="neph-unknown-value">{}: {}</span>', _("unknown"), text)
    text = compact(given)
    if len(text) <= LONG:
        return format_html("<code>{}</code>", text)
    return format_html(
        '<details class="neph-long"><summary><code>{}…</code></summary><pre>{}</pre></details>',
        text[:LONG],
        pretty(given) if isinstance(given, dict | list) else str(given),
    )


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: Any) -> str:
    """Return the page's query string with some parameters changed; an empty value takes one out."""
    request: HttpRequest = context["request"]
    parameters: QueryDict = request.GET.copy()
    for name, given in changes.items():
        parameters.pop(name, None)
        if given not in (None, ""):
            parameters[name] = str(given)
    return f"?{parameters.urlencode()}"


@register.simple_tag(takes_context=True)
def page_query(context: template.Context, name: str, number: int) -> str:
    """Return the query string of another page of a part of this page."""
    return query(context, **{name: number})


STATES = {
    "running": "neph-running",
    "queued": "neph-running",
    "approved": "neph-running",
    "applying": "neph-running",
    "waiting": "neph-running",
    "undo_queued": "neph-running",
    "undoing": "neph-running",
    "succeeded": "neph-good",
    "done": "neph-good",
    "applied": "neph-good",
    "verified": "neph-good",
    "sent": "neph-good",
    "pass": "neph-good",
    "connected": "neph-good",
    "pending": "neph-warn",
    "partial": "neph-warn",
    "refused": "neph-warn",
    "error": "neph-warn",
    "unknown": "neph-warn",
    "expired": "neph-warn",
    "failed": "neph-bad",
    "fail": "neph-bad",
}
"""The colour of a state; one that is not here has none."""


@register.simple_tag
def state(key: str, label: str) -> SafeString:
    """Return a state as a colour and a word."""
    return format_html('<span class="neph-chip {}">{}</span>', STATES.get(key, ""), label)


VERDICTS = {
    VerdictChoice.PASS: gettext_lazy("Passes"),
    VerdictChoice.FAIL: gettext_lazy("Fails"),
    VerdictChoice.UNKNOWN: gettext_lazy("Unknown"),
    VerdictChoice.ERROR: gettext_lazy("Error"),
}
"""What a verdict says beside the title of its rule."""


@register.simple_tag
def verdict(finding: Finding) -> SafeString:
    """Return a finding's verdict as a colour and a word."""
    return state(finding.verdict, str(VERDICTS[VerdictChoice(finding.verdict)]))


@register.simple_tag
def judged(finding: Finding, rule: Rule | None) -> SafeString:
    """Return the title of a finding's rule. It says what is wrong, so where nothing is, it must not read as a fact."""
    detected = finding.rule_id in DETECTED and finding.alert
    title = rule.title if rule else finding.alert.kind_name if detected and finding.alert else finding.rule_id
    if finding.verdict != VerdictChoice.PASS:
        return format_html("{}", title)
    return format_html('<span class="neph-subtle">{} {}</span>', _("Looks for:"), title)


@register.filter
def type_name(type: str) -> str:
    """Return a resource type in the words of the provider that it belongs to; as it is where none knows it."""
    names = (each.type_name(type) for each in registry().providers.values())
    return next((name for name in names if name != type), type)


@register.simple_tag
def demo() -> bool:
    """Whether this is the demo, whose cloud is simulated."""
    return bool(settings.NEPHOSCOPE_DEMO)


@register.simple_tag
def moment(text: str) -> SafeString | str:
    """Return a stored moment as a relative time with the exact one on hover."""
    return when(parse_datetime(text))


@register.simple_tag
def unchecked(checks: list[dict[str, Any]] | None) -> int:
    """Return how many permissions of a verification could not be tried."""
    return sum(check["allowed"] is None for check in checks or [])


@register.simple_tag
def allowed_groups(access: list[GroupAccess]) -> str:
    """Say how many groups of fixes are allowed, and of how many that is not known."""
    numbers = {state: sum(each.allowed is state for each in access) for state in (True, None)}
    said = _("%(allowed)s of %(all)s groups of fixes are allowed")
    if numbers[None]:
        said = _("%(allowed)s of %(all)s groups of fixes are allowed; %(unknown)s could not be checked")
    return said % {"allowed": numbers[True], "all": len(access), "unknown": numbers[None]}


@register.simple_tag
def missing(checks: list[dict[str, Any]] | None) -> int:
    """Return how many permissions of a verification are denied."""
    return sum(check["allowed"] is False for check in checks or [])
