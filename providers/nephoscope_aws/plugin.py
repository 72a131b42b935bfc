"""The plugin ``aws``."""

from __future__ import annotations

from nephoscope.domain import Provider
from nephoscope.hookspecs import hookimpl


@hookimpl
def register_providers() -> list[Provider]:
    # Only when asked for: the command line asks the same module for nothing that needs botocore.
    from nephoscope_aws.provider import AwsProvider

    return [AwsProvider()]
