"""How accounts stand by policies: the state of every control, its score, and its days.

One answer for the console, the API, the exports and ``manage.py report``. The number of queries does not depend on how
many accounts, policies or findings there are. docs/definitions.md says what a score is, in words.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Case, Count, Exists, F, Max, OuterRef, QuerySet, Value, When, Window
from django.db.models.functions import Cast, Left, RowNumber
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from nephoscope import domain
from nephoscope.accounts.models import Account
from nephoscope.alerts.models import ComplianceDay, Finding, VerdictChoice
from nephoscope.inventory.conditions import Condition, conditions
from nephoscope.inventory.models import JUDGE, Scan, Shard, ShardState, read_to_end
from nephoscope.plugins import registry
from nephoscope.policies.queries import EffectivePolicies, catalogue

SHOWN = 10
"""Resources of a rule that are named for each standing; the rest are counted."""

EVIDENCE = 2000
"""Characters of a finding's evidence in a CSV."""


class ControlState(models.TextChoices):
    FAIL = "fail", _("Fail")
    UNKNOWN = "unknown", _("Unknown")
    PASS = "pass", _("Pass")
    NO_RESOURCES = "no_resources", _("No resources")
    MANUAL = "manual", _("Manual")
    NOT_COVERED = "not_covered", _("Not covered")
    NOT_CHECKED = "not_checked", _("Not checked")


MEANINGS = {
    ControlState.FAIL: _("At least one resource fails a rule of this control."),
    ControlState.UNKNOWN: _("No known failures, but not everything could be read. This is not a pass."),
    ControlState.PASS: _("Every resource that its rules apply to was read and passes or was accepted."),
    ControlState.NO_RESOURCES: _("Its rules ran and no resources apply."),
    ControlState.MANUAL: _("No rule can check this. It needs a manual check."),
    ControlState.NOT_COVERED: _("Nephoscope has no rule for this yet."),
    ControlState.NOT_CHECKED: _("Not evaluated in this account."),
}


class Standing(models.TextChoices):
    """What a finding means for its control. A failure that somebody suppressed is accepted, and fails nothing."""

    FAILED = "failed", _("Failing")
    ACCEPTED = "accepted", _("Accepted")
    UNKNOWN = "unknown", _("Unknown")
    PASSED = "passed", _("Passing")


STANDING = Case(
    When(failing_since__isnull=False, suppression=None, then=Value(Standing.FAILED.value)),
    When(failing_since__isnull=False, then=Value(Standing.ACCEPTED.value)),
    When(verdict=VerdictChoice.PASS, then=Value(Standing.PASSED.value)),
    default=Value(Standing.UNKNOWN.value),
)
"""A finding that failed and became unknown still fails, as its alert stays open."""


def percent(passed: int, failed: int) -> int | None:
    """Return the score: passed of those that pass or fail, rounded down so that 100 means all; None without any."""
    return 100 * passed // (passed + failed) if passed + failed else None


@dataclass(slots=True)
class RuleStanding:
    """One rule in one account: findings by standing, the first of those that need a look, what was not read for it."""

    id: str
    rule: domain.Rule | None
    counts: dict[str, int]
    severity: domain.Severity | None = None
    """As it is set for the account; told of one account in detail only."""
    off: str = ""
    """Why somebody switched it off here; it is not judged then."""
    unread: tuple[str, ...] = ()
    findings: dict[str, list[Finding]] = field(default_factory=dict)

    def count(self, standing: str) -> int:
        return self.counts.get(standing, 0)

    @property
    def failed(self) -> int:
        return self.count(Standing.FAILED)

    @property
    def accepted(self) -> int:
        return self.count(Standing.ACCEPTED)

    @property
    def unknown(self) -> int:
        return self.count(Standing.UNKNOWN)

    @property
    def passed(self) -> int:
        return self.count(Standing.PASSED)

    @property
    def numbers(self) -> list[tuple[Standing, int]]:
        """How many findings there are of each standing, as a table has them."""
        order = (Standing.PASSED, Standing.FAILED, Standing.ACCEPTED, Standing.UNKNOWN)
        return [(standing, self.count(standing)) for standing in order]

    @property
    def reasons(self) -> list[str]:
        """Why the rule is not known throughout, every reason once; as far as the findings are named."""
        reasons = [] if self.rule else [_t("no enabled plugin provides the rule")]
        reasons += [_t("the rule is switched off: %(reason)s") % {"reason": self.off}] if self.off else []
        reasons += [_t("%(part)s was not read") % {"part": part} for part in self.unread]
        named = self.findings.get(Standing.UNKNOWN, [])
        for row in named:
            missing = _t("missing permission: %(permission)s") % {"permission": row.permission}
            reasons.append((missing if row.permission else row.message) or _t("the rule could not be evaluated"))
        if named and (more := self.unknown - len(named)):
            reasons.append(_t("and %(n)s more resources are unknown") % {"n": more})
        return list(dict.fromkeys(reasons))

    @property
    def shown(self) -> list[tuple[str, list[Finding], int]]:
        """The named findings of each standing that needs a look, with how many more there are."""
        return [
            (standing, rows, self.count(standing) - len(rows))
            for standing in (Standing.FAILED, Standing.ACCEPTED, Standing.UNKNOWN)
            if (rows := self.findings.get(standing, []))
        ]


@dataclass(frozen=True, slots=True)
class ControlStanding:
    """One control in one account."""

    control: domain.Control
    state: ControlState
    rules: Sequence[RuleStanding]

    @property
    def meaning(self) -> str:
        """What the state means, in a sentence."""
        return str(MEANINGS[self.state])

    @property
    def accepted(self) -> int:
        return sum(rule.accepted for rule in self.rules)

    @property
    def failed(self) -> int:
        return sum(rule.failed for rule in self.rules)


@dataclass(frozen=True, slots=True)
class Compliance:
    """One account by one policy."""

    account: Account
    policy: domain.Framework
    controls: Sequence[ControlStanding]
    chosen: bool
    """Whether it applies to the account: chosen for it, or brought by its tags."""
    judged_at: datetime | None
    """When the policy was judged; None when it is not chosen, or not judged since it was."""
    last_scan: Scan | None
    condition: Condition
    """How well the account is known, whatever its controls say."""
    unread: Sequence[str]
    """The parts of the account that could not be read, or never were."""

    @property
    def counts(self) -> dict[str, int]:
        """Controls by state, every state named."""
        found = Counter(control.state.value for control in self.controls)
        return {state: found[state] for state in ControlState.values}

    @property
    def score(self) -> int | None:
        return percent(self.counts[ControlState.PASS], self.counts[ControlState.FAIL])

    @property
    def accepted(self) -> int:
        """Failures that were suppressed, each counted once however many controls its rule answers."""
        rules = {rule.id: rule.accepted for control in self.controls for rule in control.rules}
        return sum(rules.values())

    @property
    def why_not(self) -> str:
        """Why nothing of the policy is checked; empty when it is."""
        if not self.chosen:
            return _t("This policy is not selected for this account.")
        return (
            ""
            if self.judged_at
            else _t("The account has not been fully scanned or re-evaluated since this policy was applied.")
        )


def state_of(control: domain.Control, rules: Iterable[RuleStanding]) -> ControlState:
    """Return the state of a control that is checked; anything not known keeps it from passing."""
    if control.manual:
        return ControlState.MANUAL
    rules = list(rules)
    if not any(rule.rule for rule in rules):
        return ControlState.NOT_COVERED
    rules = [rule for rule in rules if not rule.off]
    known = [rule for rule in rules if rule.rule]
    if not known:
        return ControlState.NOT_CHECKED
    if any(rule.failed for rule in known):
        return ControlState.FAIL
    # A rule whose plugin is not enabled is part of the control all the same, and nobody knows how it would stand.
    if any(rule.unknown or rule.unread or not rule.rule for rule in rules):
        return ControlState.UNKNOWN
    return ControlState.PASS if any(rule.passed or rule.accepted for rule in known) else ControlState.NO_RESOURCES


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


def parts_of(account: Account) -> list[tuple[domain.Service, str]]:
    """Return the services and regions that a whole scan of the account reads; none when its plugin is not enabled."""
    return [part for part in _all_parts(account) if not account.services or part[0].id in account.services]


def _all_parts(account: Account) -> list[tuple[domain.Service, str]]:
    provider = registry().providers.get(account.provider)
    return [
        (service, region)
        for service in (provider.services if provider else ())
        for region in (account.regions if service.regional else [domain.ALL_REGIONS])
    ]


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
        for part in _all_parts(account):
            if not _was_read(account, part, read):
                name = _named(part)
                for type in part[0].types:
                    found[account.pk][type].append(name)
    return found


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
        )
    controls = [
        ControlStanding(
            control,
            state_of(control, [rules[id] for id in control.rules])
            if judged_at or control.manual or not any(rules[id].rule for id in control.rules)
            else ControlState.NOT_CHECKED,
            [rules[id] for id in control.rules],
        )
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
    rules = {rule.id: rule for control in found.controls for rule in control.rules}
    for each in rules.values():
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
