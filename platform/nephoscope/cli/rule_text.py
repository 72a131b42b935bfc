"""One rule as text, for people."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from shutil import get_terminal_size
from typing import Any

from nephoscope.cli.rule_json import example_of
from nephoscope.domain import Commands, Framework, Parameter, Rule, in_words

LEAST_COLUMNS, MOST_COLUMNS = 20, 100
"""However narrow the terminal is, words need some room; and wider lines are hard to read."""

STRICTER = {
    "lower": "a lower number finds more",
    "higher": "a higher number finds more",
    "more": "more ports find more",
    "fewer": "fewer ports find more",
}


def as_text(rule: Rule, policies: Mapping[str, Framework]) -> str:
    """Return all there is to say about a rule, under headings."""
    width = max(LEAST_COLUMNS, min(MOST_COLUMNS, get_terminal_size().columns))
    return "\n".join(_lines(rule, policies, width)).rstrip()


def _lines(rule: Rule, policies: Mapping[str, Framework], width: int) -> Iterator[str]:
    yield f"{rule.id}  {rule.severity}"
    yield from textwrap.wrap(rule.title, width)
    yield from _section("Why it matters", textwrap.wrap(rule.why, width - 2))
    yield from _section("Resources", rule.on)
    yield from _section("Reads also", rule.needs)
    yield from _section("Found only in a live account", ["No template has what it reads."] if rule.live_only else [])
    yield from _section("Parameters", [line for each in rule.parameters for line in _parameter(each, width - 2)])
    yield from _section("How to fix it", [*_steps(rule.fix, width - 2), "", rule.link])
    yield from _section("Fixes that Nephoscope can plan", rule.remediations)
    yield from _section("Commands", _commands(rule.commands))
    yield from _section("Examples that pass", _examples(rule.good))
    yield from _section("Examples that fail", _examples(rule.bad))
    yield from _section("Controls", _controls(rule, policies.values()))


def _section(heading: str, lines: Iterable[str]) -> Iterator[str]:
    found = [f"  {line}".rstrip() for line in lines]
    if found:
        yield from ["", heading, *found]


def _parameter(parameter: Parameter, width: int) -> Iterator[str]:
    yield f"{parameter.name}: {parameter.label}"
    bounds = "" if parameter.kind == "ports" else f", from {parameter.least} to {parameter.most}"
    text = f"default {in_words(parameter.default)}{bounds}; {STRICTER[parameter.stricter]}"
    yield from textwrap.wrap(text, width, initial_indent="  ", subsequent_indent="  ")


def _steps(fix: str, width: int) -> Iterator[str]:
    """Yield the steps, each wrapped below where its text begins; commands are never cut in a word."""
    for step in re.split(r"\n(?!\s)", fix):
        indent = " " * (len(step) - len(step.lstrip(" 0123456789.")))
        text = " ".join(step.split())
        yield from textwrap.wrap(text, width, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False)


def _commands(commands: Commands | None) -> Iterator[str]:
    """Yield the templates as they are written; one that holds for all types stands once."""
    if commands is None:
        return
    for template in dict.fromkeys(commands.templates.values()):
        if len(set(commands.templates.values())) > 1:
            yield ", ".join(type for type, text in commands.templates.items() if text == template)
        yield from template.splitlines()
    yield from (f"{{{name}}}: {words}" for name, words in commands.inputs.items())


def _controls(rule: Rule, policies: Iterable[Framework]) -> Iterator[str]:
    for policy in policies:
        answered = [each for each in policy.controls if rule.id in each.rules]
        if answered:
            yield f"{policy.id}: {policy.name}"
            yield from (f"  {each.id}  {each.title}" for each in answered)


def _examples(given: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for each in given:
        example = example_of(each)
        plain = example == example_of(example["properties"])
        yield from json.dumps(example["properties"] if plain else example, indent=2, default=str).splitlines()
