"""From stored resources to findings and alerts: what opens, what closes, and what may not close.

Closing is earned. Only what a scan covered and read to its end is judged here at all; a verdict of *unknown* or *error*
leaves a failing finding failing; and a neighbour that this scan could not read makes the rules that need it unknown.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from django.db import DatabaseError, connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from nephoscope import domain
from nephoscope.accounts.models import Account
from nephoscope.accounts.queries import provider_of, scanned_services
from nephoscope.alerts import suppressions
from nephoscope.alerts.models import DETECTED, Alert, AlertState, DetectionCursor, Finding, Transition
from nephoscope.alerts.state import Transitions, refresh
from nephoscope.alerts.transitions import of_severity
from nephoscope.audit.actions.alerts import ALERT_GRADED, Resolution
from nephoscope.audit.services import Actor, record
from nephoscope.compliance import snapshots
from nephoscope.domain import Verdict
from nephoscope.engine import Neighbours, judge
from nephoscope.inventory.models import JUDGE, Resource, Scan, ShardState, read_to_end
from nephoscope.judging import unchanged
from nephoscope.judging.unread import never_read, not_read, not_scanned, why_unread
from nephoscope.policies.models import Rejudging
from nephoscope.policies.queries import RANK, EffectivePolicies, EffectiveRule

log = logging.getLogger(__name__)

CHUNK = 300
"""Resources judged and written in one transaction."""

MANY = 1000
"""Findings written by one judging from which on PostgreSQL counts its rows anew."""

FIELDS = ["verdict", "message", "evidence", "permission", "changed_at", "failing_since", "alert", "suppression"]


class Judge:
    """Judges stored resources of one account by the rules of its policies, as they are set when it is made.

    ``unread`` names types that could not be read completely, and why: as neighbours they are not known.
    ``overtaken`` is asked under the lock on the account, before anything is written: once it says yes, nothing more is.
    """

    def __init__(
        self,
        account: Account,
        actor: Actor,
        unread: dict[str, str] | None = None,
        overtaken: Callable[[], bool] = lambda: False,
    ) -> None:
        self.account, self.actor, self.overtaken = account, actor, overtaken
        self.unread = {**not_scanned(account), **(unread or {})}
        self.effective = EffectivePolicies.of(account)
        self.rules: dict[str, list[EffectiveRule]] = {}
        for each in self.effective.rules:
            for type in each.rule.on:
                self.rules.setdefault(type, []).append(each)
        self.defaults = provider_of(account).defaults
        self.neighbours = Neighbours(self._load, self._beyond)
        self._regional = {type for each in provider_of(account).services if each.regional for type in each.types}
        self._alerts: dict[str, Alert] = {}
        self._written = 0

    def _load(self, type: str) -> list[domain.Resource]:
        rows = Resource.objects.filter(account=self.account, type=type, gone_at=None)
        loaded = [each for _row, each in self._read(rows)]
        if type in self.unread:
            loaded.append(
                domain.Resource.unreadable(
                    type, domain.ALL_REGIONS, self.account.number, permission="", reason=self.unread[type]
                )
            )
        return loaded

    def _beyond(self, type: str, region: str) -> domain.Resource | None:
        """Return what stands for resources in regions that are not chosen: what is not read is not absent."""
        if type not in self._regional or region in self.account.regions:
            return None
        one = region not in ("", domain.ALL_REGIONS)
        reason = f"{region} is not among the regions that are scanned" if one else "not every region is scanned"
        return domain.Resource.unreadable(
            type, region or domain.ALL_REGIONS, self.account.number, permission="", reason=reason
        )

    def _read(self, rows: Iterable[Resource]) -> Iterator[tuple[Resource, domain.Resource]]:
        for row in rows:
            row.account = self.account  # one for all: reading it with each row costs more than the row
            yield row, row.to_domain()

    def run(self, resources: QuerySet[Resource], *, still_wanted: Callable[[], bool] = lambda: True) -> None:
        """Judge these resources; stops between two chunks when no longer wanted."""
        resources = resources.filter(account=self.account, gone_at=None, type__in=list(self.rules)).order_by("pk")
        for chunk in _chunks(resources):
            if not still_wanted():
                return
            with transaction.atomic():
                # One writer of an account's findings at a time: a recheck may meet a scan.
                Account.objects.select_for_update().only("pk").get(pk=self.account.pk)
                if self.overtaken():
                    return
                unchanged.forget(self.account, {row.type for row in chunk})
                self._chunk(chunk, timezone.now())
        if self._written >= MANY:
            # The planner may still hold the tables to be empty, and then reads them whole for each row of the other:
            # https://www.postgresql.org/docs/current/populate.html#POPULATE-ANALYZE
            with connection.cursor() as cursor:
                cursor.execute(f'ANALYZE "{Resource._meta.db_table}", "{Finding._meta.db_table}"')

    def narrow(self, types: set[str]) -> None:
        """Keep only the rules that read neighbours of these types."""
        kept = {type: [each for each in rules if types & {*each.rule.needs}] for type, rules in self.rules.items()}
        self.rules = {type: rules for type, rules in kept.items() if rules}

    def _chunk(self, rows: Sequence[Resource], now: datetime) -> None:
        known = {(each.rule_id, each.resource_id): each for each in Finding.objects.filter(resource__in=rows)}
        judged = [
            (
                row,
                [
                    judge(
                        each.rule,
                        resource,
                        now=now,
                        neighbours=self.neighbours,
                        defaults=self.defaults,
                        parameters=each.parameters,
                    )
                    for each in self.rules[row.type]
                ],
            )
            for row, resource in self._read(rows)
        ]
        failing = (each.rule for _row, found in judged for each in found if each.verdict == Verdict.FAIL)
        self._make_alerts({rule.id: rule for rule in failing}, now)
        transitions, changed, over = Transitions(), [], []
        for row, found in judged:
            for finding in found:
                stored = known.get((finding.rule.id, row.pk))
                if finding.verdict == Verdict.NOT_APPLICABLE:
                    if stored:
                        over.append(stored.pk)
                        transitions.closed(
                            stored.alert_id, row.name, Resolution.FIXED, suppressed=stored.suppression_id is not None
                        )
                elif update := self._update(stored, row, finding, now, transitions):
                    changed.append(update)
        Finding.objects.filter(pk__in=over).delete()
        suppressions.reapply(changed)
        self._written += len(changed)
        _write(changed)
        refresh(self.account, transitions, self.actor, now)

    def _update(
        self, stored: Finding | None, row: Resource, finding: domain.Finding, now: datetime, transitions: Transitions
    ) -> Finding | None:
        """Return the row to write, or None when nothing about it changed."""
        evidence = [asdict(each) for each in finding.evidence]
        new = Finding(
            account=self.account,
            rule_id=finding.rule.id,
            resource=row,
            verdict=finding.verdict.value,
            message=finding.message,
            evidence=evidence,
            permission=finding.permission,
            changed_at=now,
        )
        if stored:
            new.failing_since, new.alert_id = stored.failing_since, stored.alert_id
            suppressions.carry_over(stored, new)
        if finding.verdict == Verdict.FAIL:
            new.alert = self._alerts[finding.rule.id]
            transitions.seen.add(new.alert.pk)
            if new.failing_since is None:
                new.failing_since = now
                transitions.opened(new.alert.pk, row.name)
        elif finding.verdict == Verdict.PASS and new.failing_since:
            transitions.closed(new.alert_id, row.name, Resolution.FIXED, suppressed=new.suppression_id is not None)
            new.failing_since = new.alert = None
            suppressions.clear(new)
        elif new.failing_since and stored:
            new.evidence = stored.evidence
        same = stored and all(
            getattr(stored, name) == getattr(new, name)
            for name in ("verdict", "message", "evidence", "permission", "failing_since", "alert_id", "suppression_id")
        )
        return None if same else new

    def _make_alerts(self, failing: Mapping[str, domain.Rule], now: datetime) -> None:
        """See that each failing rule has its alert; the account is locked, so nobody else makes it meanwhile."""
        missing = sorted(failing.keys() - self._alerts)
        of_these = {"account": self.account, "kind": domain.Kind.SECURITY.value}
        if missing:
            self._alerts |= {alert.key: alert for alert in Alert.objects.filter(**of_these, key__in=missing)}
        new = [failing[id] for id in missing if id not in self._alerts]
        made = Alert.objects.bulk_create(
            Alert(
                **of_these,
                key=rule.id,
                title=rule.title[:300],
                severity=severity.value,
                rank=RANK[severity],
                first_seen=now,
                last_seen=now,
                opened_at=now,
            )
            for rule in new
            for severity in [self.effective.rule(rule).severity]
        )
        self._alerts |= {alert.key: alert for alert in made}

    def close(self, over: Q) -> None:
        """Close the findings that ``over`` selects, because their resource is gone or their rule is not checked.

        It is the last step of judging, in which every alert of a rule also gets its rule's title and the severity that
        is in force.
        """
        now = timezone.now()
        with transaction.atomic():
            Account.objects.select_for_update().get(pk=self.account.pk)
            if self.overtaken():
                return
            self._grade(now)
            findings = Finding.objects.filter(over, account=self.account).select_related("resource")
            closing = list(findings.defer("evidence", "resource__properties", "resource__tags"))
            transitions = Transitions()
            for each in closing:
                why = Resolution.GONE if each.resource.gone_at else Resolution.NO_LONGER_CHECKED
                if each.failing_since:
                    transitions.closed(
                        each.alert_id, each.resource.name, why, suppressed=each.suppression_id is not None
                    )
            unchanged.forget(self.account, {each.resource.type for each in closing})
            Finding.objects.filter(pk__in=[each.pk for each in closing]).delete()
            refresh(self.account, transitions, self.actor, now)

    def _grade(self, now: datetime) -> None:
        outgoing = []
        for alert in Alert.objects.select_for_update().filter(account=self.account, kind=domain.Kind.SECURITY):
            rule, was = self.effective.catalogue.rule(alert.key), alert.severity
            if rule is None:
                continue
            severity, title = self.effective.rule(rule).severity, rule.title[:300]
            if (severity, title) == (was, alert.title):
                continue
            alert.severity, alert.rank, alert.title = severity.value, RANK[severity], title
            alert.save(update_fields=["severity", "rank", "title"])
            if severity != was and alert.state != AlertState.RESOLVED:
                outgoing.append(of_severity(alert, was, now))
                graded = {"title": alert.title, "was": was, "severity": severity.value}
                record(self.actor, ALERT_GRADED, alert, graded, account=self.account, at=now)
        Transition.objects.bulk_create(outgoing)

    @property
    def unchecked(self) -> Q:
        """Select the findings of rules that are no longer checked."""
        checked = {each.rule.id for rules in self.rules.values() for each in rules}
        return ~Q(rule_id__in=[*checked, *DETECTED])


def _write(findings: list[Finding]) -> None:
    """Write findings together, or one by one where that fails; one that is not taken loses its message and evidence.

    It costs the others nothing. One that fails stays so, without what the rule said.
    """
    try:
        with transaction.atomic():
            Finding.objects.bulk_create(
                findings, update_conflicts=True, unique_fields=["rule_id", "resource"], update_fields=FIELDS
            )
    except (DatabaseError, TypeError, ValueError) as problem:
        if len(findings) > 1:
            for each in findings:
                _write([each])
            return
        [finding] = findings
        if finding.message == _REFUSED:
            raise
        log.warning("%s of %s could not be stored: %s", finding.rule_id, finding.resource, type(problem).__name__)
        if finding.verdict != Verdict.FAIL.value:
            finding.verdict = Verdict.ERROR.value
        finding.message, finding.evidence, finding.permission = _REFUSED, [], ""
        _write(findings)


_REFUSED = "what the rule found could not be stored"


def _chunks(rows: QuerySet[Resource]) -> Iterator[list[Resource]]:
    """Cut by primary key, so that each chunk is a short query of its own and no cursor stays open over transactions."""
    last = 0
    while chunk := list(rows.filter(pk__gt=last)[:CHUNK]):
        yield chunk
        last = chunk[-1].pk


def judge_scan(scan: Scan, *, still_wanted: Callable[[], bool]) -> None:
    """Judge what the shards of a scan read to their end; what other shards failed to read counts as not known."""
    account, services = scan.account, {each.id: each for each in provider_of(scan.account).services}
    # Read before the policies are: what was asked for until now, these policies answer.
    asked = Rejudging.objects.filter(account=account).values_list("wanted_at", flat=True).first()
    unread, shards = never_read(scan), list(scan.shards.exclude(service=JUDGE))
    for shard in shards:
        if shard.state != ShardState.DONE:
            service = services[shard.service]
            unread.update(dict.fromkeys(service.types, why_unread(service, shard.region, shard)))
    covered = Q(pk__in=[])
    for name, region in sorted(read_to_end(((shard.service, shard.region), shard.state) for shard in shards)):
        covered |= Q(service=name, region=region) if services[name].regional else Q(service=name)
    judge = Judge(account, Actor.of_task("scan", scan=scan.pk), unread)
    _leave_out_of_scope(judge, account)
    unchanged_types = unchanged.UnchangedTypes(account, judge.rules, judge.unread)
    read = Resource.objects.filter(covered).exclude(hidden(account)).exclude(type__in=unchanged_types.types)
    judge.run(read, still_wanted=still_wanted)
    if still_wanted():
        judge.close(Q(resource__gone_at__isnull=False) | judge.unchecked)
        unchanged_types.record(scan)
        snapshots.record(scan)
        if asked and snapshots.is_whole(scan):
            Rejudging.objects.filter(account=account, wanted_at=asked).update(
                judged_for=asked, finished_at=timezone.now()
            )


def hidden(account: Account) -> Q:
    """Select what stayed from earlier scans because its listing was hidden from this one: it was not read.

    Where just one could not be told by its id, the others were read.
    """
    found = Q(pk__in=[])
    stand_ins = Resource.objects.filter(account=account, gone_at=None, unlisted=True)
    for each in stand_ins.exclude(resource_id__startswith=domain.UNIDENTIFIED):
        part = Q(type=each.type, unlisted=False)
        found |= part if each.region == domain.ALL_REGIONS else part & Q(region=each.region)
    return found


def _leave_out_of_scope(judge: Judge, account: Account) -> None:
    """Close what belongs to a region or service that is no longer chosen; it counts as gone until it is again."""
    known, scanned = provider_of(account).services, scanned_services(account)
    regional = Q(service__in=[each.id for each in scanned if each.regional], region__in=account.regions)
    chosen = regional | Q(service__in=[each.id for each in scanned if not each.regional])
    left = Resource.objects.filter(~chosen, account=account, gone_at=None, service__in=[each.id for each in known])
    if left.exists():
        judge.close(Q(resource__in=left))
        left.update(gone_at=timezone.now())
    DetectionCursor.objects.filter(~chosen, account=account).delete()


def judge_resources(account: Account, actor: Actor, read: Iterable[int], gone: Iterable[int]) -> None:
    """Judge resources (by row) that were just read again, close those that are gone, and judge those beside them.

    These are the stored ones that have rules which read one of the types that were read: whether an account has a trail
    hangs on the trails.
    """
    read, gone = list(read), list(gone)
    judge = Judge(account, actor, not_read(account))
    judge.run(Resource.objects.filter(pk__in=read))
    judge.close(Q(resource__in=gone))
    judge.narrow(set(Resource.objects.filter(pk__in=[*read, *gone]).values_list("type", flat=True)))
    judge.run(Resource.objects.exclude(hidden(account)))
