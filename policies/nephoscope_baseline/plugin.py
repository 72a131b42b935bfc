"""The plugin ``baseline``: rules on what clouds should look like, and the frameworks whose controls name them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nephoscope.hookspecs import hookimpl
from nephoscope_baseline import aws

if TYPE_CHECKING:
    from nephoscope.domain import Framework, Rule


@hookimpl
def register_rules() -> list[Rule]:
    return aws.rules()


@hookimpl
def register_frameworks() -> list[Framework]:
    # Only when asked for: a list of rules does not wait for it.
    from nephoscope_baseline.frameworks import load

    return load(Path(__file__).with_name("frameworks"))
