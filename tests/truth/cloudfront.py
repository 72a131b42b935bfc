"""Distributions: HTTPS, logs, web ACLs and origins."""

from __future__ import annotations

from typing import Any

from tests.truth.account import ABROAD, Truth, holds

ALL = "https logging waf oac default_root tls_origin origin_https default_certificate"
FORWARDED = {"QueryString": False, "Cookies": {"Forward": "none"}}
LOGGED = {"Enabled": True, "IncludeCookies": False, "Bucket": "logs.s3.amazonaws.com", "Prefix": ""}
SILENT = {"Enabled": False, "IncludeCookies": False, "Bucket": "", "Prefix": ""}
CERTIFICATE = {
    "CloudFrontDefaultCertificate": False,
    "ACMCertificateArn": "arn:aws:acm:us-east-1:210987654321:certificate/0d9c7a9e-1111-4222-8333-444455556666",
    "SSLSupportMethod": "sni-only",
    "MinimumProtocolVersion": "TLSv1.2_2021",
}
DEFAULT_CERTIFICATE = {"CloudFrontDefaultCertificate": True, "MinimumProtocolVersion": "TLSv1"}
IAM_CERTIFICATE = {"IAMCertificateId": "ASCAEXAMPLE", "SSLSupportMethod": "vip", "MinimumProtocolVersion": "TLSv1"}
ACL = "arn:aws:wafv2:us-east-1:210987654321:global/webacl/site/0d9c7a9e-1111-4222-8333-444455556666"


def _bucket(domain: str = "site.s3.eu-west-1.amazonaws.com", control: str = "", identity: str = "") -> dict[str, Any]:
    s3 = {"OriginAccessIdentity": identity and f"origin-access-identity/cloudfront/{identity}"}
    return {"DomainName": domain, "OriginAccessControlId": control, "S3OriginConfig": s3}


def _server(*protocols: str, domain: str = "www.example.com", policy: str = "https-only") -> dict[str, Any]:
    ssl = {"Quantity": len(protocols), "Items": list(protocols)}
    custom = {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": policy, "OriginSslProtocols": ssl}
    return {"DomainName": domain, "CustomOriginConfig": custom}


GUARDED, MODERN = _bucket(control="E2QWRUHAPOMQZL"), _server("TLSv1.2")


def _behavior(viewers: str) -> dict[str, Any]:
    return {
        "TargetOriginId": "o0",
        "ViewerProtocolPolicy": viewers,
        "MinTTL": 0,
        "ForwardedValues": FORWARDED,
    }


def _made(truth: Truth, name: str, *origins: dict[str, Any], viewers: tuple[str, ...] = (), **config: Any) -> str:
    """Make a distribution that is right but for what is given, and return its ARN."""
    default, *others = viewers or ("redirect-to-https",)
    behaviors = [{"PathPattern": f"/{n}/*", **_behavior(each)} for n, each in enumerate(others)]
    held = [{"Id": f"o{n}", **each} for n, each in enumerate(origins or (GUARDED, MODERN))]
    given = {
        "CallerReference": name,
        "Comment": name,
        "Enabled": True,
        "DefaultRootObject": "index.html",
        "Aliases": {"Quantity": 1, "Items": [name]},
        "Origins": {"Quantity": len(held), "Items": held},
        "DefaultCacheBehavior": _behavior(default),
        "CacheBehaviors": {"Quantity": len(behaviors), "Items": behaviors},
        "Logging": LOGGED,
        "WebACLId": ACL,
        "ViewerCertificate": CERTIFICATE,
    }
    made = truth.client("cloudfront").create_distribution(DistributionConfig=given | config)
    return str(made["Distribution"]["ARN"])


def _says(truth: Truth, name: str, fails: str = "", skipped: str = "", unknown: str = "") -> None:
    if "oac" in skipped:  # both are about origins that are buckets
        skipped = f"{skipped} default_root"
    said = f"{fails} {skipped} {unknown}".split()
    passes = " ".join(each for each in ALL.split() if each not in said)
    truth.judged(name, fails=fails, skipped=skipped, unknown=unknown, passes=passes)


@holds()
def distributions(truth: Truth) -> None:
    """Distributions that are right but for one setting."""
    for name, settings, fails in [
        ("fine", {}, ""),
        ("https-only", {"viewers": ("https-only", "redirect-to-https")}, ""),
        ("http", {"viewers": ("allow-all",)}, "https"),
        ("http-in-second", {"viewers": ("https-only", "redirect-to-https", "allow-all")}, "https"),
        ("http-by-default", {"viewers": ("allow-all", "https-only")}, "https"),
        ("silent", {"Logging": SILENT}, "logging"),
        ("logging-switched-off", {"Logging": LOGGED | {"Enabled": False}}, "logging"),
        ("unguarded", {"WebACLId": ""}, "waf"),
        ("rootless", {"DefaultRootObject": ""}, "default_root"),
        ("cloudfront-net", {"ViewerCertificate": DEFAULT_CERTIFICATE}, "default_certificate"),
        ("iam-certificate", {"ViewerCertificate": IAM_CERTIFICATE}, ""),
        ("classic-acl", {"WebACLId": "473e64fd-f30b-4765-81a0-62ad96dd167a"}, ""),
        ("disabled", {"Enabled": False, "WebACLId": "", "Logging": SILENT}, "waf logging"),
        ("all-wrong", {"viewers": ("allow-all",), "Logging": SILENT, "WebACLId": ""}, "https logging waf"),
    ]:
        _made(truth, name, **settings)
        _says(truth, name, fails)
    _delivered(truth)


def _delivered(truth: Truth) -> None:
    """Logs of the newer kind are deliveries, which are made in us-east-1; a source without a delivery logs nothing."""
    logs, own = truth.client("logs"), truth.cloud.account
    for name, delivered in [("delivered", True), ("source-alone", False)]:
        arn = _made(truth, name, Logging=SILENT)
        logs.put_delivery_source(name=name, resourceArn=arn, logType="ACCESS_LOGS")
        if delivered:
            target = {"destinationResourceArn": "arn:aws:s3:::logs"}
            logs.put_delivery_destination(name="logs", deliveryDestinationConfiguration=target)
            to = f"arn:aws:logs:us-east-1:{own}:delivery-destination:logs"
            logs.create_delivery(deliverySourceName=name, deliveryDestinationArn=to)
        _says(truth, name, "" if delivered else "logging")


@holds(regions=(ABROAD,))
def origins(truth: Truth) -> None:
    """Distributions by their origins; they belong to the account, whichever regions are chosen."""
    for name, held, fails, skipped in [
        ("identity", [_bucket(identity="E127EXAMPLE51Z")], "oac", "tls_origin origin_https"),
        ("nothing", [_bucket()], "oac", "tls_origin origin_https"),
        ("control", [GUARDED], "", "tls_origin origin_https"),
        ("second-without", [GUARDED, _bucket("more.s3.amazonaws.com")], "oac", "tls_origin origin_https"),
        ("http", [_server("TLSv1.2", policy="http-only")], "origin_https", "oac"),
        ("http-in-second", [MODERN, _server("TLSv1.2", policy="http-only")], "origin_https", "oac"),
        ("as-viewers-ask", [_server("TLSv1.2", policy="match-viewer")], "", "oac"),
        ("server", [MODERN], "", "oac"),
        ("servers", [MODERN, _server("TLSv1.1", "TLSv1.2", domain="old.example.com")], "", "oac"),
        ("ssl3", [_server("SSLv3", "TLSv1")], "tls_origin", "oac"),
        ("ssl3-among", [_server("TLSv1.2", "TLSv1.1", "TLSv1", "SSLv3")], "tls_origin", "oac"),
        ("ssl3-in-second", [MODERN, _server("SSLv3", policy="match-viewer")], "tls_origin", "oac"),
        ("website", [_server("TLSv1.2", domain="site.s3-website-eu-west-1.amazonaws.com")], "", "oac"),
        ("website-new", [_server("TLSv1.2", domain="site.s3-website.eu-central-1.amazonaws.com")], "", "oac"),
        ("balancer", [_server("TLSv1.2", domain="web-1.eu-west-1.elb.amazonaws.com")], "", "oac"),
        ("looks-like-a-bucket", [_server("TLSv1.2", domain="s3.example.com")], "", "oac"),
        ("as-server", [_server("TLSv1.2", domain="site.s3.amazonaws.com")], "oac", ""),
        ("as-server-in-region", [_server("TLSv1.2", domain="site.s3.eu-west-1.amazonaws.com")], "oac", ""),
        ("as-server-with-dash", [_server("TLSv1.2", domain="site.s3-eu-west-1.amazonaws.com")], "oac", ""),
        ("as-server-dualstack", [_server("TLSv1.2", domain="a.b.s3.dualstack.eu-west-1.amazonaws.com")], "oac", ""),
    ]:
        _made(truth, name, *held)
        _says(truth, name, fails, skipped)


@holds()
def matching(truth: Truth) -> None:
    """Origins that are asked as viewers ask, where a behavior that reaches them admits HTTP or not."""
    as_asked = _server("TLSv1.2", policy="match-viewer")
    for name, held, viewers, fails in [
        ("https", [as_asked], ("redirect-to-https", "https-only"), ""),
        ("http", [as_asked], ("allow-all",), "https origin_https"),
        ("http-in-second", [as_asked], ("https-only", "redirect-to-https", "allow-all"), "https origin_https"),
        ("http-to-another", [MODERN, as_asked], ("allow-all",), "https"),
        ("http-to-https-only", [MODERN], ("allow-all",), "https"),
    ]:
        _made(truth, name, *held, viewers=viewers)
        _says(truth, name, fails, "oac")


@holds()
def configuration_hidden(truth: Truth) -> None:
    """Its logging and its default root object stand in its configuration alone; the list tells the rest."""
    _made(truth, "hidden", Logging=SILENT)
    arn = _made(truth, "delivered", Logging=SILENT)
    truth.client("logs").put_delivery_source(name="d", resourceArn=arn, logType="ACCESS_LOGS")
    truth.cloud.control("deny", actions=["cloudfront:GetDistributionConfig"])
    for name in ("hidden", "delivered"):
        _says(truth, name, unknown="logging default_root")


@holds()
def deliveries_hidden(truth: Truth) -> None:
    """Logs of the older kind are enough; without them the newer ones have to be seen."""
    _made(truth, "older")
    _made(truth, "perhaps", Logging=SILENT)
    truth.cloud.control("deny", actions=["logs:DescribeDeliverySources"])
    _says(truth, "older")
    _says(truth, "perhaps", unknown="logging")


@holds()
def unlisted(truth: Truth) -> None:
    """Nobody can say anything."""
    _made(truth, "hidden")
    truth.cloud.control("deny", actions=["cloudfront:ListDistributions"])
    truth.judged("All AWS::CloudFront::Distribution in global", unknown=ALL)
