"""The plugin ``baseline``: rules on what clouds should look like, and the frameworks whose controls name them."""

from __future__ import annotations

from pathlib import Path

from nephoscope.domain import Framework, Rule
from nephoscope.hookspecs import hookimpl
from nephoscope_baseline import aws
from nephoscope_baseline.frameworks import load


@hookimpl
def register_rules() -> list[Rule]:
    return aws.rules()


@hookimpl
def register_frameworks() -> list[Framework]:
    return load(Path(__file__).with_name("frameworks"))
