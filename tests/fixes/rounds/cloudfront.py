"""Distributions."""

from __future__ import annotations

from typing import Any

from tests.fixes.rounds.round import ACCOUNT, Made, goes_round

from nephoscope_aws_simulator.testing import Cloud

FORWARDED = {"QueryString": False, "Cookies": {"Forward": "none"}}


def behavior(viewers: str) -> dict[str, Any]:
    return {"TargetOriginId": "o0", "ViewerProtocolPolicy": viewers, "MinTTL": 0, "ForwardedValues": FORWARDED}


def server(*protocols: str, policy: str = "https-only", **more: Any) -> dict[str, Any]:
    ssl = {"Quantity": len(protocols), "Items": list(protocols)}
    custom = {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": policy, "OriginSslProtocols": ssl}
    return {"DomainName": "www.example.com", "CustomOriginConfig": custom, **more}


def bucket() -> dict[str, Any]:
    return {"DomainName": "site.s3.eu-west-1.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}


def distribution(cloud: Cloud, name: str, *origins: dict[str, Any], viewers: tuple[str, ...] = (), **more: Any) -> Made:
    """Make a distribution, and one like it beside it."""
    client = cloud.client("cloudfront")
    held = [{"Id": f"o{number}", **each} for number, each in enumerate(origins)]
    default, *others = viewers or ("https-only",)
    behaviors = [{"PathPattern": f"/{number}/*", **behavior(each)} for number, each in enumerate(others)]
    config = {
        "Comment": name,
        "Enabled": True,
        "Origins": {"Quantity": len(held), "Items": held},
        "DefaultCacheBehavior": behavior(default),
        "CacheBehaviors": {"Quantity": len(behaviors), "Items": behaviors},
        **more,
    }
    id, beside = (
        client.create_distribution(DistributionConfig={"CallerReference": each, **config})["Distribution"]["Id"]
        for each in (name, f"{name}-beside")
    )

    def now(id: str) -> Any:
        return client.get_distribution_config(Id=id)["DistributionConfig"]

    arn = f"arn:aws:cloudfront::{ACCOUNT}:distribution/{id}"
    return Made("AWS::CloudFront::Distribution", arn, id, lambda: now(id), lambda: now(beside), region="global")


@goes_round("aws.cloudfront.redirect_to_https", "aws.cloudfront.https")
def by_default(cloud: Cloud) -> Made:
    return distribution(cloud, "round-http", bucket(), viewers=("allow-all", "https-only"))


@goes_round("aws.cloudfront.redirect_to_https", "aws.cloudfront.https")
def in_others(cloud: Cloud) -> Made:
    viewers = ("redirect-to-https", "allow-all", "https-only", "allow-all")
    return distribution(cloud, "round-http-in-others", bucket(), viewers=viewers)


@goes_round("aws.cloudfront.set_default_root", "aws.cloudfront.default_root")
def no_page(cloud: Cloud) -> Made:
    return distribution(cloud, "round-no-page", bucket())


@goes_round("aws.cloudfront.refuse_sslv3", "aws.cloudfront.tls_origin")
def ssl3(cloud: Cloud) -> Made:
    return distribution(cloud, "round-ssl3", bucket(), server("TLSv1.1", "TLSv1.2", "SSLv3"), server("TLSv1.1"))


@goes_round("aws.cloudfront.refuse_sslv3", "aws.cloudfront.tls_origin")
def ssl3_alone(cloud: Cloud) -> Made:
    return distribution(cloud, "round-ssl3-alone", server("SSLv3"))


@goes_round("aws.cloudfront.origin_https", "aws.cloudfront.origin_https")
def http_origin(cloud: Cloud) -> Made:
    return distribution(cloud, "round-origin", bucket(), server("TLSv1.2", policy="http-only"), server("TLSv1.2"))


@goes_round("aws.cloudfront.origin_https", "aws.cloudfront.origin_https")
def as_viewers_ask(cloud: Cloud) -> Made:
    return distribution(cloud, "round-match", server("TLSv1.2", policy="match-viewer"), viewers=("allow-all",))
