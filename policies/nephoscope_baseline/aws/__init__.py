"""The rules on AWS: one module per service, SERVICE.py; a service with many rules has some in SERVICE_TOPIC.py.

The other modules are what these share.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from nephoscope.domain import Rule, rules_in


def rules() -> list[Rule]:
    """Import every module of this package and return its rules, by the modules' names."""
    return rules_in(*(import_module(f"{__name__}.{each.name}") for each in iter_modules(__path__)))
