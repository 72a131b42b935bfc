"""The plugin ``aws_fixes``, and the tag that keeps it away from a resource."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from nephoscope.domain import as_unknown
from nephoscope.hookspecs import hookimpl

if TYPE_CHECKING:
    from nephoscope.domain import Plan, Remediation, Resource

DO_NOT_FIX = "nephoscope:do-not-fix"
"""A resource with this tag is not fixed, unless the tag's value is ``false``."""


MODULES = (
    "accessanalyzer",
    "account",
    "cloudfront",
    "cloudtrail",
    "cloudtrail_regions",
    "config",
    "dynamodb",
    "ec2_acls",
    "ec2_flow_logs",
    "ec2_groups",
    "ec2_instances",
    "ec2_network",
    "ec2_regions",
    "ec2_storage",
    "ec2_unused",
    "ecr",
    "efs",
    "eks",
    "elasticache",
    "elb",
    "emr",
    "guardduty",
    "guardduty_enable",
    "iam_contain",
    "iam_keys",
    "iam_password",
    "inspector",
    "kms",
    "kms_policy",
    "lambda_access",
    "lambda_urls",
    "logs",
    "macie",
    "opensearch",
    "rds",
    "rds_groups",
    "rds_snapshots",
    "redshift",
    "s3",
    "s3_public",
    "s3_settings",
    "secretsmanager",
    "securityhub",
    "sns",
    "sqs",
    "ssm",
)
"""The modules of fixes, by service."""


@hookimpl
def register_remediations() -> list[Remediation]:
    # Only when asked for: the command line asks the same module for nothing that needs botocore.
    modules = [import_module(f"nephoscope_aws_fixes.{name}") for name in MODULES]
    return [each() for module in modules for each in _fixes(module)]


def _fixes(module: ModuleType) -> list[type[Remediation]]:
    """Return the fixes that a module defines, in its order; bases of fixes have no id."""
    classes = [each for each in vars(module).values() if isinstance(each, type) and each.__module__ == module.__name__]
    return [each for each in classes if "id" in vars(each)]


@hookimpl
def veto_plan(plan: Plan, resources: list[Resource]) -> str | None:
    """Refuse a plan that touches a resource tagged :data:`DO_NOT_FIX`, or one whose tags could not be read."""
    touched = [resource for resource in resources if resource.id in plan.resources]
    if tagged := [each.name for each in touched if each.tags.get(DO_NOT_FIX, "false").strip().lower() != "false"]:
        return (
            f"{', '.join(tagged)}: tagged {DO_NOT_FIX}, so it is not fixed from here. "
            "Leave it out, or take the tag away and scan again."
        )
    if hidden := [each.name for each in touched if as_unknown(each.properties.get("Tags"))]:
        return f"{', '.join(hidden)}: the tags could not be read, so {DO_NOT_FIX} may be among them."
    return None
