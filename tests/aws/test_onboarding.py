"""Entering settings, and the setup templates that create the roles: run for real where something can run them."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cfnlint
import pytest
from botocore.exceptions import ClientError
from tests.aws.cli import needs_cli, try_script

from nephoscope.domain import Connection, ConnectionProblem, FixGroup, Permission, SetupTemplate
from nephoscope_aws import detections, onboarding, verify
from nephoscope_aws.collectors import ALL
from nephoscope_aws.connect import connect
from nephoscope_aws.provider import REGION_READS, AwsProvider, reads
from nephoscope_aws.settings import prepare
from nephoscope_aws_simulator.testing import Cloud, Simulator

ACCOUNT = "111111111111"
NEPHOSCOPE = f"arn:aws:iam::{ACCOUNT}:user/simulator-administrator"
PERMISSIONS = ("s3:GetBucketPolicy", "ec2:DescribeInstances")
READING = onboarding.reading_role(PERMISSIONS, "word+=,.@:/-_0", NEPHOSCOPE)
GROUPS = (
    FixGroup("Bucket policies", ("s3:PutBucketPolicy",)),
    FixGroup("Tags", ("ec2:CreateTags", "s3:PutBucketTagging")),
)
WRITING = onboarding.writing_role(GROUPS, "other-word", "")
READ = f"arn:aws:iam::{ACCOUNT}:role/nephoscope-read"
WRITE = f"arn:aws:iam::{ACCOUNT}:role/nephoscope-fix"


@pytest.fixture(scope="module")
def simulator(company: Simulator) -> Iterator[Cloud]:
    simulator = company.other(ACCOUNT)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in simulator.env().items():
            patch.setenv(name, value)
        yield simulator


@pytest.fixture(autouse=True)
def no_roles_before(request: pytest.FixtureRequest) -> None:
    """Delete what another kit left, for tests that have an account."""
    if "simulator" not in request.fixturenames:
        return
    iam = request.getfixturevalue("simulator").client("iam")
    for role in iam.list_roles()["Roles"]:
        name = role["RoleName"]
        for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
        iam.delete_role(RoleName=name)


# -- Settings --------------------------------------------------------------------------------------


def test_external_ids_are_made_long_and_never_the_same() -> None:
    first, second = prepare({}), prepare({})
    made = [each[name] for each in (first, second) for name in ("external_id", "write_external_id")]
    assert len(set(made)) == 4
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in made)


def test_what_was_entered_is_kept_and_trimmed() -> None:
    ready = prepare({"role_arn": f"  {READ}\n", "external_id": " mine ", "unknown": "dropped"})
    assert (ready["role_arn"], ready["external_id"], ready["profile"]) == (READ, "mine", "")
    assert prepare(ready) == ready
    assert set(ready) == {field.name for field in AwsProvider.fields}


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws-cn:iam::123456789012:role/x",
        "arn:aws-us-gov:iam::123456789012:role/x",
        "arn:aws:iam::123456789012:role/a/path/x+=,.@-_",
    ],
)
def test_roles_of_every_partition_and_path_are_taken(arn: str) -> None:
    assert prepare({"role_arn": arn})["role_arn"] == arn


@pytest.mark.parametrize(
    ("arn", "says"),
    [
        ("nephoscope-read", "not an ARN"),
        ("https://console.aws.amazon.com/iam", "not an ARN"),
        ("arn:aws:iam::123456789012:user/anna", "ARN of a user"),
        ("arn:aws:sts::123456789012:assumed-role/admin/anna", "session in a role"),
        ("arn:aws:iam::123456789012:group/all", "other than a role"),
        ("arn:aws:s3:::role/x", "other than a role"),
        ("arn:aws:iam::12345:role/x", "12 digits"),
        ("arn:aws:iam::١٢٣٤٥٦٧٨٩٠١٢:role/x", "12 digits"),
        ("arn:aws:iam::123456789012:role/", "not complete"),
        ("arn:aws:iam::123456789012:role/x y", "does not allow"),
        ("arn:aws:iam::123456789012:role/x\nrm -rf /", "does not allow"),
    ],
)
@pytest.mark.parametrize("field", ["role_arn", "write_role_arn"])
def test_what_is_no_role_is_named_for_what_it_is(field: str, arn: str, says: str) -> None:
    with pytest.raises(ConnectionProblem, match=says) as caught:
        prepare({field: arn})
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"external_id": "x"}, "external_id"),
        ({"external_id": "a'; rm -rf /"}, "external_id"),
        ({"write_external_id": 'a"\nb'}, "write_external_id"),
        ({"external_id": "$(id)"}, "external_id"),
        ({"external_id": "é" * 8}, "external_id"),
        ({"profile": "a\nb"}, "profile"),
        ({"role_arn": READ, "write_role_arn": READ}, "write_role_arn"),
        ({"role_arn": READ, "write_role_arn": "arn:aws:iam::210987654321:role/x"}, "write_role_arn"),
    ],
)
def test_what_cannot_be_is_refused_on_its_field(settings: dict[str, str], field: str) -> None:
    with pytest.raises(ConnectionProblem) as caught:
        prepare(settings)
    assert caught.value.field == field


# -- Kits ------------------------------------------------------------------------------------------


def kit(setup_templates: list[SetupTemplate], id: str) -> str:
    return next(each.text for each in setup_templates if each.id == id)


def create_stack(simulator: Cloud, template: str, **parameters: str) -> str:
    cloudformation = simulator.client("cloudformation")
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    name = f"nephoscope-{len(cloudformation.describe_stacks()['Stacks'])}"
    cloudformation.create_stack(
        StackName=name, TemplateBody=template, Parameters=given, Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    outputs = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    return next(str(each["OutputValue"]) for each in outputs if each["OutputKey"] == "RoleArn")


def test_the_stack_of_the_cloudformation_kit_lets_nephoscope_in_and_may_all_that_is_declared(
    simulator: Cloud,
) -> None:
    provider = AwsProvider()
    settings = provider.prepare({})
    wanted = sorted({permission for service in provider.services for permission in service.permissions})
    template = kit(provider.onboarding.setup_templates(Connection("", settings), wanted), "cloudformation")
    settings["role_arn"] = create_stack(simulator, template)
    assert settings["role_arn"] == READ
    found = provider.onboarding.verify(Connection(ACCOUNT, provider.prepare(settings)), wanted)
    assert found.principal.endswith("assumed-role/nephoscope-read/nephoscope")
    assert {check.allowed for check in found.checks} == {True}
    with pytest.raises(ConnectionProblem):
        provider.onboarding.verify(Connection(ACCOUNT, settings | {"external_id": "guess"}), wanted)


def test_the_stack_of_the_writing_kit_may_do_what_the_fixes_declare_and_nothing_else(simulator: Cloud) -> None:
    provider = AwsProvider()
    settings = provider.prepare({"write_role_arn": WRITE})
    template = kit(provider.writing.setup_templates(Connection("", settings), GROUPS[:1]), "cloudformation")
    assert create_stack(simulator, template) == WRITE
    found = simulator.client("iam").simulate_principal_policy(
        PolicySourceArn=WRITE, ActionNames=["s3:PutBucketPolicy", "s3:GetObject", "iam:CreateUser"]
    )
    decisions = [each["EvalDecision"] for each in found["EvaluationResults"]]
    assert decisions == ["allowed", "implicitDeny", "implicitDeny"]
    provider.writing.open(Connection(ACCOUNT, settings), [Permission("s3:PutBucketPolicy")])


@needs_cli
@pytest.mark.parametrize("writing", [False, True], ids=["reading", "writing"])
def test_the_cli_script_creates_the_role_updates_it_and_leaves_that_of_another_connection_alone(
    writing: bool, simulator: Cloud, tmp_path: Path
) -> None:
    prefix = "write_" if writing else ""
    name = "nephoscope-fix" if writing else "nephoscope-read"
    settings = prepare({f"{prefix}role_arn": WRITE if writing else READ, f"{prefix}external_id": "first-connection"})

    def run(external_id: str, *permissions: str, **variables: str) -> subprocess.CompletedProcess[str]:
        if writing:
            role = onboarding.writing_role(
                [*GROUPS, FixGroup("More", permissions or PERMISSIONS)], external_id, NEPHOSCOPE
            )
        else:
            role = onboarding.reading_role([*PERMISSIONS, *permissions], external_id, NEPHOSCOPE)
        options = ("--all", "--yes") if writing else ()
        return try_script(onboarding.cli_script(role), simulator, tmp_path, *options, **variables)

    def trusts(external_id: str) -> bool:
        try:
            connect(Connection(ACCOUNT, settings | {f"{prefix}external_id": external_id}), writing=writing)
        except ConnectionProblem:
            return False
        return True

    created = run("first-connection")
    assert created.returncode == 0, created.stderr
    assert created.stdout.splitlines() == [f"Creating the role {name}.", settings[f"{prefix}role_arn"]]
    assert trusts("first-connection")

    updated = run("first-connection", "s3:GetBucketAcl")
    assert updated.returncode == 0, updated.stderr
    assert updated.stdout.startswith(f"The role {name} exists and has this external ID. Updating it.")
    assert updated.stdout.splitlines()[-1] == settings[f"{prefix}role_arn"]
    assert "s3:GetBucketAcl" in permissions_of(simulator, name)

    refused = run("second-connection", "s3:GetBucketTagging")
    assert refused.returncode == 1 and not refused.stdout
    assert f"The role {name} already exists in this account, with another external ID" in refused.stderr
    assert f"NEPHOSCOPE_ROLE_NAME={name}-2 bash {name}.sh" in refused.stderr
    assert "s3:GetBucketTagging" not in permissions_of(simulator, name)
    assert trusts("first-connection") and not trusts("second-connection")

    other = run("second-connection", NEPHOSCOPE_ROLE_NAME=f"{name}-2")
    assert other.returncode == 0 and other.stdout.splitlines()[-1].endswith(f":role/{name}-2")
    attached = simulator.client("iam").list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert {each["PolicyName"] for each in attached} == (set() if writing else {"SecurityAudit", "ViewOnlyAccess"})


def permissions_of(simulator: Cloud, role: str) -> list[str]:
    """What the role's own policy allows."""
    policy = simulator.client("iam").get_role_policy(RoleName=role, PolicyName="nephoscope")["PolicyDocument"]
    return [action for statement in policy["Statement"] for action in statement["Action"]]


@needs_cli
def test_the_cli_script_stops_where_it_may_not_look(simulator: Cloud, tmp_path: Path) -> None:
    simulator.control("deny", actions=["iam:GetRole"])
    done = try_script(onboarding.cli_script(READING), simulator, tmp_path)
    simulator.control("reset-denials", {})
    assert done.returncode == 1 and "AccessDenied" in done.stderr
    assert simulator.client("iam").list_roles()["Roles"] == []


@needs_cli
def test_the_cli_script_takes_a_trust_written_by_hand_for_another_connections(simulator: Cloud, tmp_path: Path) -> None:
    trust = READING.trust(NEPHOSCOPE)
    trust["Statement"] = {**trust["Statement"][0], "Condition": {"StringEquals": {"sts:ExternalId": ["theirs", "x"]}}}
    iam = simulator.client("iam")
    iam.create_role(RoleName="nephoscope-read", AssumeRolePolicyDocument=json.dumps(trust))
    assert try_script(onboarding.cli_script(READING), simulator, tmp_path).returncode == 1
    assert iam.get_role(RoleName="nephoscope-read")["Role"]["AssumeRolePolicyDocument"] == trust


@pytest.mark.parametrize("role", [READING, WRITING], ids=["reading", "writing"])
def test_a_second_stack_fails_and_leaves_the_first_connections_role_as_it_is(
    role: onboarding.Role, simulator: Cloud
) -> None:
    create_stack(simulator, onboarding.cloudformation(role), NephoscopePrincipalArn=NEPHOSCOPE)
    second = replace(role, external_id="second-connection")
    with pytest.raises(ClientError, match="already exists"):
        create_stack(simulator, onboarding.cloudformation(second), NephoscopePrincipalArn=NEPHOSCOPE)
    trust = simulator.client("iam").get_role(RoleName=role.name)["Role"]["AssumeRolePolicyDocument"]
    assert trust["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"] == role.external_id


def test_the_cli_script_is_sound_bash_and_asks_when_it_does_not_know_whom_to_trust(tmp_path: Path) -> None:
    for role in (READING, WRITING):
        subprocess.run(["bash", "-n"], input=onboarding.cli_script(role), text=True, check=True)
    env = {"PATH": os.environ["PATH"]}
    command = ["bash", "-c", onboarding.cli_script(WRITING), "script", "--all", "--yes"]
    done = subprocess.run(command, text=True, env=env, capture_output=True, stdin=subprocess.DEVNULL)
    assert done.returncode != 0
    assert "NEPHOSCOPE_PRINCIPAL_ARN" in done.stderr


@pytest.mark.parametrize("role", [READING, WRITING], ids=["reading", "writing"])
def test_the_cloudformation_template_has_no_lint(role: onboarding.Role) -> None:
    found = cfnlint.lint(onboarding.cloudformation(role), regions=["us-east-1"])
    assert [match.message for match in found] == []


def documents(kit: str, marker: str, principal: str) -> list[dict[str, Any]]:
    """Return the JSON documents that follow ``marker`` in a kit, with the trusted principal as this text."""
    text = kit.replace(principal, '"PRINCIPAL"')
    return [json.JSONDecoder().raw_decode(text, found.end())[0] for found in re.finditer(marker, text)]


@pytest.mark.parametrize("role", [READING, WRITING], ids=["reading", "writing"])
def test_all_three_kits_say_the_same(role: onboarding.Role) -> None:
    # What a role for fixes may do is chosen, and tried in test_fix_choice.py.
    expected = [role.trust("PRINCIPAL"), role.policy] if role is READING else [role.trust("PRINCIPAL")]
    variable = f"var.{role.symbol}_principal_arn"
    reference = re.search(r'\{\s+"Ref": "NephoscopePrincipalArn"\s+\}', onboarding.cloudformation(role))
    assert reference
    assert documents(onboarding.terraform(role), r'jsonencode\((?=\{\s+")', variable) == expected
    assert documents(onboarding.cli_script(role), r"JSON'?\n(?=\{)", '"${NEPHOSCOPE_PRINCIPAL_ARN}"') == expected
    assert documents(onboarding.cloudformation(role), r"Document:\s+(?=\{)", reference[0]) == expected
    texts = [each.text for each in onboarding.setup_templates(role)]
    assert all((name in text) == bool(role.managed) for name in onboarding.MANAGED for text in texts)
    assert all((NEPHOSCOPE in text) == bool(role.trusted) for text in texts)


def test_both_terraform_files_fit_in_one_folder() -> None:
    both = onboarding.terraform(READING) + onboarding.terraform(WRITING)
    names = re.findall(r"^(?:resource|data|variable|output) .*(?= \{)", both, re.MULTILINE)
    assert len(names) == len(set(names))


def test_the_reading_role_has_every_declared_read_and_fits_aws_limit(simulator: Cloud) -> None:
    provider = AwsProvider()
    settings = provider.prepare({})
    setup_templates = provider.onboarding.setup_templates(Connection("", settings), ["s3:GetBucketTagging"])
    assert [each.id for each in setup_templates] == ["cli", "cloudformation", "terraform"]
    _, policy = documents(kit(setup_templates, "terraform"), r"jsonencode\(", "var.nephoscope_read_principal_arn")
    assert set(policy["Statement"][0]["Action"]) == {"s3:GetBucketTagging", *reads().values()}
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: spaces do not count
    assert len(json.dumps(policy, separators=(",", ":"))) < 10_240
    assert all(NEPHOSCOPE in each.text and settings["external_id"] in each.text for each in setup_templates)


@pytest.mark.parametrize("form", ["cli", "cloudformation", "terraform"])
def test_every_kit_lets_every_collector_make_all_its_calls(simulator: Simulator, form: str) -> None:
    provider = AwsProvider()
    text = kit(provider.onboarding.setup_templates(Connection("", provider.prepare({})), []), form)
    allowed = {
        action for document in re.findall(r'"Action":\s*\[([^\]]*)\]', text) for action in json.loads(f"[{document}]")
    }
    assert len(ALL) > 40 and all(collector.reads for collector in ALL.values())
    for service, collector in ALL.items():
        assert set(collector.reads.values()) == set(collector.service.permissions), service
        assert set(collector.reads.values()) <= allowed, service
    assert {*verify.READS.values(), *detections.READS.values(), *REGION_READS.values()} <= allowed


def test_nothing_but_an_action_gets_into_a_kit() -> None:
    with pytest.raises(ValueError, match="not an IAM action"):
        onboarding.writing_role([FixGroup("Odd", ("s3:Get'; rm -rf /",))], "word", "")


def test_there_is_no_kit_for_a_role_that_may_do_nothing() -> None:
    assert onboarding.setup_templates(onboarding.writing_role([], "word", "")) == []
