"""How many connections a database had lately, which CloudWatch tells: some may come from where they no longer can."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from nephoscope.domain import LiveSession
from nephoscope_aws_fixes.setting import Target, operation

DAYS = 14
METRICS = operation("cloudwatch", "get_metric_statistics", "cloudwatch:GetMetricStatistics", anywhere=True)


def most_connections(target: Target, namespace: str, dimension: str, session: LiveSession) -> str:
    """Say how many connections at a time there were at most, of a database that a dimension names as its calls do.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html,
    https://docs.aws.amazon.com/redshift/latest/mgmt/metrics-listing.html (DatabaseConnections)
    """
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    asked = {
        "Namespace": namespace,
        "MetricName": "DatabaseConnections",
        "Dimensions": [{"Name": dimension, "Value": next(iter(target.names.values()))}],
        "StartTime": (today - timedelta(days=DAYS)).isoformat(),
        "EndTime": (today + timedelta(days=1)).isoformat(),
        "Period": 86_400,
        "Statistics": ["Maximum"],
    }
    points = (session.read(METRICS.on(target, asked)) or {}).get("Datapoints", [])
    if not points:
        return f"CloudWatch has no data on its connections in the last {DAYS} days."
    if not (most := round(max(each["Maximum"] for each in points))):
        return f"Nothing connected to it in the last {DAYS} days."
    return (
        f"It had up to {most:,} connection{'s' if most > 1 else ''} at a time in the last {DAYS} days. CloudWatch does "
        "not tell which of them came from outside the VPC."
    )
