"""The company's accounts as ``manage.py demo`` shows them: how they are started, found and connected."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nephoscope.domain import SetupTemplate
from nephoscope_aws_simulator.accounts import DEFAULT_ACCOUNT
from nephoscope_aws_simulator.company import lab
from nephoscope_aws_simulator.testing import client_for, env_for

HOME = "us-east-1"


@dataclass(frozen=True)
class DemoAccount:
    """One account; see the command."""

    name: str
    number: str
    regions: tuple[str, ...]
    denied: tuple[str, ...] = ()
    """Actions that a guardrail of its own denies to the read role: what needs them is unknown."""


class Northwind:
    """What the demo asks of a simulated cloud; see the command."""

    title = "the simulated AWS accounts"
    provider = "aws"
    accounts = (
        DemoAccount("northwind", DEFAULT_ACCOUNT, (HOME, "eu-west-1", "ap-southeast-2")),
        DemoAccount(
            "northwind-lab",
            lab.ACCOUNT,
            (HOME, "eu-west-1"),
            ("s3:GetEncryptionConfiguration", "kms:GetKeyRotationStatus"),
        ),
    )
    practised = "northwind-lab"

    def __init__(self) -> None:
        self.endpoint = ""

    def command(self, port: int, folder: Path) -> list[str]:
        state = str(folder / "account.state")
        return ["-m", "nephoscope_aws_simulator", "--port", str(port), "--company", "--state", state]

    def health(self, port: int) -> str:
        return f"http://127.0.0.1:{port}/simulator/health"

    def environment(self, port: int) -> dict[str, str | None]:
        """What a person sets who runs Nephoscope outside AWS: its own credentials, and here where AWS is."""
        self.endpoint = f"http://127.0.0.1:{port}"
        return {**env_for(self.endpoint), "AWS_PROFILE": None, "AWS_SESSION_TOKEN": None}

    def grant(self, account: DemoAccount, templates: Iterable[SetupTemplate], *, writing: bool) -> dict[str, str]:
        template = next(each.text for each in templates if each.id == "cloudformation")
        arn = self._deploy(account, f"nephoscope-{'fix' if writing else 'read'}", template)
        if account.denied and not writing:
            guardrail = {"Effect": "Deny", "Action": list(account.denied), "Resource": "*"}
            client_for(self.endpoint, "iam", HOME, account=account.number).put_role_policy(
                RoleName=arn.rpartition("/")[2],
                PolicyName="guardrail",
                PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [guardrail]}),
            )
        return {"write_role_arn" if writing else "role_arn": arn}

    def _deploy(self, account: DemoAccount, stack: str, template: str) -> str:
        client = client_for(self.endpoint, "cloudformation", HOME, account=account.number)
        client.create_stack(StackName=stack, TemplateBody=template, Capabilities=["CAPABILITY_NAMED_IAM"])
        client.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
        outputs = client.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"]
        return str(next(output["OutputValue"] for output in outputs if output["OutputKey"] == "RoleArn"))


CLOUD = Northwind()
