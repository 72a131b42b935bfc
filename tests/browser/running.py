"""The demo as a person starts it: `manage.py demo` in a fresh data directory, stopped by Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from tests.aws.cli import prepared
from tests.aws.terminal import Terminal

from nephoscope_aws_simulator.testing import HOSTILE, Cloud, client_for

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 180
"""Seconds in which the demo must be up, and then its simulated account."""

_FOREIGN = ("NEPHOSCOPE_", "AWS_", "DATABASE_URL", "REDIS_URL", "DJANGO_")


@dataclass(frozen=True)
class Demo:
    """Where the console is, who signs in, and where the simulated AWS account answers."""

    url: str
    user: str
    password: str
    endpoint: str

    def client(self, service: str, region: str = "us-east-1") -> Any:
        """A boto3 client of the account's administrator, for what is done by hand in the cloud."""
        return client_for(self.endpoint, service, region)

    def deploy(self, stack: str, template: str) -> str:
        """Create a stack as a person would who pasted the template; return the role's ARN that it puts out."""
        cloud = self.client("cloudformation")
        cloud.create_stack(StackName=stack, TemplateBody=template, Capabilities=["CAPABILITY_NAMED_IAM"])
        outputs = cloud.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"]
        return next(str(each["OutputValue"]) for each in outputs if each["OutputKey"] == "RoleArn")

    def delete(self, stack: str) -> None:
        """Delete a stack and its role, which has the stack's name. The simulator does not empty a role by itself."""
        iam = self.client("iam")
        for each in iam.list_attached_role_policies(RoleName=stack)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=stack, PolicyArn=each["PolicyArn"])
        for name in iam.list_role_policies(RoleName=stack)["PolicyNames"]:
            iam.delete_role_policy(RoleName=stack, PolicyName=name)
        self.client("cloudformation").delete_stack(StackName=stack)


def guard(demo: Demo, role: str, *actions: str) -> None:
    """Deny a role some actions, as a company's guard rail does; with none, take the guard rail away."""
    iam = demo.client("iam")
    if not actions:
        iam.delete_role_policy(RoleName=role, PolicyName="guard-rail")
        return
    statement = {"Effect": "Deny", "Action": list(actions), "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName="guard-rail", PolicyDocument=document)


def start(data: Path) -> subprocess.Popen[str]:
    """Start the demo. Nothing of the tests' own environment reaches it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    environment |= {"NEPHOSCOPE_DATA_DIR": str(data), "PYTHONUNBUFFERED": "1", HOSTILE: "1"}
    # Two of these run at a time on as many cores as a person has for one.
    environment["NEPHOSCOPE_INTERACTIVE_SECONDS"] = "60"
    command = [sys.executable, "manage.py", "demo", "--port", str(_free_port())]
    with (data / "output").open("w") as output:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )


def ready(process: subprocess.Popen[str], data: Path) -> Demo:
    """Wait until the demo has said where to sign in and its account is filled."""
    said = _awaited(data / "output", r"Console\s+(\S+)\s+User\s+(\S+)\s+Password\s+(\S+)", process)
    line = _awaited(data / "demo" / "simulator.log", r'(\{"endpoint".*\})', process)
    return Demo(said[1], said[2], said[3], json.loads(line[1])["endpoint"])


def _awaited(path: Path, pattern: str, process: subprocess.Popen[str]) -> re.Match[str]:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        if path.exists() and (found := re.search(pattern, path.read_text())):
            return found
        time.sleep(0.1)
    raise RuntimeError(f"the demo did not start; it said: {path.read_text() if path.exists() else 'nothing'}")


def stop(process: subprocess.Popen[str]) -> int:
    """Press Ctrl-C; return the exit code."""
    process.send_signal(signal.SIGINT)
    try:
        return process.wait(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def processes(data: Path) -> list[str]:
    """Return the processes that work in this data directory, whoever their parent is now."""
    return [" ".join(each.info["cmdline"]) for each in psutil.process_iter(["cmdline", "environ"]) if _of(each, data)]


def _of(process: psutil.Process, data: Path) -> bool:
    environment = process.info["environ"] or {}
    arguments = " ".join(process.info["cmdline"] or [])
    return environment.get("NEPHOSCOPE_DATA_DIR") == str(data) or str(data) in arguments


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def chosen_in_a_terminal(script: str, demo: Demo, folder: Path, group: str) -> str:
    """Run the script of the fix role as a person does, and choose one group of fixes; return the role's ARN."""
    terminal = Terminal(*prepared(script, Cloud(demo.endpoint), folder), folder)
    terminal.until("using their number (again to uncheck, ENTER when done): ")
    terminal.type(f"{group}\n")
    assert "[+]" in terminal.until("using their number (again to uncheck, ENTER when done): ")
    terminal.type("\n")
    terminal.until("Are you sure (y/n)? ")
    terminal.type("y\n")
    status, screen = terminal.end()
    assert status == 0, screen
    return screen.strip().splitlines()[-1]
