"""What no AWS API can set: ages, last uses, the root user. One function for each `kind` of POST /simulator/patch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nephoscope_aws_simulator.accounts import DEFAULT_ACCOUNT
from nephoscope_aws_simulator.corrections import findings
from nephoscope_aws_simulator.world import World, ago

Item = Mapping[str, Any]


def _iam(item: Item) -> Any:
    from moto.iam.models import iam_backends

    return iam_backends[item.get("account", DEFAULT_ACCOUNT)]["aws"]


def _access_key(_: World, item: Item) -> None:
    """id, age_days, used_days (null: never), used_service, used_region."""
    from moto.iam.models import AccessKeyLastUsed

    keys = {key.access_key_id: key for user in _iam(item).users.values() for key in user.access_keys}
    key = keys[item["id"]]
    if "age_days" in item:
        key.create_date = ago(item["age_days"])
    if "used_days" in item:
        used = item["used_days"]
        service, region = item.get("used_service", "s3"), item.get("used_region", "us-east-1")
        key.last_used = None if used is None else AccessKeyLastUsed(ago(used), service, region)


def _user(_: World, item: Item) -> None:
    """name, age_days, password_used_days (null: never), password_changed_days."""
    user = _iam(item).users[item["name"]]
    if "age_days" in item:
        user.create_date = ago(item["age_days"])
    if "password_used_days" in item:
        used = item["password_used_days"]
        user.password_last_used = None if used is None else ago(used)
    if "password_changed_days" in item:
        user.password_last_changed = ago(item["password_changed_days"])


def _role(_: World, item: Item) -> None:
    """name, age_days, used_days (null: never)."""
    role = {role.name: role for role in _iam(item).roles.values()}[item["name"]]
    if "age_days" in item:
        role.create_date = ago(item["age_days"])
    if "used_days" in item:
        role.last_used = None if item["used_days"] is None else ago(item["used_days"])


def _root(world: World, item: Item) -> None:
    """mfa, virtual_mfa, access_key, access_key_age_days, used_days (null: never)."""
    root = world.root(item.get("account", DEFAULT_ACCOUNT))
    root.mfa = bool(item.get("mfa", root.mfa))
    root.virtual_mfa = bool(item.get("virtual_mfa", root.virtual_mfa))
    root.access_key = bool(item.get("access_key", root.access_key))
    root.access_key_rotated = ago(item.get("access_key_age_days", 400)) if root.access_key else None
    if "used_days" in item:
        root.password_used = None if item["used_days"] is None else ago(item["used_days"])


def _instance(item: Item) -> Any:
    from moto.ec2.models import ec2_backends

    reservations = ec2_backends[item.get("account", DEFAULT_ACCOUNT)][item["region"]].reservations.values()
    instances = {instance.id: instance for reservation in reservations for instance in reservation.instances}
    return instances[item["id"]]


def _instance_launch(_: World, item: Item) -> None:
    """id, region, age_days."""
    _instance(item).launch_time = ago(item["age_days"])


def _instance_stopped(_: World, item: Item) -> None:
    """id, region, age_days (null: the operating system shut itself down, of which EC2 gives no time)."""
    instance, days = _instance(item), item["age_days"]
    instance.stop()
    # As AWS writes it: https://repost.aws/knowledge-center/ec2-linux-troubleshoot-reboot-termination
    instance._reason = "" if days is None else f"User initiated ({ago(days):%Y-%m-%d %H:%M:%S} GMT)"


def _status(_: World, item: Item) -> None:
    """of (service and moto's name of its things, as rds.databases), id, region, status (as the API writes it), member.

    For what passes too quickly in moto: as what is being deleted.
    """
    from moto.backends import get_backend

    service, things = item["of"].split(".")
    backend = get_backend(service)[item.get("account", DEFAULT_ACCOUNT)][item["region"]]
    setattr(getattr(backend, things)[item["id"]], item.get("member", "status"), item["status"])


def _guardduty_finding(_: World, item: Item) -> None:
    """region, finding (as the API writes it, with its id; what is not given stays as it was)."""
    findings.put(item.get("account", DEFAULT_ACCOUNT), item["region"], item["finding"])


def _organization_account(_: World, item: Item) -> None:
    """id, name, state (as the API writes it, e.g. PENDING_CLOSURE)."""
    from moto.organizations.models import organizations_backends

    organization = organizations_backends[item.get("account", DEFAULT_ACCOUNT)]["aws"]
    account = {account.id: account for account in organization.accounts}[item["id"]]
    account.name = item.get("name", account.name)
    account.state = account.status = item.get("state", account.state)


PATCHES: dict[str, Callable[[World, Item], None]] = {
    "access_key": _access_key,
    "user": _user,
    "role": _role,
    "root": _root,
    "instance_launch": _instance_launch,
    "instance_stopped": _instance_stopped,
    "guardduty_finding": _guardduty_finding,
    "organization_account": _organization_account,
    "status": _status,
}
