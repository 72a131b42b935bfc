"""Findings in the forms that other tools read, and alerts as CSV. One row at a time, however many."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from nephoscope.accounts.models import Account
from nephoscope.alerts.models import DETECTED, Alert, Finding, VerdictChoice
from nephoscope.connections.conditions import Condition, conditions
from nephoscope.domain import (
    Export,
    ExportedAccount,
    ExportedDetection,
    ExportedFinding,
    ExportedResource,
    ExportedStatus,
    Provider,
    Severity,
    Verdict,
)
from nephoscope.plugins import registry
from nephoscope.policies.demands import deviations
from nephoscope.policies.queries import Catalogue, EffectivePolicies, catalogue


def as_json(rows: QuerySet[Finding], export: Export) -> Iterator[str]:
    """Yield the findings that the export fits as a JSON array, member by member."""
    fitting = rows.filter(account__provider=export.provider) if export.provider else rows
    yield "["
    for position, finding in enumerate(exported(fitting)):
        yield ("," if position else "") + "\n" + json.dumps(export.row(finding), ensure_ascii=False)
    yield "\n]\n"


def exported(rows: QuerySet[Finding]) -> Iterator[ExportedFinding]:
    """Yield all that is known of each finding, without the resources' properties."""
    known = _Known(catalogue(), Account.objects.filter(pk__in=rows.order_by().values("account")))
    rows = rows.select_related("resource", "account", "suppression", "alert").defer("resource__properties")
    for row in rows.order_by("pk").iterator(chunk_size=500):
        yield _exported(row, known)


class _Known:
    """What is told of many findings, read once for each account."""

    def __init__(self, rules: Catalogue, accounts: Iterable[Account]) -> None:
        told = list(accounts)
        self.rules = rules
        self.states = {each.account.pk: each.state.value for each in conditions(told)}
        self._effective = {each.account.pk: each for each in EffectivePolicies.of_all(told, rules)}
        self._controls: dict[tuple[int, str, bool], tuple[tuple[str, str], ...]] = {}

    def controls(self, row: Finding) -> tuple[tuple[str, str], ...]:
        """Return the controls that a verdict answers, of policies that apply: none by a pass that is too easy."""
        key = (row.account_id, row.rule_id, row.verdict == VerdictChoice.PASS)
        if key not in self._controls:
            self._controls[key] = tuple(self._answered(row))
        return self._controls[key]

    def _answered(self, row: Finding) -> Iterator[tuple[str, str]]:
        rule, effective = self.rules.rule(row.rule_id), self._effective[row.account_id]
        for policy, control in self.rules.answers.get(row.rule_id, ()):
            if rule is None or policy not in effective.applied:
                continue
            lax = any(each.laxer for each in deviations(effective, policy, control, rule))
            if row.verdict != VerdictChoice.PASS or not lax:
                yield policy.name, control.id


def _exported(row: Finding, known: _Known) -> ExportedFinding:
    rule, detection, account = known.rules.rule(row.rule_id), _detection(row), row.account
    graded = row.alert or rule
    return ExportedFinding(
        uid=f"nephoscope/{account.number}/{row.rule_id}/{row.resource.resource_id}",
        rule_id=row.rule_id,
        rule=rule,
        title=detection.title if detection else known.rules.title(row.rule_id),
        severity=Severity(graded.severity) if graded else None,
        verdict=Verdict(row.verdict),
        status=_status(row),
        message=row.message,
        account=_account(account, known.states[account.pk]),
        resource=_resource(row, detection.details if detection else {}),
        changed_at=_local(row.changed_at),
        failing_since=_local(row.failing_since) if row.failing_since else None,
        evidence=row.evidence,
        permission=row.permission,
        controls=known.controls(row),
        detection=_exported_detection(detection) if detection else None,
    )


def _account(account: Account, condition: str) -> ExportedAccount:
    provider = registry().providers.get(account.provider)
    type = provider.account_type if provider else Provider.account_type
    return ExportedAccount(account.name, account.number, account.provider, condition, type)


def _detection(row: Finding) -> Alert | None:
    """The alert of a detection, which has no rule to take title and severity from."""
    return row.alert if row.rule_id in DETECTED else None


def _exported_detection(alert: Alert) -> ExportedDetection:
    details = alert.details
    # Alerts that were stored before their details had the type have it among the facts.
    type = details.get("type") or details.get("facts", {}).get("Finding type", "")
    return ExportedDetection(alert.source, type, details.get("guide", ""))


def _resource(row: Finding, named: dict[str, Any]) -> ExportedResource:
    """The resource; a detection's is the one that it names, and not the detection."""
    resource, provider = row.resource, registry().providers.get(row.account.provider)
    id, type = named.get("resource_id") or resource.resource_id, named.get("resource_type") or resource.type
    partition = provider.partition(id) if provider else ""
    return ExportedResource(type, id, resource.name, resource.region, partition, resource.tags)


def _status(row: Finding) -> ExportedStatus:
    """How far a finding was dealt with. One that is not known is not resolved."""
    if row.suppression_id:
        return ExportedStatus.SUPPRESSED
    resolved = row.verdict == VerdictChoice.PASS and not row.failing_since
    return ExportedStatus.RESOLVED if resolved else ExportedStatus.NEW


def _local(value: datetime) -> datetime:
    return value.astimezone(timezone.get_default_timezone())


def moment(value: datetime) -> str:
    """Return a time as files hold it, with its zone."""
    return _local(value).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# -- Alerts as CSV -------------------------------------------------------------------------------------------------

COLUMNS = (
    "id",
    "severity",
    "title",
    "rule",
    "kind",
    "account",
    "number",
    "condition",
    "state",
    "affected",
    "suppressed",
    "open since",
    "last seen",
    "resolved",
)


def as_csv(alerts: Iterable[Alert], accounts: Iterable[Condition]) -> Iterator[str]:
    """Yield alerts as lines of CSV, a heading first.

    :param accounts: what is known of each account that was asked for; one that was never read has a line of its own.
    """
    told = list(accounts)
    known = {each.account.pk: each.said for each in told}
    yield line(COLUMNS)
    for each in told:
        if not each.known:
            yield line(_of_account(each))
    for alert in alerts:
        moments = [moment(each) if each else "" for each in (alert.opened_at, alert.last_seen, alert.resolved_at)]
        yield line(
            [
                str(alert),
                alert.severity,
                alert.title,
                alert.key,
                alert.kind,
                alert.account.name,
                alert.account.number,
                known.get(alert.account_id, ""),
                alert.state,
                alert.affected,
                alert.suppressed,
                *moments,
            ]
        )


SUPPRESSION_COLUMNS = (
    "resource",
    "resource id",
    "alert",
    "title",
    "account",
    "number",
    "state",
    "reason",
    "by",
    "since",
    "until",
    "lifted",
)


def suppressions_as_csv(rows: Iterable[Any]) -> Iterator[str]:
    """Yield suppressions, which have their states, as lines of CSV, a heading first."""
    yield line(SUPPRESSION_COLUMNS)
    for row in rows:
        alert, account = row.alert, row.alert.account
        moments = [moment(each) if each else "" for each in (row.created_at, row.expires_at, row.lifted_at)]
        what = [row.resource_name, row.resource_id, str(alert), alert.title, account.name, account.number]
        yield line([*what, row.state, row.reason, row.author.username if row.author else "", *moments])


def _of_account(found: Condition) -> list[str]:
    """Return the cells of an account of which nothing is known: without a line, it would seem to have no alert."""
    given = {"account": found.account.name, "number": found.account.number, "condition": found.said}
    return [given.get(column, "") for column in COLUMNS]


_FORMULA = re.compile("(?:^|(?<=[\n\t;\u2028\u2029]))(?=[\\s\ufeff\u200b-\u200f\u2060]*[=+@＝＋－＠﹦﹢﹣﹫⁼⁺⁻₌₊₋−-])")
"""Where a cell, or what a program makes of a part of it, begins like a formula, in any width of the sign."""

_ODD = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def line(cells: Iterable[Any]) -> str:
    """Return a line of CSV that no spreadsheet takes for a formula."""
    written = io.StringIO()
    csv.writer(written).writerow([_harmless(cell) for cell in cells])
    return written.getvalue()


def _harmless(cell: Any) -> Any:
    """A spreadsheet runs a text that begins like a formula; texts come from the cloud, so such a one gets a quote.

    So does one after a line break, a tab or a semicolon, at which some programs split cells, and one after spaces:
    https://owasp.org/www-community/attacks/CSV_Injection
    """
    if not isinstance(cell, str):
        return cell
    text = _ODD.sub(" ", cell.replace("\r\n", "\n").replace("\r", "\n"))
    quoted = _FORMULA.sub("'", text)
    return f"'{quoted}" if cell.startswith(("\t", "\r", "\n")) else quoted
