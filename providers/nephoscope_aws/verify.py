"""Finding out what a connection may do, without doing it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from nephoscope.domain import Check
from nephoscope_aws.answers import Unavailable
from nephoscope_aws.api import Api, Denied, code_of, switched_off
from nephoscope_aws.clients import ClientCache
from nephoscope_aws.connect import Connected, role_of

READS = {
    ("iam", "simulate_principal_policy"): "iam:SimulatePrincipalPolicy",
    ("iam", "get_role"): "iam:GetRole",
}
"""What verifying itself calls."""

BATCH = 50
"""Actions simulated by one call. AWS documents no limit of their number; 50 keep the answer on one page."""

_WORDS = {"implicitDeny": "no policy allows it", "explicitDeny": "a policy denies it"}
_HARMLESS = ("describe_", "get_", "list_")


def policy_source(connected: Connected) -> str:
    """Return the ARN whose policies decide: the role's or the user's. Empty when nobody's can be simulated."""
    if connected.role or ":assumed-role/" not in connected.principal:
        return connected.role or ("" if ":federated-user/" in connected.principal else connected.principal)
    return role_of(connected.principal, connected.clients)


def simulate(api: Api, source: str, permissions: Sequence[str]) -> list[Check]:
    """Ask IAM whether ``source`` may do each of these on ``*``, its boundary and organisation's policies included.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html

    :raises Denied: the simulation is not allowed.
    :raises Unavailable: IAM could not be asked, or knows no such user or role.
    """
    batches = [permissions[at : at + BATCH] for at in range(0, len(permissions), BATCH)]
    return [check for checks in api.map(lambda batch: _simulated(api, source, batch), batches) for check in checks]


def _simulated(api: Api, source: str, permissions: Sequence[str]) -> list[Check]:
    try:
        pages = api.pages(
            "iam",
            "simulate_principal_policy",
            "EvaluationResults",
            PolicySourceArn=source,
            ActionNames=list(permissions),
        )
        found = {result["EvalActionName"].lower(): result for result in pages}
    except ClientError as error:
        code = code_of(error)
        if code == "NoSuchEntity":
            raise Unavailable(f"IAM does not know {source}") from error
        return [Check(permission, None, f"IAM could not simulate it: {code}") for permission in permissions]
    return [_as_check(permission, found.get(permission.lower())) for permission in permissions]


def _as_check(permission: str, result: Mapping[str, Any] | None) -> Check:
    if result is None:
        return Check(permission, None, "IAM did not say")
    decision = result["EvalDecision"]
    if decision == "allowed":
        return Check(permission, True)
    if not result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations", True):
        return Check(permission, False, "a policy of the organisation does not allow it")
    if not result.get("PermissionsBoundaryDecisionDetail", {}).get("AllowedByPermissionsBoundary", True):
        return Check(permission, False, "the permissions boundary does not allow it")
    return Check(permission, False, _WORDS.get(decision, decision))


def attempt(
    api: Api, clients: ClientCache, reads: Mapping[tuple[str, str], str], permissions: Sequence[str], why: str
) -> list[Check]:
    """Find out by trying: make each declared reading call that needs no parameters; the rest stays unknown (``why``).

    EC2's calls are made as dry runs.
    """
    wanted = set(permissions)
    tries = [
        (at, arguments)
        for at, permission in reads.items()
        if permission in wanted and (arguments := _harmless(clients, *at, api.account)) is not None
    ]
    found = dict(zip((reads[at] for at, _ in tries), api.map(_attempted(api), tries), strict=True))
    return [found.get(permission, Check(permission, None, why)) for permission in permissions]


def _harmless(clients: ClientCache, service: str, operation: str, account: str) -> dict[str, Any] | None:
    """Return the parameters of a call that lists or reads without being told of what, None for any other call."""
    if not operation.startswith(_HARMLESS):
        return None
    client = clients.client(service)
    shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation]).input_shape
    known: dict[str, Any] = {"AccountId": account, "DryRun": True}
    if shape is None or not set(shape.required_members) <= set(known):
        return None if shape else {}
    asked = {*shape.required_members, *({"DryRun"} & set(shape.members))}
    return {name: known[name] for name in asked}


def _attempted(api: Api) -> Callable[[tuple[tuple[str, str], dict[str, Any]]], Check]:
    def attempted(one: tuple[tuple[str, str], dict[str, Any]]) -> Check:
        (service, operation), arguments = one
        try:
            api.call(service, operation, **arguments)
        except Denied as denied:
            if not switched_off(denied):
                return Check(denied.permission, False, "AWS refused it when it was tried")
        except Unavailable as problem:
            return Check(api.permission(service, operation), None, problem.message)
        except ClientError:
            # any other answer, as DryRunOperation or "there is none", was given after the permission was checked
            pass
        return Check(api.permission(service, operation), True, "it was tried")

    return attempted


def all_allowed(permissions: Iterable[str]) -> list[Check]:
    """Return the checks of an account's root user, whom no policy of the account limits."""
    return [Check(permission, True, "the root user may do everything") for permission in permissions]
