"""The IAM policy language: does a set of documents allow a request? Pure; knows neither moto nor HTTP.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from nephoscope_aws_simulator.conditions import Context, holds
from nephoscope_aws_simulator.wildcards import matches

Document = Mapping[str, Any]


class Verdict(Enum):
    """The values of EvalDecision in https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html"""

    ALLOWED = "allowed"
    IMPLICIT_DENY = "implicitDeny"
    EXPLICIT_DENY = "explicitDeny"


@dataclass(frozen=True)
class Request:
    """One action on one resource. `resource=None`: it could not be told from the call which one it is."""

    action: str
    resource: str | None = "*"
    context: Context = field(default_factory=dict)


def as_list(value: Any) -> list[Any]:
    """A single value may stand where the language has a list, and a single statement too."""
    return value if isinstance(value, list) else [value]


def statements(document: Document) -> list[Document]:
    """The statements of a document, also when it is one bare object."""
    return as_list(document.get("Statement", []))


def parse(text: str) -> Document:
    """A document from its JSON; raises ValueError when it is no JSON object."""
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("a policy document is a JSON object")
    return document


def action_applies(statement: Document, action: str) -> bool:
    """Whether Action or NotAction of a statement covers the action."""
    if "NotAction" in statement:
        return not any(matches(p, action, ignore_case=True) for p in as_list(statement["NotAction"]))
    return any(matches(p, action, ignore_case=True) for p in as_list(statement.get("Action", [])))


def _resource_applies(statement: Document, resource: str | None) -> bool:
    """Whether Resource or NotResource covers it. Of an unknown resource an Allow is believed, a Deny is not."""
    if resource is None:
        if statement.get("Effect") == "Allow":
            return True
        return "*" in as_list(statement.get("Resource", [])) and "NotResource" not in statement
    if "NotResource" in statement:
        return not any(matches(p, resource) for p in as_list(statement["NotResource"]))
    return any(matches(p, resource) for p in as_list(statement.get("Resource", [])))


def evaluate(documents: Iterable[Document], request: Request) -> Verdict:
    """Deny wins over Allow, and silence is a deny."""
    verdict = Verdict.IMPLICIT_DENY
    for document in documents:
        for statement in statements(document):
            applies = action_applies(statement, request.action) and _resource_applies(statement, request.resource)
            if not applies or not holds(statement.get("Condition", {}), request.context):
                continue
            if statement.get("Effect") == "Deny":
                return Verdict.EXPLICIT_DENY
            verdict = Verdict.ALLOWED
    return verdict
