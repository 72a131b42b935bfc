"""Rules on CloudFront distributions: what they are for viewers."""

from __future__ import annotations

from typing import Any

from nephoscope.domain import Fail, NotKnown, Severity, View, rule
from nephoscope_aws.access_policies import all_right

DISTRIBUTION = "AWS::CloudFront::Distribution"

ENCRYPTED = ("redirect-to-https", "https-only")
"""Values of ViewerProtocolPolicy that serve nothing in clear text.
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-https-viewers-to-cloudfront.html"""

UPDATE = """
    aws cloudfront get-distribution-config --id={Id} --query=DistributionConfig

    CONFIG_ETAG=aws cloudfront get-distribution-config --id={Id} --query=ETag --output=text
    aws cloudfront update-distribution --id={Id} --if-match={CONFIG_ETAG} --distribution-config={CONFIG_FILE}
"""


def changed(what: str) -> dict[str, str]:
    """The input of :data:`UPDATE`."""
    return {"CONFIG_FILE": f"file://config.json, where config.json is what the first command prints, with {what}"}


def distribution_with(**config: Any) -> dict[str, Any]:
    """An example: a distribution with this configuration."""
    return {"DistributionConfig": {"Enabled": True, **config}}


def _serving(default: str, *others: str) -> dict[str, Any]:
    """An example: a distribution whose behaviors have these viewer protocol policies."""
    behaviors = [{"PathPattern": f"/{number}/*", "ViewerProtocolPolicy": each} for number, each in enumerate(others)]
    return distribution_with(DefaultCacheBehavior={"ViewerProtocolPolicy": default}, CacheBehaviors=behaviors)


@rule(
    "aws.cloudfront.https",
    on=DISTRIBUTION,
    severity=Severity.MEDIUM,
    link="https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-https-viewers-to-cloudfront.html",
    fix="""
        1. In the CloudFront console, choose the distribution, then Behaviors, and the behavior named in the finding.
        2. Choose Edit, set Viewer protocol policy to Redirect HTTP to HTTPS (for an API: HTTPS only), and save.
    """,
    commands=UPDATE,
    inputs=changed("another ViewerProtocolPolicy"),
    remediations=("aws.cloudfront.redirect_to_https",),
    good=[_serving("redirect-to-https"), _serving("https-only", "redirect-to-https", "https-only")],
    bad=[
        _serving("allow-all"),
        _serving("https-only", "redirect-to-https", "allow-all"),
        {},
    ],
)
def https(distribution: View) -> bool | Fail:
    """CloudFront distribution allows unencrypted HTTP.

    Traffic over HTTP, session cookies included, can be read and changed in transit. A redirect to HTTPS costs nothing
    and keeps old links working.
    """
    try:
        default = distribution["DistributionConfig.DefaultCacheBehavior.ViewerProtocolPolicy"]
    except NotKnown:
        if isinstance(found := all_right(distribution["DistributionConfig.CacheBehaviors"], _encrypts), Fail):
            return found
        raise
    if default not in ENCRYPTED:
        return Fail("The default behavior allows HTTP", "DistributionConfig.DefaultCacheBehavior")
    return all_right(distribution["DistributionConfig.CacheBehaviors"], _encrypts) or True


def _encrypts(behavior: View) -> bool | Fail:
    if behavior["ViewerProtocolPolicy"] in ENCRYPTED:
        return True
    return Fail(f"Behavior {behavior['PathPattern']} allows HTTP", behavior)


@rule(
    "aws.cloudfront.logging",
    on=DISTRIBUTION,
    severity=Severity.MEDIUM,
    link="https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging.html",
    fix="""
        1. In the CloudFront console, choose the distribution, then Logging, Create access log delivery.
        2. Choose a destination (Amazon S3, CloudWatch Logs or Firehose) and submit.
    """,
    commands="""
        aws logs put-delivery-source --region=us-east-1 --name={Id} --resource-arn={id} --log-type=ACCESS_LOGS
        DESTINATION_ARN=aws logs put-delivery-destination --region=us-east-1 --name={Id}
          --delivery-destination-configuration=destinationResourceArn={LOG_ARN}
          --query=deliveryDestination.arn --output=text
        aws logs create-delivery --region=us-east-1 --delivery-source-name={Id}
          --delivery-destination-arn={DESTINATION_ARN}
    """,
    inputs={"LOG_ARN": "the ARN of the bucket, log group or Firehose stream that receives the logs"},
    good=[
        distribution_with(Logging={"Bucket": "logs.s3.amazonaws.com", "Prefix": "site/"}),
        {
            **distribution_with(Logging=None),
            "Observed": {"LogDeliveries": ["arn:aws:logs:us-east-1:123456789012:d:logs"]},
        },
    ],
    bad=[
        distribution_with(),
        {**distribution_with(Logging=None), "Observed": {"LogDeliveries": []}},
        distribution_with(Logging={"Prefix": "site/"}),
        {},
    ],
)
def logging(distribution: View) -> bool | Fail:
    """CloudFront distribution has no access logging.

    During an attack nobody can tell who requested what, and afterwards nobody can prove that nothing was taken. Access
    logs cost little more than their storage.
    """
    if distribution["DistributionConfig.Logging.Bucket"]:
        return True
    return any(distribution.texts("Observed.LogDeliveries")) or Fail(
        "Standard logging is off", "DistributionConfig.Logging"
    )


@rule(
    "aws.cloudfront.waf",
    on=DISTRIBUTION,
    severity=Severity.MEDIUM,
    link="https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/distribution-web-awswaf.html",
    fix="""
        1. In the CloudFront console, choose the distribution, then Security, and enable AWS WAF protections or choose a
           web ACL of your own.
        2. Start its rules in monitor mode, check what they would block, then turn on blocking.
    """,
    commands=UPDATE,
    inputs=changed("the ARN of the web ACL as WebACLId"),
    good=[
        distribution_with(WebACLId="arn:aws:wafv2:us-east-1:123456789012:global/webacl/site/1a2b"),
        distribution_with(WebACLId="473e64fd-f30b-4765-81a0-62ad96dd167a"),
    ],
    bad=[distribution_with(WebACLId=None), distribution_with(WebACLId=""), {}],
)
def waf(distribution: View) -> bool | Fail:
    """CloudFront distribution has no AWS WAF web ACL.

    Bots probe every public site for known vulnerabilities within hours. A web ACL blocks them at the edge, and can
    block a new attack before the application is patched.
    """
    return bool(distribution["DistributionConfig.WebACLId"]) or Fail(
        "No web ACL is attached", "DistributionConfig.WebACLId"
    )


@rule(
    "aws.cloudfront.default_certificate",
    on=DISTRIBUTION,
    severity=Severity.MEDIUM,
    link="https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cnames-and-https-procedures.html",
    fix="""
        1. Request or import a certificate for your domain name in AWS Certificate Manager, in us-east-1.
        2. In the CloudFront console, choose the distribution, then General, Edit.
        3. Add the domain name under Alternate domain names, choose the certificate and the recommended security policy,
           and save. Then point the domain name to the distribution.
    """,
    commands=UPDATE,
    inputs=changed("the certificate under ViewerCertificate and its names under Aliases"),
    good=[
        distribution_with(
            ViewerCertificate={"AcmCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/1a2b"}
        ),
        distribution_with(ViewerCertificate={"CloudFrontDefaultCertificate": False, "IamCertificateId": "ASCAEXAMPLE"}),
    ],
    bad=[
        distribution_with(ViewerCertificate={"CloudFrontDefaultCertificate": True, "MinimumProtocolVersion": "TLSv1"}),
        distribution_with(ViewerCertificate={"CloudFrontDefaultCertificate": "true", "AcmCertificateArn": None}),
        distribution_with(),
        {},
    ],
)
def default_certificate(distribution: View) -> bool | Fail:
    """CloudFront distribution uses the default certificate.

    With the default certificate, CloudFront accepts TLS 1.0, and you cannot set a stricter security policy. Links also
    lead to a cloudfront.net name, from which users cannot tell that the site is yours.
    """
    certificate = "DistributionConfig.ViewerCertificate"
    own = distribution[f"{certificate}.AcmCertificateArn"] or distribution[f"{certificate}.IamCertificateId"]
    return bool(own) or Fail("It uses the certificate of *.cloudfront.net", certificate)
