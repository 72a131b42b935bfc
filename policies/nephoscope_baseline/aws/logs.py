"""Rules on the log groups of CloudWatch Logs."""

from __future__ import annotations

from nephoscope.domain import Fail, Severity, View, rule

GROUP = "AWS::Logs::LogGroup"


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
