"""Load balancers and their listeners."""

from __future__ import annotations

from functools import cache
from typing import Any

from tests.fixes.rounds.round import Made, goes_round

from nephoscope_aws_simulator.testing import Cloud

BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
LISTENER = "AWS::ElasticLoadBalancingV2::Listener"
FORWARD = {"Type": "forward"}
AS_MADE = {
    "access_logs.s3.enabled": "false",
    "access_logs.s3.bucket": "",
    "access_logs.s3.prefix": "",
    "deletion_protection.enabled": "false",
    "load_balancing.cross_zone.enabled": "false",
    "routing.http.drop_invalid_header_fields.enabled": "false",
}
"""The attributes of an application load balancer as the simulator makes it."""


@cache
def _subnets(cloud: Cloud) -> tuple[str, ...]:
    found = cloud.client("ec2").describe_subnets()["Subnets"]
    return tuple(each["SubnetId"] for each in found[:2])


def balancer(cloud: Cloud, name: str) -> str:
    """Make a load balancer; return its ARN."""
    made = cloud.client("elbv2").create_load_balancer(Name=name, Type="application", Subnets=list(_subnets(cloud)))
    return str(made["LoadBalancers"][0]["LoadBalancerArn"])


def _attributes(cloud: Cloud, name: str, **given: str) -> Made:
    elb = cloud.client("elbv2")
    arn, beside = balancer(cloud, name), balancer(cloud, f"{name}-beside")
    if given:
        attributes = [{"Key": key.replace("__", "."), "Value": value} for key, value in given.items()]
        elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=attributes)

    def held(arn: str) -> Any:
        found = elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
        return {each["Key"]: each["Value"] for each in found}

    return Made(BALANCER, arn, name, lambda: held(arn), lambda: held(beside))


@goes_round("aws.elb.drop_invalid_headers", "aws.elb.drop_invalid")
def keeps_headers(cloud: Cloud) -> Made:
    return _attributes(cloud, "round-headers", deletion_protection__enabled="true")


@goes_round("aws.elb.enable_deletion_protection", "aws.elb.deletion_protection")
def deletable(cloud: Cloud) -> Made:
    return _attributes(cloud, "round-deletable", idle_timeout__timeout_seconds="90")


def listener(cloud: Cloud, name: str, actions: list[dict[str, Any]], *, https: str = "", port: int = 443) -> Made:
    """Make an HTTP listener with these actions beside an HTTPS one; with ``https``, the HTTPS one by that policy."""
    elb = cloud.client("elbv2")
    group = elb.create_target_group(Name=name, Protocol="HTTP", Port=8080, VpcId=_vpc(cloud))["TargetGroups"][0]
    to = {**FORWARD, "TargetGroupArn": group["TargetGroupArn"]}
    of = balancer(cloud, name)
    certificate = cloud.client("acm").request_certificate(DomainName="round.example.com")["CertificateArn"]
    secure = elb.create_listener(
        LoadBalancerArn=of,
        Protocol="HTTPS",
        Port=port,
        Certificates=[{"CertificateArn": certificate}],
        DefaultActions=[to],
        SslPolicy=https or "ELBSecurityPolicy-2016-08",
    )["Listeners"][0]["ListenerArn"]
    plain = elb.create_listener(
        LoadBalancerArn=of,
        Protocol="HTTP",
        Port=80,
        DefaultActions=[to if each == FORWARD else each for each in actions],
    )["Listeners"][0]["ListenerArn"]
    arn, beside = (secure, plain) if https else (plain, secure)

    def described(arn: str) -> Any:
        return elb.describe_listeners(ListenerArns=[arn])["Listeners"]

    return Made(LISTENER, arn, name, lambda: described(arn), lambda: described(beside))


def _vpc(cloud: Cloud) -> str:
    return str(cloud.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"])


@goes_round("aws.elb.redirect_to_https", "aws.elb.https_redirect")
def forwards(cloud: Cloud) -> Made:
    return listener(cloud, "round-forwards", [FORWARD])


@goes_round("aws.elb.redirect_to_https", "aws.elb.https_redirect")
def answers(cloud: Cloud) -> Made:
    answer = {"StatusCode": "404", "ContentType": "text/plain", "MessageBody": "no"}
    return listener(cloud, "round-answers", [{"Type": "fixed-response", "FixedResponseConfig": answer}], port=8443)


@goes_round("aws.elb.use_strong_tls", "aws.elb.tls_policy")
def weak_tls(cloud: Cloud) -> Made:
    return listener(cloud, "round-weak", [FORWARD], https="ELBSecurityPolicy-2016-08")


@goes_round("aws.elb.use_strong_tls", "aws.elb.tls_policy")
def weak_tls_of_fips(cloud: Cloud) -> Made:
    return listener(cloud, "round-fips", [FORWARD], https="ELBSecurityPolicy-TLS13-1-1-FIPS-2023-04")


LEFT = {**AS_MADE, "access_logs.s3.bucket": "acme-access-logs"}


@goes_round("aws.elb.enable_access_logs", "aws.elb.logging", inputs={"bucket": "acme-access-logs"}, restored=LEFT)
def never_logged(cloud: Cloud) -> Made:
    return _attributes(cloud, "round-not-logged")


@goes_round("aws.elb.enable_access_logs", "aws.elb.logging", inputs={"bucket": "acme-access-logs"})
def logs_off_again(cloud: Cloud) -> Made:
    return _attributes(cloud, "round-logged-once", access_logs__s3__bucket="acme-access-logs")
