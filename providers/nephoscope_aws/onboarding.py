"""Kits that create the two roles: a shell script, a CloudFormation template and a Terraform file for each.

All three are written from the same two policy documents, and these from what is declared, so they cannot disagree.
Those of the role for fixes ask which fixes it allows (:mod:`nephoscope_aws.fix_choice`).
"""

from __future__ import annotations

import json
import re
import shlex
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from nephoscope.domain import FixGroup, SetupTemplate
from nephoscope_aws import fix_choice
from nephoscope_aws.settings import READ_ROLE, WRITE_ROLE

MANAGED = ("SecurityAudit", "job-function/ViewOnlyAccess")
"""AWS's own policies on the role for reading; both are for looking only.

https://docs.aws.amazon.com/aws-managed-policy/latest/reference/SecurityAudit.html,
https://docs.aws.amazon.com/aws-managed-policy/latest/reference/ViewOnlyAccess.html
"""

PRINCIPAL = "NEPHOSCOPE_PRINCIPAL_ARN"
"""The script's variable for whom the role trusts: who Nephoscope's own credentials are."""

ROLE_NAME = "NEPHOSCOPE_ROLE_NAME"
"""The script's variable for the role's name, where another connection's role has the usual one."""

_POLICY_NAME = "nephoscope"
_ACTION = re.compile(r"[a-z0-9-]+:[A-Za-z0-9]+")
CHOSEN = {
    "cli": " It asks which remediation actions the role allows; --help lists the options for a run without a terminal.",
    "cloudformation": " Its parameters say which remediation actions the role allows: all, unless you change them.",
    "terraform": " The variable that ends in _allow lists the remediation actions that the role allows: all, unless "
    "you change it.",
}
"""How what a role for fixes allows is chosen, by setup template."""
ASKED = "The ARN of Nephoscope's own AWS credentials, whom the role trusts"


@dataclass(frozen=True, slots=True)
class Role:
    """What a kit creates. ``trusted`` is empty when Nephoscope could not find out who it is: the kit then asks.

    A role for fixes has ``groups``, of which the kit lets a person choose; any other has ``permissions``.
    """

    name: str
    purpose: str
    permissions: tuple[str, ...]
    external_id: str
    trusted: str
    managed: tuple[str, ...] = ()
    groups: tuple[FixGroup, ...] = ()

    def __post_init__(self) -> None:
        if wrong := [each for each in self.actions if not _ACTION.fullmatch(each)]:
            raise ValueError(f"not an IAM action: {', '.join(wrong)}")

    @property
    def actions(self) -> tuple[str, ...]:
        """All that a kit can let the role do."""
        return (*self.permissions, *(action for group in self.groups for action in group.permissions))

    @property
    def symbol(self) -> str:
        """The role's name as an identifier."""
        return self.name.replace("-", "_")

    def trust(self, principal: Any) -> dict[str, Any]:
        """Return the trust policy; ``principal`` is how the kit's language writes the trusted ARN."""
        trusted = {
            "Effect": "Allow",
            "Principal": {"AWS": principal},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": self.external_id}},
        }
        return _document([trusted])

    @property
    def policy(self) -> dict[str, Any]:
        """What the role may do, with all groups."""
        if self.groups:
            return _document([fix_choice.statement(each) for each in self.groups])
        return _document([{"Effect": "Allow", "Action": list(self.permissions), "Resource": "*"}])


def reading_role(permissions: Iterable[str], external_id: str, trusted: str, name: str = READ_ROLE) -> Role:
    """Return the role that scans: AWS's policies for auditors, and every permission that is declared."""
    purpose = "Lets Nephoscope read the configuration of this account"
    return Role(name, purpose, tuple(sorted(set(permissions))), external_id, trusted, MANAGED)


def writing_role(groups: Sequence[FixGroup], external_id: str, trusted: str, name: str = WRITE_ROLE) -> Role:
    """Return the role that applies fixes: just what those declare that are chosen."""
    purpose = "Lets Nephoscope apply fixes that a person has approved"
    return Role(name, purpose, (), external_id, trusted, groups=tuple(groups))


def allow_command(role_arn: str, groups: Sequence[FixGroup]) -> str:
    """Return the command that has the role for fixes allow just these groups, by its script; quoted for a shell."""
    name = role_arn.rpartition("/")[2] or WRITE_ROLE
    variable = "" if name == WRITE_ROLE else f"{ROLE_NAME}={shlex.quote(name)} "
    return f"{variable}bash {WRITE_ROLE}.sh --allow {','.join(each.id for each in groups) or shlex.quote('')}"


def setup_templates(role: Role) -> list[SetupTemplate]:
    """Return the setup templates that create a role; none for a role that would be allowed nothing."""
    if not role.actions:
        return []
    ask = "" if role.trusted else f" It asks for {ASKED[0].lower()}{ASKED[1:]}."
    chosen = CHOSEN if role.groups else dict.fromkeys(CHOSEN, "")
    return [
        SetupTemplate(
            "cli",
            "AWS CLI",
            f"{role.name}.sh",
            "bash",
            cli_script(role),
            f"Save the script to a file in the account’s CloudShell, or where you have its credentials, and run bash "
            f"{role.name}.sh.{chosen['cli']} The last line that it prints is the role's ARN. Run it again at any time "
            f"to update the role. If the role of another connection exists, the script stops and changes nothing.{ask}",
        ),
        SetupTemplate(
            "cloudformation",
            "CloudFormation",
            f"{role.name}.yaml",
            "yaml",
            cloudformation(role),
            "Create a stack from this template, in any region, and acknowledge that it creates a named IAM role."
            f"{chosen['cloudformation']} The stack's output RoleArn is the role's ARN. To update the role, update this "
            "stack. If the role of another connection exists, creating the stack fails (already exists) and changes "
            f"nothing.{ask}",
        ),
        SetupTemplate(
            "terraform",
            "Terraform",
            f"{role.name}.tf",
            "hcl",
            terraform(role),
            f"Put this file beside your own for the account and run terraform apply.{chosen['terraform']} The output "
            f"{role.symbol}_role_arn is the role's ARN. If the role of another connection exists, terraform apply "
            f"fails (EntityAlreadyExists) and leaves it as it is.{ask}",
        ),
    ]


def cli_script(role: Role) -> str:
    """Return a bash script that creates the role, or brings one with the same external ID up to date; prints its ARN.

    It changes nothing and fails where the role has another external ID: that is another connection's, which would end.
    """
    given = f":-{role.trusted}" if role.trusted else ":?Set it to the ARN of the credentials of Nephoscope"
    return f"""\
#!/usr/bin/env bash
# {role.purpose}: creates the role {role.name}, or updates it.
# Run it with credentials of that account that may administer IAM.
# {ROLE_NAME} gives the role another name.{_cli_help(role)}
set -euo pipefail
export AWS_PAGER=""
{cli_options(role)}
role="${{{ROLE_NAME}:-{role.name}}}"
external_id='{role.external_id}'
{PRINCIPAL}="${{{PRINCIPAL}{given}}}"
trust=$(cat <<JSON
{_json(role.trust(f"${{{PRINCIPAL}}}"))}
JSON
)
{_cli_policy(role)}
problem=$(mktemp)
trap 'rm -f "$problem"' EXIT
if found=$(aws iam get-role --role-name "$role" --output text --query \\
  '[Role.AssumeRolePolicyDocument.Statement][].Condition.StringEquals."sts:ExternalId"[]' 2>"$problem"); then
  if [ "$found" != "$external_id" ]; then
    cat >&2 <<TEXT
Nothing was changed. The role $role already exists in this account, with another external ID than this script's.
Changing it would cut off the connection that uses the role:
- If this Nephoscope uses it, the account is connected already: open its page and use the script there.
- If another Nephoscope uses it, create a role with another name: {ROLE_NAME}=$role-2 bash {role.name}.sh
- If nothing uses it any more, delete the role and run this script again.
TEXT
    exit 1
  fi
elif grep -q NoSuchEntity "$problem"; then
  found=''
else
  cat "$problem" >&2
  exit 1
fi
{_cli_choice(role)}\
if [ -n "$found" ]; then
  echo "The role $role exists and has this external ID. Updating it."
  aws iam update-assume-role-policy --role-name "$role" --policy-document "$trust"
else
  echo "Creating the role $role."
  aws iam create-role --role-name "$role" --description "{role.purpose}" \\
    --assume-role-policy-document "$trust" >/dev/null
fi
{_cli_attachments(role)}\
{_cli_put(role)}\
aws iam get-role --role-name "$role" --query Role.Arn --output text
"""


def _cli_help(role: Role) -> str:
    return "\n# It asks what the role may do; --help prints the options that say it instead." if role.groups else ""


def cli_options(role: Role) -> str:
    """Return what reads a script's options, for a role that lets a person choose; or nothing."""
    return f"\n{fix_choice.bash(role.groups)}" if role.groups else ""


def _cli_policy(role: Role) -> str:
    if role.groups:
        return fix_choice.POLICY_FUNCTION
    return f"policy=$(cat <<'JSON'\n{_json(role.policy)}\nJSON\n)\n"


def _cli_choice(role: Role) -> str:
    if not role.groups:
        return ""
    return f"""\
today=''
if [ -n "$found" ]; then
  if ! today=$(aws iam get-role-policy --role-name "$role" --policy-name {_POLICY_NAME} --output text \\
    --query '[PolicyDocument.Statement][].[Sid, Action][][]' 2>"$problem"); then
    grep -q NoSuchEntity "$problem" || {{ cat "$problem" >&2 && exit 1; }}
  fi
fi
decide "$(printf '%s' "$today" | tr '\\t\\n' '  ')"
"""


def _cli_put(role: Role) -> str:
    put = f'aws iam put-role-policy --role-name "$role" --policy-name {_POLICY_NAME} --policy-document'
    if not role.groups:
        return f'{put} "$policy"\n'
    return f"""\
if any_marked '+'; then
  {put} "$(policy)"
elif [ -n "$today" ]; then
  aws iam delete-role-policy --role-name "$role" --policy-name {_POLICY_NAME}
fi
"""


def _cli_attachments(role: Role) -> str:
    if not role.managed:
        return ""
    return f"""\
partition=$(aws sts get-caller-identity --query Arn --output text | cut -d: -f2)
for managed in {" ".join(role.managed)}; do
  aws iam attach-role-policy --role-name "$role" --policy-arn "arn:$partition:iam::aws:policy/$managed"
done
"""


def cloudformation(role: Role, path: str = "/") -> str:
    """Return a CloudFormation template in YAML; the policies in it are JSON, which YAML contains.

    :param path: of the role's name, as IAM writes it.
    """
    placed = f"\n      Path: {json.dumps(path)}" if path != "/" else ""
    default = f"\n    Default: {json.dumps(role.trusted)}" if role.trusted else ""
    managed = "".join(f"\n        - !Sub arn:${{AWS::Partition}}:iam::aws:policy/{each}" for each in role.managed)
    attachments = f"\n      ManagedPolicyArns:{managed}" if managed else ""
    parameters = fix_choice.cloudformation_parameters(role.groups)
    sections = fix_choice.cloudformation_sections(role.groups) if role.groups else ""
    return f"""\
# A stack of this template fails, and changes nothing, where a role of this name exists already. Do not update the stack
# of another connection with it: the external ID would change, which cuts that connection off.
AWSTemplateFormatVersion: "2010-09-09"
Description: {role.purpose}.
Parameters:
  NephoscopePrincipalArn:
    Type: String
    Description: {ASKED}.
    AllowedPattern: "arn:aws[a-z-]*:iam::[0-9]{{12}}:(root|(user|role)/.+)"{default}{parameters}
{sections}Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: {json.dumps(role.name)}{placed}
      Description: {role.purpose}
      AssumeRolePolicyDocument:
{_json(role.trust({"Ref": "NephoscopePrincipalArn"}), 8)}{attachments}{_cloudformation_policies(role)}
Outputs:
  RoleArn:
    Description: What to enter in Nephoscope.
    Value: !GetAtt Role.Arn
"""


def _cloudformation_policies(role: Role) -> str:
    if role.groups:
        return fix_choice.cloudformation_policies(role.groups, _POLICY_NAME)
    return f"""
      Policies:
        - PolicyName: {_POLICY_NAME}
          PolicyDocument:
{_json(role.policy, 12)}"""


def terraform(role: Role) -> str:
    """Return a Terraform file; every name in it carries the role's, so that both roles' files fit in one folder."""
    name = role.symbol
    default = f"\n  default     = {json.dumps(role.trusted)}" if role.trusted else ""
    trust = _json(role.trust("PRINCIPAL"), 2).lstrip().replace('"PRINCIPAL"', f"var.{name}_principal_arn")
    policy = f"jsonencode({_json(role.policy, 2).lstrip()})"
    variable, count = "", ""
    if role.groups:
        allow = f"{name}_allow"
        variable, policy = (
            fix_choice.terraform_variable(role.groups, allow),
            fix_choice.terraform_policy(role.groups, allow),
        )
        count = f"\n  count  = length(var.{allow}) > 0 ? 1 : 0"
    return f"""\
# {role.purpose}.
# Fails with EntityAlreadyExists where a role of this name exists already, and leaves that role as it is. Do not put it
# in place of another connection's file: the external ID would change, which cuts that connection off.
variable "{name}_principal_arn" {{
  type        = string
  description = "{ASKED}."{default}
}}
{variable}
resource "aws_iam_role" "{name}" {{
  name               = "{role.name}"
  description        = "{role.purpose}"
  assume_role_policy = jsonencode({trust})
}}
{_terraform_attachments(role)}
resource "aws_iam_role_policy" "{name}" {{{count}
  name   = "{_POLICY_NAME}"
  role   = aws_iam_role.{name}.id
  policy = {policy}
}}

output "{name}_role_arn" {{
  description = "What to enter in Nephoscope."
  value       = aws_iam_role.{name}.arn
}}
"""


def _terraform_attachments(role: Role) -> str:
    if not role.managed:
        return ""
    name = role.symbol
    return f"""
data "aws_partition" "{name}" {{}}

resource "aws_iam_role_policy_attachment" "{name}" {{
  for_each   = toset({json.dumps(role.managed)})
  role       = aws_iam_role.{name}.name
  policy_arn = "arn:${{data.aws_partition.{name}.partition}}:iam::aws:policy/${{each.value}}"
}}
"""


def _document(statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": statements}


def _json(document: dict[str, Any], indent: int = 0) -> str:
    return textwrap.indent(json.dumps(document, indent=2), " " * indent)
