"""How a setup template of the role for fixes asks which groups of fixes the role allows, in each template's language.

In the role's policy each group is a statement whose Sid is the group's id, so that what is allowed can be read back.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_sid.html
"""

from __future__ import annotations

import json
import shlex
import textwrap
from collections.abc import Sequence
from typing import Any

from nephoscope.domain import FixGroup

PARAMETER = "Allow"
"""What the parameters of a CloudFormation template begin with, before the group's id."""


def statement(group: FixGroup) -> dict[str, Any]:
    """Return what allows a group."""
    return {"Sid": group.id, "Effect": "Allow", "Action": list(group.permissions), "Resource": "*"}


# -- bash ------------------------------------------------------------------------------------------

_FUNCTIONS = r"""
# What is typed is no pattern of file names.
set -f

usage() {
  cat <<TEXT
Usage: bash ${0##*/} [--allow LIST | --all] [--yes]
Asks which remediation actions to allow, unless these options say it. Without a terminal they have to.
  --allow LIST  allow just these, by their numbers or names, separated by commas; "" for none
  --all         allow all
  --yes         do not ask whether you are sure
  --list        print the actions with their numbers and names, and end
  --help        print this, and end
TEXT
}

stop() { # TEXT
  printf '%s\n' "$1" >&2
  exit 2
}

unchanged() {
  printf '\nNothing was changed.\n' >&2
  exit 1
}

list() {
  local i
  printf '1) All below (all)\n'
  for i in "${!names[@]}"; do
    printf '%s) %s (%s)--> %s\n' "$((i + 2))" "${titles[i]}" "${names[i]}" "${needs[i]}"
  done
}

mark_all() { # + OR BLANK
  local i
  for i in "${!names[@]}"; do marks[i]=$1; done
}

any_marked() { # + OR BLANK
  local i
  for i in "${!names[@]}"; do
    if [ "${marks[i]}" = "$1" ]; then return 0; fi
  done
  return 1
}

show() {
  local i all='+'
  if any_marked ' '; then all=' '; fi
  printf '\nWhich remediation action(s) would you like to allow?\n'
  printf 'Action--> Required Permissions\n[%s] 1) All below\n' "$all"
  for i in "${!names[@]}"; do
    printf '[%s] %s) %s--> %s\n' "${marks[i]}" "$((i + 2))" "${titles[i]}" "${needs[i]}"
  done
}

letters() { # TEXT
  printf '%s' "$1" | LC_ALL=C tr -cd '[:alnum:]' | LC_ALL=C tr '[:upper:]' '[:lower:]'
}

# Prints the number of an action that is given by its number or name.
number_of() { # NUMBER OR NAME
  local i wanted
  if [[ $1 =~ ^[[:space:]]*0*([1-9][0-9]{0,3})[[:space:]]*$ ]]; then
    if [ "${BASH_REMATCH[1]}" -gt "$((${#names[@]} + 1))" ]; then return 1; fi
    printf '%s' "${BASH_REMATCH[1]}"
    return 0
  fi
  wanted=$(letters "$1")
  if [ "$wanted" = all ]; then printf 1 && return 0; fi
  for i in "${!names[@]}"; do
    if [ "$wanted" = "$(letters "${names[i]}")" ]; then
      printf '%s' "$((i + 2))"
      return 0
    fi
  done
  return 1
}

# Puts the numbers of what is listed into "numbers"; fails, and says why, where one of it is no action.
numbers_of() { # LIST SEPARATORS
  local each number IFS=$2
  numbers=()
  for each in $1; do
    if ! number=$(number_of "$each"); then
      printf '"%s" is not in the list.\n' "$each" >&2
      return 1
    fi
    numbers+=("$number")
  done
}

flip() { # NUMBER
  local i=$(($1 - 2))
  if [ "$1" = 1 ]; then
    if any_marked ' '; then mark_all '+'; else mark_all ' '; fi
  elif [ "${marks[i]}" = '+' ]; then
    marks[i]=' '
  else
    marks[i]='+'
  fi
}

# Marks what the role allows: what its policy names, and what all permissions are there for.
mark_allowed() { # WORDS OF THE POLICY
  local i need
  for i in "${!names[@]}"; do
    case " $1 " in *" ${names[i]} "*) marks[i]='+' && continue ;; esac
    marks[i]='+'
    for need in ${needs[i]//,/ }; do
      case " $1 " in *" $need "*) ;; *) marks[i]=' ' ;; esac
    done
  done
}

choose() {
  local line each
  while true; do
    show >&2
    printf 'Select the desired actions using their number (again to uncheck, ENTER when done): ' >&2
    IFS= read -r line || unchanged
    if [[ $line =~ ^[[:space:],]*$ ]]; then break; fi
    if numbers_of "$line" $', \t\r'; then
      for each in "${numbers[@]}"; do flip "$each"; done
    fi
  done
}

require_sure() {
  local answer
  if [ -n "$yes" ]; then return 0; fi
  if ! any_marked '+'; then printf 'Nothing is selected: the role will allow no action.\n' >&2; fi
  while true; do
    printf 'Are you sure (y/n)? ' >&2
    IFS= read -r answer || unchanged
    case $answer in
      [Yy] | [Yy][Ee][Ss]) return 0 ;;
      [Nn] | [Nn][Oo]) unchanged ;;
    esac
  done
}

# Lets what the role allows be chosen, beginning with what it allows today.
decide() { # WORDS OF THE POLICY
  if [ -z "$told" ]; then
    mark_allowed "$1"
    choose
  elif [ -z "$yes" ]; then
    show >&2
  fi
  require_sure
}

allow() { # LIST
  local each
  numbers_of "$1" , || stop 'Nothing was changed. --list prints the actions with their numbers and names.'
  for each in ${numbers[@]+"${numbers[@]}"}; do
    if [ "$each" = 1 ]; then mark_all '+'; else marks[each-2]='+'; fi
  done
  told=yes
}

marks=() numbers=()
mark_all ' '
told='' yes=''
while [ $# -gt 0 ]; do
  case $1 in
    --allow=*) allow "${1#*=}" ;;
    --allow)
      if [ $# -lt 2 ]; then stop '--allow needs a list: --list prints what can be in it.'; fi
      allow "$2"
      shift
      ;;
    --all) mark_all '+' && told=yes ;;
    --yes) yes=yes ;;
    --list) list && exit 0 ;;
    --help | -h) usage && exit 0 ;;
    *) stop "$1 is not an option. --help prints the options." ;;
  esac
  shift
done
if [ ! -t 0 ] && [ -z "$told" ]; then
  stop 'Nothing was changed. Without a terminal, say what to allow: --all or --allow LIST, and --yes. --help says more.'
elif [ ! -t 0 ] && [ -z "$yes" ]; then
  stop 'Nothing was changed. Without a terminal nobody can be asked: add --yes.'
fi
"""


def bash(groups: Sequence[FixGroup]) -> str:
    """Return what reads the options, and ``decide``, which has ``marks`` hold + for each of ``names`` to allow.

    It is written for bash 3.2, which macOS has.
    """
    names = "\n".join(f"  {each.id}" for each in groups)
    titles = "\n".join(f"  {shlex.quote(each.title)}" for each in groups)
    needs = "\n".join(f"  '{','.join(each.permissions)}'" for each in groups)
    return f"names=(\n{names}\n)\ntitles=(\n{titles}\n)\nneeds=(\n{needs}\n)\n{_FUNCTIONS}"


POLICY_FUNCTION = r"""
policy() {
  local i comma=''
  printf '{"Version": "2012-10-17", "Statement": ['
  for i in "${!names[@]}"; do
    if [ "${marks[i]}" = '+' ]; then
      printf '%s{"Sid": "%s", "Effect": "Allow", "Action": ["%s"], "Resource": "*"}' \
        "$comma" "${names[i]}" "$(printf '%s' "${needs[i]}" | sed 's/,/", "/g')"
      comma=', '
    fi
  done
  printf ']}'
}
"""
"""Prints the policy that allows what was chosen."""

PARAMETERS_FUNCTION = f"""
# Adds the parameters of what was chosen to "given".
add_parameters() {{
  local i value
  for i in "${{!names[@]}}"; do
    value=false
    if [ "${{marks[i]}}" = '+' ]; then value=true; fi
    given+=("ParameterKey={PARAMETER}${{names[i]}},ParameterValue=$value")
  done
}}
"""
"""Gives a template the parameters that :func:`cloudformation_parameters` declares."""


# -- CloudFormation --------------------------------------------------------------------------------


def cloudformation_parameters(groups: Sequence[FixGroup]) -> str:
    """Return a parameter for each group."""
    return "".join(
        f"""
  {PARAMETER}{each.id}:
    Type: String
    Description: {json.dumps(f"{each.title}: {', '.join(each.permissions)}")}
    AllowedValues: ["true", "false"]
    Default: "true\""""
        for each in groups
    )


def cloudformation_sections(groups: Sequence[FixGroup]) -> str:
    """Return how the parameters are shown, and the conditions that they make."""
    parameters = "".join(f"\n          - {PARAMETER}{each.id}" for each in groups)
    labels = "".join(f"\n      {PARAMETER}{each.id}:\n        default: {json.dumps(each.title)}" for each in groups)
    conditions = "".join(f'\n  Allows{each.id}: !Equals [!Ref {PARAMETER}{each.id}, "true"]' for each in groups)
    values = ", ".join(f"!Ref {PARAMETER}{each.id}" for each in groups)
    return f"""\
Metadata:
  AWS::CloudFormation::Interface:
    ParameterGroups:
      - Label:
          default: Whom the role trusts
        Parameters:
          - NephoscopePrincipalArn
      - Label:
          default: Which remediation actions the role allows
        Parameters:{parameters}
    ParameterLabels:
      NephoscopePrincipalArn:
        default: Principal{labels}
Conditions:{conditions}
  AnyAllowed: !Not [!Equals [!Join ["", [{values}]], "{"false" * len(groups)}"]]
"""


def cloudformation_policies(groups: Sequence[FixGroup], name: str) -> str:
    """Return the policies of the role: one with what is allowed, or none."""
    statements = "".join(
        f"\n                - !If [Allows{each.id}, {json.dumps(statement(each))}, !Ref AWS::NoValue]"
        for each in groups
    )
    return f"""
      Policies: !If
        - AnyAllowed
        - - PolicyName: {name}
            PolicyDocument:
              Version: "2012-10-17"
              Statement:{statements}
        - !Ref AWS::NoValue"""


# -- Terraform -------------------------------------------------------------------------------------


def terraform_variable(groups: Sequence[FixGroup], variable: str) -> str:
    """Return the variable that lists what is allowed."""
    described = "; ".join(f"{each.id} ({each.title})" for each in groups)
    names = json.dumps([each.id for each in groups])
    return f"""
variable "{variable}" {{
  type        = set(string)
  description = {hcl(f"Which remediation actions the role allows: {described}.")}
  default     = {names}

  validation {{
    condition     = alltrue([for name in var.{variable} : contains({names}, name)])
    error_message = {hcl(f"Known are: {', '.join(each.id for each in groups)}.")}
  }}
}}
"""


def terraform_policy(groups: Sequence[FixGroup], variable: str) -> str:
    """Return the expression of the policy that allows what the variable lists."""
    statements = textwrap.indent(json.dumps([statement(each) for each in groups], indent=2), " " * 4).lstrip()
    return f"""jsonencode({{
    Version = "2012-10-17"
    Statement = [for each in {statements} : each if contains(var.{variable}, each.Sid)]
  }})"""


def hcl(text: str) -> str:
    """Return a text as Terraform quotes it, in which nothing is an expression."""
    return json.dumps(text).replace("${", "$${").replace("%{", "%%{")
