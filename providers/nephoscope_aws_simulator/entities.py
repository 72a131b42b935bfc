"""IAM's roles, users and groups as moto holds them, and the policies that are theirs."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from nephoscope_aws_simulator.policy import Document, parse

document = functools.lru_cache(maxsize=512)(parse)

# parameter of IAM's calls -> attribute of moto's backend
_HOLDERS = {
    "RoleName": "roles",
    "UserName": "users",
    "GroupName": "groups",
    "InstanceProfileName": "instance_profiles",
    "ServerCertificateName": "certificates",
}


def backend_of(account: str) -> Any:
    """moto's IAM of an account; of an account that nobody has used there is none."""
    from moto.iam.models import iam_backends

    return iam_backends[account]["aws"] if account in iam_backends else None


def find(account: str, parameter: str, name: str) -> Any:
    """The entity that a parameter such as RoleName names, or None."""
    backend = backend_of(account)
    # A copy: another call may be adding one.
    entities = list(getattr(backend, _HOLDERS[parameter]).values()) if backend else []
    attribute = "cert_name" if parameter == "ServerCertificateName" else "name"
    return next((one for one in entities if getattr(one, attribute) == name), None)


def arn_of(account: str, parameter: str, name: str) -> str | None:
    """Its ARN, which contains a path that calls do not give."""
    entity = find(account, parameter, name)
    return str(entity.arn) if entity else None


def _managed(backend: Any, arn: str) -> Iterator[Document]:
    if policy := backend.managed_policies.get(arn):
        yield from (document(version.document) for version in policy.versions if version.is_default)


def identity_policies(backend: Any, entity: Any) -> list[Document]:
    """All policies of a role, a user or a group: inline, attached, and of a user's groups."""
    found = [document(text) for text in entity.policies.values()]
    for arn in entity.managed_policies:
        found.extend(_managed(backend, arn))
    if hasattr(entity, "access_keys"):
        for group in backend.get_groups_for_user(entity.name):
            found.extend(identity_policies(backend, group))
    return found


def boundary(backend: Any, entity: Any) -> list[Document] | None:
    """The permissions boundary, if there is one."""
    arn = getattr(entity, "permissions_boundary_arn", None)
    return list(_managed(backend, arn)) if arn else None
