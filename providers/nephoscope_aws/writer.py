"""The open connection that may write what was approved, and no more."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from nephoscope.domain import Call, Deadline, Permission, PlanProblem, Writer
from nephoscope_aws.answers import Unavailable
from nephoscope_aws.api import code_of, says_missing, slots
from nephoscope_aws.call import AwsCall, with_answer
from nephoscope_aws.clients import WRITE_SECONDS, ClientCache
from nephoscope_aws.connect import Connected
from nephoscope_aws.session import send

MAX_SESSION_POLICY = 2_048
"""Characters of an inline session policy: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"""

PAUSES = (0.2, 1, 2, 4, 8, 0)
"""Seconds between tries of a call on what was made a moment ago; 0 after the last."""


class AwsWriter(Writer):
    """One account, open for writing, held by AWS to the permissions in its sessions' policies.

    A policy is short, so that a plan for many resources takes several sessions: each is opened when the first call
    needs it, for the permissions of that call and as many of the following ones as fit.

    :param assume: opens a session of the role for fixes with a policy.
    """

    def __init__(self, assume: Callable[[str], Connected], permissions: Sequence[Permission]) -> None:
        self._assume, self._allowed = assume, list(dict.fromkeys(permissions))
        self._sessions: list[tuple[frozenset[Permission], ClientCache]] = []
        self._lock = threading.Lock()
        self._slots = slots(self._open(self._allowed[:1]).account)

    def write(self, call: Call) -> dict[str, Any]:
        """Do one changing call. Raises Denied, Unavailable, or what botocore raises.

        No try of it begins late (:data:`nephoscope_aws.clients.WRITE_SECONDS`), not even in a process that was stopped.
        """
        clients = self._clients_for(call)
        clients.tries_until = Deadline(WRITE_SECONDS)
        with self._slots:
            answer = send(clients, call)
        if refused := answer.get("Unsuccessful"):
            # So says EC2 that it did nothing, with status 200: the API reference of CreateFlowLogs.
            raise Unavailable(f"{call.label}: {refused[0].get('Error', {}).get('Message', 'AWS did not do it')}")
        self._complete(clients, call, answer)
        return answer

    def _complete(self, clients: ClientCache, call: Call, answer: dict[str, Any]) -> None:
        """Do the calls that complete another one. Raises Unavailable, which says that the first one was done."""
        for body in AwsCall.of(call).then:
            try:
                self._soon(clients, replace(call, body={**body, "parameters": with_answer(body["parameters"], answer)}))
            except Exception as problem:
                done = ", ".join(str(each) for each in answer.values() if isinstance(each, str))
                raise Unavailable(f"{call.label} was done ({done}), but {body['operation']}: {problem}") from problem

    def _soon(self, clients: ClientCache, call: Call) -> None:
        """Do a call on what was made a moment ago, which AWS may not find at once.

        https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
        """
        for pause in PAUSES:
            clients.tries_until = Deadline(WRITE_SECONDS)
            try:
                with self._slots:
                    send(clients, call)
                return
            except ClientError as error:
                if not (pause and says_missing(error)):
                    raise
            time.sleep(pause)

    def rehearse(self, call: Call) -> bool:
        """Make the call as a dry run, where its operation has one: those of EC2. Of others, DryRun is something else.

        https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonParameters.html (``DryRun``)
        """
        asked, clients = AwsCall.of(call), self._clients_for(call)
        if asked.service != "ec2" or not has_dry_run(clients.client("ec2", asked.region), asked.operation):
            return False
        dry = replace(call, body={**call.body, "parameters": {**asked.parameters, "DryRun": True}})
        try:
            with self._slots:
                send(clients, dry)
        except ClientError as error:
            if code_of(error) == "DryRunOperation":
                return True
            raise
        raise Unavailable(f"{call.label}: AWS did not take the dry run for one")

    def close(self) -> None:
        for _held, clients in self._sessions:
            clients.close()

    def _clients_for(self, call: Call) -> ClientCache:
        """Return the clients of the session that is held to what the call needs; AWS refuses what was not approved."""
        needed = frozenset(call.permissions)
        with self._lock:
            for held, clients in self._sessions:
                if needed <= held:
                    return clients
            if needed <= set(self._allowed):
                return self._open(list(call.permissions)).clients
            return self._sessions[0][1]

    def _open(self, needed: Sequence[Permission]) -> Connected:
        """Open a session for some permissions, and as many of those after them as fit."""
        first = self._allowed.index(needed[0]) if needed else 0
        held = list(needed)
        for each in [each for each in self._allowed[first:] if each not in held]:
            if len(_policy([*held, each])) > MAX_SESSION_POLICY:
                break
            held.append(each)
        connected = self._assume(session_policy(held))
        self._sessions.append((frozenset(held), connected.clients))
        return connected


def has_dry_run(client: Any, operation: str) -> bool:
    """Whether an operation of boto3 can be asked for as a dry run."""
    shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation]).input_shape
    return shape is not None and "DryRun" in shape.members


def session_policy(permissions: Sequence[Permission]) -> str:
    """Return the JSON that holds a role's session to just these permissions, one statement per set of resources.

    :raises PlanProblem: it would be longer than :data:`MAX_SESSION_POLICY`.
    """
    if not permissions:
        raise PlanProblem("A plan that needs no permissions changes nothing.")
    text = _policy(permissions)
    if len(text) > MAX_SESSION_POLICY:
        raise PlanProblem(
            f"What one call may do takes {len(text):,} characters to say and AWS allows {MAX_SESSION_POLICY:,}."
        )
    return text


def _policy(permissions: Iterable[Permission]) -> str:
    actions: dict[str, set[str]] = defaultdict(set)
    for permission in permissions:
        actions[permission.resource].add(permission.action)
    resources: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for resource, allowed in sorted(actions.items()):
        resources[tuple(sorted(allowed))].append(resource)
    statements = [{"Effect": "Allow", "Action": list(allowed), "Resource": on} for allowed, on in resources.items()]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
