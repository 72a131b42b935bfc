"""Listing an organisation, and the StackSets that roll the role out to its members: deployed where they can be."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path

import cfnlint
import pytest

from nephoscope.domain import Connection, ConnectionProblem, MemberRole, MemberState
from nephoscope_aws import onboarding, organisation, stacksets
from nephoscope_aws.provider import AwsProvider
from nephoscope_aws_simulator.testing import Simulator

ACCOUNT = "123456789012"
ROLE = MemberRole("nephoscope-read", "word-of-all", "/security/")
PROVIDER = AwsProvider()
WANTED = sorted({permission for service in PROVIDER.services for permission in service.permissions})


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """An organisation of two units, one in the other, and three members."""
    with Simulator() as simulator, pytest.MonkeyPatch.context() as patch:
        for name, value in simulator.env().items():
            patch.setenv(name, value)
        organizations = simulator.client("organizations")
        organizations.create_organization()
        root = organizations.list_roots()["Roots"][0]["Id"]
        parent = root
        for name, unit in (("top", ""), ("one", "Workloads"), ("two", "Production")):
            if unit:
                made = organizations.create_organizational_unit(ParentId=parent, Name=unit)
                parent = made["OrganizationalUnit"]["Id"]
            account = organizations.create_account(AccountName=name, Email=f"{name}@northwind.example")
            organizations.move_account(
                AccountId=account["CreateAccountStatus"]["AccountId"], SourceParentId=root, DestinationParentId=parent
            )
        yield simulator


def own() -> Connection:
    return Connection(ACCOUNT, PROVIDER.prepare({}))


def settings(number: str) -> dict[str, str]:
    return PROVIDER.member_settings(own(), number, ROLE, None)


def template(simulator: Simulator) -> str:
    setup_templates = {kit.id: kit for kit in PROVIDER.member_setup_templates(own(), ROLE, WANTED, writing=False)}
    return setup_templates["cloudformation"].text


def test_every_member_is_listed_with_where_it_is_and_which_one_manages(simulator: Simulator) -> None:
    found = {each.name: each for each in PROVIDER.members(own())}
    assert {name: each.path for name, each in found.items()} == {
        "master": (),
        "top": (),
        "one": ("Workloads",),
        "two": ("Workloads", "Production"),
    }
    assert [name for name, each in found.items() if each.management] == ["master"]
    assert {each.state for each in found.values()} == {MemberState.ACTIVE}


def test_an_account_without_an_organisation_and_a_member_that_may_not_list_say_so(simulator: Simulator) -> None:
    other = "111122223333"
    simulator.client("iam", account=other)
    assert "belongs to no organisation" in problem(simulator, other)
    simulator.control("deny", actions=["organizations:ListAccounts"])
    said = problem(simulator, ACCOUNT)
    simulator.control("reset-denials", {})
    assert "organizations:ListAccounts is not allowed" in said and "delegated administrator" in said


def problem(simulator: Simulator, account: str) -> str:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(ConnectionProblem) as caught:
        if account != ACCOUNT:
            patch.setenv("AWS_ACCESS_KEY_ID", f"AKIA{account}BASE")
        list(PROVIDER.members(Connection(account, PROVIDER.prepare({}))))
    return caught.value.message


@pytest.mark.parametrize(
    ("own_role", "arn"),
    [
        ("", "arn:aws:iam::444455556666:role/security/nephoscope-read"),
        ("arn:aws-us-gov:iam::123456789012:role/x", "arn:aws-us-gov:iam::444455556666:role/security/nephoscope-read"),
    ],
)
def test_a_members_role_is_named_by_the_pattern_in_the_partition_of_the_account_that_lists(
    own_role: str, arn: str, simulator: Simulator
) -> None:
    through = Connection(ACCOUNT, PROVIDER.prepare({"role_arn": own_role, "profile": "mine" if own_role else ""}))
    made = PROVIDER.member_settings(through, "444455556666", ROLE, MemberRole("fixes", "other", "/"))
    assert (made["role_arn"], made["external_id"]) == (arn, "word-of-all")
    assert made["write_role_arn"].endswith(":role/fixes") and made["write_external_id"] == "other"
    assert made["profile"] == through.settings["profile"]


def test_the_stack_set_in_the_members_lets_nephoscope_in_with_every_permission(simulator: Simulator) -> None:
    members = [each for each in PROVIDER.members(own()) if not each.management]
    cloudformation = simulator.client("cloudformation")
    cloudformation.create_stack_set(
        StackSetName="nephoscope-read",
        TemplateBody=template(simulator),
        PermissionModel="SERVICE_MANAGED",
        AutoDeployment={"Enabled": True, "RetainStacksOnAccountRemoval": False},
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    [root] = simulator.client("organizations").list_roots()["Roots"]
    with pytest.raises(ConnectionProblem):
        PROVIDER.verify(Connection(members[0].number, settings(members[0].number)), [], writing=False)
    cloudformation.create_stack_instances(
        StackSetName="nephoscope-read", Regions=["us-east-1"], DeploymentTargets={"OrganizationalUnitIds": [root["Id"]]}
    )
    for member in members[:2]:
        found = PROVIDER.verify(Connection(member.number, settings(member.number)), WANTED, writing=False)
        assert found.account == member.number and not found.missing
    assert PROVIDER.verify(Connection(members[2].number, settings(members[2].number)), [], writing=False).checks == ()
    with pytest.raises(ConnectionProblem):
        PROVIDER.verify(Connection(members[0].number, settings(members[1].number)), [], writing=False)


@pytest.mark.skipif(not shutil.which("aws"), reason="the AWS CLI is not installed")
@pytest.mark.slow
def test_the_cli_script_creates_the_stack_set_and_running_it_again_updates_it(
    simulator: Simulator, tmp_path: Path
) -> None:
    script = tmp_path / "kit.sh"
    role = onboarding.reading_role(["s3:ListAllMyBuckets"], "by-script", f"arn:aws:iam::{ACCOUNT}:root", "by-script")
    script.write_text(stacksets.cli_script(role, "/", "by-script"))
    for _time in range(2):
        done = subprocess.run(["bash", script], env=os.environ | simulator.env(), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    made = simulator.client("cloudformation").describe_stack_set(StackSetName="by-script")["StackSet"]
    assert made["PermissionModel"] == "SERVICE_MANAGED"
    member = next(each for each in PROVIDER.members(own()) if each.name == "two")
    given = PROVIDER.member_settings(own(), member.number, MemberRole("by-script", "by-script"), None)
    assert PROVIDER.verify(Connection(member.number, given), [], writing=False).account == member.number


def test_the_kits_hold_one_template_and_are_sound(simulator: Simulator) -> None:
    for writing in (False, True):
        setup_templates = {kit.id: kit for kit in PROVIDER.member_setup_templates(own(), ROLE, WANTED, writing=writing)}
        text = setup_templates["cloudformation"].text
        assert [match.message for match in cfnlint.lint(text, regions=["us-east-1"])] == []
        assert ROLE.external_id in text and 'Path: "/security/"' in text
        assert text in setup_templates["cli"].text
        subprocess.run(["bash", "-n"], input=setup_templates["cli"].text, text=True, check=True)
        heredoc = re.search(r"<<-YAML\n(.*?)^  YAML$", setup_templates["terraform"].text, re.DOTALL | re.MULTILINE)
        assert heredoc
        assert textwrap.dedent(heredoc[1]).replace("$${", "${") == text
        assert len(text) < 51_200, "what CloudFormation takes in a call"
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
        assert "${AWS" not in setup_templates["terraform"].text.replace("$${AWS", "")
    assert stacksets.setup_templates(onboarding.writing_role([], "word", ""), "/", "x") == []


def test_the_permissions_that_listing_needs_are_those_of_its_calls_and_in_no_members_role(simulator: Simulator) -> None:
    assert set(PROVIDER.member_permissions) == set(organisation.READS.values())
    assert not any(permission in template(simulator) for permission in PROVIDER.member_permissions)
