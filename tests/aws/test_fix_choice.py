"""Choosing what the role for fixes allows: with the script in a real terminal, without one, and by the templates."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cfnlint
import pytest
from tests.aws.cli import needs_cli, prepared, try_script
from tests.aws.terminal import Terminal

from nephoscope.domain import FixGroup
from nephoscope.plugins import registry
from nephoscope_aws import onboarding, stacksets
from nephoscope_aws_simulator.testing import Cloud, Simulator

ACCOUNT = "111111111111"
NEPHOSCOPE = f"arn:aws:iam::{ACCOUNT}:user/simulator-administrator"
BUCKETS = FixGroup("Public S3 buckets", ("s3:PutBucketAcl", "s3:PutBucketPolicy"))
GROUPS = FixGroup("Open security groups", ("ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"))
ODD = FixGroup('It\'s "odd", $(touch odd) `id` ${HOME} %{if} <b>', ("ec2:CreateTags",))
ROLE = onboarding.writing_role([BUCKETS, GROUPS, ODD], "fix-word", NEPHOSCOPE)
SCRIPT = onboarding.cli_script(ROLE)
NAME, ARN = "nephoscope-fix", f"arn:aws:iam::{ACCOUNT}:role/nephoscope-fix"
ASKED = "using their number (again to uncheck, ENTER when done): "
SURE = "Are you sure (y/n)? "


@pytest.fixture(scope="module")
def simulator(company: Simulator) -> Cloud:
    return company.other(ACCOUNT)


@pytest.fixture(autouse=True)
def no_role_before(request: pytest.FixtureRequest) -> None:
    if "simulator" not in request.fixturenames:
        return
    iam = request.getfixturevalue("simulator").client("iam")
    for role in iam.list_roles()["Roles"]:
        for policy in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
            iam.delete_role_policy(RoleName=role["RoleName"], PolicyName=policy)
        iam.delete_role(RoleName=role["RoleName"])


def sids(simulator: Cloud) -> list[str]:
    """Return the groups that the role names, after asking IAM whether it allows just what these need."""
    iam = simulator.client("iam")
    if not iam.list_role_policies(RoleName=NAME)["PolicyNames"]:
        return []
    statements = iam.get_role_policy(RoleName=NAME, PolicyName="nephoscope")["PolicyDocument"]["Statement"]
    named = {each["Sid"] for each in statements}
    wanted = {action for group in ROLE.groups if group.id in named for action in group.permissions}
    asked = [*ROLE.actions, "s3:GetObject", "iam:CreateUser"]
    found = iam.simulate_principal_policy(PolicySourceArn=ARN, ActionNames=asked)["EvaluationResults"]
    assert {each["EvalActionName"] for each in found if each["EvalDecision"] == "allowed"} == wanted
    return sorted(named)


def exists(simulator: Cloud) -> bool:
    return bool(simulator.client("iam").list_roles()["Roles"])


# -- In a terminal ---------------------------------------------------------------------------------


@pytest.fixture
def terminal(simulator: Cloud, tmp_path: Path) -> Iterator[Any]:
    begun: list[Terminal] = []

    def begin(*options: str) -> Terminal:
        begun.append(Terminal(*prepared(SCRIPT, simulator, tmp_path, *options), tmp_path))
        return begun[-1]

    yield begin
    for each in begun:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()


def choose(person: Terminal, *lines: str) -> str:
    """Type lines at the list and return the list as it is then."""
    shown = person.until(ASKED)
    for line in lines:
        person.type(f"{line}\n")
        shown = person.until(ASKED)
    return shown


def marks(shown: str) -> dict[str, str]:
    """Return the marks of a list by the numbers."""
    return {number: mark for mark, number in re.findall(r"^\[(.)\] (\d+)\)", shown, re.MULTILINE)}


@needs_cli
def test_the_script_asks_what_to_allow_and_the_role_may_do_just_that(
    terminal: Any, simulator: Cloud, tmp_path: Path
) -> None:
    person = terminal()
    assert person.until(ASKED).splitlines()[-7:] == [
        "Which remediation action(s) would you like to allow?",
        "Action--> Required Permissions",
        "[ ] 1) All below",
        "[ ] 2) Public S3 buckets--> s3:PutBucketAcl,s3:PutBucketPolicy",
        "[ ] 3) Open security groups--> ec2:AuthorizeSecurityGroupIngress,ec2:RevokeSecurityGroupIngress",
        f"[ ] 4) {ODD.title}--> ec2:CreateTags",
        f"Select the desired actions {ASKED}",
    ]
    person.type("4 2\n")
    assert marks(person.until(ASKED)) == {"1": " ", "2": "+", "3": " ", "4": "+"}
    person.type("\n")
    person.until(SURE)
    person.type("maybe\n")
    person.until(SURE)
    person.type("y\n")
    status, shown = person.end()
    assert (status, shown.splitlines()[-2:]) == (0, [f"Creating the role {NAME}.", ARN])
    assert sids(simulator) == sorted([BUCKETS.id, ODD.id])
    assert not (tmp_path / "odd").exists()


@needs_cli
def test_run_again_it_begins_with_what_is_allowed_and_changes_it(
    terminal: Any, simulator: Cloud, tmp_path: Path
) -> None:
    try_script(SCRIPT, simulator, tmp_path, "--allow", BUCKETS.id, "--yes")
    person = terminal()
    assert marks(choose(person)) == {"1": " ", "2": "+", "3": " ", "4": " "}
    person.type("2,3\n")
    assert marks(person.until(ASKED)) == {"1": " ", "2": " ", "3": "+", "4": " "}
    person.type("\n")
    person.until(SURE)
    person.type("Yes\n")
    status, shown = person.end()
    assert status == 0 and f"The role {NAME} exists and has this external ID. Updating it." in shown
    assert sids(simulator) == [GROUPS.id]


@needs_cli
def test_all_is_checked_and_unchecked_by_its_number_and_nothing_is_asked_about(
    terminal: Any, simulator: Cloud, tmp_path: Path
) -> None:
    try_script(SCRIPT, simulator, tmp_path, "--all", "--yes")
    assert len(sids(simulator)) == 3
    person = terminal()
    assert set(marks(choose(person)).values()) == {"+"}
    for line, mark in (("3", {"+", " "}), ("1", {"+"}), ("1", {" "})):
        person.type(f"{line}\n")
        assert set(marks(person.until(ASKED)).values()) == mark
    person.type("\n")
    assert "Nothing is selected: the role will allow no action." in person.until(SURE)
    person.type("y\n")
    assert person.end()[0] == 0
    assert sids(simulator) == [] and exists(simulator)


@needs_cli
@pytest.mark.parametrize("line", ["9", "0", "-2", "2 9", "2.5", "99999999999999999999", "*", "$(id)", "word", "é"])
def test_what_is_not_in_the_list_is_said_and_checks_nothing(line: str, terminal: Any, simulator: Cloud) -> None:
    person = terminal()
    shown = choose(person, line)
    assert f'"{line.split()[-1]}" is not in the list.' in shown and set(marks(shown).values()) == {" "}
    person.type("\x03")
    assert person.end()[0] != 0 and not exists(simulator)


@needs_cli
@pytest.mark.parametrize(("line", "sure"), [("\n", "n\n"), ("\n", "\x04"), ("\x04", "")])
def test_no_and_the_end_of_the_input_change_nothing(line: str, sure: str, terminal: Any, simulator: Cloud) -> None:
    person = terminal()
    choose(person, "2")
    person.type(line)
    if sure:
        person.until(SURE)
        person.type(sure)
    status, shown = person.end()
    assert status == 1 and shown.endswith("\nNothing was changed.\n")
    assert not exists(simulator)


@needs_cli
def test_with_a_list_it_shows_what_it_would_allow_and_asks_once(terminal: Any, simulator: Cloud) -> None:
    person = terminal("--allow", "3")
    assert marks(person.until(SURE)) == {"1": " ", "2": " ", "3": "+", "4": " "}
    person.type("y\n")
    assert person.end()[0] == 0 and sids(simulator) == [GROUPS.id]


@needs_cli
def test_a_role_that_an_older_script_made_begins_with_what_it_allows(terminal: Any, simulator: Cloud) -> None:
    iam = simulator.client("iam")
    iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=json.dumps(ROLE.trust(NEPHOSCOPE)))
    statement = {"Effect": "Allow", "Action": [*BUCKETS.permissions, GROUPS.permissions[0]], "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": statement})
    iam.put_role_policy(RoleName=NAME, PolicyName="nephoscope", PolicyDocument=document)
    assert marks(choose(terminal())) == {"1": " ", "2": "+", "3": " ", "4": " "}


# -- Without one -----------------------------------------------------------------------------------


@needs_cli
@pytest.mark.parametrize(
    ("options", "allowed"),
    [
        (["--all"], [GROUPS.id, BUCKETS.id, ODD.id]),
        (["--allow", "2"], [BUCKETS.id]),
        (["--allow=3, 2"], [GROUPS.id, BUCKETS.id]),
        (["--allow", "1"], [GROUPS.id, BUCKETS.id, ODD.id]),
        (["--allow", "publics3buckets,Open security groups"], [GROUPS.id, BUCKETS.id]),
        (["--allow", "2,2", "--allow", ODD.id], [BUCKETS.id, ODD.id]),
        (["--allow", ""], []),
    ],
)
def test_without_a_terminal_it_allows_what_the_options_say(
    options: list[str], allowed: list[str], simulator: Cloud, tmp_path: Path
) -> None:
    done = try_script(SCRIPT, simulator, tmp_path, *options, "--yes")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"Creating the role {NAME}.", ARN] and not done.stderr
    assert sids(simulator) == sorted(allowed)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "--all or --allow LIST, and --yes"),
        (["--yes"], "--all or --allow LIST, and --yes"),
        (["--all"], "add --yes"),
        (["--allow"], "--allow needs a list"),
        (["--allow", "2,7", "--yes"], '"7" is not in the list.\nNothing was changed.'),
        (["--allow", "Nothing of ours", "--yes"], '"Nothing of ours" is not in the list.'),
        (["--everything"], "--everything is not an option"),
    ],
)
def test_without_a_terminal_it_stops_where_it_is_not_told_enough(
    options: list[str], says: str, simulator: Cloud, tmp_path: Path
) -> None:
    done = try_script(SCRIPT, simulator, tmp_path, *options)
    assert done.returncode == 2 and says in done.stderr and not done.stdout
    assert not exists(simulator)


def test_list_and_help_reach_no_cloud(simulator: Cloud, tmp_path: Path) -> None:
    nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    listed = try_script(SCRIPT, simulator, tmp_path, "--list", **nowhere)
    assert "2) Public S3 buckets (PublicS3Buckets)--> s3:PutBucketAcl,s3:PutBucketPolicy\n" in listed.stdout
    assert len(listed.stdout.splitlines()) == 4
    helped = try_script(SCRIPT, simulator, tmp_path, "--help", **nowhere)
    assert all(option in helped.stdout for option in ("--allow LIST", "--all", "--yes", "--list", "--help"))
    assert listed.returncode == helped.returncode == 0


@needs_cli
def test_the_command_that_allows_a_group_is_one_that_the_script_takes(simulator: Cloud, tmp_path: Path) -> None:
    command = onboarding.allow_command(ARN, [BUCKETS, GROUPS])
    assert command == f"bash nephoscope-fix.sh --allow {BUCKETS.id},{GROUPS.id}"
    done = try_script(SCRIPT, simulator, tmp_path, *command.split()[2:], "--yes")
    assert done.returncode == 0 and sids(simulator) == sorted([BUCKETS.id, GROUPS.id])
    assert onboarding.allow_command(ARN, []) == "bash nephoscope-fix.sh --allow ''"
    renamed = onboarding.allow_command(f"arn:aws:iam::{ACCOUNT}:role/a/path/fix;id", [BUCKETS])
    assert renamed == f"NEPHOSCOPE_ROLE_NAME='fix;id' bash nephoscope-fix.sh --allow {BUCKETS.id}"


# -- Templates -------------------------------------------------------------------------------------


def test_the_parameters_of_a_stack_say_what_the_role_allows(simulator: Cloud) -> None:
    template, client = onboarding.cloudformation(ROLE), simulator.client("cloudformation")
    assert [match.message for match in cfnlint.lint(template, regions=["us-east-1"])] == []
    given: dict[str, Any] = {"StackName": "fixes", "TemplateBody": template, "Capabilities": ["CAPABILITY_NAMED_IAM"]}
    client.create_stack(**given)
    described = {each["ParameterKey"]: each for each in client.get_template_summary(StackName="fixes")["Parameters"]}
    assert described[f"Allow{ODD.id}"]["Description"] == f"{ODD.title}: ec2:CreateTags"
    assert sids(simulator) == sorted(each.id for each in ROLE.groups)
    for allowed in ([BUCKETS.id], []):
        # The simulator updates nothing where only parameters changed, so the stack is made anew.
        client.delete_stack(StackName="fixes")
        client.create_stack(**given, Parameters=chosen(allowed))
        assert sids(simulator) == allowed
    client.delete_stack(StackName="fixes")


def chosen(allowed: list[str]) -> list[dict[str, str]]:
    return [
        {"ParameterKey": f"Allow{each.id}", "ParameterValue": str(each.id in allowed).lower()} for each in ROLE.groups
    ]


@needs_cli
def test_the_stack_set_script_asks_the_same_and_keeps_what_was_chosen(simulator: Cloud, tmp_path: Path) -> None:
    organizations = simulator.client("organizations")
    organizations.create_organization()
    script, client = stacksets.cli_script(ROLE, "/", "fixes"), simulator.client("cloudformation")
    for allowed in ([BUCKETS.id, ODD.id], [GROUPS.id]):
        done = try_script(script, simulator, tmp_path, "--allow", ",".join(allowed), "--yes")
        assert done.returncode == 0, done.stderr
        found = client.describe_stack_set(StackSetName="fixes")["StackSet"]["Parameters"]
        given = {each["ParameterKey"]: each["ParameterValue"] for each in found}
        assert [each for each in chosen(allowed) if given[each["ParameterKey"]] != each["ParameterValue"]] == []
    assert try_script(script, simulator, tmp_path).returncode == 2


@pytest.mark.skipif(not shutil.which("terraform"), reason="terraform is not installed")
@pytest.mark.parametrize("text", [onboarding.terraform(ROLE), stacksets.terraform(ROLE, "/", NAME)])
def test_the_terraform_files_are_sound_and_list_what_can_be_chosen(text: str) -> None:
    done = subprocess.run(["terraform", "fmt", "-"], input=text, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    names = json.dumps([each.id for each in ROLE.groups])
    assert f"default     = {names}" in text and f"contains({names}, name)" in text
    assert "$${HOME} %%{if}" in text


@pytest.mark.skipif(not shutil.which("terraform"), reason="terraform is not installed")
def test_terraform_allows_what_its_variables_list_and_refuses_an_unknown_name(tmp_path: Path) -> None:
    """Only expressions are evaluated: Terraform's provider for AWS is no part of the tests."""
    alone, members = onboarding.terraform(ROLE), stacksets.terraform(ROLE, "/", NAME)
    parts = [
        *(part(text, r'^variable "\w+_allow" \{\n.*?^\}$') for text in (alone, members)),
        f"output role {{ value = {part(alone, r'(?<=policy = )jsonencode.{3}    Version.*?^  .{2}$')} }}",
        f"output members {{ value = {part(members, r'merge.*?^  .{2}$')} }}",
        'variable "nephoscope_fix_members_principal_arn" { default = "someone" }',
    ]
    (tmp_path / "main.tf").write_text("\n".join(parts))

    def terraform(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["terraform", *command], cwd=tmp_path, capture_output=True, text=True)

    def chosen_by(name: str) -> list[str]:
        return ["-var", f'nephoscope_fix_allow=["{name}"]', "-var", f'nephoscope_fix_members_allow=["{name}"]']

    assert terraform("init").returncode == 0
    assert "Known are: PublicS3Buckets" in terraform("apply", "-auto-approve", *chosen_by("Unknown")).stderr
    done = terraform("apply", "-auto-approve", *chosen_by(BUCKETS.id))
    assert done.returncode == 0, done.stderr
    found = {name: each["value"] for name, each in json.loads(terraform("output", "-json").stdout).items()}
    expected = onboarding.writing_role([BUCKETS], "", "").policy
    assert json.loads(found["role"]) == expected
    given = {each["ParameterKey"]: each["ParameterValue"] for each in chosen([BUCKETS.id])}
    assert found["members"] == {"NephoscopePrincipalArn": "someone", **given}


def part(text: str, pattern: str) -> str:
    found = re.search(pattern, text, re.DOTALL | re.MULTILINE)
    assert found, pattern
    return found[0]


# -- The fixes that there are ----------------------------------------------------------------------

OURS = registry().fix_groups("aws")


def test_each_group_of_fixes_has_a_name_of_its_own_and_all_that_its_fixes_write() -> None:
    fixes = [each for each in registry().remediations.values() if each.provider == "aws"]
    assert len({each.id for each in OURS}) == len({each.group for each in fixes}) == len(OURS)
    by_title = {each.title: set(each.permissions) for each in OURS}
    assert all(set(fix.writes) <= by_title[fix.group] for fix in fixes)
    assert set().union(*by_title.values()) == {action for fix in fixes for action in fix.writes}


def test_the_role_with_all_fixes_is_within_the_limits_of_aws() -> None:
    role = onboarding.writing_role(OURS, "w" * 1224, NEPHOSCOPE)
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: spaces do not count
    assert len(json.dumps(role.policy, separators=(",", ":"))) < 10_240
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
    assert len(onboarding.cloudformation(role).encode()) < 51_200 and len(OURS) < 199
