"""Rules on the origins of CloudFront distributions."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from nephoscope.domain import Fail, Severity, View, rule
from nephoscope_aws.access_policies import all_right, objects
from nephoscope_baseline.aws.cloudfront import DISTRIBUTION, ENCRYPTED, UPDATE, changed, distribution_with

S3_ENDPOINT = re.compile(r".+\.s3([.-][a-z0-9-]+)*\.amazonaws\.com(\.cn)?", re.IGNORECASE)
"""The host of a bucket's REST endpoint, with or without region; ``s3-website`` ones are for websites only, and cannot
check who asks. https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html"""

DEFAULT_ORIGIN_PROTOCOLS = ("SSLv3", "TLSv1")
"""What CloudFront is given when a custom origin names no protocols: AWS documents no default, these are seen on
distributions made so (https://github.com/aws/aws-cdk/issues/11994)."""

NEW_CONTROL = """
    aws cloudfront create-origin-access-control --origin-access-control-config='{"Name": "{Id}",
      "SigningProtocol": "sigv4", "SigningBehavior": "always", "OriginAccessControlOriginType": "s3"}'
"""


def _origins(*origins: dict[str, Any]) -> dict[str, Any]:
    """An example: a distribution with these origins."""
    return distribution_with(Origins=[{"Id": f"origin-{number}", **each} for number, each in enumerate(origins)])


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
    return distribution_with(
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
    inputs=changed("the ID of the new control as OriginAccessControlId"),
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
    inputs=changed("TLSv1.2 alone in OriginSslProtocols"),
    remediations=("aws.cloudfront.refuse_sslv3",),
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
    inputs=changed("https-only as OriginProtocolPolicy"),
    remediations=("aws.cloudfront.origin_https",),
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
    "aws.cloudfront.default_root",
    on=DISTRIBUTION,
    severity=Severity.HIGH,
    link="https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DefaultRootObject.html",
    fix="""
        1. In the CloudFront console, choose the distribution, then General, Settings, Edit.
        2. Enter the name of the page under Default root object, without a slash, and save.
    """,
    commands=UPDATE,
    inputs=changed("the name of the page as DefaultRootObject"),
    remediations=("aws.cloudfront.set_default_root",),
    good=[
        distribution_with(Origins=[_bucket("E2QWRUHAPOMQZL")], DefaultRootObject="index.html"),
        distribution_with(Origins=[_custom("TLSv1.2")], DefaultRootObject=None),
        distribution_with(Origins=[WEBSITE]),
    ],
    bad=[
        distribution_with(Origins=[_bucket("E2QWRUHAPOMQZL")], DefaultRootObject=None),
        distribution_with(Origins=[_custom("TLSv1.2"), _bucket()], DefaultRootObject=""),
        distribution_with(Origins=[_bucket()]),
    ],
)
def default_root(distribution: View) -> bool | Fail | None:
    """CloudFront distribution has no default root object.

    A request for the site itself, and not for a page of it, is then answered by the bucket. If the bucket may be
    listed, the answer names everything that it holds.
    """
    if not any(_is_bucket(each) for each in objects(distribution["DistributionConfig.Origins"])):
        return None
    root = "DistributionConfig.DefaultRootObject"
    return bool(distribution[root]) or Fail("No default root object is set", root)
