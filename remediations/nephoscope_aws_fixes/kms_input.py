"""The KMS key that a person names for a fix."""

from __future__ import annotations

import re

from nephoscope.domain import LiveSession, Permission, PlanProblem
from nephoscope_aws.call import aws_call

READS_KEY = "kms:DescribeKey"

_NAME = re.compile(r"arn:[\w-]+:kms:[\w-]+:\d{12}:(key|alias)/[\w/-]+|alias/[\w/-]+|(mrk-)?[0-9a-f-]{32,36}", re.ASCII)


def key_arn(given: str, region: str, session: LiveSession) -> str:
    """Return the ARN of the key that encrypts in a region, given its ARN, ID or alias.

    :raises PlanProblem: there is none, or it cannot encrypt.
    """
    if not _NAME.fullmatch(given):
        raise PlanProblem(f"“{given[:80]}” is not the ID, ARN or alias of a KMS key.")
    read = aws_call("kms", "describe_key", {"KeyId": given}, Permission(READS_KEY), region=region)
    answer = session.read(read)
    if answer is None:
        raise PlanProblem(f"there is no KMS key {given} in {region}.")
    key = answer["KeyMetadata"]
    if key["Arn"].split(":")[3] != region:
        raise PlanProblem(f"the KMS key has to be in {region}, and {given} is not.")
    if key["KeyState"] != "Enabled":
        raise PlanProblem(f"the KMS key {given} is not enabled: its state is {key['KeyState']}.")
    if key.get("KeySpec", "SYMMETRIC_DEFAULT") != "SYMMETRIC_DEFAULT":
        raise PlanProblem(f"the KMS key {given} is not a symmetric key for encryption.")
    return str(key["Arn"])
