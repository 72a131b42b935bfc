"""The pages say what is: settings, commands, targets, links, permissions and numbers are those of the code."""

from __future__ import annotations

import re
import subprocess
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.management import BaseCommand, get_commands, load_command_class
from django.urls import resolve
from tests.docs.markdown import PAGES, ROOT, blocks, prose, section

from nephoscope.configuration import Configuration, Stores
from nephoscope.plugins import registry
from nephoscope.scans import runner
from nephoscope.scans import services as scans
from nephoscope_aws import onboarding, stacksets
from nephoscope_aws.api import IN_FLIGHT
from nephoscope_aws.provider import AwsProvider, reads

SHIPPED = [ROOT / "manage.py"] + [
    path
    for shelf in ("platform", "providers", "policies", "remediations")
    for path in (ROOT / shelf).rglob("*.py")
    if "nephoscope_aws_simulator" not in path.parts
]
OPERATING = (ROOT / "docs/operating.md").read_text()
TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text() for page in PAGES}
every_page = pytest.mark.parametrize("page", TEXTS)


def rows(text: str) -> list[list[str]]:
    """Return the cells of a section's tables, without their headings."""
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return [cells for cells in found if cells[0].startswith("`")]


# -- Environment variables -----------------------------------------------------------------------------------------


def variables() -> dict[str, str]:
    """Every environment variable that shipped code reads, with its default where that is a text."""
    settings = [*fields(Configuration), *fields(Stores)]
    return {each.metadata["variable"]: each.metadata["default"] for each in settings}


def test_the_environment_is_read_in_one_place() -> None:
    """What is left are the variables of a cloud's own tools, and those that Nephoscope sets for others."""
    ours = re.compile(r"environ(?:\.get\(|\[)\"(NEPHOSCOPE_\w+|DATABASE_URL|REDIS_URL)\"|getenv")
    elsewhere = {path.name for path in SHIPPED if ours.search(path.read_text())}
    assert elsewhere == {"event_templates.py"}  # a function's own environment, in the account


def test_every_environment_variable_is_documented_and_none_that_is_not_read() -> None:
    assert {cells[0].strip("`") for cells in rows(section(OPERATING, "Environment variables"))} == set(variables())


def test_the_documented_defaults_are_those_of_the_code() -> None:
    table = rows(section(OPERATING, "Environment variables"))
    documented = {cells[0].strip("`"): cells[1].strip("`") for cells in table}
    known = {name: default for name, default in variables().items() if default}
    assert {name: documented[name] for name in known} == known


@every_page
def test_a_page_names_no_variable_that_is_not_read(page: str) -> None:
    named = set(re.findall(r"\b(?:NEPHOSCOPE_[A-Z_]+|DATABASE_URL|REDIS_URL)\b", TEXTS[page]))
    elsewhere = {"NEPHOSCOPE_TEST_ARTEFACTS", "NEPHOSCOPE_BROWSER_REQUIRED"}  # what the tests read
    elsewhere |= {onboarding.ROLE_NAME, stacksets.STACK_SET}  # what scripts in the setup templates read
    assert named - elsewhere <= set(variables())


# -- Commands ------------------------------------------------------------------------------------------------------

OURS = sorted(name for name, app in get_commands().items() if str(app).startswith("nephoscope."))
IMPLIED = set(BaseCommand().create_parser("manage.py", "any")._option_string_actions)
"""Options that every command has."""


def options(name: str) -> set[str]:
    parser = load_command_class(str(get_commands()[name]), name).create_parser("manage.py", name)
    return {option for option in parser._option_string_actions if option.startswith("--")}


def documented_options(name: str) -> set[str]:
    text = f"{OPERATING}\n### ".partition(f"\n### `manage.py {name}`\n")[2].partition("\n### ")[0]
    assert text, f"{name} is not documented"
    return {cells[0].strip("`") for cells in rows(text)}


@pytest.mark.parametrize("name", OURS)
def test_a_command_is_documented_with_all_its_options(name: str) -> None:
    assert documented_options(name) == options(name) - IMPLIED


def test_no_command_is_documented_that_does_not_exist() -> None:
    assert set(re.findall(r"^### `manage.py (\w+)`", OPERATING, re.MULTILINE)) == set(OURS)


@every_page
def test_the_commands_and_options_that_a_page_names_exist(page: str) -> None:
    for name, rest in re.findall(r"manage\.py ([a-z_]+)([^`\n]*)", TEXTS[page]):
        assert name in get_commands(), name
        assert set(re.findall(r"(?<= )--[a-z-]+", rest.partition("  #")[0])) <= options(name), rest


# -- Targets, links, addresses -------------------------------------------------------------------------------------


def test_make_reads_its_file_and_knows_how_to_make_every_target() -> None:
    phony = re.search(r"^\.PHONY: ((?:.|\\\n)+)\n\n", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony
    command = ["make", "--dry-run", *phony[1].replace("\\\n", " ").split()]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stderr == ""


@every_page
def test_the_make_targets_that_a_page_names_exist(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|^\$ |\.\.\. )make ([a-z-]+)", TEXTS[page], re.MULTILINE))
    assert named <= targets


@every_page
def test_the_links_of_a_page_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(TEXTS[page])):
        if urlsplit(target).scheme:
            assert target.startswith("https://"), target
            continue
        path, _hash, anchor = target.partition("#")
        found = ((ROOT / page).parent / path).resolve() if path else ROOT / page
        assert found.is_relative_to(ROOT), target
        assert found.exists(), target
        if anchor:
            assert anchor in anchors(found), target


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", prose(page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_page
def test_the_files_that_a_page_names_are_there(page: str) -> None:
    folders = r"(?:platform|providers|policies|remediations|tests|docs|benchmarks)"
    for name in re.findall(rf"`({folders}/[\w./-]+)`", prose(TEXTS[page])):
        assert (ROOT / name).exists(), name


@every_page
def test_the_addresses_of_the_api_that_a_page_calls_exist(page: str) -> None:
    for path in re.findall(r"(?:\$URL|`)(/api/[\w/.-]*)", TEXTS[page]):
        match: Any = resolve(path)
        assert match.func.__name__ != "nothing_here", path


@every_page
def test_the_python_of_a_page_compiles(page: str) -> None:
    for block in blocks(TEXTS[page]):
        if block.language == "python":
            compile(block.text, page, "exec")


# -- What pages repeat of the code ---------------------------------------------------------------------------------


def test_the_permissions_page_lists_what_is_declared() -> None:
    page = TEXTS["docs/aws-permissions.md"]
    listed = {cells[0].strip("`"): set(re.findall(r"`([^`]+)`", cells[1])) for cells in rows(page)}
    services = {service.id: set(service.permissions) for service in AwsProvider.services}
    fixes = {fix.id: set(fix.writes) for fix in registry().remediations.values() if fix.provider == "aws"}
    assert listed == services | fixes
    [connecting] = [line for line in page.splitlines() if line.startswith("| connecting |")]
    own = set(reads().values()) - {action for actions in services.values() for action in actions}
    assert own <= set(re.findall(r"`([^`]+)`", connecting)) <= set(reads().values())
    [organisation] = [line for line in page.splitlines() if line.startswith("| organisation |")]
    assert re.findall(r"`([^`]+)`", organisation) == list(AwsProvider.organisations.permissions)


def test_the_readme_counts_the_rules_and_the_fixes() -> None:
    assert f"by {len(registry().rules)} rules" in TEXTS["README.md"]
    assert f"{len(registry().remediations)} fixes" in TEXTS["README.md"]


def test_the_numbers_on_the_architecture_page_are_those_of_the_code() -> None:
    page = " ".join(TEXTS["docs/architecture.md"].split())
    words = {3: "three"}
    assert f"up to {runner.LANES} at a time" in page
    assert f"batches of {runner.BATCH} " in page
    assert f"at most {IN_FLIGHT} calls at once" in page
    assert f"a lease of {settings.NEPHOSCOPE_LEASE_SECONDS} seconds" in page
    assert f"{words[scans.MAX_ATTEMPTS]} times at most" in page
    assert f"at most {settings.NEPHOSCOPE_MAX_RESOURCES_PER_PLAN} resources" in page
