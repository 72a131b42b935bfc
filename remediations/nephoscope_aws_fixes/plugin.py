"""The plugin ``aws_fixes``, and the tag that keeps it away from a resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nephoscope.domain import as_unknown
from nephoscope.hookspecs import hookimpl

if TYPE_CHECKING:
    from nephoscope.domain import Plan, Remediation, Resource

DO_NOT_FIX = "nephoscope:do-not-fix"
"""A resource with this tag is not fixed, unless the tag's value is ``false``."""


@hookimpl
def register_remediations() -> list[Remediation]:
    # Only when asked for: the command line asks the same module for nothing that needs botocore.
    from nephoscope_aws_fixes.aws_guardduty import ArchiveFinding
    from nephoscope_aws_fixes.aws_s3 import RemovePublicAccess

    return [RemovePublicAccess(), ArchiveFinding()]


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
