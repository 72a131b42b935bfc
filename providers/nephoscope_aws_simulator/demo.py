"""The company's account as ``manage.py demo`` shows it: how it is started, found and connected."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import boto3

from nephoscope.domain import SetupTemplate
from nephoscope_aws_simulator.testing import env_for


class Northwind:
    """What the demo asks of a simulated cloud; see the command."""

    title = "the simulated AWS account"
    provider = "aws"
    account = "northwind"
    regions = ("us-east-1", "eu-west-1", "ap-southeast-2")

    def command(self, port: int, folder: Path) -> list[str]:
        state = str(folder / "account.state")
        return ["-m", "nephoscope_aws_simulator", "--port", str(port), "--company", "--state", state]

    def health(self, port: int) -> str:
        return f"http://127.0.0.1:{port}/simulator/health"

    def environment(self, port: int) -> dict[str, str | None]:
        """What a person sets who runs Nephoscope outside AWS: its own credentials, and here where AWS is."""
        return {**env_for(f"http://127.0.0.1:{port}"), "AWS_PROFILE": None, "AWS_SESSION_TOKEN": None}

    def grant(self, templates: Iterable[SetupTemplate], *, writing: bool) -> dict[str, str]:
        template = next(each.text for each in templates if each.id == "cloudformation")
        arn = _deploy(f"nephoscope-{'fix' if writing else 'read'}", template)
        return {"write_role_arn" if writing else "role_arn": arn}


def _deploy(stack: str, template: str) -> str:
    client = boto3.client("cloudformation")
    client.create_stack(StackName=stack, TemplateBody=template, Capabilities=["CAPABILITY_NAMED_IAM"])
    client.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    outputs = client.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"]
    return str(next(output["OutputValue"] for output in outputs if output["OutputKey"] == "RoleArn"))


CLOUD = Northwind()
