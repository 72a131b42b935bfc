"""IAM Access Analyzer, which moto lacks: that analyzers are there, not what they would find.

https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_ListAnalyzers.html and its siblings
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from nephoscope_aws_simulator.conditions import NotSimulatedError
from nephoscope_aws_simulator.errors import Answer, AwsError
from nephoscope_aws_simulator.wire import Call
from nephoscope_aws_simulator.world import World

Analyzers = dict[str, dict[str, Any]]


def answer(world: World, call: Call, account: str) -> Answer:
    """Answer a call of the service."""
    with world.lock:
        analyzers = world.analyzers.setdefault((account, call.region), {})
        if call.operation == "ListAnalyzers":
            return _json({"analyzers": list(analyzers.values())})
        if call.operation == "CreateAnalyzer":
            return _create(analyzers, call, account)
        if call.operation == "DeleteAnalyzer":
            return _delete(analyzers, call)
        if call.operation == "CreateArchiveRule":
            _rules(analyzers, call).append({"ruleName": call.params["ruleName"], "filter": call.params["filter"]})
            return _json({})
        if call.operation == "ListArchiveRules":
            return _json({"archiveRules": _rules(analyzers, call)})
    raise NotSimulatedError("analyzers are listed, created and deleted, and given archive rules")


def _create(analyzers: Analyzers, call: Call, account: str) -> Answer:
    name = str(call.params["analyzerName"])
    if name in analyzers:
        raise AwsError("ConflictException", f"Analyzer {name} exists already.", 409)
    arn = f"arn:aws:access-analyzer:{call.region}:{account}:analyzer/{name}"
    created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    analyzers[name] = {
        "arn": arn,
        "name": name,
        "type": call.params["type"],
        "createdAt": created,
        "status": "ACTIVE",
        "tags": call.params.get("tags", {}),
    }
    return _json({"arn": arn})


def _delete(analyzers: Analyzers, call: Call) -> Answer:
    if analyzers.pop(str(call.params["analyzerName"]), None) is None:
        raise AwsError("ResourceNotFoundException", "The analyzer was not found.", 404)
    return _json({})


def _rules(analyzers: Analyzers, call: Call) -> list[dict[str, Any]]:
    name = str(call.params["analyzerName"])
    if name not in analyzers:
        raise AwsError("ResourceNotFoundException", "The analyzer was not found.", 404)
    rules: list[dict[str, Any]] = analyzers[name].setdefault("rules", [])
    return rules


def _json(content: dict[str, Any]) -> Answer:
    return Answer(200, "application/json", json.dumps(content).encode())
