"""Rules on secrets in Secrets Manager: how they are kept, never what they hold."""

from __future__ import annotations

from typing import Any

from nephoscope.domain import Fail, NotKnown, Parameter, ResourceView, Severity, Unknown, View, rule
from nephoscope.domain.examples import example
from nephoscope_aws.access_grants import open_grants
from nephoscope_aws.times import age_days

SECRET = "AWS::SecretsManager::Secret"

UNUSED = Parameter("days", "Maximum days without use", "days", 90, "lower")
"""Days without use after which a secret counts as unused: Security Hub's value for SecretsManager.3.
https://docs.aws.amazon.com/securityhub/latest/userguide/secretsmanager-controls.html#secretsmanager-3"""

ACCESSED, CREATED = "Observed.LastAccessedDate", "Observed.CreatedDate"


def _seen(accessed: str | None, created: str = "2024-03-01T09:30:00Z", **more: Any) -> dict[str, Any]:
    """An example: a secret that was last read on this day."""
    return {"Observed": {"LastAccessedDate": accessed, "CreatedDate": created, **more}}


def _policy(principal: Any, condition: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """An example: a secret whose policy is one statement."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
    statement |= more | ({"Condition": condition} if condition else {})
    return {"ResourcePolicy": {"Statement": [statement]}}


def _someone_elses(secret: ResourceView) -> bool:
    """Tell whether the secret is kept for its owner: a replica of another region's, or one that a service manages.

    Neither can be rotated or deleted where it stands: the original, or the service's own resource, decides.
    https://docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets.html
    https://docs.aws.amazon.com/secretsmanager/latest/userguide/service-linked-secrets.html
    """
    primary = secret["Observed.PrimaryRegion"]
    return bool(secret["Observed.OwningService"]) or (primary is not None and primary != secret.region)


@rule(
    "aws.secretsmanager.rotation",
    on=SECRET,
    severity=Severity.MEDIUM,
    link="https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets.html",
    fix="""
        1. Make sure that applications fetch the secret when they need it, and do not keep a copy.
        2. In the Secrets Manager console, open the secret, choose Rotation, Edit rotation, turn it on and choose a
           schedule; for databases the rotation function is created for you.
        3. The secret is rotated at once: check that everything that uses it still works.
    """,
    commands="""
        aws secretsmanager rotate-secret --region={region} --secret-id={id} --rotation-lambda-arn={FUNCTION_ARN}
          --rotation-rules=AutomaticallyAfterDays=30
    """,
    inputs={
        "FUNCTION_ARN": "the ARN of the rotation function",
    },
    remediations=("aws.secretsmanager.rotate",),
    good=[
        {"Name": "db", "RotationRules": {"AutomaticallyAfterDays": 30}},
        {"Name": "db", "RotationRules": {"ScheduleExpression": "rate(10 days)", "AutomaticallyAfterDays": None}},
        {"RotationRules": None, "Observed": {"OwningService": "events"}},
        example({"RotationRules": None, "Observed": {"PrimaryRegion": "eu-central-1"}}),
    ],
    bad=[
        {"Name": "db", "RotationRules": None},
        example({"RotationRules": None, "Observed": {"PrimaryRegion": "eu-west-1", "OwningService": None}}),
        {"Name": "db", "KmsKeyId": "alias/secrets"},
    ],
)
def rotation(secret: ResourceView) -> bool | Fail | None:
    """Secrets Manager rotation is off.

    A leaked secret works until somebody notices, which may be never. Rotation limits that time, and proves that the
    secret can be changed when it has to be.
    """
    if isinstance(secret["RotationRules"], View):
        return True
    return None if _someone_elses(secret) else Fail("Automatic rotation is not configured", "RotationRules")


@rule(
    "aws.secretsmanager.unused",
    on=SECRET,
    severity=Severity.MEDIUM,
    parameters=[UNUSED],
    live_only=True,
    link="https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_delete-secret.html",
    fix="""
        1. In CloudTrail, Event history, look for GetSecretValue calls on it, and ask the owner.
        2. Remove what it gives access to: the database user, the key at the other service.
        3. In the Secrets Manager console, open the secret and choose Actions, Delete secret. It can be restored for 7
           to 30 days.
    """,
    commands="""
        aws secretsmanager delete-secret --region={region} --secret-id={id} --recovery-window-in-days=30
    """,
    good=[
        _seen("2026-01-14T00:00:00Z"),
        _seen("2025-10-17T00:00:00Z"),
        _seen(None, "2025-12-24T18:00:00Z"),
        _seen(None, OwningService="rds"),
        example(_seen(None, PrimaryRegion="eu-central-1")),
    ],
    bad=[_seen("2025-10-16T00:00:00Z"), _seen(None), example(_seen(None, PrimaryRegion="eu-west-1"))],
)
def unused(secret: ResourceView, *, days: int) -> bool | Fail | None:
    """Secrets Manager secret is unused.

    It still grants the access that it was created for, to former employees too. Nobody would notice its misuse, and
    each secret is billed every month.
    """
    if _someone_elses(secret):
        return None
    accessed = secret[ACCESSED]
    path = CREATED if accessed is None else ACCESSED
    age = age_days(secret[path], secret.now, path)
    if age is None:
        raise NotKnown(path, Unknown("Secrets Manager gives no creation date"))
    # The day of an access is all that is known: of the last day, the whole day counts.
    if int(age) <= days:
        return True
    said = f"Last retrieved on {accessed[:10]}" if accessed else "Never retrieved"
    return Fail(f"{said}; the limit is {days} days", ACCESSED, CREATED)


OWN = {"AWS": "arn:aws:iam::123456789012:role/app"}


@rule(
    "aws.secretsmanager.public",
    on=SECRET,
    severity=Severity.CRITICAL,
    link="https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_resource-policies.html",
    fix="""
        1. Treat the secret as leaked: change it at its source, and store the new value.
        2. In the Secrets Manager console, open the secret and choose Overview, Resource permissions, Edit permissions.
        3. Replace the wildcard principal with the accounts or roles that use the secret, or add a condition on
           aws:PrincipalOrgID with your organization ID. Select Block public access when you save.
        4. In CloudTrail, look for GetSecretValue calls from unknown accounts.
    """,
    commands="""
        aws secretsmanager put-resource-policy --region={region} --secret-id={id} --block-public-policy
          --resource-policy={POLICY_FILE}
    """,
    inputs={
        "POLICY_FILE": "file://policy.json, where policy.json is the complete new policy",
    },
    remediations=("aws.secretsmanager.remove_public_access",),
    good=[
        _policy(OWN),
        _policy({"AWS": "arn:aws:iam::210987654321:root"}),
        _policy({"Service": "rds.amazonaws.com"}),
        _policy("*", {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
        _policy({"AWS": "*"}, {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/app-*"}}),
        _policy("*", {"StringNotEquals": {"aws:PrincipalAccount": "123456789012"}}, Effect="Deny"),
        {"ResourcePolicy": None},
        {},
    ],
    bad=[
        _policy("*"),
        _policy({"AWS": "*"}, Action="secretsmanager:*"),
        _policy({"AWS": [OWN["AWS"], "*"]}, Action=["secretsmanager:DescribeSecret", "secretsmanager:PutSecretValue"]),
        _policy("*", {"StringEquals": {"secretsmanager:VersionStage": "AWSCURRENT"}}),
        _policy("*", {"StringLike": {"aws:PrincipalOrgID": "*"}}),
        {"ResourcePolicy": {"Statement": {"Effect": "Allow", "NotPrincipal": OWN, "Action": "*", "Resource": "*"}}},
    ],
)
def public(secret: ResourceView) -> bool | Fail:
    """Secrets Manager secret is public.

    Its policy lets any AWS account in. Whoever knows its name can read the secret, or replace it with one that your
    applications then trust, without any access to your account.
    """
    for grant in open_grants(secret.key("ResourcePolicy"), own=secret.id):
        return Fail(f"{grant.who} can use this secret: policy allows {grant.actions}", grant.at)
    return True
