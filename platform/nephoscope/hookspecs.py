"""The verbs: every hook that a plugin can implement, on one page.

A plugin is a module named by an entry point in the group ``nephoscope``. It is loaded only when that entry point's
name stands in ``NEPHOSCOPE_PLUGINS``. It implements hooks with the marker from here::

    from nephoscope.hookspecs import hookimpl

    @hookimpl
    def register_rules():
        return rules_in(my_rules)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from nephoscope.domain import Export, Framework, Plan, Provider, Remediation, Resource, Rule

GROUP = "nephoscope"
hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@hookspec
def register_providers() -> Iterable[Provider]:
    """Contribute kinds of clouds that accounts can be connected to."""
    return ()


@hookspec
def register_rules() -> Iterable[Rule]:
    """Contribute rules; ids must be unique over all plugins."""
    return ()


@hookspec
def register_frameworks() -> Iterable[Framework]:
    """Contribute frameworks: which rules answer which control."""
    return ()


@hookspec
def register_remediations() -> Iterable[Remediation]:
    """Contribute fixes; rules name them by id."""
    return ()


@hookspec
def register_exports() -> Iterable[Export]:
    """Contribute forms that findings are exported in, beside OCSF."""
    return ()


@hookspec
def veto_plan(plan: Plan, resources: list[Resource]) -> str | None:
    """Refuse a plan before anyone is asked to approve it: return the reason, or None to let it pass.

    Called when a plan is made, when it is approved, and before it is applied. A veto that raises refuses the plan.
    """
    return None
