"""The plugin ``aws``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nephoscope.hookspecs import hookimpl

if TYPE_CHECKING:
    from nephoscope.domain import Export, Provider


@hookimpl
def register_providers() -> list[Provider]:
    # Only when asked for: the command line asks the same module for nothing that needs botocore.
    from nephoscope_aws.provider import AwsProvider

    return [AwsProvider()]


@hookimpl
def register_exports() -> list[Export]:
    from nephoscope_aws.asff import ASFF

    return [ASFF]
