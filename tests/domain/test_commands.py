"""The commands of a rule: whatever a resource is called, it stays one word, and nothing runs before it can."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from nephoscope.domain import ALL_REGIONS, Commands, Filled, Rule, Severity, rule, together, unknown
from nephoscope.testing import resource

BOX = "Toy::Box"
HOSTILE = [
    "it's",
    'a "quoted" name',
    "two words",
    "two\nlines",
    "tab\tand\rreturn",
    "$(touch /tmp/pwned)",
    "`id`",
    "${HOME}",
    "!history",
    "-x",
    "--profile=other",
    "a;b",
    "a&&b|c>d<e",
    "# comment",
    "*",
    "~",
    "~root",
    "{a,b}",
    "[ab]?",
    "back\\slash\\",
    "'; rm -rf / #",
    "$'x'",
    "\x1b[31mred",
    "right\u202eleft",
    "naïve-名前",
    "=ls",
    "%self",
    "x'\n'; touch pwned #",
    "x'\n$(touch pwned)",
    "x\\'\n`touch pwned`",
]
SHELLS = ("bash", "sh")


def commands(text: str, inputs: Mapping[str, str] | None = None, parameters: tuple[str, ...] = ()) -> Commands:
    found = Commands.of((BOX,), text, inputs or {}, parameters)
    assert found
    return found


def filled(text: str, name: str = "blue", properties: Any = None, **inputs: str) -> Filled:
    found = commands(text, inputs).fill(resource(BOX, properties or {}, name=name), {})
    assert found
    return found


def words(text: str, before: str = "") -> list[list[str]]:
    """Return the words of each command, run by one that only writes them down; bash and sh must read the same."""
    one, other = (_words(shell, text, before) for shell in SHELLS)
    assert one == other
    return one


def _words(shell: str, text: str, before: str) -> list[list[str]]:
    subprocess.run([shell, "-n"], input=text, text=True, check=True)
    tell = "box() { printf '%s\\0' \"$@\" end; }\n"
    with TemporaryDirectory() as here:
        script = f"{tell}{before}\n{text}"
        done = subprocess.run([shell, "-c", script], capture_output=True, check=False, timeout=10, cwd=here)
        assert not list(Path(here).iterdir()), "nothing of a value runs"
    calls = done.stdout.decode("utf-8", "surrogateescape").split("end\0")
    return [each.split("\0")[:-1] for each in calls[:-1]]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_one_word_and_the_same_word(name: str) -> None:
    block = filled("box open --name={name} --wide", name)
    assert words(block.text) == ([["open", f"--name={name}", "--wide"]] if name.isprintable() else [])
    assert list(block.missing) == ([] if name.isprintable() else ["RESOURCE_NAME"])


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_one_string_in_json(name: str) -> None:
    [[_open, word]] = words(filled("""box open --what='{"Name": "{name}/", "Wide": true}'""", name).text)
    assert json.loads(word.removeprefix("--what=")) == {"Name": f"{name}/", "Wide": True}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_never_pasted_into_a_list_of_a_command(name: str) -> None:
    block = filled("box open --filters=Name=name,Values={name}", name)
    assert block.text.startswith("RESOURCE_NAME=''\n") or name == "-x"
    assert words(block.text) == ([] if name != "-x" else [["open", "--filters=Name=name,Values=-x"]])


@pytest.mark.parametrize("name", HOSTILE)
def test_a_block_shows_nothing_that_a_terminal_obeys(name: str) -> None:
    block = filled("""box open --name={name} --what='{"Name": "{name}"}'""", name)
    lines = block.text.removesuffix("\n").split("\n")
    assert all(line.isprintable() for line in lines)
    assert len(lines) == (3 if block.missing else 1)


def test_a_name_that_would_be_read_from_a_file_is_not_filled_in() -> None:
    for name in ("file:///etc/passwd", "fileb://x", "FILE://x", "nul\0", "x" * 3000):
        assert filled("box open --name={name}", name).missing == {"RESOURCE_NAME": "the name of the resource"}


def test_an_address_is_filled_in_only_where_no_command_fetches_what_is_there() -> None:
    for name in ("http://169.254.169.254/x", "HTTPS://example.com"):
        assert list(filled("box open --name={name}", name).missing) == ["RESOURCE_NAME"]
        assert list(filled("box open --name={name}/x", name).missing) == ["RESOURCE_NAME"]
        assert words(filled("box open --box-url={name}", name).text) == [["open", f"--box-url={name}"]]
        assert not filled("""box open --what='{"Name": "{name}"}'""", name).missing


def test_a_block_that_is_pasted_before_its_inputs_are_set_runs_nothing() -> None:
    block = filled("""box make\nbox log --to='{"Box": "{LOG_BOX}"}'\nbox drop""", LOG_BOX="the box for logs")
    assert block.text.splitlines()[:2] == ["LOG_BOX=''", ': "${LOG_BOX:?the box for logs}" &&']
    assert words(block.text) == []
    done = subprocess.run(["bash", "-c", block.text], capture_output=True, text=True, check=False)
    assert (done.stdout, "LOG_BOX: the box for logs" in done.stderr) == ("", True)


def test_a_blank_line_parts_what_runs_at_once_from_what_waits_for_an_input() -> None:
    block = filled("box list --name={name}\n\nbox drop --id={BOX_ID}\nbox sweep", BOX_ID="one of the list")
    assert words(block.text) == [["list", "--name=blue"]]
    assert words(block.body, "BOX_ID=7") == [["list", "--name=blue"], ["drop", "--id=7"], ["sweep"]]
    interactive = subprocess.run(
        ["bash", "--norc", "-i"], input=f"{block.text}echo after\n", capture_output=True, text=True, check=False
    )
    assert "after" in interactive.stdout and "sweep: " not in interactive.stderr


def test_inputs_that_are_set_are_one_word_as_well() -> None:
    block = filled("""box log --to={LOG_BOX} --what='{"Box": "{LOG_BOX}"}'""", LOG_BOX="the box for logs")
    assert words(block.body, "LOG_BOX='a b'") == [["log", "--to=a b", '--what={"Box": "a b"}']]


def test_what_a_command_prints_is_passed_on_to_the_next() -> None:
    block = filled("NEW_BOX=box copy --name={name}\n  --wide\nbox open --name={NEW_BOX}")
    lines = ["NEW_BOX=$(box copy --name=blue \\", "  --wide) &&", 'box open --name="${NEW_BOX:?}"']
    assert block.text.splitlines() == lines
    answer = "box() { if [ $1 = copy ]; then echo copied; else printf '%s\\0' \"$@\" end; fi; }"
    assert words(block.text, answer) == [["open", "--name=copied"]]


def test_what_is_quoted_may_go_on_in_the_next_line() -> None:
    block = filled("""box open\n  --what='{"Name": "{name}",\n  "Wide": true}'""")
    assert words(block.text) == [["open", '--what={"Name": "blue", "Wide": true}']]


def test_nothing_runs_after_a_command_that_failed() -> None:
    block = filled("false\nbox drop --name={name}")
    assert words(block.text) == []


def test_properties_and_parameters_are_filled_in_and_what_is_not_known_becomes_a_variable() -> None:
    made = commands("box open --id={BoxId} --size={Observed.Size} --wide={Wide} --days={days}", parameters=("days",))
    known = {"BoxId": "b-1", "Observed": {"Size": 3}, "Wide": True}
    found = made.fill(resource(BOX, known), {"days": 14})
    assert found and found.text == "box open --id=b-1 --size=3 --wide=true --days=14\n"
    hidden = made.fill(resource(BOX, {"BoxId": unknown("denied"), "Observed": None, "Wide": ["x"]}), {"days": 14})
    assert hidden and list(hidden.missing) == ["RESOURCE_BOX_ID", "RESOURCE_SIZE", "RESOURCE_WIDE"]
    assert (made.paths, made.parameters) == ({"BoxId", "Observed.Size", "Wide"}, {"days"})


def test_all_regions_are_no_region() -> None:
    found = commands("box open --region={region}").fill(resource(BOX, {}, region=ALL_REGIONS), {})
    assert found and found.missing == {"RESOURCE_REGION": "the region of the resource"}


def test_what_is_set_for_one_resource_does_not_reach_the_next() -> None:
    text = "box log --name={name} --to={LOG_BOX}"
    blocks = together(filled(text, name, LOG_BOX="the box for logs") for name in ("one", "two"))
    assert words(blocks.replace("LOG_BOX=''", "LOG_BOX=a", 1)) == [["log", "--name=one", "--to=a"]]


@pytest.mark.parametrize(
    ("text", "inputs", "problem"),
    [
        ("box open --name={nmae}", {}, "unknown placeholder {nmae}"),
        ("box open --to={LOG_BOX}", {}, "unknown placeholder {LOG_BOX}"),
        ("box open --to={LOG_BOX}\nLOG_BOX=box make", {}, "unknown placeholder {LOG_BOX}"),
        ("box open {name}", {}, "begins a word"),
        ("box open --to='{name}'", {}, "begins a word"),
        ('box open --name="{name}"', {}, "put single quotes around"),
        ("box open --name=$HOME", {}, "put single quotes around"),
        ("box open; box close", {}, "put single quotes around"),
        ("box open --name=a*", {}, "put single quotes around"),
        ("box open --name='a", {}, "a quote is not closed"),
        ("box open --name={name}", {"LOG_BOX": "a box"}, "no command uses the input LOG_BOX"),
        ("box open --name={PATH}", {"PATH": "a box"}, "the input PATH is not two words"),
        ("box open --to={LOG_BOX}", {"LOG_BOX": "a `box`"}, "the input LOG_BOX is not two words"),
    ],
)
def test_a_template_that_cannot_be_filled_in_safely_is_refused_when_the_rule_is_made(
    text: str, inputs: dict[str, str], problem: str
) -> None:
    with pytest.raises(ValueError, match=r"^rule toy\.box\.open: ") as refused:
        made(commands=text, inputs=inputs)
    assert problem in str(refused.value)


def test_each_type_may_have_its_own_commands_and_only_one_that_the_rule_judges() -> None:
    made_so = made(commands={"Toy::Lid": "lid shut --name={name}"}).commands
    assert made_so and made_so.fill(resource(BOX, {}), {}) is None
    assert made_so.fill(resource("Toy::Lid", {}), {}) == Filled("lid shut --name=example\n")
    with pytest.raises(ValueError, match="commands for Toy::Cup, which it does not judge"):
        made(commands={"Toy::Cup": "cup"})


def test_a_rule_without_commands_is_as_it_was() -> None:
    assert made().commands is None


def made(**more: Any) -> Rule:
    def check(box: Any) -> bool:
        """Box is open.

        Rain gets in.
        """
        return bool(box["Shut"])

    make = rule(
        "toy.box.open",
        on=(BOX, "Toy::Lid"),
        severity=Severity.LOW,
        fix="1. Shut it.",
        link="https://example.com",
        good=[],
        bad=[],
        **more,
    )
    return make(check)
