"""Running a script for the AWS CLI with the real CLI against the simulator."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from nephoscope_aws_simulator.testing import Cloud

CLI = shutil.which("aws")

needs_cli = pytest.mark.skipif(not CLI, reason="the AWS CLI is not installed")


def run_script(text: str, simulator: Cloud, folder: Path, **variables: str) -> str:
    """Run a script that works as a person would who pasted it; return what it printed."""
    done = try_script(text, simulator, folder, **variables)
    assert done.returncode == 0, done.stderr
    return done.stdout


def try_script(
    text: str, simulator: Cloud, folder: Path, *options: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a script as a program would, which has no terminal, with these options and variables."""
    command, environment = prepared(text, simulator, folder, *options, **variables)
    return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)


def prepared(
    text: str, simulator: Cloud, folder: Path, *options: str, **variables: str
) -> tuple[list[str], dict[str, str]]:
    """Save a script as a person would, and return the command that runs it and its environment.

    The endpoint is given as an option, because the CLI reads ``AWS_ENDPOINT_URL`` from version 2.13 on only:
    https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-endpoints.html
    """
    aws = folder / "bin" / "aws"
    aws.parent.mkdir(exist_ok=True)
    aws.write_text(f'#!/bin/sh\nexec {shlex.quote(str(CLI))} --endpoint-url "$AWS_ENDPOINT_URL" "$@"\n')
    aws.chmod(0o755)
    script = folder / "setup.sh"
    script.write_text(text)
    environment = os.environ | simulator.env() | {"PATH": f"{aws.parent}:{os.environ['PATH']}"} | variables
    return ["bash", str(script), *options], environment
