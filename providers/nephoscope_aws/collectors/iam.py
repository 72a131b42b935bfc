"""Users with their access keys, groups, roles, own policies, those of AWS that are in use, and server certificates.

Calls: 1 for each 1,000 users, groups, roles and policies together, 1 for each 1,000 roles, 1 for the certificates,
2 for the credential report (shared with the account's) and 1 for each user with an access key.

The credential report may be four hours old, and so may be what a scan knows of a user's password, MFA and last use, and
whether there is an access key at all. One user read again (:func:`reread`) is read live.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from nephoscope.domain import ALL_REGIONS, Resource, Service
from nephoscope_aws.answers import Unavailable, Unread
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.iam_credentials import (
    CREDENTIAL_READS,
    access_keys,
    access_keys_of,
    live_credentials,
    may_have_access_keys,
    reported_credentials,
)
from nephoscope_aws.collectors.iam_shapes import (
    ACCESS_KEY,
    AWS_POLICY,
    CERTIFICATE,
    GROUP,
    POLICY,
    ROLE,
    USER,
    access_key,
    aws_policy,
    certificate,
    group,
    policy,
    role,
    user,
)
from nephoscope_aws.collectors.odd import each
from nephoscope_aws.collectors.shape import PROBLEMS, Listing, actions, answers, existing, hidden, picked

READS = {
    ("iam", "get_account_authorization_details"): "iam:GetAccountAuthorizationDetails",
    ("iam", "list_roles"): "iam:ListRoles",
    ("iam", "get_role"): "iam:GetRole",
    ("iam", "get_group"): "iam:GetGroup",
    ("iam", "get_policy"): "iam:GetPolicy",
    ("iam", "get_server_certificate"): "iam:GetServerCertificate",
    ("iam", "list_server_certificates"): "iam:ListServerCertificates",
    **CREDENTIAL_READS,
}

SYNTHETIC = {AWS_POLICY: ("ManagedPolicyName", "PolicyDocument")}

Item = dict[str, Any]

_LISTS = {
    USER: ("User", "UserDetailList"),
    GROUP: ("Group", "GroupDetailList"),
    ROLE: ("Role", "RoleDetailList"),
    POLICY: ("LocalManagedPolicy", "Policies"),
    AWS_POLICY: ("AWSManagedPolicy", "Policies"),
}
"""For each type GetAccountAuthorizationDetails' filter and the list that it fills."""

_LIMITS = ("Description", "MaxSessionDuration")


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield what IAM holds; ``region`` is the one that stands for all."""
    return _everything(api)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one again: 1 call (for large accounts 1 for each 1,000 of its kind), for a role 2, for a user about 7."""
    return existing(lambda: _REREAD[resource.type](api, resource))


def _everything(api: Api) -> Iterator[Resource]:
    limits = _role_limits(api)
    details = Listing(_details(api, *_LISTS))
    for page in details:
        users = list(each(api, ALL_REGIONS, (USER, ACCESS_KEY), partial(_user, api), _of(page, USER)))
        yield from users
        holders = (one for one in users if not one.unlisted and may_have_access_keys(one))
        yield from each(api, ALL_REGIONS, ACCESS_KEY, partial(access_keys_of, api), holders, calls=True)
        yield from each(api, ALL_REGIONS, GROUP, partial(group, api.account), _of(page, GROUP))
        yield from each(api, ALL_REGIONS, ROLE, partial(_role, api, limits), _of(page, ROLE))
        yield from each(api, ALL_REGIONS, POLICY, partial(policy, api.account), _of(page, POLICY))
        yield from each(api, ALL_REGIONS, AWS_POLICY, partial(_aws_policy, api), _of(page, AWS_POLICY))
    yield from details.unreadable(api, ALL_REGIONS, *_LISTS, ACCESS_KEY)
    yield from each(api, ALL_REGIONS, CERTIFICATE, partial(certificate, api.account), Listing(_certificates(api)))


def _user(api: Api, detail: Item) -> Resource:
    return user(api.account, detail, reported_credentials(api, str(detail["Arn"])))


def _role(api: Api, limits: Callable[[str], Item], detail: Item) -> Resource:
    return role(api.account, detail, limits(str(detail["RoleName"])))


def _details(api: Api, *types: str) -> Iterator[Item]:
    filters, lists = [_LISTS[type][0] for type in types], [_LISTS[type][1] for type in types]
    pages = answers(api, "iam", "get_account_authorization_details", "Marker", Filter=filters, MaxItems=1000)
    for page in pages:
        if not any(name in page for name in lists):
            raise Unavailable("get_account_authorization_details: AWS's answer has no list")
        yield page


def _of(page: Item, type: str) -> list[Item]:
    found = list(page.get(_LISTS[type][1], ()))
    return [one for one in found if _may_be_of(one["Arn"], type)] if type in (POLICY, AWS_POLICY) else found


def _may_be_of(arn: Any, type: str) -> bool:
    """Tell whose policy this is; one without an ARN may be AWS's or the account's."""
    return isinstance(arn, Unread) or (":iam::aws:" in arn) == (type == AWS_POLICY)


def _aws_policy(api: Api, detail: Item) -> Resource | None:
    """Return a policy of AWS that something has; one of which that is not said is taken to be had."""
    uses = [detail.get(name, 1) for name in ("AttachmentCount", "PermissionsBoundaryUsageCount")]
    return aws_policy(api.account, detail) if any(uses) else None


def _certificates(api: Api) -> Iterator[Item]:
    return api.pages("iam", "list_server_certificates", "ServerCertificateMetadataList")


def _role_limits(api: Api) -> Callable[[str], Item]:
    """Return what gives a role's description and session length: GetAccountAuthorizationDetails has neither."""
    try:
        listed = api.pages("iam", "list_roles", "Roles", MaxItems=1000)
        named = ((one["RoleName"], one) for one in listed)
        roles = {name: picked(one, *_LIMITS) for name, one in named if isinstance(name, str)}
        missing = hidden(Unavailable("the role was made while the account was being read"))
    except PROBLEMS as problem:
        roles, missing = {}, hidden(problem)
    return lambda name: roles.get(name) or dict.fromkeys(_LIMITS, missing)


def _detail(api: Api, resource: Resource) -> Item | None:
    pages = _details(api, resource.type)
    return next((one for page in pages for one in _of(page, resource.type) if one["Arn"] == resource.id), None)


def _user_again(api: Api, resource: Resource) -> Resource | None:
    found = _detail(api, resource)
    return user(api.account, found, live_credentials(api, resource.id, resource.name)) if found else None


def _group_again(api: Api, resource: Resource) -> Resource | None:
    found = _detail(api, resource)
    return group(api.account, found) if found else None


def _role_again(api: Api, resource: Resource) -> Resource | None:
    found = _detail(api, resource)
    if not found:
        return None
    answer = api.call("iam", "get_role", RoleName=resource.name)
    return role(api.account, found, picked(answer["Role"], *_LIMITS))


def _policy_again(api: Api, resource: Resource) -> Resource | None:
    found = _detail(api, resource)
    return policy(api.account, found) if found else None


def _aws_policy_again(api: Api, resource: Resource) -> Resource | None:
    found = _detail(api, resource)
    return _aws_policy(api, found) if found else None


def _access_key_again(api: Api, resource: Resource) -> Resource | None:
    arn = resource.id.partition("/accesskey/")[0]
    keys = (access_key(api.account, arn, key) for key in access_keys(api, arn.rpartition("/")[2]))
    return next((key for key in keys if key.id == resource.id), None)


def _certificate_again(api: Api, resource: Resource) -> Resource | None:
    certificates = (certificate(api.account, one) for one in _certificates(api))
    return next((one for one in certificates if one.id == resource.id), None)


_REREAD: dict[str, Callable[[Api, Resource], Resource | None]] = {
    USER: _user_again,
    ACCESS_KEY: _access_key_again,
    GROUP: _group_again,
    ROLE: _role_again,
    POLICY: _policy_again,
    AWS_POLICY: _aws_policy_again,
    CERTIFICATE: _certificate_again,
}

COLLECTOR = Collector(
    Service("iam", "AWS IAM", tuple(_REREAD), actions(READS), regional=False),
    READS,
    collect,
    reread,
)
