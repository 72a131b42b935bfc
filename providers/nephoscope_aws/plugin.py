"""The plugin ``aws``."""

from __future__ import annotations

from nephoscope.domain import Export, Provider
from nephoscope.hookspecs import hookimpl
from nephoscope_aws.asff import ASFF


@hookimpl
def register_providers() -> list[Provider]:
    # Only when asked for: the command line asks the same module for nothing that needs botocore.
    from nephoscope_aws.provider import AwsProvider

    return [AwsProvider()]


@hookimpl
def register_exports() -> list[Export]:
    return [ASFF]
