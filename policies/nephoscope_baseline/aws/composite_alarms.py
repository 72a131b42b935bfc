"""Which composite alarms an alarm raises.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-combining.html
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache

from nephoscope.domain import NotKnown, ResourceView, Unknown
from nephoscope_aws.alarm_rules import ALARM, OK, AlarmRule, named, understood

COMPOSITE = "AWS::CloudWatch::CompositeAlarm"

_understood = lru_cache(1_000)(understood)


class Composites:
    """The composite alarms of a region."""

    def __init__(self, composites: Iterable[ResourceView]) -> None:
        self._by_name = {each.name: each for each in composites}

    def __iter__(self) -> Iterator[ResourceView]:
        return iter(self._by_name.values())

    def raised(self, composite: ResourceView, alarms: Collection[str]) -> bool:
        """Tell whether these alarms, while all others are OK, make a composite one go to ALARM and act.

        One that is in ALARM anyway does not go there. Raises NotKnown where a rule could not be read, even if no alarm
        is given: the one that it names might not have been collected.
        """
        if self._in_alarm(composite, dict.fromkeys(alarms, OK)):
            return False
        suppressor = named(str(composite.get("ActionsSuppressor", "")))
        return suppressor not in alarms and self._in_alarm(composite, dict.fromkeys(alarms, ALARM))

    def _in_alarm(self, composite: ResourceView, states: dict[str, str]) -> bool:
        def state(name: str) -> str:
            if name not in states:
                states[name] = OK  # Composite alarms that name each other in a circle are not evaluated.
                if (inner := self._by_name.get(name)) and _rule(inner).holds(state):
                    states[name] = ALARM
            return states[name]

        return state(composite.name) == ALARM


def _rule(composite: ResourceView) -> AlarmRule:
    try:
        return _understood(str(composite["AlarmRule"]))
    except ValueError as problem:
        raise NotKnown("AlarmRule", Unknown(str(problem))) from problem
