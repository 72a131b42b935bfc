"""The command lines that fix what was found, filled in for the resources of findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nephoscope.accounts.models import Account
from nephoscope.alerts.models import Finding
from nephoscope.domain import Filled, Resource, Rule, Value
from nephoscope.inventory import models as inventory
from nephoscope.policies.queries import Catalogue, EffectivePolicies, catalogue


def commands_of(findings: Iterable[Finding], known: Catalogue | None = None) -> dict[int, Filled]:
    """Return the commands by the id of the finding, of those that fail a rule that has some.

    Reads what it needs of all findings at once: two queries, and up to three more where a rule's parameters are filled
    in. The resources' properties may be deferred.

    :param known: the catalogue, where it is read already.
    """
    rules = (known or catalogue()).rules
    asked = [
        (each, rule, commands)
        for each in findings
        if each.failing_since and (rule := rules.get(each.rule_id)) and (commands := rule.commands)
    ]
    if not asked:
        return {}
    told = list({rule.id: rule for _, rule, _ in asked}.values())
    accounts = Account.objects.in_bulk({each.account_id for each, _, _ in asked})
    properties = _properties((each.resource_id for each, _, _ in asked), told)
    effective = _effective(accounts.values(), told, known)
    found = {
        each.pk: commands.fill(
            _resource(each.resource, accounts[each.account_id], properties),
            effective.get((each.account_id, rule.id), rule.defaults),
        )
        for each, rule, commands in asked
    }
    return {id: filled for id, filled in found.items() if filled}


def _resource(row: inventory.Resource, account: Account, properties: Mapping[int, Mapping[str, Any]]) -> Resource:
    return Resource(row.type, row.resource_id, row.name, row.region, account.number, properties.get(row.pk, {}))


def _properties(ids: Iterable[int], rules: Iterable[Rule]) -> dict[int, dict[str, Any]]:
    """Return the properties that the commands name, and no others: a resource may have megabytes of them."""
    names = sorted({path.partition(".")[0] for rule in rules if rule.commands for path in rule.commands.paths})
    rows = inventory.Resource.objects.filter(pk__in=list(ids)).order_by()
    columns = [f"properties__{name}" for name in names]
    return {pk: dict(zip(names, values, strict=True)) for pk, *values in rows.values_list("pk", *columns)}


def _effective(
    accounts: Iterable[Account], rules: Iterable[Rule], known: Catalogue | None
) -> dict[tuple[int, str], Mapping[str, Value]]:
    """Return the parameters in force by account and rule, of the rules whose commands name one."""
    with_parameters = [rule for rule in rules if rule.commands and rule.commands.parameters]
    if not with_parameters:
        return {}
    return {
        (each.account.pk, rule.id): each.rule(rule).parameters
        for each in EffectivePolicies.of_all(accounts, known)
        for rule in with_parameters
    }
