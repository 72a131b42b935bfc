"""What watches an account: every service on in one region, and three chains from a trail to a person."""

from __future__ import annotations

from tests.aws.collectors.world import ACCOUNT, REGION

from nephoscope_aws_simulator.testing import Simulator
from nephoscope_baseline.aws.watched_events import WATCHES

TRAIL_PATTERN = WATCHES["alarm_trail"].pattern


def seed(simulator: Simulator) -> None:
    seed_services(simulator)
    seed_alarms(simulator)


def seed_services(simulator: Simulator) -> None:
    simulator.client("guardduty", REGION).create_detector(Enable=True)
    simulator.client("securityhub", REGION).enable_security_hub()
    simulator.client("inspector2", REGION).enable(accountIds=[ACCOUNT], resourceTypes=["EC2", "ECR"])
    simulator.client("macie2", REGION).enable_macie()
    simulator.client("accessanalyzer", REGION).create_analyzer(analyzerName="outside", type="ACCOUNT")
    recorder = {
        "name": "default",
        "roleARN": f"arn:aws:iam::{ACCOUNT}:role/config",
        "recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": True},
    }
    settings = simulator.client("config", REGION)
    settings.put_configuration_recorder(ConfigurationRecorder=recorder)
    simulator.client("s3").create_bucket(Bucket="history")
    settings.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "history"})
    settings.start_configuration_recorder(ConfigurationRecorderName="default")


def seed_alarms(simulator: Simulator) -> None:
    logs, sns = simulator.client("logs", REGION), simulator.client("sns", REGION)
    logs.create_log_group(logGroupName="trail")
    for name, pattern in (("Trail", TRAIL_PATTERN), ("Keys", WATCHES["alarm_kms"].pattern), ("Errors", "ERROR")):
        metric = {"metricName": name, "metricNamespace": "Security", "metricValue": "1"}
        logs.put_metric_filter(
            logGroupName="trail", filterName=name, filterPattern=pattern, metricTransformations=[metric]
        )
    heard, unheard = (sns.create_topic(Name=name)["TopicArn"] for name in ("heard", "unheard"))
    sns.subscribe(TopicArn=heard, Protocol="email", Endpoint="security@example.com")
    stop = f"arn:aws:automate:{REGION}:ec2:stop"
    for name, action in (("Trail", heard), ("Keys", unheard), ("Errors", stop), ("Other", stop)):
        simulator.client("cloudwatch", REGION).put_metric_alarm(
            AlarmName=name,
            Namespace="Security",
            MetricName=name,
            Statistic="Sum",
            Period=300,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            AlarmActions=[action],
        )
    simulator.client("cloudwatch", REGION).put_composite_alarm(
        AlarmName="Any", AlarmRule='ALARM("Errors") OR ALARM("Lost")', AlarmActions=[heard], ActionsSuppressor="Keys"
    )
    trail = simulator.client("cloudtrail", REGION)
    simulator.client("s3").create_bucket(Bucket="logs")
    trail.create_trail(
        Name="main",
        S3BucketName="logs",
        IsMultiRegionTrail=True,
        CloudWatchLogsLogGroupArn=f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:trail:*",
        CloudWatchLogsRoleArn=f"arn:aws:iam::{ACCOUNT}:role/logs",
    )
    trail.start_logging(Name="main")
