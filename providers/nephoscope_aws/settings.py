"""What a person enters to connect an AWS account, and how it is checked and completed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from nephoscope.domain import ConnectionProblem, Field, completed

READ_ROLE = "nephoscope-read"
WRITE_ROLE = "nephoscope-fix"

FIELDS = (
    Field(
        "role_arn",
        "Role ARN",
        "The ARN of the role that Nephoscope assumes to read this account; the script above creates it and prints "
        "it. Only the account that Nephoscope's own credentials belong to needs no role.",
    ),
    Field(
        "external_id",
        "External ID",
        "The external ID that the role asks of Nephoscope, so that nobody else can talk Nephoscope into using it. "
        "It is made for you; enter one only if the role already asks for another.",
        generated=True,
    ),
    Field(
        "profile",
        "Profile",
        "The profile in Nephoscope's AWS configuration to start from. Leave it empty for the credentials in its "
        "environment or of the machine it runs on.",
    ),
    Field(
        "write_role_arn",
        "Role ARN for fixes",
        "The ARN of a second role that Nephoscope assumes only to apply fixes that a person has approved. Leave it "
        "empty and Nephoscope cannot change anything.",
        for_writing=True,
    ),
    Field(
        "write_external_id",
        "External ID for fixes",
        "The external ID that the role for fixes asks of Nephoscope. It is made for you.",
        generated=True,
        for_writing=True,
    ),
)

ORGANISATION_FIELDS = (
    Field("role_name", "Role", "The name of the role for reading in every member.", required=True, default=READ_ROLE),
    Field(
        "role_path", "Path of the roles", "Begins and ends with a slash; / unless your roles need another.", default="/"
    ),
    Field(
        "external_id",
        "External ID",
        "The external ID that the members' roles require from Nephoscope. Generated; enter one only if the "
        "roles already require another.",
        generated=True,
    ),
    Field(
        "write_role_name",
        "Role for fixes",
        "The name of a second role for fixes in every member. Leave it empty and Nephoscope cannot change anything.",
        for_writing=True,
    ),
    Field(
        "write_external_id",
        "External ID for fixes",
        "The external ID that the roles for fixes require from Nephoscope. Generated.",
        generated=True,
        for_writing=True,
    ),
)
"""What is entered of an organisation: one name, path and external ID for the role in every member."""

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns
_ROLE = re.compile(r"arn:(aws|aws-cn|aws-us-gov):iam::(\d{12}):role/(?:[!-~]+/)?[\w+=,.@-]{1,64}", re.ASCII)
# https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_EXAMPLE = f"arn:aws:iam::123456789012:role/{READ_ROLE}"


@dataclass(frozen=True, slots=True)
class RoleArn:
    """The parts of a role's ARN."""

    arn: str
    partition: str
    account: str


def parse_role_arn(field: str, arn: str) -> RoleArn:
    """Take a role's ARN apart.

    :raises ConnectionProblem: it is not the ARN of a role; the message says what it is instead.
    """
    if found := _ROLE.fullmatch(arn):
        return RoleArn(arn, found[1], found[2])
    raise ConnectionProblem(field, _what_is_wrong(arn))


def _what_is_wrong(arn: str) -> str:
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":
        return f"This is not an ARN. A role's ARN looks like {_EXAMPLE}."
    if parts[5].startswith("user/"):
        return f"This is the ARN of a user. Nephoscope assumes a role: enter its ARN, like {_EXAMPLE}."
    if parts[5].startswith("assumed-role/"):
        return f"This is the ARN of somebody's session in a role. Enter the ARN of the role itself, like {_EXAMPLE}."
    if parts[2] != "iam" or not parts[5].startswith("role/"):
        return f"This is the ARN of something other than a role. A role's ARN looks like {_EXAMPLE}."
    if not re.fullmatch(r"\d{12}", parts[4], re.ASCII):
        return f"The account number in this ARN must have 12 digits. A role's ARN looks like {_EXAMPLE}."
    return f"This ARN is not complete or holds a character that AWS does not allow. A role's ARN looks like {_EXAMPLE}."


def prepare(settings: Mapping[str, str]) -> dict[str, str]:
    """Trim, check and complete what was entered; see :meth:`nephoscope.domain.Provider.prepare`."""
    ready = completed(FIELDS, settings)
    check_external_ids(ready)
    if not ready["profile"].isprintable():
        raise ConnectionProblem("profile", "The name of a profile is one line of text.")
    read = parse_role_arn("role_arn", ready["role_arn"]) if ready["role_arn"] else None
    write = parse_role_arn("write_role_arn", ready["write_role_arn"]) if ready["write_role_arn"] else None
    if read and write:
        _check_pair(read, write)
    return ready


def check_external_ids(settings: Mapping[str, str]) -> None:
    """Raise ConnectionProblem for an external ID that AWS would not take."""
    for name in ("external_id", "write_external_id"):
        if not _EXTERNAL_ID.fullmatch(settings[name]):
            raise ConnectionProblem(
                name, "An external ID has 2 to 1224 characters, only letters, digits and + = , . @ : / _ -"
            )


def _check_pair(read: RoleArn, write: RoleArn) -> None:
    if read.account != write.account:
        raise ConnectionProblem(
            "write_role_arn",
            f"This role is in account {write.account} and the one for reading in {read.account}. "
            "Both must be in the same account.",
        )
    if read.arn == write.arn:
        raise ConnectionProblem(
            "write_role_arn",
            "This is the role for reading. Fixes need a role of their own, so that reading can never change anything.",
        )
