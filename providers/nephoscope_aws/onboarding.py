"""Kits that create the two roles: a shell script, a CloudFormation template and a Terraform file for each.

All three are written from the same two policy documents, and these from what is declared, so they cannot disagree.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from nephoscope.domain import SetupTemplate
from nephoscope_aws.settings import READ_ROLE, WRITE_ROLE

MANAGED = ("SecurityAudit", "job-function/ViewOnlyAccess")
"""AWS's own policies on the role for reading; both are for looking only.

https://docs.aws.amazon.com/aws-managed-policy/latest/reference/SecurityAudit.html,
https://docs.aws.amazon.com/aws-managed-policy/latest/reference/ViewOnlyAccess.html
"""

PRINCIPAL = "NEPHOSCOPE_PRINCIPAL_ARN"
"""The script's variable for whom the role trusts: who Nephoscope's own credentials are."""

_POLICY_NAME = "nephoscope"
_ACTION = re.compile(r"[a-z0-9-]+:[A-Za-z0-9]+")
ASKED = "The ARN of Nephoscope's own AWS credentials, whom the role trusts"


@dataclass(frozen=True, slots=True)
class Role:
    """What a kit creates. ``trusted`` is empty when Nephoscope could not find out who it is: the kit then asks."""

    name: str
    purpose: str
    permissions: tuple[str, ...]
    external_id: str
    trusted: str
    managed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if wrong := [each for each in self.permissions if not _ACTION.fullmatch(each)]:
            raise ValueError(f"not an IAM action: {', '.join(wrong)}")

    @property
    def symbol(self) -> str:
        """The role's name as an identifier."""
        return self.name.replace("-", "_")

    def trust(self, principal: Any) -> dict[str, Any]:
        """Return the trust policy; ``principal`` is how the kit's language writes the trusted ARN."""
        return _document(
            {
                "Effect": "Allow",
                "Principal": {"AWS": principal},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": self.external_id}},
            }
        )

    @property
    def policy(self) -> dict[str, Any]:
        """What the role may do."""
        return _document({"Effect": "Allow", "Action": list(self.permissions), "Resource": "*"})


def reading_role(permissions: Iterable[str], external_id: str, trusted: str, name: str = READ_ROLE) -> Role:
    """Return the role that scans: AWS's policies for auditors, and every permission that is declared."""
    purpose = "Lets Nephoscope read the configuration of this account"
    return Role(name, purpose, tuple(sorted(set(permissions))), external_id, trusted, MANAGED)


def writing_role(permissions: Iterable[str], external_id: str, trusted: str, name: str = WRITE_ROLE) -> Role:
    """Return the role that applies fixes: just what the fixes declare."""
    purpose = "Lets Nephoscope apply fixes that a person has approved"
    return Role(name, purpose, tuple(sorted(set(permissions))), external_id, trusted)


def setup_templates(role: Role) -> list[SetupTemplate]:
    """Return the setup templates that create a role; none for a role that would be allowed nothing."""
    if not role.permissions:
        return []
    ask = "" if role.trusted else f" It asks for {ASKED[0].lower()}{ASKED[1:]}."
    return [
        SetupTemplate(
            "cli",
            "AWS CLI",
            f"{role.name}.sh",
            "bash",
            cli_script(role),
            f"Put the script in a file in CloudShell of the account (or where its credentials are) and run bash "
            f"{role.name}.sh. The last line that it prints is the role's ARN. Run it again at any time to bring the "
            f"role up to date.{ask}",
        ),
        SetupTemplate(
            "cloudformation",
            "CloudFormation",
            f"{role.name}.yaml",
            "yaml",
            cloudformation(role),
            "Create a stack from this template, in any region, and acknowledge that it creates a named IAM role. The "
            f"stack's output RoleArn is the role's ARN.{ask}",
        ),
        SetupTemplate(
            "terraform",
            "Terraform",
            f"{role.name}.tf",
            "hcl",
            terraform(role),
            "Put this file beside your own for the account and run terraform apply. The output "
            f"{role.symbol}_role_arn is the role's ARN.{ask}",
        ),
    ]


def cli_script(role: Role) -> str:
    """Return a bash script that creates the role, or brings one that exists up to date, and prints its ARN."""
    given = f":-{role.trusted}" if role.trusted else ":?Set it to the ARN of the credentials of Nephoscope"
    return f"""\
#!/usr/bin/env bash
# {role.purpose}: creates the role {role.name}, or brings it up to date.
# Run it with credentials of that account that may administer IAM.
set -euo pipefail
export AWS_PAGER=""

role={role.name}
{PRINCIPAL}="${{{PRINCIPAL}{given}}}"
trust=$(cat <<JSON
{_json(role.trust(f"${{{PRINCIPAL}}}"))}
JSON
)
policy=$(cat <<'JSON'
{_json(role.policy)}
JSON
)

if aws iam get-role --role-name "$role" >/dev/null 2>&1; then
  aws iam update-assume-role-policy --role-name "$role" --policy-document "$trust"
else
  aws iam create-role --role-name "$role" --description "{role.purpose}" \\
    --assume-role-policy-document "$trust" >/dev/null
fi
{_cli_attachments(role)}\
aws iam put-role-policy --role-name "$role" --policy-name {_POLICY_NAME} --policy-document "$policy"
aws iam get-role --role-name "$role" --query Role.Arn --output text
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
    return f"""\
AWSTemplateFormatVersion: "2010-09-09"
Description: {role.purpose}.
Parameters:
  NephoscopePrincipalArn:
    Type: String
    Description: {ASKED}.
    AllowedPattern: "arn:aws[a-z-]*:iam::[0-9]{{12}}:(root|(user|role)/.+)"{default}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: {json.dumps(role.name)}{placed}
      Description: {role.purpose}
      AssumeRolePolicyDocument:
{_json(role.trust({"Ref": "NephoscopePrincipalArn"}), 8)}{attachments}
      Policies:
        - PolicyName: {_POLICY_NAME}
          PolicyDocument:
{_json(role.policy, 12)}
Outputs:
  RoleArn:
    Description: What to enter in Nephoscope.
    Value: !GetAtt Role.Arn
"""


def terraform(role: Role) -> str:
    """Return a Terraform file; every name in it carries the role's, so that both roles' files fit in one folder."""
    name = role.symbol
    default = f"\n  default     = {json.dumps(role.trusted)}" if role.trusted else ""
    trust = _json(role.trust("PRINCIPAL"), 2).lstrip().replace('"PRINCIPAL"', f"var.{name}_principal_arn")
    return f"""\
# {role.purpose}.
variable "{name}_principal_arn" {{
  type        = string
  description = "{ASKED}."{default}
}}

resource "aws_iam_role" "{name}" {{
  name               = "{role.name}"
  description        = "{role.purpose}"
  assume_role_policy = jsonencode({trust})
}}
{_terraform_attachments(role)}
resource "aws_iam_role_policy" "{name}" {{
  name   = "{_POLICY_NAME}"
  role   = aws_iam_role.{name}.id
  policy = jsonencode({_json(role.policy, 2).lstrip()})
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


def _document(statement: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [statement]}


def _json(document: dict[str, Any], indent: int = 0) -> str:
    return textwrap.indent(json.dumps(document, indent=2), " " * indent)
