"""Secrets: who may read them, whether they rotate, and whether anybody still uses them."""

from __future__ import annotations

from typing import Any

from tests.truth.account import ABROAD, HOME, Truth, holds
from tests.truth.people import policies

DAYS = {"AutomaticallyAfterDays": 30}


def _kept(truth: Truth, name: str, region: str = HOME, **more: Any) -> None:
    truth.client("secretsmanager", region).create_secret(Name=name, SecretString="s", **more)


@holds()
def secrets(truth: Truth) -> None:
    """Secrets by rotation and by age, replicas, those of services, and those that wait for their deletion."""
    _rotated(truth)
    _aged(truth)
    _of_others(truth)


def _rotated(truth: Truth) -> None:
    api = truth.client("secretsmanager")
    for name, rules in {
        "days": DAYS,
        "rarely": {"AutomaticallyAfterDays": 1000},
        "rate": {"ScheduleExpression": "rate(10 days)"},
        "cron": {"ScheduleExpression": "cron(0 16 1,15 * ? *)", "Duration": "2h"},
        "app/prod/db": DAYS,
        "cancelled": DAYS,
        "never": None,
    }.items():
        _kept(truth, name)
        if rules:
            api.rotate_secret(SecretId=name, RotationRules=rules)
        verdict = "fails" if name in ("cancelled", "never") else "passes"
        truth.judged(name, **{verdict: "rotation"})
    api.cancel_rotate_secret(SecretId="cancelled")
    _kept(truth, "going")
    api.delete_secret(SecretId="going", RecoveryWindowInDays=7)
    truth.judged("going", skipped="rotation unused")


def _aged(truth: Truth) -> None:
    for name, age, used, right in [
        ("used-today", 400, 0, True),
        ("used-89", 400, 89, True),
        ("used-90", 400, 90, True),
        ("used-91", 400, 91, False),
        ("used-400", 500, 400, False),
        ("unused-new", 0, None, True),
        ("unused-89", 89.5, None, True),
        ("unused-90", 90.5, None, True),
        ("unused-91", 91.5, None, False),
        ("<b>unused</b>", 400, None, False),
    ]:
        safe = name.replace("<b>", "_").replace("</b>", "@")  # names have letters, digits and /_+=.@- only
        _kept(truth, safe, Description=name)
        truth.client("secretsmanager").rotate_secret(SecretId=safe, RotationRules=DAYS)
        patch = {"kind": "secret", "account": truth.cloud.account, "region": HOME, "name": safe, "age_days": age}
        truth.cloud.control("patch", patch if used is None else {**patch, "used_days": used})
        truth.judged(safe, fails="" if right else "unused", passes="rotation" + " unused" * right)


def _of_others(truth: Truth) -> None:
    """A replica is judged where its original is, and a service's secret is the service's to rotate."""
    _kept(truth, "replicated", AddReplicaRegions=[{"Region": ABROAD}])
    arns = {
        region: truth.client("secretsmanager", region).describe_secret(SecretId="replicated")["ARN"]
        for region in (HOME, ABROAD)
    }
    truth.judged(arns[HOME], fails="rotation", passes="unused")
    truth.judged(arns[ABROAD], skipped="rotation unused")
    truth.client("rds").create_db_instance(
        DBInstanceIdentifier="db", DBInstanceClass="db.t4g.micro", Engine="postgres", MasterUsername="root",
        AllocatedStorage=20, ManageMasterUserPassword=True,
    )  # fmt: skip
    owned = truth.client("rds").describe_db_instances()["DBInstances"][0]["MasterUserSecret"]["SecretArn"]
    truth.judged(owned, skipped="rotation unused")


@holds()
def opened(truth: Truth) -> None:
    """Secrets by who may read them; in the other region that is hidden."""
    api = truth.client("secretsmanager")
    for policy in policies("secretsmanager:GetSecretValue", "*", "secretsmanager:PutSecretValue"):
        _kept(truth, policy.name)
        api.put_resource_policy(SecretId=policy.name, ResourcePolicy=policy.text)
        verdict = "fails" if policy.is_open else "passes"
        truth.judged(policy.name, **{verdict: "public"})
        truth.judged(policy.name, fails="rotation", passes="unused")
    _kept(truth, "without")
    _kept(truth, "policy-taken-away")
    api.put_resource_policy(SecretId="policy-taken-away", ResourcePolicy=policy.text)
    api.delete_resource_policy(SecretId="policy-taken-away")
    for name in ("without", "policy-taken-away"):
        truth.judged(name, fails="rotation", passes="unused public")
    _kept(truth, "hidden", ABROAD)
    truth.cloud.control("deny", actions=["secretsmanager:GetResourcePolicy"], regions=[ABROAD])
    truth.judged("hidden", unknown="public", fails="rotation", passes="unused")


@holds(regions=(ABROAD,))
def replicas(truth: Truth) -> None:
    """A region that has replicas alone, whose originals nobody looks at."""
    _kept(truth, "replicated", AddReplicaRegions=[{"Region": ABROAD}])
    _kept(truth, "open", AddReplicaRegions=[{"Region": ABROAD}])
    anyone = next(each.text for each in policies("secretsmanager:GetSecretValue", "*", "secretsmanager:PutSecretValue"))
    truth.client("secretsmanager").put_resource_policy(SecretId="open", ResourcePolicy=anyone)
    truth.judged("open", skipped="rotation unused", fails="public")
    _kept(truth, "own", ABROAD)
    truth.judged("replicated", skipped="rotation unused")
    truth.judged("own", fails="rotation", passes="unused")


@holds()
def denied(truth: Truth) -> None:
    """Secrets that cannot be listed are unknown in their region and judged in the other."""
    _kept(truth, "seen")
    _kept(truth, "hidden", ABROAD)
    truth.cloud.control("deny", actions=["secretsmanager:ListSecrets"], regions=[ABROAD])
    truth.judged("seen", fails="rotation", passes="unused")
    truth.judged(f"All AWS::SecretsManager::Secret in {ABROAD}", unknown="public rotation unused")
