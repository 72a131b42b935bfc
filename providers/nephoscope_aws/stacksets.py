"""Setup templates that roll a role out to all accounts of an organisation: StackSets with service-managed permissions.

The template in them is the one that connects a single account (:mod:`nephoscope_aws.onboarding`), for there is nothing
in it that differs between accounts. IAM is not regional, so one region is enough.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs.html
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable
from dataclasses import replace

from nephoscope.domain import SetupTemplate
from nephoscope_aws import fix_choice
from nephoscope_aws.onboarding import ASKED, CHOSEN, PRINCIPAL, Role, cli_options, cloudformation

TARGETS = "NEPHOSCOPE_UNITS"
"""The script's variable for the organisational units to roll out to, by id; the root unless it is set."""

STACK_SET = "NEPHOSCOPE_STACK_SET"
"""The script's variable for the StackSet's name, where another connection's has the usual one."""

_MANAGED = (
    "New accounts of the organisation get the role by themselves, and those that leave lose it. StackSets leave out "
    "the management account, and fail in a member where a role of this name exists already; that role stays as it is."
)


def setup_templates(role: Role, path: str, stack_set: str) -> list[SetupTemplate]:
    """Return the setup templates; none for a role that would be allowed nothing."""
    if not role.actions:
        return []
    ask = "" if role.trusted else f" It asks for {ASKED[0].lower()}{ASKED[1:]}."
    chosen = CHOSEN if role.groups else dict.fromkeys(CHOSEN, "")
    return [
        SetupTemplate(
            "cli",
            "AWS CLI",
            f"{stack_set}-stackset.sh",
            "bash",
            cli_script(role, path, stack_set),
            "Run the script with bash in CloudShell of the management account, or of a delegated administrator for "
            f"CloudFormation.{chosen['cli']} Run it again at any time to update all roles. If the StackSet of another "
            f"connection exists, the script stops and changes nothing. {_MANAGED}{ask}",
        ),
        SetupTemplate(
            "cloudformation",
            "CloudFormation",
            f"{stack_set}-stackset.yaml",
            "yaml",
            cloudformation(role, path),
            "In CloudFormation of the management account, create a StackSet from this template: service-managed "
            "permissions, automatic deployment on, one region, and acknowledge that it creates a named IAM role."
            f"{chosen['cloudformation']} {_MANAGED}{ask}",
        ),
        SetupTemplate(
            "terraform",
            "Terraform",
            f"{stack_set}-stackset.tf",
            "hcl",
            terraform(role, path, stack_set),
            f"Put this file beside your own for the management account and run terraform apply.{chosen['terraform']} "
            f"Trusted access for StackSets must be on in the organisation. {_MANAGED}{ask}",
        ),
    ]


def for_fixes(templates: Iterable[SetupTemplate]) -> list[SetupTemplate]:
    """Return the templates of the role for fixes, told apart from those of the role for reading."""
    return [replace(each, id=f"fix-{each.id}", title=f"{each.title}, for fixes") for each in templates]


def cli_script(role: Role, path: str, stack_set: str) -> str:
    """Return a bash script that creates the StackSet and its instances, or brings it up to date."""
    given = f":-{role.trusted}" if role.trusted else ":?Set it to the ARN of the credentials of Nephoscope"
    return f"""\
#!/usr/bin/env bash
# {role.purpose}, in every account of the organisation.
# Run it in the management account, or as a delegated administrator for CloudFormation. StackSets must be trusted in the
# organisation: aws cloudformation activate-organizations-access, once, in the management account.
# {TARGETS} limits it to the units with these ids, separated by spaces; {STACK_SET} renames the StackSet.
set -euo pipefail
export AWS_PAGER=""
{cli_options(role)}
name="${{{STACK_SET}:-{stack_set}}}"
region="${{AWS_REGION:-${{AWS_DEFAULT_REGION:-$(aws configure get region || echo us-east-1)}}}}"
{PRINCIPAL}="${{{PRINCIPAL}{given}}}"
template=$(mktemp)
problem=$(mktemp)
trap 'rm -f "$template" "$problem"' EXIT
cat >"$template" <<'YAML'
{cloudformation(role, path)}YAML

manager=$(aws organizations describe-organization --query Organization.MasterAccountId --output text)
as=SELF
if [ "$(aws sts get-caller-identity --query Account --output text)" != "$manager" ]; then as=DELEGATED_ADMIN; fi
{TARGETS}="${{{TARGETS}:-$(aws organizations list-roots --query 'Roots[0].Id' --output text)}}"
given=(--stack-set-name "$name" --template-body "file://$template" --capabilities CAPABILITY_NAMED_IAM
  --region "$region" --call-as "$as" --parameters "ParameterKey=NephoscopePrincipalArn,ParameterValue=${PRINCIPAL}")
{_cli_parameters(role)}\

if found=$(aws cloudformation describe-stack-set --stack-set-name "$name" --region "$region" --call-as "$as" \\
  --query StackSet.TemplateBody --output text 2>"$problem"); then
  if [[ "$found" != *'"sts:ExternalId": "{role.external_id}"'* ]]; then
    cat >&2 <<TEXT
Nothing was changed. The StackSet $name already exists, with another external ID than this script's. Updating it would
cut off every account that is connected through it:
- If this Nephoscope uses it, the organisation is connected already: open its page and use the script there.
- If another Nephoscope uses it, connect the organisation with another role name here, and set {STACK_SET}
  to a StackSet name of your own for that script.
- If nothing uses it any more, delete the StackSet and run this script again.
TEXT
    exit 1
  fi
elif grep -q StackSetNotFound "$problem"; then
  found=''
else
  cat "$problem" >&2
  exit 1
fi
{_cli_choice(role)}\
if [ -n "$found" ]; then
  echo "The StackSet $name exists and has this external ID. Updating it."
  aws cloudformation update-stack-set "${{given[@]}}" \\
    --operation-preferences FailureTolerancePercentage=100,MaxConcurrentPercentage=100
else
  echo "Creating the StackSet $name."
  aws cloudformation create-stack-set "${{given[@]}}" --description "{role.purpose}" \\
    --permission-model SERVICE_MANAGED --auto-deployment Enabled=true,RetainStacksOnAccountRemoval=false
  aws cloudformation create-stack-instances --stack-set-name "$name" --region "$region" --call-as "$as" \\
    --deployment-targets "OrganizationalUnitIds=${{{TARGETS}// /,}}" --regions "$region" \\
    --operation-preferences FailureTolerancePercentage=100,MaxConcurrentPercentage=100
fi
"""


def _cli_parameters(role: Role) -> str:
    return fix_choice.PARAMETERS_FUNCTION if role.groups else ""


def _cli_choice(role: Role) -> str:
    if not role.groups:
        return ""
    return f"""\
today=''
if [ -n "$found" ]; then
  today=$(aws cloudformation describe-stack-set --stack-set-name "$name" --region "$region" --call-as "$as" \\
    --output text --query "StackSet.Parameters[?ParameterValue=='true'].ParameterKey")
fi
decide "$(printf '%s' "$today" | tr '\\t' '\\n' | sed 's/^{fix_choice.PARAMETER}//' | tr '\\n' ' ')"
add_parameters
"""


def terraform(role: Role, path: str, stack_set: str) -> str:
    """Return a Terraform file with the StackSet and its instances."""
    name = f"{stack_set.replace('-', '_')}_members"
    default = f"\n  default     = {json.dumps(role.trusted)}" if role.trusted else ""
    # In a heredoc, Terraform takes ${ and %{ for its own unless they are doubled.
    escaped = cloudformation(role, path).replace("${", "$${").replace("%{", "%%{")
    template = textwrap.indent(escaped, " " * 4)
    return f"""\
# {role.purpose}, in every account of the organisation.
variable "{name}_principal_arn" {{
  type        = string
  description = "{ASKED}."{default}
}}

{_terraform_variable(role, name)}variable "{name}_units" {{
  type        = list(string)
  description = "The ids of the organisational units to roll it out to; none: the whole organisation."
  default     = []
}}

data "aws_organizations_organization" "{name}" {{}}

resource "aws_cloudformation_stack_set" "{name}" {{
  name             = "{stack_set}"
  description      = "{role.purpose}"
  permission_model = "SERVICE_MANAGED"
  capabilities     = ["CAPABILITY_NAMED_IAM"]
  parameters       = {_terraform_parameters(role, name)}
  template_body    = <<-YAML
{template}  YAML

  auto_deployment {{
    enabled                          = true
    retain_stacks_on_account_removal = false
  }}

  operation_preferences {{
    failure_tolerance_percentage = 100
    max_concurrent_percentage    = 100
  }}

  lifecycle {{
    # AWS fills it in for service-managed permissions.
    ignore_changes = [administration_role_arn]
  }}
}}

resource "aws_cloudformation_stack_set_instance" "{name}" {{
  stack_set_name = aws_cloudformation_stack_set.{name}.name

  deployment_targets {{
    organizational_unit_ids = coalescelist(
      var.{name}_units, [data.aws_organizations_organization.{name}.roots[0].id]
    )
  }}

  operation_preferences {{
    failure_tolerance_percentage = 100
    max_concurrent_percentage    = 100
  }}
}}
"""


def _terraform_variable(role: Role, name: str) -> str:
    return f"{fix_choice.terraform_variable(role.groups, f'{name}_allow').lstrip()}\n" if role.groups else ""


def _terraform_parameters(role: Role, name: str) -> str:
    principal = f"{{ NephoscopePrincipalArn = var.{name}_principal_arn }}"
    if not role.groups:
        return principal
    names = json.dumps([each.id for each in role.groups])
    return f"""merge({principal}, {{
    for each in {names} : "{fix_choice.PARAMETER}${{each}}" => tostring(contains(var.{name}_allow, each))
  }})"""
