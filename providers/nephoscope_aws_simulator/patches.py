"""What no AWS API can set: ages, last uses, the root user. One function for each `kind` of POST /simulator/patch."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from nephoscope_aws_simulator.accounts import DEFAULT_ACCOUNT
from nephoscope_aws_simulator.corrections import backup, findings, watching
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
    """password, mfa, virtual_mfa, access_key, access_key_age_days, used_days (null: never)."""
    root = world.root(item.get("account", DEFAULT_ACCOUNT))
    root.password = bool(item.get("password", root.password))
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


def _secret(_: World, item: Item) -> None:
    """name, region, age_days, used_days (of which Secrets Manager tells the day alone)."""
    from moto.secretsmanager.models import secretsmanager_backends

    secrets = secretsmanager_backends[item.get("account", DEFAULT_ACCOUNT)][item["region"]].secrets
    secret: Any = secrets[item["name"]]
    if "age_days" in item:
        secret.created_date = _epoch(ago(item["age_days"]))
    if "used_days" in item:
        secret.last_accessed = _epoch(ago(item["used_days"]).replace(hour=0, minute=0, second=0))


def _certificate(_: World, item: Item) -> None:
    """arn, days (until it expires), type and status (as the API writes them)."""
    from moto.acm.models import acm_backends

    region = item["arn"].split(":")[3]
    backend = acm_backends[item.get("account", DEFAULT_ACCOUNT)][region]
    certificate: Any = backend.get_certificate(item["arn"])
    certificate.type = item.get("type", certificate.type)
    certificate.status = item.get("status", certificate.status)
    if "days" in item:
        until = ago(-item["days"])
        certificate._not_valid_after = lambda _: until


def _machine(_: World, item: Item) -> None:
    """region, id, ping (as the API writes it), patches (COMPLIANT or NON_COMPLIANT; without, none are reported)."""
    account = item.get("account", DEFAULT_ACCOUNT)
    watching.report(account, item["region"], item["id"], item["ping"], item.get("patches"))


def _epoch(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp())


def _root_key(world: World, item: Item) -> None:
    """used_days."""
    world.root(item.get("account", DEFAULT_ACCOUNT)).access_key_used = ago(item["used_days"])


def _analyzer(world: World, item: Item) -> None:
    """region, name, status (as the API writes it, e.g. CREATING)."""
    world.analyzers[(item.get("account", DEFAULT_ACCOUNT), item["region"])][item["name"]]["status"] = item["status"]


def _config_recorder(_: World, item: Item) -> None:
    """region, name, last_status (as the API writes it, e.g. SUCCESS)."""
    from moto.config.models import config_backends

    recorders = config_backends[item.get("account", DEFAULT_ACCOUNT)][item["region"]].recorders
    recorders[item["name"]].status.last_status = item["last_status"]


def _inspector(_: World, item: Item) -> None:
    """region, then scanned (ec2, ecr) and status (as the API writes it, e.g. ENABLING), or failed (an error code)."""
    from moto.inspector2.models import inspector2_backends

    account = item.get("account", DEFAULT_ACCOUNT)
    if "failed" in item:
        vars(inspector2_backends[account][item["region"]])["failed"] = item["failed"]
        return
    setattr(inspector2_backends[account][item["region"]].account_status[account], item["scanned"], item["status"])


def _backup_vault(_: World, item: Item) -> None:
    """region, name, said (further members of the list's entry, null to leave one out), points (as the API lists)."""
    where = (item.get("account", DEFAULT_ACCOUNT), item["region"], item["name"])
    backup.change(*where, item.get("said", {}))
    backup.put(*where, item.get("points", []))


def _bucket(_: World, item: Item) -> None:
    """name, mfa_delete (Enabled or Disabled)."""
    from moto.s3.models import s3_backends

    account = item.get("account", DEFAULT_ACCOUNT)
    bucket: Any = s3_backends[account]["aws"].get_bucket(item["name"])
    bucket.mfa_delete = item["mfa_delete"]


def _trail(_: World, item: Item) -> None:
    """region, name, delivered_days (since the last delivery to CloudWatch Logs, null: never), delivery_error,
    started_days (since its logging was started)."""
    from moto.cloudtrail.models import cloudtrail_backends

    trail: Any = cloudtrail_backends[item.get("account", DEFAULT_ACCOUNT)][item["region"]].trails[item["name"]]
    days = item["delivered_days"]
    trail.cloudwatch_delivery = None if days is None else int(time.time() - days * 86_400)
    trail.cloudwatch_error = item.get("delivery_error")
    if "started_days" in item:
        trail.status.started = ago(item["started_days"])


def _subscription(_: World, item: Item) -> None:
    """region, topic (its name), arn (as the API writes it, e.g. PendingConfirmation)."""
    from moto.sns.models import sns_backends

    for subscription in sns_backends[item.get("account", DEFAULT_ACCOUNT)][item["region"]].subscriptions.values():
        if subscription.topic.name == item["topic"]:
            subscription.arn = item["arn"]


def _kms_key(_: World, item: Item) -> None:
    """region, id, state (as the API writes it, e.g. PendingImport)."""
    from moto.kms.models import kms_backends

    kms_backends[item.get("account", DEFAULT_ACCOUNT)][item["region"]].keys[item["id"]].key_state = item["state"]


PATCHES: dict[str, Callable[[World, Item], None]] = {
    "access_key": _access_key,
    "user": _user,
    "role": _role,
    "root": _root,
    "instance_launch": _instance_launch,
    "instance_stopped": _instance_stopped,
    "guardduty_finding": _guardduty_finding,
    "organization_account": _organization_account,
    "secret": _secret,
    "machine": _machine,
    "certificate": _certificate,
    "root_key": _root_key,
    "analyzer": _analyzer,
    "config_recorder": _config_recorder,
    "inspector": _inspector,
    "kms_key": _kms_key,
    "bucket": _bucket,
    "trail": _trail,
    "subscription": _subscription,
    "backup_vault": _backup_vault,
    "status": _status,
}
