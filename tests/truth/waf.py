"""Web ACLs: whether they log, here and for CloudFront."""

from __future__ import annotations

from tests.truth.account import ABROAD, HOME, Truth, holds

BUCKET = "arn:aws:s3:::aws-waf-logs-site"


def _made(truth: Truth, name: str, scope: str = "REGIONAL", region: str = HOME, logged: bool = False) -> str:
    """Make a web ACL and return its ARN."""
    waf = truth.client("wafv2", region)
    shown = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": name}
    arn: str = waf.create_web_acl(Name=name, Scope=scope, DefaultAction={"Allow": {}}, VisibilityConfig=shown)[
        "Summary"
    ]["ARN"]
    if logged:
        waf.put_logging_configuration(LoggingConfiguration={"ResourceArn": arn, "LogDestinationConfigs": [BUCKET]})
    return arn


@holds()
def acls(truth: Truth) -> None:
    """Web ACLs of both scopes and regions, some with the same name."""
    for scope, region in [("REGIONAL", HOME), ("CLOUDFRONT", HOME), ("REGIONAL", ABROAD)]:
        for name, logged in [("logged", True), ("silent", False), ("site", scope == "CLOUDFRONT")]:
            arn = _made(truth, name, scope, region, logged)
            truth.judged(arn, **{"passes" if logged else "fails": "logging"})
    arn = _made(truth, "not-any-more", logged=True)
    truth.client("wafv2").delete_logging_configuration(ResourceArn=arn)
    truth.judged(arn, fails="logging")


@holds()
def logging_hidden(truth: Truth) -> None:
    """Whether they log is hidden in one region, and which there are in the other."""
    _made(truth, "hidden", region=ABROAD, logged=True)
    _made(truth, "unlisted", logged=True)
    truth.cloud.control("deny", actions=["wafv2:ListLoggingConfigurations"], regions=[ABROAD])
    truth.cloud.control("deny", actions=["wafv2:ListWebACLs"], regions=[HOME])
    truth.judged("hidden", unknown="logging")
    truth.judged(f"All AWS::WAFv2::WebACL in {HOME}", unknown="logging")


@holds(regions=(ABROAD,))
def cloudfront_is_at_home(truth: Truth) -> None:
    """Web ACLs for CloudFront are asked for in us-east-1 alone: where that is not chosen nothing is said of them."""
    _made(truth, "site", "CLOUDFRONT")
    truth.judged("site", skipped="logging")
    _made(truth, "own", region=ABROAD)
    truth.judged("own", fails="logging")
