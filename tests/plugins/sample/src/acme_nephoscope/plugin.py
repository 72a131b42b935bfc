"""The plugin ``acme``."""

from __future__ import annotations

from acme_nephoscope import rules
from nephoscope.domain import Control, Framework, Rule, rules_in
from nephoscope.hookspecs import hookimpl


@hookimpl
def register_rules() -> list[Rule]:
    return rules_in(rules)


@hookimpl
def register_frameworks() -> list[Framework]:
    controls = (
        Control("N1", "Buckets carry their team's name", ("acme.s3.naming",)),
        Control("N2", "Somebody answers for each bucket", manual=True),
    )
    return [Framework("acme_house_rules", "ACME house rules", "aws", "https://acme.example/clouds", controls)]
