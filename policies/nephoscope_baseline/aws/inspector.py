"""Rules on Inspector."""

from __future__ import annotations

from nephoscope.domain import Fail, NotKnown, Severity, Unknown, View, rule

SETTINGS = "AWS::InspectorV2::RegionSettings"

SCANNED = {"ec2": "EC2 instances", "ecr": "container images in ECR"}
"""What should be scanned wherever it is, and how it is called. Lambda functions are scanned at extra cost."""


@rule(
    "aws.inspector.enabled",
    on=SETTINGS,
    severity=Severity.MEDIUM,
    live_only=True,
    fix="""
        1. In the Inspector console, select the region, then choose Activate Inspector; if it is already active, choose
           Account management and activate Amazon EC2 scanning and Amazon ECR container scanning.
        2. In an organization, let the delegated administrator activate it for all accounts, in every region.
    """,
    commands="""
        aws inspector2 enable --region={region} --resource-types='["EC2", "ECR"]'
    """,
    link="https://docs.aws.amazon.com/inspector/latest/user/getting_started_tutorial.html",
    remediations=("aws.inspector.enable",),
    good=[
        {"ResourceState": {"ec2": "ENABLED", "ecr": "ENABLED", "lambda": "DISABLED", "lambdaCode": "DISABLED"}},
        {"ResourceState": {"ec2": "ENABLED", "ecr": "ENABLED", "lambda": "ENABLED", "lambdaCode": "ENABLED"}},
    ],
    bad=[
        {"ResourceState": {"ec2": "ENABLED", "ecr": "DISABLED", "lambda": "ENABLED", "lambdaCode": "DISABLED"}},
        {"ResourceState": {"ec2": "DISABLED", "ecr": "DISABLED", "lambda": "DISABLED", "lambdaCode": "DISABLED"}},
        {"ResourceState": {"ec2": "SUSPENDED", "ecr": "ENABLED"}},
        {},
    ],
)
def enabled(settings: View) -> bool | Fail:
    """Inspector scanning is off.

    Instances and images age: software without known vulnerabilities at launch has some a month later. Inspector rescans
    whenever a new vulnerability is published.
    """
    state = {kind: settings[f"ResourceState.{kind}"] for kind in SCANNED}
    off = [kind for kind in SCANNED if state[kind] not in ("ENABLED", "ENABLING")]
    if off:
        said = " and ".join(SCANNED[kind] for kind in off)
        return Fail(f"Inspector does not scan {said}", *(f"ResourceState.{kind}" for kind in off))
    if "ENABLING" in state.values():
        raise NotKnown("ResourceState", Unknown("scanning is still being activated"))
    return True
