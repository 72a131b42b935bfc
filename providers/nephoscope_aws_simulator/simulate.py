"""iam:SimulatePrincipalPolicy, which moto lacks, answered by the evaluator that also authorises calls.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from nephoscope_aws_simulator.entities import backend_of, boundary, find, identity_policies
from nephoscope_aws_simulator.errors import Answer, AwsError
from nephoscope_aws_simulator.policy import Request, Verdict, evaluate
from nephoscope_aws_simulator.wire import Call

_NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"
_SOURCE = re.compile(r"arn:aws:iam::(\d{12}):(role|user|group)/(?:.+/)?([^/]+)")
_DEFAULT_PAGE = 100


def members(params: Mapping[str, Any], name: str) -> list[str]:
    """A list of the query protocol: Name.member.1, Name.member.2 ..."""
    found: list[str] = []
    while (value := params.get(f"{name}.member.{len(found) + 1}")) is not None:
        found.append(str(value))
    return found


def _context(params: Mapping[str, Any]) -> dict[str, str]:
    context, index = {}, 1
    while key := params.get(f"ContextEntries.member.{index}.ContextKeyName"):
        values = params.get(f"ContextEntries.member.{index}.ContextKeyValues.member.1", "")
        context[str(key)] = str(values)
        index += 1
    return context


def _entity(arn: str) -> tuple[Any, Any]:
    match = _SOURCE.fullmatch(arn)
    if match is None:
        raise AwsError("InvalidInput", f"Invalid Entity Arn: {arn}", 400)
    account, kind, name = match.groups()
    entity = find(account, f"{kind.title()}Name", name)
    if entity is None or entity.arn != arn:
        raise AwsError("NoSuchEntity", f"The {kind} with name {name} cannot be found.", 404)
    return backend_of(account), entity


def _result(action: str, resource: str, verdict: Verdict) -> str:
    return (
        f"<member><EvalActionName>{escape(action)}</EvalActionName>"
        f"<EvalResourceName>{escape(resource)}</EvalResourceName>"
        f"<EvalDecision>{verdict.value}</EvalDecision><MatchedStatements/><MissingContextValues/></member>"
    )


def simulate_principal_policy(call: Call) -> Answer:
    """Every action on every resource, as the principal's policies and its boundary decide."""
    backend, entity = _entity(str(call.params.get("PolicySourceArn", "")))
    documents = identity_policies(backend, entity)
    limits = boundary(backend, entity)
    context = _context(call.params)
    results = []
    for action in members(call.params, "ActionNames"):
        for resource in members(call.params, "ResourceArns") or ["*"]:
            request = Request(action, resource, context)
            verdict = evaluate(documents, request)
            if verdict is Verdict.ALLOWED and limits is not None:
                verdict = evaluate(limits, request)
            results.append(_result(action, resource, verdict))
    start, size = int(call.params.get("Marker", 0)), int(call.params.get("MaxItems", _DEFAULT_PAGE))
    page, more = results[start : start + size], start + size < len(results)
    paging = f"<IsTruncated>{str(more).lower()}</IsTruncated>" + (f"<Marker>{start + size}</Marker>" if more else "")
    body = (
        f'<SimulatePrincipalPolicyResponse xmlns="{_NAMESPACE}"><SimulatePrincipalPolicyResult>'
        f"<EvaluationResults>{''.join(page)}</EvaluationResults>{paging}</SimulatePrincipalPolicyResult>"
        "<ResponseMetadata><RequestId>00000000-0000-0000-0000-000000000000</RequestId></ResponseMetadata>"
        "</SimulatePrincipalPolicyResponse>"
    )
    return Answer(200, "text/xml", body.encode())
