"""The plugin ``aws``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nephoscope.hookspecs import hookimpl

if TYPE_CHECKING:
    from nephoscope.domain import Provider


@hookimpl
def register_providers() -> list[Provider]:
    # Only when asked for: the command line asks the same module for nothing that needs botocore.
    from nephoscope_aws.provider import AwsProvider

    return [AwsProvider()]
