"""Who manages a resource is read from its tags; most tags say nothing of it."""

from __future__ import annotations

import pytest

from nephoscope import domain
from nephoscope_aws.provider import AwsProvider

MANAGED = [
    ({"aws:cloudformation:stack-name": "web", "ManagedBy": "terraform"}, "the CloudFormation stack web"),
    (
        {"yor_trace": "4f1d", "git_file": "s3/main.tf", "git_org": "acme", "git_repo": "infra"},
        "the template s3/main.tf in acme/infra",
    ),
    ({"git_file": "main.tf"}, "the template main.tf"),
    ({"yor_trace": "4f1d"}, "a template (its tag yor_trace says so)"),
    ({"Terraform": "true"}, "Terraform"),
    ({"terraform": "yes", "team": "web"}, "Terraform"),
    ({"managed-by": "Terraform"}, "Terraform"),
    ({"ManagedBy": "pulumi"}, "Pulumi"),
    ({"provisioner": "OpenTofu"}, "OpenTofu"),
]
NOT_MANAGED = [
    {},
    {"Terraform": "false"},
    {"ManagedBy": "platform team"},
    {"managed_by": "ada"},
    {"Name": "terraform"},
    {"project": "terraform-training"},
    {"git_file": ""},
]


def managed_by(tags: dict[str, str]) -> str:
    writing = AwsProvider().writing
    resource = domain.Resource("AWS::S3::Bucket", "arn:aws:s3:::logs", "logs", "eu-west-1", "1" * 12, {}, tags)
    return writing.managed_by(resource) if writing else "no writing"


@pytest.mark.parametrize(("tags", "who"), MANAGED)
def test_a_stack_a_template_or_a_tool_is_named(tags: dict[str, str], who: str) -> None:
    assert managed_by(tags) == who


@pytest.mark.parametrize("tags", NOT_MANAGED)
def test_other_tags_say_nothing_of_it(tags: dict[str, str]) -> None:
    assert managed_by(tags) == ""
