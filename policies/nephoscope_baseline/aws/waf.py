"""Rules on web ACLs of AWS WAF."""

from __future__ import annotations

from nephoscope.domain import Fail, Severity, View, rule

WEB_ACL = "AWS::WAFv2::WebACL"


@rule(
    "aws.waf.logging",
    on=WEB_ACL,
    severity=Severity.LOW,
    link="https://docs.aws.amazon.com/waf/latest/developerguide/logging-management-configure.html",
    fix="""
        1. Create a log group, bucket or Firehose stream whose name begins with aws-waf-logs- (for CloudFront in
           us-east-1).
        2. In the AWS WAF console, choose the web ACL, Logging and metrics, Enable, and select it.
        3. Redact fields that contain secrets, such as the Authorization header, and save.
    """,
    commands="""
        aws wafv2 put-logging-configuration --region={region}
          --logging-configuration='{"ResourceArn": "{id}", "LogDestinationConfigs": ["{DESTINATION_ARN}"]}'
    """,
    inputs={
        "DESTINATION_ARN": "the ARN of the log group, bucket or Firehose stream",
    },
    good=[
        {"Name": "site", "LoggingConfiguration": {"LogDestinationConfigs": ["arn:aws:s3:::aws-waf-logs-site"]}},
        {
            "LoggingConfiguration": {
                "LogDestinationConfigs": ["arn:aws:logs:eu-west-1:123456789012:log-group:aws-waf-logs-site"]
            }
        },
    ],
    bad=[
        {"Name": "site", "LoggingConfiguration": None},
        {"LoggingConfiguration": {"LogDestinationConfigs": []}},
        {},
    ],
)
def logging(acl: View) -> bool | Fail:
    """WAF web ACL logging is off.

    Metrics show how many requests were blocked, but not which ones, from where and by which rule. Without logs, neither
    an attack nor a customer blocked by mistake can be investigated.
    """
    if acl["LoggingConfiguration.LogDestinationConfigs"]:
        return True
    return Fail("The web ACL has no logging configuration", "LoggingConfiguration")
