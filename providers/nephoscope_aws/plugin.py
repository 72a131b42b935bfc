"""The plugin ``aws``."""

from __future__ import annotations

from nephoscope.domain import Provider
from nephoscope.hookspecs import hookimpl
from nephoscope_aws.provider import AwsProvider


@hookimpl
def register_providers() -> list[Provider]:
    return [AwsProvider()]
