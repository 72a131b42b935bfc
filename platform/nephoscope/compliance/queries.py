"""How accounts stand by policies: the state of every control, its score, and its days.

One answer for the console, the API, the exports and ``manage.py report``. The number of queries does not depend on how
many accounts, policies or findings there are. docs/definitions.md says what a score is, in words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Count, Exists, F, Max, OuterRef, QuerySet, Window
from django.db.models.functions import Cast, Left, RowNumber
from django.utils.translation import gettext as _t

from nephoscope import domain
from nephoscope.accounts.models import Account
from nephoscope.accounts.queries import all_parts, has_provider
from nephoscope.alerts.models import ComplianceDay, Finding
from nephoscope.compliance.standings import Compliance, ControlStanding, RuleStanding, state_of
from nephoscope.compliance.states import STANDING, ControlState, Standing
from nephoscope.connections.conditions import Condition, conditions
from nephoscope.inventory.models import JUDGE, Scan, Shard, ShardState, read_to_end
from nephoscope.policies.demands import deviations
from nephoscope.policies.queries import EffectivePolicies, catalogue

SHOWN = 10
"""Resources of a rule that are named for each standing; the rest are counted."""

EVIDENCE = 2000
"""Characters of a finding's evidence in a CSV."""


# -- Reading what is stored ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Stored:
    """What a few queries found about some accounts, by account; ``unread`` names by type what was not read of it."""

    counts: dict[int, dict[str, dict[str, int]]]
    unread: dict[int, dict[str, list[str]]]
    judged: dict[int, dict[str, datetime]]
    scans: dict[int, Scan]
    conditions: dict[int, Condition]

    def judged_at(self, account: Account, policy: str) -> datetime | None:
        """When the policy was judged, if the newest judged scan of the account did."""
        moments = self.judged.get(account.pk, {})
        newest = max(moments.values(), default=None)
        return newest if newest and moments.get(policy) == newest else None


def stored_of(accounts: Sequence[Account]) -> Stored:
    counts: dict[int, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    findings = Finding.objects.filter(account__in=accounts).order_by().annotate(standing=STANDING)
    for account, rule, standing, n in findings.values_list("account", "rule_id", "standing").annotate(Count("pk")):
        counts[account][rule][standing] = n
    judged: dict[int, dict[str, datetime]] = defaultdict(dict)
    days = ComplianceDay.objects.filter(account__in=accounts).order_by()
    for account, policy, moment in days.values_list("account", "policy").annotate(Max("judged_at")):
        judged[account][policy] = moment
    last = Scan.objects.filter(account__in=accounts).order_by("account_id", "-pk").distinct("account_id")
    known = {each.account.pk: each for each in conditions(accounts)}
    return Stored(counts, _unread(accounts), judged, {scan.account_id: scan for scan in last}, known)


def newest_readings(accounts: Sequence[Account]) -> QuerySet[Shard]:
    """Return the shards of the newest judged scan with each part of the accounts, every share of it."""
    judging = Shard.objects.filter(
        scan=OuterRef("scan"), service=JUDGE, state__in=[ShardState.RUNNING, ShardState.DONE]
    )
    shards = Shard.objects.filter(Exists(judging), scan__account__in=accounts).exclude(service=JUDGE)
    part = ("scan__account_id", "service", "region", "share")
    return shards.order_by(*part, "-scan_id").distinct(*part)


def _unread(accounts: Sequence[Account]) -> dict[int, dict[str, list[str]]]:
    """Name the parts that the newest judged scan with them did not read to their end, or that no scan reads."""
    rows = newest_readings(accounts).values_list("scan__account_id", "service", "region", "state")
    read = read_to_end(((account, service, region), state) for account, service, region, state in rows)
    found: dict[int, dict[str, list[str]]] = {account.pk: defaultdict(list) for account in accounts}
    for account in accounts:
        if not has_provider(account):
            found[account.pk].update(_nothing_read(account))
        for part in all_parts(account):
            if not _was_read(account, part, read):
                name = _named(part)
                for type in part[0].types:
                    found[account.pk][type].append(name)
    return found


def _nothing_read(account: Account) -> dict[str, list[str]]:
    """Name the provider, whose parts nobody knows while its plugin is not enabled, for every type that rules read."""
    known, name = catalogue(), _t("Provider %(provider)s") % {"provider": account.provider}
    rules = [known.rule(id) for policy in known.offered(account) for id in policy.rules]
    return {type: [name] for rule in rules if rule for type in rule.on}


def _was_read(account: Account, part: tuple[domain.Service, str], read: set[tuple[int, str, str]]) -> bool:
    service, region = part
    scanned = not account.services or service.id in account.services
    return scanned and (account.pk, service.id, region) in read


def _named(part: tuple[domain.Service, str]) -> str:
    service, region = part
    return (
        _t("%(service)s in %(region)s") % {"service": service.name, "region": region}
        if service.regional
        else (service.name)
    )


# -- Judging controls ----------------------------------------------------------------------------------------------


def stands(effective: EffectivePolicies, policy: domain.Framework, stored: Stored) -> Compliance:
    """Return how an account stands by a policy, from what was stored of it."""
    account, chosen = effective.account, policy in effective.applied
    judged_at = stored.judged_at(account, policy.id) if chosen else None
    unread, counted = stored.unread.get(account.pk, {}), stored.counts.get(account.pk, {})
    rules: dict[str, RuleStanding] = {}
    for id in policy.rules:
        rule, counts = effective.catalogue.rule(id), counted.get(id, {})
        parts = dict.fromkeys(part for type in (rule.on if rule else ()) for part in unread.get(type, ()))
        off = effective.off(id) if rule else None
        rules[id] = RuleStanding(
            id,
            rule,
            counts if judged_at and not off else {},
            off=off.reason if off else "",
            unread=tuple(parts) if judged_at else (),
            rejudging=stored.conditions[account.pk].rejudging,
        )
    controls = [
        _control(control, [_for(control, rules[id], effective, policy) for id in control.rules], judged_at is not None)
        for control in policy.controls
    ]
    missing = dict.fromkeys(part for rule in rules.values() for part in rule.unread)
    return Compliance(
        account,
        policy,
        controls,
        chosen,
        judged_at,
        stored.scans.get(account.pk),
        stored.conditions[account.pk],
        sorted(missing),
    )


def _for(
    control: domain.Control, found: RuleStanding, effective: EffectivePolicies, policy: domain.Framework
) -> RuleStanding:
    """Return how a rule stands for one control; without findings there is nothing that its values could change."""
    if found.rule is None or not found.counts:
        return found
    other = deviations(effective, policy, control, found.rule)
    # The copy shares the findings, which are read once and last.
    return replace(found, deviations=tuple(other)) if other else found


def _control(control: domain.Control, rules: list[RuleStanding], judged: bool) -> ControlStanding:
    checked = judged or control.manual or not any(rule.rule for rule in rules)
    return ControlStanding(control, state_of(control, rules) if checked else ControlState.NOT_CHECKED, rules)


def matrix(accounts: Iterable[Account], policies: Iterable[domain.Framework]) -> list[Compliance]:
    """Return how each account stands by each policy that can be chosen for it."""
    accounts, wanted = list(accounts), {policy.id for policy in policies}
    stored, known = stored_of(accounts), catalogue()
    return [
        stands(effective, policy, stored)
        for effective in EffectivePolicies.of_all(accounts, known)
        for policy in known.offered(effective.account)
        if policy.id in wanted
    ]


def detail(account: Account, policy: domain.Framework) -> Compliance:
    """Return how an account stands by a policy, with the first resources behind every rule."""
    effective = EffectivePolicies.of(account)
    found = stands(effective, policy, stored_of([account]))
    rules: dict[str, RuleStanding] = {}
    for each in (rule for control in found.controls for rule in control.rules):
        rules[each.id] = each
        each.severity = effective.rule(each.rule).severity if each.rule else None
    if found.judged_at:
        for row in _first(account, rules):
            rules[row.rule_id].findings.setdefault(row.standing, []).append(row)
    return found


def needing_a_look(found: Compliance) -> QuerySet[Any, Any]:
    """Return all findings of the policy's rules but those that pass: rule and standing first, evidence as JSON last."""
    rows = Finding.objects.filter(account=found.account, rule_id__in=found.policy.rules).annotate(standing=STANDING)
    rows = rows.exclude(standing=Standing.PASSED) if found.judged_at else rows.none()
    cells: QuerySet[Any, Any] = rows.order_by("rule_id", "standing", "resource__name", "pk").values_list(
        "rule_id",
        "standing",
        "resource__resource_id",
        "resource__name",
        "resource__region",
        "message",
        "permission",
        "failing_since",
        "suppression__reason",
        Left(Cast("evidence", models.TextField()), EVIDENCE),
    )
    return cells


def _first(account: Account, rules: Iterable[str]) -> QuerySet[Any]:
    """Return the first findings of each rule and standing that needs a look."""
    rows = Finding.objects.filter(account=account, rule_id__in=list(rules)).annotate(standing=STANDING)
    numbered = rows.exclude(standing=Standing.PASSED).annotate(
        place=Window(RowNumber(), partition_by=[F("rule_id"), F("standing")], order_by=["resource__name", "pk"])
    )
    shown: QuerySet[Any] = numbered.filter(place__lte=SHOWN).select_related("resource", "suppression")
    return shown.defer("resource__properties", "evidence").order_by("rule_id", "standing", "place")
