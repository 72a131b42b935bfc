"""The rules' commands: every one exists in the AWS CLI with its options, and is filled in from every bad example."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from botocore import xform_name
from botocore.model import OperationModel, Shape
from botocore.session import Session
from botocore.validate import ParamValidator
from tests.baseline.test_meta import REGISTRY, unreal

from nephoscope.domain import Resource, Rule
from nephoscope.domain.examples import parts, resource

RULES = [each for each in REGISTRY.rules.values() if each.commands]
with_commands = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)

SERVICES = {"s3api": "s3", "configservice": "config"}
"""What the CLI calls a service, where that is not the name of its model."""

EVERYWHERE = {"region", "query", "output", "cli-input-json"}
"""https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-options.html"""

RENAMED = {
    ("ec2", "create-network-acl-entry", "ingress"): None,
    ("ec2", "modify-launch-template", "default-version"): "SetDefaultVersion",
    ("configservice", "put-configuration-recorder", "recording-group"): None,
    ("sns", "subscribe", "notification-endpoint"): "Endpoint",
    ("eks", "update-cluster-version", "kubernetes-version"): "version",
    ("ec2", "modify-network-interface-attribute", "associate-public-ip-address"): "AssociatePublicIpAddress",
}
"""Options that the CLI has and the model names otherwise; None for one that the CLI makes of others.
https://docs.aws.amazon.com/cli/latest/reference/ec2/create-network-acl-entry.html
https://docs.aws.amazon.com/cli/latest/reference/configservice/put-configuration-recorder.html
https://docs.aws.amazon.com/cli/latest/reference/sns/subscribe.html
https://docs.aws.amazon.com/cli/latest/reference/eks/update-cluster-version.html"""

SLOT = re.compile(r"\{([A-Za-z][A-Za-z0-9_.]*)\}")


def templates(rule: Rule) -> Iterator[tuple[str, str]]:
    assert rule.commands
    yield from rule.commands.templates.items()


def calls(template: str) -> Iterator[list[str]]:
    """Yield the words of each command as the AWS CLI would get them; a placeholder is written as it is."""
    told = re.sub(r"\n[ \t]+", " ", template)
    for line in filter(None, told.splitlines()):
        words = shlex.split(re.sub(r"^[A-Z0-9_]+=(?=[a-z])", "", line))
        assert words[0] == "aws", line
        yield words[1:]


@cache
def operations(service: str) -> dict[str, OperationModel]:
    model = Session().get_service_model(SERVICES.get(service, service))
    return {xform_name(name, "-"): model.operation_model(name) for name in model.operation_names}


@cache
def waiters(service: str) -> dict[str, str]:
    model = Session().get_waiter_model(SERVICES.get(service, service))
    return {xform_name(name, "-"): xform_name(model.get_waiter(name).operation, "-") for name in model.waiter_names}


def problems(words: list[str]) -> Iterator[str]:
    """Yield what the CLI would refuse of a command."""
    service, name, *options = words
    if name == "wait":
        waited, *options = options
        if waited not in waiters(service):
            yield f"aws {service} wait has no {waited}"
            return
        name = waiters(service)[waited]
    if name not in operations(service):
        yield f"aws {service} has no {name}"
        return
    operation = operations(service)[name]
    shape = operation.input_shape
    members: dict[str, Shape] = dict(shape.members) if shape else {}
    given = set()
    for option in options:
        flag, _, value = option.removeprefix("--").partition("=")
        if not option.startswith("--"):
            yield f"{option} is no option"
        elif flag not in EVERYWHERE:
            member, wrong = _member(service, name, flag, members)
            given.add(member)
            yield from [f"aws {service} {name} has no --{flag}"] if wrong else []
            if member in members:
                yield from _misused(flag, members[member], value if "=" in option else None)
    if any(option.startswith("--cli-input-json=") for option in options):
        return
    required = set(shape.required_members if shape else ()) - given - {"Egress"}
    required = {each for each in required if not members[each].metadata.get("idempotencyToken")}
    yield from (f"aws {service} {name} needs {each}" for each in sorted(required))


def _member(service: str, name: str, flag: str, members: dict[str, Shape]) -> tuple[str | None, bool]:
    if (service, name, flag) in RENAMED:
        return RENAMED[service, name, flag], False
    by_flag = {xform_name(each, "-"): each for each in members}
    found = by_flag.get(flag) or by_flag.get(flag.removeprefix("no-"))
    return found, found is None


def _misused(flag: str, shape: Any, value: str | None) -> Iterator[str]:
    if shape.type_name == "boolean" or _wrapped(shape):
        yield from [f"--{flag} takes no value"] if value is not None else []
        return
    if value is None or flag.startswith("no-"):
        yield f"--{flag} needs =value"
    elif shape.type_name in ("structure", "list", "map") and value.startswith(("{", "[")) and '"' in value:
        report = ParamValidator().validate(json.loads(SLOT.sub("x" * 20, value)), shape)
        yield from [f"--{flag}: {report.generate_report()}"] if report.has_errors() else []
        yield from _strange(flag, json.loads(SLOT.sub("x" * 20, value)), shape)
    elif shape.type_name in ("structure", "list") and "=" in value:
        inside = shape.member if shape.type_name == "list" else shape
        names = re.findall(r"(?:^|,)(\w+)=", value)
        if inside.type_name == "structure":
            yield from (f"--{flag} has no {each}" for each in names if each not in inside.members)
    elif shape.type_name == "string" and shape.enum and not SLOT.search(value) and value not in shape.enum:
        yield f"--{flag} is none of {shape.enum}"


def _wrapped(shape: Any) -> bool:
    """EC2 has some booleans in a structure of their own, of which the CLI makes flags."""
    return (
        shape.type_name == "structure"
        and list(shape.members) == ["Value"]
        and (shape.members["Value"].type_name == "boolean")
    )


def _strange(flag: str, value: Any, shape: Any) -> Iterator[str]:
    if isinstance(value, dict) and shape.type_name == "structure":
        for name, inside in value.items():
            if name not in shape.members:
                yield f"--{flag} has no {name}"
            else:
                yield from _strange(flag, inside, shape.members[name])
    elif isinstance(value, list):
        for each in value:
            yield from _strange(flag, each, shape.member)


@with_commands
def test_the_cli_has_every_command_with_its_options(rule: Rule) -> None:
    for _type, template in templates(rule):
        assert [problem for words in calls(template) for problem in problems(words)] == []


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("s3api put-bucket-lgging --bucket=x", "aws s3api has no put-bucket-lgging"),
        ("s3api delete-bucket --buckt=x", "aws s3api delete-bucket has no --buckt"),
        ("s3api delete-bucket", "aws s3api delete-bucket needs Bucket"),
        ("rds modify-db-instance --db-instance-identifier=x --multi-az=true", "--multi-az takes no value"),
        ("rds modify-db-instance --db-instance-identifier", "--db-instance-identifier needs =value"),
        ("ec2 wait snapshot-complete", "aws ec2 wait has no snapshot-complete"),
        ("ec2 modify-subnet-attribute --subnet-id=x --map-public-ip-on-launch=no", "takes no value"),
        ("macie2 update-macie-session --status=ON", "--status is none of"),
        ("s3api put-bucket-versioning --bucket=x --versioning-configuration=State=Enabled", "has no State"),
        ("""eks update-cluster-config --name=x --logging='{"cluster": []}'""", "cluster"),
        ("s3api delete-bucket bucket", "bucket is no option"),
    ],
)
def test_a_command_that_the_cli_would_refuse_is_found(command: str, problem: str) -> None:
    assert any(problem in each for each in problems(shlex.split(command)))


@with_commands
def test_commands_name_only_properties_that_exist(rule: Rule) -> None:
    named = [(type, path) for type, text in templates(rule) for path in SLOT.findall(text)]
    paths = rule.commands.paths if rule.commands else frozenset()
    assert sorted(unreal((type, path) for type, path in named if path in paths)) == []


@with_commands
def test_region_bound_commands_name_the_region(rule: Rule) -> None:
    for _type, template in templates(rule):
        for service, name, *options in calls(template):
            if service not in ("iam", "account", "cloudfront", "s3control"):
                assert any(each.startswith("--region=") for each in options), f"{service} {name}"


@with_commands
def test_commands_are_filled_in_from_every_bad_example(rule: Rule) -> None:
    blocks = [text for type, _ in templates(rule) for given in rule.bad for text in _filled(rule, type, parts(given))]
    assert blocks
    # One bash for all: it starts slowly.
    done = subprocess.run(["bash", "-n"], input="\n".join(blocks), text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def _filled(rule: Rule, type: str, given: dict[str, Any]) -> Iterator[str]:
    given.pop("neighbours")
    found: Resource = resource(type, **given)
    assert rule.commands
    block = rule.commands.fill(found, rule.defaults)
    assert block and len(block.text.splitlines()) < 60
    yield block.text


@pytest.mark.parametrize("rule", REGISTRY.rules.values(), ids=lambda rule: rule.id)
def test_no_command_stands_in_the_steps_where_it_cannot_be_copied(rule: Rule) -> None:
    assert not re.search(r"\baws [a-z0-9]+ [a-z]+-[a-z-]+|With the AWS CLI:", rule.fix)
