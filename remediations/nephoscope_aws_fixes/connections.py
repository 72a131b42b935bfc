"""How many connections a database had lately, which CloudWatch tells: some may come from where they no longer can."""

from __future__ import annotations

from nephoscope.domain import LiveSession
from nephoscope_aws_fixes.metrics import DAYS, by_day
from nephoscope_aws_fixes.setting import Target


def most_connections(target: Target, namespace: str, dimension: str, session: LiveSession) -> str:
    """Say how many connections at a time there were at most, of a database that a dimension names as its calls do.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html,
    https://docs.aws.amazon.com/redshift/latest/mgmt/metrics-listing.html (DatabaseConnections)
    """
    name = str(next(iter(target.names.values())))
    points = by_day(target, session, f"{namespace} DatabaseConnections", "Maximum", dimension, name)
    if not points:
        return f"CloudWatch has no data on its connections in the last {DAYS} days."
    if not (most := round(max(points))):
        return f"Nothing connected to it in the last {DAYS} days."
    return (
        f"It had up to {most:,} connection{'s' if most > 1 else ''} at a time in the last {DAYS} days. CloudWatch does "
        "not tell which of them came from outside the VPC."
    )
