"""Each trail: how it keeps its files, whether its events arrive, and who can reach its bucket."""

from __future__ import annotations

from dataclasses import dataclass

from tests.truth.account import ABROAD, HOME, Truth, holds
from tests.truth.buckets import made, put_policy, statement, unblock
from tests.truth.statements import OTHER

ON_ACCOUNT = "multi_region s3_write_events s3_read_events"
ON_TRAIL = {"validation", "kms", "cloudwatch", "bucket_public", "bucket_logging"}
PLAIN = "validation kms cloudwatch bucket_logging"
"""What fails on a trail that nobody set anything of."""


@dataclass(frozen=True)
class Trail:
    """``right`` are the rules that pass although they fail on a plain trail, ``wrong`` the other way round."""

    right: str = ""
    wrong: str = ""
    skipped: str = ""
    validation: bool = False
    key: str = ""
    delivered: float | None = None
    group: bool = False
    bucket: str = "closed"
    region: str = HOME
    logs: bool = True
    started: float = 2
    error: str | None = None
    unknown: str = ""


KEY = "arn:aws:kms:us-east-1:300000000000:key/0a1b2c3d-0000-4000-8000-000000000000"
TRAILS = {
    "plain": Trail(),
    "plain-abroad": Trail(region=ABROAD),
    "stopped": Trail(logs=False),
    "validated": Trail("validation", validation=True),
    "validated-abroad": Trail("validation", validation=True, region=ABROAD),
    "encrypted": Trail("kms", key=KEY),
    "by-alias": Trail("kms", key="alias/trail"),
    "delivered-today": Trail("cloudwatch", group=True, delivered=0.1),
    "delivered-just-in-time": Trail("cloudwatch", group=True, delivered=0.9),
    "delivered-too-long-ago": Trail(group=True, delivered=1.2),
    "delivered-never": Trail(group=True),
    "started-just-now": Trail(unknown="cloudwatch", group=True, started=0.01),
    "started-again-just-now": Trail(unknown="cloudwatch", group=True, started=0.9, delivered=40),
    "started-a-day-ago": Trail(group=True, started=1.1),
    "started-and-refused": Trail(group=True, started=0.01, error="AccessDenied"),
    "started-and-stopped": Trail(group=True, started=0.01, logs=False),
    "started-without-group": Trail(started=0.01),
    "started-and-delivered": Trail("cloudwatch", group=True, started=0.01, delivered=0),
    "delivered-last-year": Trail(group=True, delivered=400, logs=False),
    "logged": Trail("bucket_logging", bucket="logged"),
    "open": Trail(wrong="bucket_public", bucket="open"),
    "open-abroad": Trail(wrong="bucket_public", bucket="open-abroad", region=ABROAD),
    "open-to-write": Trail(wrong="bucket_public", bucket="open-to-write"),
    "open-by-acl": Trail(wrong="bucket_public", bucket="open-by-acl"),
    "open-but-blocked": Trail(bucket="open-but-blocked"),
    "elsewhere": Trail(skipped="bucket_public bucket_logging", bucket="elsewhere"),
    "everything": Trail(
        "validation kms cloudwatch bucket_logging", validation=True, key=KEY, group=True, delivered=0, bucket="logged"
    ),
}


@holds(services=("account", "cloudtrail", "s3"))
def trails(truth: Truth) -> None:
    """One trail for each setting. https://docs.aws.amazon.com/securityhub/latest/userguide/cloudtrail-controls.html"""
    buckets = _buckets(truth)
    for name, trail in TRAILS.items():
        _trail(truth, name, trail, buckets[trail.bucket])
        others = {*trail.skipped.split(), *trail.unknown.split()}
        failing = ({*PLAIN.split()} | {*trail.wrong.split()}) - {*trail.right.split()} - others
        said = {"skipped": trail.skipped, "unknown": trail.unknown}
        truth.judged(name, fails=" ".join(failing), passes=" ".join(ON_TRAIL - failing - others), **said)
    truth.client("s3").delete_bucket(Bucket=buckets["elsewhere"])
    truth.judged(truth.cloud.account, fails=ON_ACCOUNT)


def _buckets(truth: Truth) -> dict[str, str]:
    """Buckets that are open in each way, and ones that are not."""
    s3, buckets = truth.client("s3"), {}
    for name in ("closed", "logged", "open", "open-to-write", "open-by-acl", "open-but-blocked", "elsewhere"):
        buckets[name] = made(truth, name)
    buckets["open-abroad"] = made(truth, "open-abroad", ABROAD)
    for name in ("open", "open-abroad", "open-to-write", "open-by-acl", "open-but-blocked"):
        unblock(truth, buckets[name])
    for name in ("open", "open-abroad", "open-but-blocked"):
        put_policy(truth, buckets[name], [statement()])
    put_policy(truth, buckets["open-to-write"], [statement(Action="s3:PutObject")])
    put_policy(truth, buckets["closed"], [statement(Principal={"AWS": f"arn:aws:iam::{OTHER}:root"})])
    unblock(truth, buckets["open-but-blocked"], {"RestrictPublicBuckets": True})
    controls = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    s3.put_bucket_ownership_controls(Bucket=buckets["open-by-acl"], OwnershipControls=controls)
    s3.put_bucket_acl(Bucket=buckets["open-by-acl"], ACL="public-read")
    deliver = {"Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject"}
    put_policy(truth, made(truth, "access-logs"), [statement(**deliver)])
    target = {"TargetBucket": f"access-logs-{truth.cloud.account}", "TargetPrefix": ""}
    s3.put_bucket_logging(Bucket=buckets["logged"], BucketLoggingStatus={"LoggingEnabled": target})
    return buckets


def _trail(truth: Truth, name: str, trail: Trail, bucket: str) -> None:
    cloudtrail = truth.client("cloudtrail", trail.region)
    settings = {"KmsKeyId": trail.key} if trail.key else {}
    if trail.group:
        group = f"arn:aws:logs:{trail.region}:{truth.cloud.account}:log-group:trail:*"
        role = f"arn:aws:iam::{truth.cloud.account}:role/trail"
        settings |= {"CloudWatchLogsLogGroupArn": group, "CloudWatchLogsRoleArn": role}
    cloudtrail.create_trail(Name=name, S3BucketName=bucket, EnableLogFileValidation=trail.validation, **settings)
    if trail.logs:
        cloudtrail.start_logging(Name=name)
    started = {"started_days": trail.started} if trail.logs else {}
    delivered = {"delivered_days": trail.delivered, "delivery_error": trail.error}
    truth.patch("trail", region=trail.region, name=name, **delivered, **started)


@holds(services=("account", "cloudtrail", "s3"))
def hidden_parts(truth: Truth) -> None:
    """A part of a trail or of its bucket could not be read."""
    for name, whole in (("status", True), ("policy", False)):
        bucket = made(truth, name)
        unblock(truth, bucket)
        _trail(truth, f"hidden-{name}", Trail(group=True), bucket)
        truth.judged(
            f"hidden-{name}",
            unknown="cloudwatch" if whole else "bucket_public",
            fails="validation kms bucket_logging" + " cloudwatch" * (not whole),
            passes="bucket_public" * whole,
        )
    arn = f"arn:aws:cloudtrail:{HOME}:{truth.cloud.account}:trail/hidden-status"
    truth.cloud.control("deny", actions=["cloudtrail:GetTrailStatus"], resources=[arn])
    bucket = f"arn:aws:s3:::policy-{truth.cloud.account}"
    truth.cloud.control("deny", actions=["s3:GetBucketPolicy"], resources=[bucket])
    truth.judged(truth.cloud.account, fails=ON_ACCOUNT)


@holds(services=("account", "cloudtrail"))
def buckets_unchosen(truth: Truth) -> None:
    """Whether a trail's bucket is public cannot be said while nobody looks at buckets."""
    _trail(truth, "main", Trail(validation=True, key=KEY), made(truth, "logs"))
    truth.judged("main", unknown="bucket_public bucket_logging", passes="validation kms", fails="cloudwatch")
    truth.judged(truth.cloud.account, fails=ON_ACCOUNT)
