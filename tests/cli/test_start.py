"""Starting: as a script and as a module, with little, and with an answer to every mistake."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from tests.docs.markdown import ROOT, commands

import nephoscope as package
from nephoscope.cli import rules

from .conftest import Run, alone

PAGE = (ROOT / "docs/cli.md").read_text()
SCRIPT = Path(sys.executable).with_name("nephoscope")
BLOCKED = ("django", "rest_framework", "boto3", "botocore", "psycopg", "redis", "reportlab", "dj_database_url")
IN_A_BARE_HOUSE = f"""
import json, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {BLOCKED!r}:
            raise ImportError(f"{{name}} is blocked")

sockets = []
sys.meta_path.insert(0, Blocked())
sys.addaudithook(lambda event, arguments: sockets.append(event) if event.startswith("socket.") else None)
"""


def bare(code: str, *arguments: str) -> str:
    """Run Python where the platform's libraries cannot be imported; return what it printed."""
    command = [sys.executable, "-c", IN_A_BARE_HOUSE + textwrap.dedent(code), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "command",
    ["--version", "--help", "rules", "rules --json --controls", "rules aws.kms.rotation", "rules --policy aws_cis_5.0"],
)
def test_a_command_needs_none_of_the_platforms_libraries_and_no_network(command: str) -> None:
    code = """
        from nephoscope.cli import main
        status = main(sys.argv[1:])
        print(json.dumps([status, sockets, sorted({name.partition(".")[0] for name in sys.modules})]))
    """
    status, sockets, modules = json.loads(bare(code, *command.split()).splitlines()[-1])
    assert (status, sockets) == (0, [])
    assert not set(BLOCKED) & set(modules)


def test_the_nouns_the_verbs_and_every_plugins_rules_need_none_of_them_either() -> None:
    code = """
        import nephoscope.cli, nephoscope.configuration, nephoscope.domain, nephoscope.engine, nephoscope.testing
        from nephoscope.domain import *
        from nephoscope.plugins import registry
        print(len(registry().rules), len(registry().frameworks), [info.problem for info in registry().infos.values()])
    """
    assert re.fullmatch(r"\d{3,} \d{2,} \['', '', ''\]\n", bare(code))


def test_listing_rules_imports_nothing_of_fixes_and_providers() -> None:
    code = """
        from nephoscope.cli import main
        main(["rules"])
        print(json.dumps([name for name in sys.modules if name.startswith("nephoscope")]))
    """
    modules = set(json.loads(bare(code).splitlines()[-1]))
    assert not modules & {"nephoscope.domain.providers", "nephoscope.domain.fixes", "nephoscope.engine"}


# -- Doors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [[str(SCRIPT)], [sys.executable, "-m", "nephoscope"]], ids=["script", "module"])
def test_it_starts_as_a_script_and_as_a_module(command: list[str]) -> None:
    version = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=60, check=True)
    assert version.stdout == f"nephoscope {package.__version__}\n"
    one = subprocess.run(
        [*command, "rules", "aws.kms.rotation"], capture_output=True, text=True, timeout=60, check=True
    )
    assert one.stdout.startswith("aws.kms.rotation  medium\nKMS key ")


def test_help_names_every_command(nephoscope: Run) -> None:
    said = nephoscope("--help")
    assert (said.status, said.err) == (0, "")
    assert "rules" in said.out and "--version" in said.out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [([], "required: COMMAND"), (["rule"], "invalid choice: 'rule'"), (["rules", "--sevrity", "low"], "--sevrity")],
    ids=["nothing", "command", "option"],
)
def test_a_command_that_is_mistyped_is_refused(nephoscope: Run, arguments: list[str], complaint: str) -> None:
    said = nephoscope(*arguments)
    assert (said.status, said.out) == (2, "")
    assert said.err.startswith("usage: nephoscope") and complaint in said.err


# -- What goes wrong outside -----------------------------------------------------------------------


def test_settings_that_cannot_be_used_are_all_named() -> None:
    said = alone("rules", NEPHOSCOPE_WORKERS="two", NEPHOSCOPE_TLS="ture")
    assert (said.status, said.out) == (2, "")
    assert said.err.splitlines() == [
        "nephoscope: NEPHOSCOPE_TLS must be 1 or 0, not 'ture'",
        "NEPHOSCOPE_WORKERS must be a whole number from 1 to 999999999, not 'two'",
    ]


def test_what_another_program_keeps_in_the_environment_is_not_looked_at() -> None:
    said = alone("rules", DATABASE_URL="mysql://shop", REDIS_URL="localhost", DJANGO_SETTINGS_MODULE="shop.settings")
    assert (said.status, said.err) == (0, "")


def test_a_plugin_that_is_not_installed_is_named() -> None:
    said = alone("rules", NEPHOSCOPE_PLUGINS="aws,acme")
    assert (said.status, said.out) == (2, "")
    assert said.err.startswith("nephoscope: NEPHOSCOPE_PLUGINS names acme, which is not installed. Found: aws")


def test_only_the_named_plugins_bring_rules() -> None:
    assert alone("rules", NEPHOSCOPE_PLUGINS="aws") == (0, "", "No rules match.\n")
    assert alone("rules", "--severity", "high", NEPHOSCOPE_PLUGINS="aws") == (0, "", "No rules match.\n")


def test_a_terminal_that_cannot_show_a_character_gets_its_number() -> None:
    command = ("rules", "aws.iam.password_length")
    plain, other = alone(*command, PYTHONIOENCODING="utf-8"), alone(*command, PYTHONIOENCODING="ascii")
    assert (other.status, other.err) == (0, "")
    assert not plain.out.isascii()
    assert other.out == plain.out.encode("ascii", "backslashreplace").decode()


@pytest.mark.parametrize(
    ("shell", "status", "complaint"),
    [
        ("rules | head -1", 0, ""),
        ("rules --json | head -c 1", 0, ""),
        ("rules > /dev/full", 1, "nephoscope: cannot write the output: No space left on device\n"),
        ("rules >&-", 1, ""),
        ("--version >&-", 1, ""),
    ],
)
def test_output_that_nobody_takes_ends_quietly_and_a_full_disk_is_named(
    shell: str, status: int, complaint: str
) -> None:
    command = f'set -o pipefail; "{sys.executable}" -m nephoscope {shell}'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (status, complaint)


# -- docs/cli.md -----------------------------------------------------------------------------------


def test_every_option_is_documented_and_none_that_does_not_exist() -> None:
    parser = argparse.ArgumentParser()
    rules.add_arguments(parser)
    options = {each for each in parser._option_string_actions if each.startswith("--")} - {"--help"}
    assert set(re.findall(r"^\| `(--\w+)` \|", PAGE, re.MULTILINE)) == options


@pytest.mark.parametrize("command", commands(PAGE))
def test_the_pages_commands_work(nephoscope: Run, command: str) -> None:
    words = command.split()
    assert words[0] == "nephoscope"
    said = nephoscope(*words[1:])
    assert (said.status, said.err) == (0, "")
    assert said.out
