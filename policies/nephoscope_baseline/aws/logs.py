"""Rules on the log groups of CloudWatch Logs."""

from __future__ import annotations

from nephoscope.domain import Fail, Parameter, Severity, View, rule

GROUP = "AWS::Logs::LogGroup"
KEPT = Parameter("days", "Minimum retention in days", "days", 365, "higher", most=3653)
"""A year, as in Security Hub: https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html"""


@rule(
    "aws.logs.group_kms",
    on=GROUP,
    severity=Severity.LOW,
    link="https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html",
    fix="""
        1. Create a symmetric KMS key in the region of the log group, and allow CloudWatch Logs to use it in the key
           policy.
        2. Associate the key with the command below; the console offers that for new log groups only.
        3. Events that were stored before stay encrypted as they are.
    """,
    commands="""
        aws logs associate-kms-key --region={region} --log-group-name={name} --kms-key-id={KEY_ARN}
    """,
    inputs={
        "KEY_ARN": "the ARN of your own KMS key",
    },
    good=[{"LogGroupName": "app", "KmsKeyId": "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d"}],
    bad=[{"LogGroupName": "app", "KmsKeyId": None}, {"LogGroupName": "app"}],
)
def group_kms(group: View) -> bool | Fail:
    """Log group is not encrypted with a customer managed key.

    CloudWatch Logs encrypts every log group, but you cannot decide who may use AWS's own key, or disable it. Some
    frameworks ask for a key that you control.
    """
    return bool(group["KmsKeyId"]) or Fail("The log group has no KMS key", "KmsKeyId")


@rule(
    "aws.logs.retention",
    on=GROUP,
    severity=Severity.MEDIUM,
    parameters=[KEPT],
    link="https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html",
    fix="""
        1. In the CloudWatch console, choose Log groups, select the log group, and choose Actions, Edit retention
           setting.
        2. Choose a period of 365 days or more, or Never expire, and save.
    """,
    commands="""
        aws logs put-retention-policy --region={region} --log-group-name={name} --retention-in-days={RETENTION_DAYS}
    """,
    inputs={"RETENTION_DAYS": "365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653"},
    remediations=("aws.logs.extend_retention",),
    good=[
        {"LogGroupName": "app", "RetentionInDays": None},
        {"LogGroupName": "app", "RetentionInDays": 365},
        {"LogGroupName": "app"},
    ],
    bad=[{"LogGroupName": "app", "RetentionInDays": 364}, {"LogGroupName": "app", "RetentionInDays": 1}],
)
def retention(group: View, *, days: int) -> bool | Fail:
    """Log group deletes its events too early.

    An intrusion is often noticed months after it began. What happened can then only be found out from logs that are
    still there.
    """
    kept = group["RetentionInDays"]
    if not kept:  # events never expire
        return True
    kept = int(kept)
    return kept >= days or Fail(f"Events are kept for {kept} days; required: {days}", "RetentionInDays")
