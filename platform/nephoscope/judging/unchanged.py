"""Which types of resources a scan need not judge again, because nothing changed that their verdicts hang on.

That is: the resources of the type and those of the types that its rules read as neighbours, what of those could not be
read, the regions that are scanned, the rules and how they are set, the code that judges, and the day: rules with a
threshold in days say something else on another one. Whoever judges a type otherwise than a whole scan does makes it
forget.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC

from django.contrib.postgres.aggregates import StringAgg
from django.db.models import CharField, F, Value
from django.db.models.functions import MD5, Cast, Concat
from django.utils import timezone

from nephoscope.accounts.models import Account
from nephoscope.accounts.queries import parts_of
from nephoscope.alerts.models import Alert, Finding, VerdictChoice
from nephoscope.inventory.models import Resource, Scan, read_to_end
from nephoscope.plugins import registry
from nephoscope.policies.models import JudgedType
from nephoscope.policies.queries import EffectiveRule

Rules = Mapping[str, Sequence[EffectiveRule]]
"""The rules of an account, by the types that they judge."""


class UnchangedTypes:
    """The types that need not be judged; made before judging, so that what changes meanwhile counts as changed.

    ``unread`` says of types that could not be read completely why.
    """

    def __init__(self, account: Account, rules: Rules, unread: Mapping[str, str]) -> None:
        self._account = account
        self._prints = _prints(account, rules, unread)
        stored = JudgedType.objects.filter(account=account).values_list("type", "content")
        self.types = {type for type, content in stored if self._prints.get(type) == content}

    def record(self, scan: Scan) -> None:
        """Keep what was judged of the types that the scan read everywhere; the others' alerts were seen as well."""
        now, stored = timezone.now(), JudgedType.objects.filter(account=self._account)
        stored.exclude(type__in=self._prints).delete()
        shards = scan.shards.values_list("service", "region", "state")
        done = read_to_end(((service, region), state) for service, region, state in shards)
        partly = {
            type
            for service, region in parts_of(self._account)
            if (service.id, region) not in done
            for type in service.types
        }
        JudgedType.objects.bulk_create(
            [
                JudgedType(account=self._account, type=type, content=content)
                for type, content in self._prints.items()
                if type not in self.types | partly
            ],
            update_conflicts=True,
            unique_fields=["account", "type"],
            update_fields=["content"],
        )
        failing = Finding.objects.filter(
            account=self._account, resource__type__in=self.types, verdict=VerdictChoice.FAIL, alert__isnull=False
        )
        Alert.objects.filter(pk__in=failing.values("alert")).update(last_seen=now)


def forget(account: Account, types: Iterable[str]) -> None:
    """See that the next scan judges these types."""
    JudgedType.objects.filter(account=account, type__in=types).delete()


def _prints(account: Account, rules: Rules, unread: Mapping[str, str]) -> dict[str, str]:
    """Return a digest, of everything that its verdicts hang on, for each type that is there and has rules."""
    wanted = {*rules, *(need for each in rules.values() for one in each for need in one.rule.needs)}
    row = Concat(Cast("pk", CharField()), Value(":"), F("digest"), output_field=CharField())
    rows = Resource.objects.filter(account=account, gone_at=None, type__in=wanted).order_by()
    content = dict(rows.values_list("type").annotate(content=MD5(StringAgg(row, delimiter=",", order_by="pk"))))
    day, prints = timezone.now().astimezone(UTC).date().isoformat(), {}
    for type in rules.keys() & content.keys():
        needs = sorted({need for each in rules[type] for need in each.rule.needs})
        parts = [
            registry().code,
            day,
            sorted(account.regions),
            content[type],
            sorted((each.rule.id, sorted(each.parameters.items())) for each in rules[type]),
            [(need, content.get(need, ""), unread.get(need, "")) for need in needs],
        ]
        prints[type] = hashlib.blake2b(json.dumps(parts, default=sorted).encode(), digest_size=16).hexdigest()
    return prints
