"""What the pages around an account's connection show, and what is entered on them."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.exceptions import ValidationError
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from nephoscope.accounts.models import Account, AccountGroup
from nephoscope.accounts.permissions import may
from nephoscope.accounts.queries import patience, provider_of
from nephoscope.accounts.tags import read, written
from nephoscope.audit.services import Actor
from nephoscope.changes.models import SecondApproval
from nephoscope.connections import services
from nephoscope.connections.fix_access import group_access
from nephoscope.console.kit.admin import come_from
from nephoscope.console.pages import events
from nephoscope.console.pages.rules import values
from nephoscope.domain import Deadline, Field, Framework, Provider, Rule
from nephoscope.inventory.models import ACTIVE
from nephoscope.organisations.queries import why_resting
from nephoscope.plugins import registry
from nephoscope.policies.models import OWN, RuleSetting
from nephoscope.policies.queries import Catalogue, EffectivePolicies, catalogue
from nephoscope.scans import removing
from nephoscope.scans import services as scans

Errors = dict[str, list[str]]


def _fields(account: Account, *, writing: bool) -> list[Field]:
    return [each for each in provider_of(account).fields if each.for_writing == writing]


def _main(account: Account, *, writing: bool) -> Field | None:
    """Return the first field that a person enters; None for a provider that needs nothing to be entered."""
    return next((each for each in _fields(account, writing=writing) if not each.generated), None)


def _own_credentials(account: Account, *, writing: bool) -> str:
    """Return what a person confirms to leave the main field empty; nothing where the account must grant access."""
    onboarding = provider_of(account).onboarding
    return onboarding.own_credentials if onboarding and not writing else ""


def entered(account: Account, posted: QueryDict, *, writing: bool) -> dict[str, str]:
    """Return the settings that were entered.

    :raises ValidationError: the main field is empty, and nobody confirmed that it should be.
    """
    main, own = _main(account, writing=writing), _own_credentials(account, writing=writing)
    settings = {
        each.name: posted.get(each.name, "").strip()
        for each in _fields(account, writing=writing)
        if each.name in posted
    }
    if main is None:
        return settings
    if own and "own" in posted:
        settings[main.name] = ""
    elif not settings.get(main.name) and (own or writing or main.required) and not account.secrets.is_set(main.name):
        also = " " + _("Or select the box below it.") if own else ""
        raise ValidationError({main.name: [_("Paste the output of the script or template.") + also]})
    return settings


def hindrances() -> list[tuple[Provider, str]]:
    """Return the providers of which Nephoscope could reach no account as it runs, and why."""
    known, deadline = registry().providers.values(), patience()
    return [(each, why) for each in known if (why := services.hindrance(each, deadline=deadline))]


def context(
    request: HttpRequest, account: Account, errors: Errors, *, writing: bool, deadline: Deadline
) -> dict[str, Any]:
    """Gather the steps of connecting, or of setting up fixing."""
    main = _main(account, writing=writing)
    shown = []
    for field in _fields(account, writing=writing):
        value = "" if field.secret else request.POST.get(field.name, account.settings.get(field.name, ""))
        stored = account.secrets.is_set(field.name)
        shown.append({"field": field, "value": value, "stored": stored, "errors": errors.get(field.name, [])})
    verified = account.writing_verified_at if writing else account.verified_at
    filled = main is not None and bool(account.settings.get(main.name) or account.secrets.is_set(main.name))
    ticked = "own" in request.POST or bool(verified and main and not filled)
    names = {field["field"].name for field in shown}
    try:
        templates, hindrance = services.setup_templates(account, writing=writing, deadline=deadline), ""
    except ValidationError as problem:
        templates, hindrance = [], " ".join(problem.messages)
    return {
        "title": _("Set up fixes") if writing else _("Connect an account"),
        "stage": 3 if verified and not errors else 2,
        "main": next((each for each in shown if each["field"] is main), None),
        "generated": [each for each in shown if each["field"].generated],
        "more": [each for each in shown if each["field"] is not main],
        "more_open": any(each["errors"] for each in shown if each["field"] is not main),
        "own_credentials": _own_credentials(account, writing=writing),
        "own": ticked,
        "wrong": [(each["field"], said) for each in shown for said in each["errors"]],
        "problems": [said for name, listed in errors.items() if name not in names for said in listed],
        "setup_templates": templates,
        "hindrance": hindrance,
        "writing": writing,
        "verified": verified,
        "come_from": come_from(request, "back") or come_from(request),
        "goes_on": come_from(request),
        "provider": provider_of(account),
        "checks": account.verification.get("writing" if writing else "reading", {}),
        "fix_access": group_access(account) if writing else [],
        **(choices(request, account, errors, deadline) if verified and not writing else {}),
    }


def choices(request: HttpRequest, account: Account, errors: Errors, deadline: Deadline) -> dict[str, Any]:
    """Gather what can be chosen for a connected account; the regions are asked of the cloud."""
    try:
        regions = [each.id for each in services.available_regions(account, deadline) if each.enabled]
        problem = ""
    except ValidationError as error:
        regions, problem = list(account.regions), " ".join(error.messages)
    posted = request.POST if "configure" in request.POST else None
    ticked = {"all": regions, "none": []}.get(request.GET.get("regions", ""), account.regions)
    ticked_services = posted.getlist("services") if posted else account.services
    return {
        "errors": errors,
        "name": posted["name"] if posted and "name" in posted else account.name,
        "regions": [(each, each in (posted.getlist("regions") if posted else ticked)) for each in regions],
        "regions_problem": problem,
        "services": [(each, each.id in ticked_services) for each in provider_of(account).services],
        "scan_every": posted.get("scan_every", "") if posted else account.scan_every,
        "policies": _by_family(account, posted.getlist("policies") if posted else account.policies),
        "tags": posted.get("tags", "") if posted else written(account.tags),
        "groups": [(each, each in account.groups.all()) for each in AccountGroup.objects.all()],
        "running": account.scans.filter(state__in=ACTIVE).first(),
    }


def _by_family(account: Account, ticked: list[str]) -> list[tuple[str, list[tuple[Framework, bool, bool]]]]:
    """Return what can be chosen under headings: whether each is, and whether the account's tags bring it anyway."""
    known = catalogue()
    tagged, found = known.by_tag(account), defaultdict(list)
    for each in known.offered(account):
        found[each.family or _("Others")].append((each, each.id in ticked, each in tagged))
    return sorted(found.items(), key=lambda family: (not family[1][0][0].id.startswith(OWN), family[0]))


def configure(actor: Actor, account: Account, posted: QueryDict, deadline: Deadline) -> Account:
    """Save what was chosen."""
    groups = AccountGroup.objects.filter(pk__in=[pk for pk in posted.getlist("groups") if pk.isdecimal()])
    hours = posted.get("scan_every", "").strip() or "0"
    if not hours.isdecimal() or len(hours) > 4:
        raise ValidationError({"scan_every": [_("Enter a whole number of hours.")]})
    return services.configure_account(
        actor,
        account,
        name=posted.get("name", ""),
        regions=posted.getlist("regions") if provider_of(account).onboarding else None,
        services=posted.getlist("services"),
        policies=posted.getlist("policies"),
        groups=groups,
        scan_every=int(hours),
        tags=read(posted.get("tags", "")) if "tags" in posted else None,
        deadline=deadline,
    )


def account_context(request: HttpRequest, account: Account) -> dict[str, Any]:
    """Gather what an account's page shows; how it is reached only for those who may connect accounts."""
    allowed = may(request.user, "connect")
    try:
        provider: Any = provider_of(account)
    except ValidationError:
        provider = None
    fields = provider.fields if provider and allowed else ()
    shown = [
        (each, account.secrets.is_set(each.name) if each.secret else account.settings.get(each.name, ""))
        for each in fields
    ]
    recent = [
        (scan, scans.progress(scan) if scan.active else None)
        for scan in account.scans.select_related("requested_by")[:8]
    ]
    known = catalogue()
    offered = {each.id: each for each in known.offered(account)}
    named = {each.id: each.name for each in provider.services} if provider else {}
    return {
        **events.account_context(account),
        "services": [named.get(each, each) for each in account.services],
        "title": account.name,
        "provider": provider,
        "settings": shown,
        "reading": account.verification.get("reading", {}),
        "writing": account.verification.get("writing", {}),
        "can_write": bool(provider and provider.writing),
        "second": SecondApproval.objects.filter(account=account).select_related("set_by").first(),
        "policies": [(each, offered.get(each)) for each in account.policies],
        "tagged": known.by_tag(account),
        "set_rules": _set_rules(account, known),
        "scans": recent,
        "running": next(((scan, found) for scan, found in recent if found), None),
        "fix_access": group_access(account),
        "resting": why_resting(account),
        "memberships": account.memberships.select_related("organisation"),
    }


def _set_rules(account: Account, known: Catalogue) -> list[tuple[RuleSetting, Rule | None, list[tuple[str, str]]]]:
    """Return the rules that are set for the account, and those of its policies that are off everywhere."""
    effective = EffectivePolicies.of(account, known)
    rows = [
        row
        for row in effective.settings.values()
        if row.account_id or (row.policy_id is None and row.off and effective.holds(row.rule_id))
    ]
    return [(row, rule, values(rule, row) if rule else []) for row in rows for rule in [known.rule(row.rule_id)]]


def removal(account: Account) -> dict[str, Any]:
    """Gather what is in an account that is to be removed, or deleted for good."""
    counted = removing.lost(account)
    words = {
        "alerts": ngettext("%(n)s alert", "%(n)s alerts", counted["alerts"]),
        "suppressions": ngettext(
            "%(n)s suppression with its reason", "%(n)s suppressions with their reasons", counted["suppressions"]
        ),
        "changes": ngettext("%(n)s change", "%(n)s changes", counted["changes"]),
        "resources": ngettext("%(n)s resource", "%(n)s resources", counted["resources"]),
        "scans": ngettext("%(n)s scan", "%(n)s scans", counted["scans"]),
    }
    held = [word % {"n": intcomma(counted[kind])} for kind, word in words.items() if counted[kind]]
    return {"name": account.name, "held": held, "why_kept": removing.why_kept(account)}
