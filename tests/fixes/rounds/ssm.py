"""SSM documents that are public."""

from __future__ import annotations

import json
from typing import Any

from tests.fixes.rounds.round import ACCOUNT, Made, goes_round

from nephoscope_aws_simulator.testing import Cloud

CONTENT = json.dumps({"schemaVersion": "2.2", "description": "round", "mainSteps": []})


def document(cloud: Cloud, name: str) -> Made:
    """Make a document that everyone may use, and one like it beside it."""
    ssm = cloud.client("ssm")
    for each in (name, f"{name}-beside"):
        ssm.create_document(Name=each, Content=CONTENT, DocumentType="Command")
        ssm.modify_document_permission(Name=each, PermissionType="Share", AccountIdsToAdd=["all"])

    def now(name: str) -> Any:
        return sorted(ssm.describe_document_permission(Name=name, PermissionType="Share")["AccountIds"])

    arn = f"arn:aws:ssm:us-east-1:{ACCOUNT}:document/{name}"
    return Made(
        "AWS::SSM::Document",
        arn,
        name,
        lambda: now(name),
        lambda: now(f"{name}-beside"),
        properties={"Name": name, "Tags": []},
    )


@goes_round("aws.ssm.make_document_private", "aws.ssm.document_public")
def public(cloud: Cloud) -> Made:
    return document(cloud, "round-public")
