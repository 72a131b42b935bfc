"""Other people's scanners on the same account, each in a virtual environment of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aws.builder import REGIONS
from aws.measure import Proxied, Row, command, told
from aws.nephoscope import DELAY
from nephoscope_aws_simulator.accounts import DEFAULT_ACCOUNT, administrator_key
from nephoscope_aws_simulator.testing import env_for

SHARED = (
    "iam",
    "s3",
    "ec2",
    "vpc",
    "cloudtrail",
    "kms",
    "rds",
    "guardduty",
    "config",
    "cloudwatch",
    "sns",
    "sqs",
    "awslambda",
    "elbv2",
    "secretsmanager",
    "dynamodb",
    "ecr",
    "eks",
    "efs",
)
"""Prowler's services that have what our rules ask about."""

NOWHERE = "http://127.0.0.1:9"
"""Where nothing listens."""


@dataclass(frozen=True)
class Tool:
    """A scanner from PyPI. ``words`` gives its command line, for a folder to write into."""

    name: str
    requirements: tuple[str, ...]
    program: str
    words: Callable[[Path], list[str]]


def _prowler(folder: Path) -> list[str]:
    # -z: failed checks are no failure of the run. Its usual three reports are written: that is what people run.
    return [
        "aws",
        "--region",
        *REGIONS,
        "--service",
        *SHARED,
        "-z",
        "--no-banner",
        "--no-color",
        "--log-level",
        "ERROR",
        "--log-file",
        str(folder / "errors.log"),
        "-o",
        str(folder),
        "-F",
        "out",
    ]


def _scoutsuite(folder: Path) -> list[str]:
    return ["aws", "--no-browser", "--force", "--regions", *REGIONS, "--report-dir", str(folder)]


PROWLER = Tool("Prowler 5.46.0, 19 services", ("prowler==5.46.0",), "prowler", _prowler)
SCOUTSUITE = Tool(
    # It imports pkg_resources, which setuptools has left out since version 81.
    "ScoutSuite 5.14.0",
    ("ScoutSuite==5.14.0", "setuptools<81"),
    "scout",
    _scoutsuite,
)


def install(tool: Tool, folder: Path) -> Path | None:
    """Return the tool's program, installed under ``folder`` if it was not; None when that fails, having said why."""
    home = folder / tool.program
    program = home / "bin" / tool.program
    if program.exists():
        return program
    print(f"Installing {tool.name} into {home} …", flush=True)
    try:
        subprocess.run([sys.executable, "-m", "venv", home], check=True)  # noqa: S603 - our own commands
        pip = [str(home / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", *tool.requirements]
        subprocess.run(pip, check=True, capture_output=True, text=True)  # noqa: S603
    except subprocess.CalledProcessError as error:
        print(f"{tool.name} could not be installed and is left out: {(error.stderr or '')[-300:]}")
        shutil.rmtree(home, ignore_errors=True)
        return None
    return program


def environment(endpoint: str, home: Path) -> dict[str, str]:
    """The environment in which a tool takes the proxy for AWS.

    S3 Control's host begins with the account's number, which needs a name server; so that goes to a made-up host
    through the proxy as an HTTP proxy, which needs none. Whatever else a tool asks of the world, as the code of a
    function that Prowler fetches from S3, is refused.
    """
    left_out = ("AWS_", "NEPHOSCOPE_", "PYTHON", "DJANGO_")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(left_out) and "proxy" not in name.lower()
    }
    key = {"AWS_ACCESS_KEY_ID": administrator_key(DEFAULT_ACCOUNT)}
    through = {"HTTP_PROXY": endpoint, "HTTPS_PROXY": NOWHERE, "NO_PROXY": "127.0.0.1"}
    through |= {name.lower(): value for name, value in through.items()}
    through["AWS_ENDPOINT_URL_S3_CONTROL"] = "http://s3control.invalid"
    return {**kept, **env_for(endpoint), **key, **through, "HOME": str(home), "LANG": "C.UTF-8"}


def run(tool: Tool, program: Path, proxied: Proxied, folder: Path) -> Row:
    """Run a tool twice, as :mod:`aws.proxy` says, and measure the second time."""
    for manner in ({"replay": False}, {"replay": True, "delay": DELAY}):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        proxied.manner(**manner)
        words = [str(program), *tool.words(folder)]
        log = folder.with_suffix(".log")
        row = command(tool.name, words, environment(proxied.endpoint, folder), folder, log)
    return told(row, proxied.counts())
