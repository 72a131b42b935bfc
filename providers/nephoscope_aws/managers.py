"""Which stack or tool manages a resource, read from its tags.

AWS sets the tag of a CloudFormation stack itself (and so of CDK and SAM); Yor sets those of a template's file; that
Terraform manages something is said by a tag only where its owners set one, by one of the names that are common.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html
https://github.com/bridgecrewio/yor#readme
https://registry.terraform.io/providers/hashicorp/aws/latest/docs/guides/resource-tagging
"""

from __future__ import annotations

from collections.abc import Mapping

STACK = "aws:cloudformation:stack-name"

TOOLS = {
    "terraform": "Terraform",
    "opentofu": "OpenTofu",
    "tofu": "OpenTofu",
    "terragrunt": "Terragrunt",
    "pulumi": "Pulumi",
    "cloudformation": "CloudFormation",
    "cdk": "AWS CDK",
    "crossplane": "Crossplane",
    "ansible": "Ansible",
}
"""The tools that change a resource back, as a tag ``ManagedBy`` or a tag of their own name names them."""

_SAYS = {"managedby", "provisionedby", "provisioner", "createdby", "iac", "iactool"}
_NO = {"", "false", "no", "0", "off", "none"}


def manager(tags: Mapping[str, str]) -> str:
    """Return who manages what has these tags, with the template's place where it is known; nothing if none says."""
    if stack := tags.get(STACK):
        return f"the CloudFormation stack {stack}"
    if file := tags.get("git_file"):
        repository = "/".join(filter(None, (tags.get("git_org"), tags.get("git_repo"))))
        return f"the template {file}" + (f" in {repository}" if repository else "")
    if "yor_trace" in tags:
        return "a template (its tag yor_trace says so)"
    return next(filter(None, (_tool(name, value) for name, value in tags.items())), "")


def _tool(name: str, value: str) -> str:
    said, word = "".join(filter(str.isalnum, name.lower())), value.strip().lower()
    if said in TOOLS:
        return "" if word in _NO else TOOLS[said]
    return TOOLS.get(word, "") if said in _SAYS else ""
