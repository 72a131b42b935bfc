"""``nephoscope rules``: lists, filters, and shows one."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from nephoscope.domain import Rule
from nephoscope.plugins import Registry

from .conftest import Run

REGISTRY = Registry()
RULES = sorted(REGISTRY.rules.values(), key=lambda rule: rule.id)
CIS = REGISTRY.frameworks["aws_cis_5.0"]


def ids(text: str) -> list[str]:
    return [line.split()[0] for line in text.splitlines()[1:]]


def listed(rules: list[Rule]) -> list[str]:
    assert rules, "the test asks for nothing"
    return [rule.id for rule in rules]


# -- The list --------------------------------------------------------------------------------------


def test_every_rule_is_a_line_with_its_id_severity_and_title(nephoscope: Run) -> None:
    said = nephoscope("rules")
    head, *lines = said.out.splitlines()
    assert (said.status, said.err, head.split()) == (0, "", ["RULE", "SEVERITY", "TITLE"])
    assert [line.split(maxsplit=2) for line in lines] == [[rule.id, rule.severity, rule.title] for rule in RULES]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (["--service", "s3"], [rule for rule in RULES if rule.id.startswith("aws.s3.")]),
        (["--service", "s3, KMS"], [rule for rule in RULES if rule.id.startswith(("aws.s3.", "aws.kms."))]),
        (["--provider", "aws"], RULES),
        (["--severity", "critical"], [rule for rule in RULES if rule.severity == "critical"]),
        (["--severity", "Critical,low"], [rule for rule in RULES if rule.severity in ("critical", "low")]),
        (["--type", "aws::kms::key"], [rule for rule in RULES if "AWS::KMS::Key" in rule.on]),
        (["--policy", "aws_cis_5.0"], [rule for rule in RULES if rule.id in CIS.rules]),
        (["--text", "BlueKeep"], [rule for rule in RULES if "BlueKeep" in rule.why]),
        (["--text", "kms.rotation"], [rule for rule in RULES if "kms.rotation" in rule.id]),
        (
            ["--service", "s3", "--severity", "critical", "--policy", "aws_cis_5.0,aws_fsbp"],
            [
                rule
                for rule in RULES
                if rule.id.startswith("aws.s3.") and rule.severity == "critical"
                if rule.id in CIS.rules | REGISTRY.frameworks["aws_fsbp"].rules
            ],
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value[0], str) else "",
)
def test_filters_leave_the_rules_that_meet_all_of_them(nephoscope: Run, options: list[str], wanted: list[Rule]) -> None:
    assert ids(nephoscope("rules", *options).out) == listed(wanted)


def test_that_no_rule_matches_is_said_and_no_failure(nephoscope: Run) -> None:
    assert nephoscope("rules", "--text", "no rule says this") == (0, "", "No rules match.\n")


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        (["--provider", "asw"], "there is no provider 'asw'. Did you mean aws?"),
        (["--provider", "toy"], "there is no provider 'toy'. There is aws."),
        (["--service", "s3,lamda"], "there is no service 'lamda'. Did you mean lambda?"),
        (["--severity", "severe"], "there is no severity 'severe'. There is critical, high, low or medium."),
        (["--type", "AWS::S3::Buckets"], "Did you mean AWS::S3::Bucket"),
        (["--policy", "cis_5"], "there is no policy 'cis_5'. Did you mean aws_cis_5.0?"),
        (["--service", ","], "--service needs a value"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_value_that_no_rule_has_is_refused_with_what_comes_near(
    nephoscope: Run, options: list[str], hint: str
) -> None:
    said = nephoscope("rules", *options)
    assert (said.status, said.out) == (2, "")
    assert said.err.startswith("nephoscope: ") and hint in said.err


def on_a_terminal(columns: int, *arguments: str) -> list[str]:
    """Return the lines that a command prints on a terminal of this width."""
    ours, theirs = os.openpty()
    with os.fdopen(ours, "rb") as screen:
        command = [sys.executable, "-m", "nephoscope", *arguments]
        with subprocess.Popen(command, stdout=theirs, env=os.environ | {"COLUMNS": str(columns)}) as process:
            os.close(theirs)
            text = b""
            try:
                while chunk := os.read(screen.fileno(), 65536):
                    text += chunk
            except OSError:
                pass  # that is how a terminal ends on Linux
        assert process.returncode == 0
    return text.decode().splitlines()


def test_titles_end_where_the_terminal_does(nephoscope: Run) -> None:
    whole = nephoscope("rules", "--service", "s3").out.splitlines()
    cut = on_a_terminal(70, "rules", "--service", "s3")
    assert max(map(len, whole)) > 70
    assert max(map(len, cut)) == 70
    assert [line.rstrip("…") for line in cut] == [line if len(line) <= 70 else line[:69] for line in whole]


# -- One -------------------------------------------------------------------------------------------


def test_one_rule_is_shown_with_all_there_is_to_say(nephoscope: Run) -> None:
    said = nephoscope("rules", "aws.ec2.sg_admin_v4")
    rule = REGISTRY.rules["aws.ec2.sg_admin_v4"]
    text = " ".join(said.out.split())
    [ports] = rule.parameters
    assert (said.status, said.err) == (0, "")
    for part in (rule.id, rule.severity, rule.title, rule.why, *rule.on, " ".join(rule.fix.split()), rule.link):
        assert part in text
    assert f"ports: {ports.label} default 22, 3389; more ports find more" in text
    for policy in REGISTRY.frameworks.values():
        for control in policy.controls:
            line = f"    {control.id}  {control.title}\n"
            assert (line in part_of(said.out, policy.id)) == (rule.id in control.rules)


def part_of(text: str, policy: str) -> str:
    """Return what is said of one policy's controls."""
    lines = text.partition(f"\n  {policy}: ")[2].splitlines(keepends=True)[1:]
    end = next((at for at, line in enumerate(lines) if not line.startswith("    ")), len(lines))
    return "".join(lines[:end])


def test_a_numbers_bounds_are_shown(nephoscope: Run) -> None:
    said = nephoscope("rules", "aws.secretsmanager.unused")
    assert "default 90, from 1 to 3650; a lower number finds more" in said.out


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_can_be_shown_and_its_prose_is_wrapped(nephoscope: Run, rule: Rule) -> None:
    text = nephoscope("rules", rule.id).out
    assert text.startswith(f"{rule.id}  {rule.severity}\n{rule.title[:40]}")
    prose = text.partition("\nCommands\n" if rule.commands else "\nExamples that pass\n")[0].replace(rule.link, "")
    for template in rule.commands.templates.values() if rule.commands else ():
        assert all(f"  {line}".rstrip() + "\n" in text for line in template.splitlines()), (
            "commands are shown as they are written"
        )
    assert all(len(line) <= 100 or " " not in line.strip() for line in prose.splitlines())


def test_a_rule_can_be_shown_however_narrow_the_terminal_is(nephoscope: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = nephoscope("rules", "aws.ec2.sg_admin_v4").out
    monkeypatch.setenv("COLUMNS", "1")
    said = nephoscope("rules", "aws.ec2.sg_admin_v4")
    assert (said.status, said.err) == (0, "")
    assert len(said.out.splitlines()) > len(wide.splitlines())


@pytest.mark.parametrize(
    ("given", "near"),
    [
        ("aws.s3.public_raed", "aws.s3.public_read"),
        ("kms.rotation", "Did you mean aws.kms.rotation?"),
        ("nothing at all like it", "there is no rule 'nothing at all like it'.\n"),
    ],
)
def test_a_rule_that_does_not_exist_is_refused_with_those_that_come_near(
    nephoscope: Run, given: str, near: str
) -> None:
    said = nephoscope("rules", given)
    assert (said.status, said.out) == (2, "")
    assert near in said.err


def test_a_rule_and_filters_exclude_each_other(nephoscope: Run) -> None:
    said = nephoscope("rules", "aws.kms.rotation", "--severity", "low")
    assert said == (2, "", "nephoscope: give the id of a rule or filters, not both\n")
