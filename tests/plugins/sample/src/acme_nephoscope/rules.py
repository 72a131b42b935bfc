"""ACME's rules on S3."""

from __future__ import annotations

from nephoscope.domain import Fail, Severity, View, rule

TEAMS = ("data", "payments", "web")


@rule(
    "acme.s3.naming",
    on="AWS::S3::Bucket",
    severity=Severity.LOW,
    fix="""
        1. Make a bucket whose name begins with your team's prefix.
        2. Copy the objects, point what uses the bucket at the new one, then delete the old one.
    """,
    link="https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html",
    good=[{"BucketName": "data-lake"}, {"BucketName": "web-assets"}],
    bad=[{"BucketName": "lake"}, {"BucketName": "database-dumps"}],
)
def naming(bucket: View) -> bool | Fail:
    """Bucket names begin with the prefix of a team.

    A bucket whose team nobody knows is a bucket that nobody looks after.
    """
    name = bucket["BucketName"]
    return name.startswith(tuple(f"{team}-" for team in TEAMS)) or Fail(f"{name} begins with no team's prefix")
