"""Rules on CodeBuild projects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nephoscope.domain import Fail, NotKnown, Severity, View, rule
from nephoscope_aws.access_policies import members
from nephoscope_aws.plain_secrets import plain_secret

PROJECT = "AWS::CodeBuild::Project"

PLAINTEXT = "PLAINTEXT"
"""The kind of a variable whose value is the thing itself, and the one it has if none is named.
https://docs.aws.amazon.com/codebuild/latest/APIReference/API_EnvironmentVariable.html"""


def _project(*variables: tuple[str, Any, str | None]) -> dict[str, Any]:
    """An example: a project with variables as (name, value, type)."""
    return {
        "Environment": {
            "EnvironmentVariables": [
                {"Name": name, "Value": value} | ({"Type": type} if type else {}) for name, value, type in variables
            ]
        }
    }


@rule(
    "aws.codebuild.plain_secrets",
    on=PROJECT,
    severity=Severity.CRITICAL,
    link="https://docs.aws.amazon.com/codebuild/latest/userguide/change-project.html",
    fix="""
        1. Treat the credential as leaked: deactivate the access key, or change the secret. For calls to AWS, grant the
           permissions to the project's service role instead.
        2. Store what is still needed in Secrets Manager.
        3. In the CodeBuild console, choose the project, Edit, Environment, and under Additional configuration set the
           variable's type to Secrets Manager and its value to the name of the secret.
    """,
    commands="""
        aws secretsmanager create-secret --region={region} --name={SECRET_NAME} --secret-string={SECRET_FILE}

        aws codebuild update-project --region={region} --name={name} --environment={ENVIRONMENT_FILE}
    """,
    inputs={
        "SECRET_NAME": "the name of the new secret",
        "SECRET_FILE": "file://secret.txt, where secret.txt has its value",
        "ENVIRONMENT_FILE": "file://environment.json, where environment.json is the complete new environment",
    },
    good=[
        _project(("STAGE", "prod", "PLAINTEXT"), ("AWS_REGION", "eu-west-1", None)),
        _project(("AWS_SECRET_ACCESS_KEY", "build/aws", "SECRETS_MANAGER")),
        _project(("DB_PASSWORD", "/build/db", "PARAMETER_STORE")),
        _project(("DB_PASSWORD_PARAMETER", "/build/db", "PLAINTEXT"), ("TOKEN", "", None)),
        _project(),
        {},
    ],
    bad=[
        _project(("AWS_ACCESS_KEY_ID", "********", "PLAINTEXT")),
        _project(("STAGE", "prod", None), ("AWS_SECRET_ACCESS_KEY", "arn:aws:odd", None)),
        _project(("DB_PASSWORD", "correct horse", "PLAINTEXT")),
        _project(("REMOTE", "https://git:hunter2@example.com/repository", None)),
    ],
)
def plain_secrets(project: View) -> bool | Fail | None:
    """CodeBuild project contains plaintext credentials.

    Anyone who can view the project can read them, and builds print their environment to logs. With these credentials an
    attacker can often change what is shipped to customers.
    """
    gaps: list[NotKnown] = []
    judged = 0
    for variable in _variables(project, gaps):
        judged += 1
        try:
            if what := _secret(variable):
                return Fail(f"{str(variable['Name'])[:80]} is in plaintext ({what})", variable)
        except NotKnown as gap:
            gaps.append(gap)
    if gaps:
        raise gaps[0]
    return True if judged else None


def _variables(project: View, gaps: list[NotKnown]) -> Iterator[View]:
    for each in members(project["Environment.EnvironmentVariables"], gaps):
        if isinstance(each, View) and not each.is_list:
            yield each


def _secret(variable: View) -> str:
    """Return what secret a variable holds."""
    if variable.get("Type", PLAINTEXT) != PLAINTEXT:
        return ""
    return plain_secret(str(variable["Name"]), variable["Value"])
