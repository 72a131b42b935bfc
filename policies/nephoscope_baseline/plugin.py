"""The plugin ``baseline``: rules on what clouds should look like, and the frameworks that they answer."""

from __future__ import annotations

from pathlib import Path

from nephoscope.domain import Framework, Rule, rules_in
from nephoscope.hookspecs import hookimpl
from nephoscope_baseline import aws_cloudtrail, aws_ec2, aws_iam, aws_kms, aws_s3
from nephoscope_baseline.frameworks import load


@hookimpl
def register_rules() -> list[Rule]:
    return rules_in(aws_iam, aws_s3, aws_ec2, aws_cloudtrail, aws_kms)


@hookimpl
def register_frameworks() -> list[Framework]:
    return load(Path(__file__).with_name("frameworks"))
