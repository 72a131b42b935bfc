"""Rules on CloudFront distributions."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from nephoscope.domain import Fail, NotKnown, Severity, View, rule
from nephoscope_aws.access_policies import all_right, objects

DISTRIBUTION = "AWS::CloudFront::Distribution"

ENCRYPTED = ("redirect-to-https", "https-only")
"""Values of ViewerProtocolPolicy that serve nothing in clear text.
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-https-viewers-to-cloudfront.html"""

S3_ENDPOINT = re.compile(r".+\.s3([.-][a-z0-9-]+)*\.amazonaws\.com(\.cn)?", re.IGNORECASE)
"""The host of a bucket's REST endpoint, with or without region; ``s3-website`` ones are for websites only, and cannot
check who asks. https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html"""

DEFAULT_ORIGIN_PROTOCOLS = ("SSLv3", "TLSv1")
"""What CloudFront is given when a custom origin names no protocols: AWS documents no default, these are seen on
distributions made so (https://github.com/aws/aws-cdk/issues/11994)."""

UPDATE = """
    aws cloudfront get-distribution-config --id={Id} --query=DistributionConfig

    CONFIG_ETAG=aws cloudfront get-distribution-config --id={Id} --query=ETag --output=text
    aws cloudfront update-distribution --id={Id} --if-match={CONFIG_ETAG} --distribution-config={CONFIG_FILE}
"""

NEW_CONTROL = """
    aws cloudfront create-origin-access-control --origin-access-control-config='{"Name": "{Id}",
      "SigningProtocol": "sigv4", "SigningBehavior": "always", "OriginAccessControlOriginType": "s3"}'
"""


def _changed(what: str) -> dict[str, str]:
    """The input of :data:`UPDATE`."""
    return {"CONFIG_FILE": f"file://config.json, where config.json is what the first command prints, with {what}"}


def _distribution(**config: Any) -> dict[str, Any]:
    """An example: a distribution with this configuration."""
    return {"DistributionConfig": {"Enabled": True, **config}}


def _serving(default: str, *others: str) -> dict[str, Any]:
    """An example: a distribution whose behaviors have these viewer protocol policies."""
    behaviors = [{"PathPattern": f"/{number}/*", "ViewerProtocolPolicy": each} for number, each in enumerate(others)]
    return _distribution(DefaultCacheBehavior={"ViewerProtocolPolicy": default}, CacheBehaviors=behaviors)


def _origins(*origins: dict[str, Any]) -> dict[str, Any]:
    """An example: a distribution with these origins."""
    return _distribution(Origins=[{"Id": f"origin-{number}", **each} for number, each in enumerate(origins)])


def _bucket(control: str | None = None, **more: Any) -> dict[str, Any]:
    """An example's origin: a bucket."""
    return {
        "DomainName": "site.s3.eu-west-1.amazonaws.com",
        "OriginAccessControlId": control,
        "S3OriginConfig": {"OriginAccessIdentity": ""},
        **more,
    }


def _custom(*protocols: str, policy: str = "https-only") -> dict[str, Any]:
    """An example's origin: a server."""
    config = {"OriginProtocolPolicy": policy, "OriginSSLProtocols": list(protocols)}
    return {"DomainName": "www.example.com", "CustomOriginConfig": config}


def _matching(default: str, target: str, *others: str, other: str = "https-only") -> dict[str, Any]:
    """An example: an origin that matches viewers, the viewer protocol policies of what is sent to it, and of the rest.

    :param target: where the default behavior sends requests; the others send them to the origin, the rest elsewhere.
    """
    behaviors = [("/x/*", "origin-1", other), *(("/a/*", "origin-0", each) for each in others)]
    matching, encrypting = _custom("TLSv1.2", policy="match-viewer"), _custom("TLSv1.2")
    return _distribution(
        Origins=[{"Id": "origin-0", **matching}, {"Id": "origin-1", **encrypting}],
        OriginGroups={"Items": [{"Id": "group", "Members": {"Items": [{"OriginId": "origin-0"}]}}]},
        DefaultCacheBehavior={"TargetOriginId": target, "ViewerProtocolPolicy": default},
        CacheBehaviors=[
            {"PathPattern": path, "TargetOriginId": origin, "ViewerProtocolPolicy": policy}
            for path, origin, policy in behaviors
        ],
    )


WEBSITE = {**_custom("TLSv1.2", policy="http-only"), "DomainName": "site.s3-website-eu-west-1.amazonaws.com"}


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
    inputs=_changed("another ViewerProtocolPolicy"),
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
        _distribution(Logging={"Bucket": "logs.s3.amazonaws.com", "Prefix": "site/"}),
        {**_distribution(Logging=None), "Observed": {"LogDeliveries": ["arn:aws:logs:us-east-1:123456789012:d:logs"]}},
    ],
    bad=[
        _distribution(),
        {**_distribution(Logging=None), "Observed": {"LogDeliveries": []}},
        _distribution(Logging={"Prefix": "site/"}),
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
    inputs=_changed("the ARN of the web ACL as WebACLId"),
    good=[
        _distribution(WebACLId="arn:aws:wafv2:us-east-1:123456789012:global/webacl/site/1a2b"),
        _distribution(WebACLId="473e64fd-f30b-4765-81a0-62ad96dd167a"),
    ],
    bad=[_distribution(WebACLId=None), _distribution(WebACLId=""), {}],
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
    "aws.cloudfront.oac",
    on=DISTRIBUTION,
    severity=Severity.MEDIUM,
    link="https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html",
    fix="""
        1. In the CloudFront console, choose the distribution, then Origins, the origin named in the finding, and Edit.
        2. Under Origin access, choose Origin access control settings, create a control setting, and save.
        3. Copy the policy shown by the console into the bucket policy, then block public access to the bucket.
    """,
    commands=f"{NEW_CONTROL}\n{UPDATE}",
    inputs=_changed("the ID of the new control as OriginAccessControlId"),
    good=[
        _origins(_bucket("E2QWRUHAPOMQZL")),
        _origins(_custom("TLSv1.2")),
        _origins(WEBSITE),
    ],
    bad=[
        _origins(_bucket()),
        _origins(_bucket(S3OriginConfig={"OriginAccessIdentity": "origin-access-identity/cloudfront/E127EXAMPLE51Z"})),
        _origins(_custom("TLSv1.2"), _bucket("")),
        _origins({**_custom("TLSv1.2"), "DomainName": "site.s3.amazonaws.com"}),
    ],
)
def oac(distribution: View) -> bool | Fail | None:
    """CloudFront S3 origin has no origin access control.

    The bucket must then be public, or use the legacy origin access identity, which does not support SSE-KMS or newer
    regions. Requests sent straight to a public bucket bypass AWS WAF, the logs and all restrictions of the
    distribution.
    """
    return all_right(distribution["DistributionConfig.Origins"], _has_control)


def _has_control(origin: View) -> bool | Fail | None:
    if not _is_bucket(origin):
        return None
    if origin["OriginAccessControlId"]:
        return True
    return Fail(f"Origin {origin['Id']} ({origin['DomainName']}) has no origin access control", origin)


def _is_bucket(origin: View) -> bool:
    if isinstance(origin["S3OriginConfig"], View):
        return True
    domain = origin["DomainName"]
    return isinstance(domain, str) and bool(S3_ENDPOINT.fullmatch(domain)) and ".s3-website" not in domain.lower()


@rule(
    "aws.cloudfront.tls_origin",
    on=DISTRIBUTION,
    severity=Severity.MEDIUM,
    link="https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-https-cloudfront-to-custom-origin.html",
    fix="""
        1. In the CloudFront console, choose the distribution, then Origins, the origin named in the finding, and Edit.
        2. Set Minimum origin SSL protocol to TLSv1.2 and save. First make sure that the origin supports it.
    """,
    commands=UPDATE,
    inputs=_changed("TLSv1.2 alone in OriginSslProtocols"),
    good=[
        _origins(_custom("TLSv1.2")),
        _origins(_custom("TLSv1.1", "TLSv1.2"), _bucket("E2QWRUHAPOMQZL")),
        _origins(_bucket(CustomOriginConfig=None)),
        {},
    ],
    bad=[
        _origins(_custom("SSLv3", "TLSv1")),
        _origins(_custom("TLSv1.2"), _custom("TLSv1.2", "SSLv3", policy="match-viewer")),
        _origins({"DomainName": "www.example.com", "CustomOriginConfig": {"OriginProtocolPolicy": "https-only"}}),
    ],
)
def tls_origin(distribution: View) -> bool | Fail | None:
    """CloudFront allows SSLv3 to a custom origin.

    SSLv3 has been broken since 2014 (POODLE), so traffic between CloudFront and the origin can be decrypted. Every
    maintained server supports TLS 1.2.
    """
    return all_right(distribution["DistributionConfig.Origins"], _refuses_sslv3)


def _refuses_sslv3(origin: View) -> bool | Fail | None:
    custom = origin["CustomOriginConfig"]
    if not isinstance(custom, View):
        return None
    protocols = custom["OriginSSLProtocols"]
    named = list(protocols) if isinstance(protocols, View) and protocols.is_list else DEFAULT_ORIGIN_PROTOCOLS
    if "SSLv3" not in named:
        return True
    return Fail(f"Origin {origin['Id']} ({origin['DomainName']}) allows SSLv3", custom)


@rule(
    "aws.cloudfront.origin_https",
    on=DISTRIBUTION,
    severity=Severity.MEDIUM,
    link="https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-https-cloudfront-to-custom-origin.html",
    fix="""
        1. Install a certificate of a trusted authority on the origin. For a website in a bucket, which only speaks
           HTTP, use the bucket itself with origin access control instead.
        2. In the CloudFront console, choose the distribution, then Origins, the origin named in the finding, and Edit.
        3. Set Protocol to HTTPS only, and save.
    """,
    commands=UPDATE,
    inputs=_changed("https-only as OriginProtocolPolicy"),
    good=[
        _origins(_custom("TLSv1.2"), _bucket("E2QWRUHAPOMQZL")),
        _origins(_bucket("E2QWRUHAPOMQZL")),
        _matching("redirect-to-https", "origin-0"),
        _matching("https-only", "origin-0", "https-only"),
        _matching("https-only", "origin-0", "redirect-to-https", other="allow-all"),
        {},
    ],
    bad=[
        _origins(_custom("TLSv1.2"), _custom("TLSv1.2", policy="http-only")),
        _origins(_bucket("E2QWRUHAPOMQZL"), WEBSITE),
        _matching("allow-all", "origin-0"),
        _matching("https-only", "origin-1", "https-only", "allow-all"),
        _matching("allow-all", "group"),
        _origins({**_custom("TLSv1.2"), "CustomOriginConfig": {"OriginSSLProtocols": ["TLSv1.2"]}}),
    ],
)
def origin_https(distribution: View) -> bool | Fail | None:
    """CloudFront sends unencrypted HTTP to a custom origin.

    Between CloudFront and the origin, requests cross the internet, and with them what viewers sent over HTTPS. Whoever
    is on that path can read and change them.
    """
    return all_right(distribution["DistributionConfig.Origins"], partial(_is_encrypted, distribution))


def _is_encrypted(distribution: View, origin: View) -> bool | Fail | None:
    custom = origin["CustomOriginConfig"]
    if not isinstance(custom, View):
        return None
    policy = custom["OriginProtocolPolicy"]
    if policy == "https-only" or (policy == "match-viewer" and not _gets_http(distribution, str(origin["Id"]))):
        return True
    when = " when viewers do" if policy == "match-viewer" else ""
    return Fail(f"CloudFront uses HTTP for origin {origin['Id']} ({origin['DomainName']}){when}", custom)


def _gets_http(distribution: View, origin: str) -> bool:
    """Tell whether a behavior that admits HTTP sends requests to an origin, by itself or in a group."""
    config = distribution["DistributionConfig"]
    default = config["DefaultCacheBehavior"]
    behaviors = [*([default] if isinstance(default, View) else []), *objects(config["CacheBehaviors"])]
    groups = [
        str(group["Id"])
        for group in objects(config["OriginGroups.Items"])
        if origin in [member["OriginId"] for member in objects(group["Members.Items"])]
    ]
    return any(
        each["ViewerProtocolPolicy"] not in ENCRYPTED and each["TargetOriginId"] in (origin, *groups)
        for each in behaviors
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
    inputs=_changed("the certificate under ViewerCertificate and its names under Aliases"),
    good=[
        _distribution(ViewerCertificate={"AcmCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/1a2b"}),
        _distribution(ViewerCertificate={"CloudFrontDefaultCertificate": False, "IamCertificateId": "ASCAEXAMPLE"}),
    ],
    bad=[
        _distribution(ViewerCertificate={"CloudFrontDefaultCertificate": True, "MinimumProtocolVersion": "TLSv1"}),
        _distribution(ViewerCertificate={"CloudFrontDefaultCertificate": "true", "AcmCertificateArn": None}),
        _distribution(),
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
