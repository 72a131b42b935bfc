"""List the rules of the enabled plugins, or show one with its examples.

nephoscope rules                                      all, one a line
nephoscope rules --severity critical,high --text public
nephoscope rules RULE                                 one, with its fix, examples and controls
nephoscope rules --json                               an array, for programs
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from nephoscope.cli.usage import OK, UsageError, no_such

if TYPE_CHECKING:
    from nephoscope.domain import Framework, Rule
    from nephoscope.plugins import Registry

SEVERITY_WIDTH = len("CRITICAL")
LEAST_TITLE = 20
"""Characters of a title that are shown however narrow the terminal is."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rule", nargs="?", metavar="RULE", help="the id of the rule to show")
    parser.add_argument("--json", action="store_true", help="print an array of objects, also for one rule")
    parser.add_argument("--controls", action="store_true", help="with --json: include the controls of each rule")
    filters = parser.add_argument_group("filters", "All but --text take several values, separated by commas.")
    filters.add_argument("--provider", metavar="ID", help="the cloud: the first part of a rule's id")
    filters.add_argument("--service", metavar="ID", help="the service: the second part of a rule's id")
    filters.add_argument("--severity", metavar="LEVEL", help="critical, high, medium or low")
    filters.add_argument("--type", metavar="TYPE", help="the type of resource")
    filters.add_argument("--policy", metavar="ID", help="the policy that the rule is in")
    filters.add_argument("--text", metavar="TEXT", help="text in the id, title or reason")


def run(options: argparse.Namespace) -> int:
    from nephoscope.configuration import ConfigurationError
    from nephoscope.plugins import PluginError, registry

    try:
        found = _select(options, registry())
        # Reading all policies takes as long as all the rest: only what shows controls waits for it.
        policies = registry().frameworks if options.controls or options.rule else None
    except (ConfigurationError, PluginError) as error:
        raise UsageError(str(error)) from error
    _print(options, found, policies)
    return OK


def _print(options: argparse.Namespace, found: list[Rule], policies: Mapping[str, Framework] | None) -> None:
    if options.json:
        from nephoscope.cli.rule_json import as_json

        print(as_json(found, policies))
    elif options.rule:
        from nephoscope.cli.rule_text import as_text

        print(as_text(found[0], policies or {}))
    elif found:
        print(_table(found))
    else:
        print("No rules match.", file=sys.stderr)


# -- Which -----------------------------------------------------------------------------------------


def _select(options: argparse.Namespace, registry: Registry) -> list[Rule]:
    if options.controls and not options.json:
        raise UsageError("--controls goes with --json")
    filters = (options.provider, options.service, options.severity, options.type, options.policy, options.text)
    if options.rule is None:
        return sorted(_filtered(options, registry), key=lambda rule: rule.id)
    if any(each is not None for each in filters):
        raise UsageError("give the id of a rule or filters, not both")
    if options.rule not in registry.rules:
        raise no_such("rule", options.rule, registry.rules)
    return [registry.rules[options.rule]]


def _filtered(options: argparse.Namespace, registry: Registry) -> list[Rule]:
    from nephoscope.domain import Severity

    found = every = list(registry.rules.values())
    for name, values in _VALUES.items():
        if (given := getattr(options, name)) is not None:
            known = Severity if name == "severity" else {each for rule in every for each in values(rule)}
            wanted = _chosen(name, given, known)
            found = [rule for rule in found if wanted.intersection(values(rule))]
    if options.policy is not None:
        chosen = _chosen("policy", options.policy, registry.frameworks)
        held = {rule for policy in chosen for rule in registry.frameworks[policy].rules}
        found = [rule for rule in found if rule.id in held]
    if options.text is not None:
        text = options.text.lower()
        found = [rule for rule in found if text in f"{rule.id} {rule.title} {rule.why}".lower()]
    return found


_VALUES: Mapping[str, Callable[[Rule], Sequence[str]]] = {
    "provider": lambda rule: rule.id.split(".")[:1],
    "service": lambda rule: rule.id.split(".")[1:2],
    "severity": lambda rule: [rule.severity],
    "type": lambda rule: rule.on,
}
"""What a filter compares."""


def _chosen(name: str, given: str, known: Iterable[str]) -> set[str]:
    """Return the known values that somebody typed, in any case of letters."""
    spelt = {each.lower(): each for each in known}
    wanted = [each.strip().lower() for each in given.split(",") if each.strip()]
    if not wanted:
        raise UsageError(f"--{name} needs a value")
    for each in wanted:
        if each not in spelt:
            raise no_such(name, each, spelt.values())
    return {spelt[each] for each in wanted}


# -- The list --------------------------------------------------------------------------------------


def _table(rules: Sequence[Rule]) -> str:
    """Return a line for each rule. On a terminal titles end where the line does; programs get them whole."""
    id_width = max(len(rule.id) for rule in rules)
    heads = [f"{rule.id:{id_width}}  {rule.severity:{SEVERITY_WIDTH}}  " for rule in rules]
    room = max(LEAST_TITLE, _columns() - len(heads[0])) if sys.stdout.isatty() else None
    titles = [_cut(rule.title, room) for rule in rules]
    heading = f"{'RULE':{id_width}}  {'SEVERITY':{SEVERITY_WIDTH}}  TITLE"
    return "\n".join([heading, *map("".join, zip(heads, titles, strict=True))])


def _columns() -> int:
    from shutil import get_terminal_size

    return get_terminal_size().columns


def _cut(title: str, room: int | None) -> str:
    return title if room is None or len(title) <= room else f"{title[: room - 1]}…"
