"""Every action that can be recorded: its code, its label, and the sentence that is made of an entry when it is read.

One module per noun. A module of another package registers its own with :func:`register` when it is imported.
"""

from nephoscope.audit.actions import (
    accounts,
    alerts,
    automatic,
    changes,
    organisations,
    people,
    policies,
    reports,
    scans,
)
from nephoscope.audit.actions.registry import ACTIONS, Action, Data, label_of, register
from nephoscope.audit.actions.wording import NAMED, resources

__all__ = [
    "ACTIONS",
    "NAMED",
    "Action",
    "Data",
    "accounts",
    "alerts",
    "automatic",
    "changes",
    "label_of",
    "organisations",
    "people",
    "policies",
    "register",
    "reports",
    "resources",
    "scans",
]
