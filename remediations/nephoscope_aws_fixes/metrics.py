"""What CloudWatch tells of the use of a resource."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from nephoscope.domain import LiveSession
from nephoscope_aws_fixes.setting import Target, operation

DAYS = 14
"""How far back the use of a resource is looked for."""

METRICS = operation("cloudwatch", "get_metric_statistics", "cloudwatch:GetMetricStatistics", anywhere=True)


def by_day(target: Target, session: LiveSession, metric: str, statistic: str, dimension: str, name: str) -> list[float]:
    """Return a statistic of each of the last :data:`DAYS` days; nothing of days that CloudWatch knows nothing of.

    :param metric: with its namespace, as ``AWS/RDS DatabaseConnections``.
    """
    namespace, _, called = metric.partition(" ")
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    asked = {
        "Namespace": namespace,
        "MetricName": called,
        "Dimensions": [{"Name": dimension, "Value": name}],
        "StartTime": (today - timedelta(days=DAYS)).isoformat(),
        "EndTime": (today + timedelta(days=1)).isoformat(),
        "Period": 86_400,
        "Statistics": [statistic],
    }
    answer = session.read(METRICS.on(target, asked)) or {}
    return [float(each[statistic]) for each in answer.get("Datapoints", [])]
