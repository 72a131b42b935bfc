"""Listing an organisation, and the StackSets that roll the role out to its members: deployed where they can be."""

from __future__ import annotations

import re
import subprocess
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cfnlint
import pytest
from tests.aws.cli import needs_cli, run_script, try_script

from nephoscope.domain import Connection, ConnectionProblem, FixGroup, MemberState
from nephoscope_aws import onboarding, organisation, stacksets
from nephoscope_aws.provider import AwsProvider
from nephoscope_aws_simulator.testing import Simulator

ACCOUNT = "123456789012"
PROVIDER = AwsProvider()
ORGANISATIONS = PROVIDER.organisations
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


def pattern(**entered: str) -> dict[str, str]:
    """What was entered of the organisation, checked and completed."""
    return ORGANISATIONS.prepare(own(), {"role_path": "/security/", "external_id": "word-of-all", **entered})


def settings(number: str) -> dict[str, str]:
    return ORGANISATIONS.member_settings(own(), pattern(), number)


def templates(**entered: str) -> dict[str, str]:
    """The texts of the setup templates, by their ids."""
    made = ORGANISATIONS.setup_templates(
        own(), pattern(**entered), WANTED, [FixGroup("Bucket policies", ("s3:PutBucketPolicy",))]
    )
    return {each.id: each.text for each in made}


def test_every_member_is_listed_with_where_it_is_and_which_one_manages(simulator: Simulator) -> None:
    found = {each.name: each for each in ORGANISATIONS.members(own())}
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
        list(ORGANISATIONS.members(Connection(account, PROVIDER.prepare({}))))
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
    entered = pattern(write_role_name="fixes", write_external_id="other")
    made = ORGANISATIONS.member_settings(through, entered, "444455556666")
    assert (made["role_arn"], made["external_id"]) == (arn, "word-of-all")
    assert made["write_role_arn"].endswith(":role/security/fixes") and made["write_external_id"] == "other"
    assert made["profile"] == through.settings["profile"]


def test_the_stack_set_in_the_members_lets_nephoscope_in_with_every_permission(simulator: Simulator) -> None:
    members = [each for each in ORGANISATIONS.members(own()) if not each.management]
    cloudformation = simulator.client("cloudformation")
    cloudformation.create_stack_set(
        StackSetName="nephoscope-read",
        TemplateBody=templates()["cloudformation"],
        PermissionModel="SERVICE_MANAGED",
        AutoDeployment={"Enabled": True, "RetainStacksOnAccountRemoval": False},
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    [root] = simulator.client("organizations").list_roots()["Roots"]
    with pytest.raises(ConnectionProblem):
        PROVIDER.onboarding.verify(Connection(members[0].number, settings(members[0].number)), [])
    cloudformation.create_stack_instances(
        StackSetName="nephoscope-read", Regions=["us-east-1"], DeploymentTargets={"OrganizationalUnitIds": [root["Id"]]}
    )
    for member in members[:2]:
        found = PROVIDER.onboarding.verify(Connection(member.number, settings(member.number)), WANTED)
        assert found.account == member.number and not found.missing
    assert PROVIDER.onboarding.verify(Connection(members[2].number, settings(members[2].number)), []).checks == ()
    with pytest.raises(ConnectionProblem):
        PROVIDER.onboarding.verify(Connection(members[0].number, settings(members[1].number)), [])


@needs_cli
def test_the_cli_script_creates_the_stack_set_updates_it_and_leaves_another_connections_alone(
    simulator: Simulator, tmp_path: Path
) -> None:
    role = onboarding.reading_role(["s3:ListAllMyBuckets"], "by-script", f"arn:aws:iam::{ACCOUNT}:root", "by-script")
    for says in ("Creating the StackSet by-script.", "The StackSet by-script exists and has this external ID."):
        assert says in run_script(stacksets.cli_script(role, "/", "by-script"), simulator, tmp_path)
    other = replace(role, external_id="another-connection")
    refused = try_script(stacksets.cli_script(other, "/", "by-script"), simulator, tmp_path)
    assert refused.returncode == 1 and "Nothing was changed. The StackSet by-script already exists" in refused.stderr
    made = simulator.client("cloudformation").describe_stack_set(StackSetName="by-script")["StackSet"]
    assert made["PermissionModel"] == "SERVICE_MANAGED"
    member = next(each for each in ORGANISATIONS.members(own()) if each.name == "two")
    entered = ORGANISATIONS.prepare(own(), {"role_name": "by-script", "external_id": "by-script"})
    given = ORGANISATIONS.member_settings(own(), entered, member.number)
    assert PROVIDER.onboarding.verify(Connection(member.number, given), []).account == member.number


def test_the_setup_templates_hold_one_template_and_are_sound(simulator: Simulator) -> None:
    made = templates(write_role_name="nephoscope-fix", write_external_id="other-word")
    assert set(made) == {prefix + each for prefix in ("", "fix-") for each in ("cli", "cloudformation", "terraform")}
    for prefix, word in (("", "word-of-all"), ("fix-", "other-word")):
        text, terraform = made[f"{prefix}cloudformation"], made[f"{prefix}terraform"]
        assert [match.message for match in cfnlint.lint(text, regions=["us-east-1"])] == []
        assert word in text and 'Path: "/security/"' in text
        assert text in made[f"{prefix}cli"]
        subprocess.run(["bash", "-n"], input=made[f"{prefix}cli"], text=True, check=True)
        heredoc = re.search(r"<<-YAML\n(.*?)^  YAML$", terraform, re.DOTALL | re.MULTILINE)
        assert heredoc
        assert textwrap.dedent(heredoc[1]).replace("$${", "${") == text
        assert len(text) < 51_200, "what CloudFormation takes in a call"
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
        assert "${AWS" not in terraform.replace("$${AWS", "")


def test_the_role_for_fixes_is_rolled_out_only_where_one_is_named() -> None:
    assert set(templates()) == {"cli", "cloudformation", "terraform"}
    assert "s3:PutBucketPolicy" not in "".join(templates().values())
    assert stacksets.setup_templates(onboarding.writing_role([], "word", ""), "/", "x") == []


@pytest.mark.parametrize(
    ("entered", "field"),
    [
        ({"role_name": "no spaces"}, "role_name"),
        ({"role_path": "security"}, "role_path"),
        ({"external_id": "x"}, "external_id"),
        ({"write_role_name": "no spaces"}, "write_role_name"),
        ({"write_role_name": "nephoscope-read"}, "write_role_name"),
    ],
)
def test_what_cannot_be_a_pattern_of_roles_is_refused_on_its_field(entered: dict[str, str], field: str) -> None:
    with pytest.raises(ConnectionProblem) as caught:
        pattern(**entered)
    assert caught.value.field == field


def test_the_permissions_that_listing_needs_are_those_of_its_calls_and_in_no_members_role(simulator: Simulator) -> None:
    assert set(ORGANISATIONS.permissions) == set(organisation.READS.values())
    assert not any(permission in templates()["cloudformation"] for permission in ORGANISATIONS.permissions)
