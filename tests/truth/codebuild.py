"""Projects: whether their environment holds secrets in clear text."""

from __future__ import annotations

from typing import Any

from tests.truth.account import ABROAD, ALL_THREE, FAR, HOME, Truth, holds
from tests.truth.variables import HARMLESS, SECRETS


def _made(truth: Truth, name: str, *variables: dict[str, str], region: str = HOME) -> None:
    truth.client("codebuild", region).create_project(
        name=name,
        source={"type": "S3", "location": "bucket/path"},
        artifacts={"type": "NO_ARTIFACTS"},
        serviceRole=f"arn:aws:iam::{truth.cloud.account}:role/service-role/build",
        environment={
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
            "environmentVariables": list(variables),
        },
    )


def _variable(name: str, value: str, type: str | None = None) -> dict[str, str]:
    return {"name": name, "value": value} | ({"type": type} if type else {})


@holds(regions=ALL_THREE)
def projects(truth: Truth) -> None:
    """One project for each variable, by each kind; in the other region they cannot be described."""
    for verdict, variables in {"fails": SECRETS, "passes": HARMLESS}.items():
        for number, (name, value) in enumerate(variables.items()):
            project = f"{verdict}-{number}-{name}"
            stage = _variable("STAGE", "prod", "PLAINTEXT")
            _made(truth, project, stage, _variable(name, value, "PLAINTEXT" if number % 2 else None))
            truth.judged(project, **{verdict: "plain_secrets"})
    kinds: dict[str, tuple[str, list[Any]]] = {
        "kept": ("passes", [_variable("DB_PASSWORD", "prod/db", "SECRETS_MANAGER")]),
        "parameter": ("passes", [_variable("DB_PASSWORD", "db-password", "PARAMETER_STORE")]),
        "kept-key": ("passes", [_variable("AWS_SECRET_ACCESS_KEY", "build/aws", "SECRETS_MANAGER")]),
        "one-of-three": (
            "fails",
            [
                _variable("DB_PASSWORD", "prod/db", "SECRETS_MANAGER"),
                _variable("STAGE", "prod"),
                _variable("API_KEY", "d41d8cd98f00b204"),
            ],
        ),
        "key-of-odd-form": ("fails", [_variable("AWS_SECRET_ACCESS_KEY", "arn:aws:odd")]),
        "session": ("fails", [_variable("AWS_SESSION_TOKEN", "FwoGZXIvYXdzE", "PLAINTEXT")]),
        "none": ("skipped", []),
    }
    for name, (verdict, made) in kinds.items():
        _made(truth, name, *made)
        truth.judged(name, **{verdict: "plain_secrets"})
    _made(truth, "hidden", _variable("STAGE", "prod"), region=ABROAD)
    truth.cloud.control("deny", actions=["codebuild:BatchGetProjects"], regions=[ABROAD])
    truth.judged("hidden", unknown="plain_secrets")
    truth.cloud.control("deny", actions=["codebuild:ListProjects"], regions=[FAR])
    truth.judged(f"All AWS::CodeBuild::Project in {FAR}", unknown="plain_secrets")
