"""Load balancers of all four types, and their listeners."""

from __future__ import annotations

from typing import Any

from tests.truth.account import ABROAD, HOME, Truth, holds

V2 = "AWS::ElasticLoadBalancingV2"
ATTRIBUTES = "drop_invalid logging deletion_protection"

LOGS = {"access_logs.s3.enabled": "true", "access_logs.s3.bucket": "logs"}
DROPS = {"routing.http.drop_invalid_header_fields.enabled": "true"}
KEPT = {"deletion_protection.enabled": "true"}
SAID_OFF = dict.fromkeys(("access_logs.s3.enabled", *DROPS, *KEPT), "false")

BALANCERS: dict[str, tuple[str, dict[str, str], str, str]] = {
    "app-right": ("application", {**LOGS, **DROPS, **KEPT}, "", ""),
    "app-as-made": ("application", {}, ATTRIBUTES, ""),
    "app-said-off": ("application", SAID_OFF, ATTRIBUTES, ""),
    "app-no-logs": ("application", {**DROPS, **KEPT}, "logging", ""),
    "app-keeps-headers": ("application", {**LOGS, **KEPT}, "drop_invalid", ""),
    "app-deletable": ("application", {**LOGS, **DROPS}, "deletion_protection", ""),
    "net-right": ("network", KEPT, "", "drop_invalid logging"),
    "net-deletable": ("network", {}, "deletion_protection", "drop_invalid logging"),
    "gateway-right": ("gateway", KEPT, "", "drop_invalid logging"),
    "gateway-deletable": ("gateway", {}, "deletion_protection", "drop_invalid logging"),
}
"""Each load balancer with its type and attributes, the rules that it fails, and those that do not ask it."""

FORWARD = {"Type": "forward"}
NOT_FOUND = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}


def redirect(**to: str) -> dict[str, Any]:
    return {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", **to}}


TO_HTTPS = redirect(Protocol="HTTPS", Port="443")

HTTP: dict[str, tuple[bool, dict[str, Any], list[dict[str, Any]]]] = {
    "redirects": (False, TO_HTTPS, []),
    "redirects-elsewhere": (False, redirect(Protocol="HTTPS", Host="www.example.com", StatusCode="HTTP_302"), []),
    "redirects-with-rule": (False, TO_HTTPS, [redirect(Protocol="HTTPS", Path="/new")]),
    "forwards": (True, FORWARD, []),
    "answers": (True, NOT_FOUND, []),
    "redirects-to-http": (True, redirect(Protocol="HTTP", Port="8080"), []),
    "redirects-as-it-came": (True, redirect(Protocol="#{protocol}", Host="www.example.com"), []),
    "redirects-but-a-rule": (True, TO_HTTPS, [FORWARD]),
    "redirects-but-second-rule": (True, TO_HTTPS, [TO_HTTPS, FORWARD]),
}
"""Each HTTP listener with whether it lets unencrypted requests in, its default action, and those of its rules."""

WEAK_POLICIES = (
    "ELBSecurityPolicy-2016-08",
    "ELBSecurityPolicy-TLS-1-0-2015-04",
    "ELBSecurityPolicy-TLS-1-1-2017-01",
    "ELBSecurityPolicy-FS-1-1-2019-08",
    "ELBSecurityPolicy-TLS13-1-0-2021-06",
    "ELBSecurityPolicy-TLS13-1-1-2021-06",
    "ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06",
)
GOOD_POLICIES = (
    "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
    "ELBSecurityPolicy-TLS13-1-3-2021-06",
    "ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04",
    "ELBSecurityPolicy-TLS13-1-2-Res-FIPS-2023-04",
    "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
)


class Maker:
    """Makes load balancers of one region and their listeners."""

    def __init__(self, truth: Truth, region: str) -> None:
        self.truth, self.region = truth, region
        self.elb = truth.client("elbv2", region)
        subnets = truth.client("ec2", region).describe_subnets()["Subnets"]
        self.vpc, self.subnets = subnets[0]["VpcId"], [each["SubnetId"] for each in subnets[:2]]
        self.group = self._target("HTTP")
        self.tcp_group = self._target("TCP")

    def _target(self, protocol: str) -> str:
        made = self.elb.create_target_group(Name=f"t-{protocol}", Protocol=protocol, Port=80, VpcId=self.vpc)
        return str(made["TargetGroups"][0]["TargetGroupArn"])

    def balancer(self, name: str, type: str, attributes: dict[str, str]) -> str:
        made = self.elb.create_load_balancer(Name=name, Type=type, Subnets=self.subnets)["LoadBalancers"][0]
        held = [{"Key": key, "Value": value} for key, value in attributes.items()]
        if held:
            self.elb.modify_load_balancer_attributes(LoadBalancerArn=made["LoadBalancerArn"], Attributes=held)
        return str(made["LoadBalancerArn"])

    def listener(self, balancer: str, port: int, protocol: str, action: dict[str, Any], **more: Any) -> str:
        made = self.elb.create_listener(
            LoadBalancerArn=balancer, Port=port, Protocol=protocol, DefaultActions=[self._aimed(action)], **more
        )
        return str(made["Listeners"][0]["ListenerArn"])

    def rule(self, listener: str, number: int, action: dict[str, Any]) -> None:
        condition = {"Field": "path-pattern", "Values": [f"/{number}/*"]}
        self.elb.create_rule(
            ListenerArn=listener, Priority=number + 1, Conditions=[condition], Actions=[self._aimed(action)]
        )

    def _aimed(self, action: dict[str, Any]) -> dict[str, Any]:
        return {"TargetGroupArn": self.group, **action} if action["Type"] == "forward" else action


@holds()
def balancers(truth: Truth) -> None:
    """Every attribute on and off, at home and abroad; classic ones have a log only."""
    for region in (HOME, ABROAD):
        maker = Maker(truth, region)
        for name, (type, attributes, fails, skipped) in BALANCERS.items():
            if region == ABROAD and not name.startswith("app-"):
                continue
            arn = maker.balancer(name, type, attributes)
            truth.judged(arn, fails=fails, skipped=skipped, of=ATTRIBUTES)
        _classic(truth, region)


def _classic(truth: Truth, region: str) -> None:
    elb = truth.client("elb", region)
    listener = {"Protocol": "http", "LoadBalancerPort": 80, "InstanceProtocol": "http", "InstancePort": 80}
    log = {"S3BucketName": "logs", "EmitInterval": 60}
    for name, access in (
        ("classic-logs", {"Enabled": True, **log}),
        ("classic-as-made", None),
        ("classic-off", {"Enabled": False}),
    ):
        called = f"{name}-{region}"
        elb.create_load_balancer(LoadBalancerName=called, Listeners=[listener], AvailabilityZones=[f"{region}a"])
        if access:
            attributes = {"AccessLog": access}
            elb.modify_load_balancer_attributes(LoadBalancerName=called, LoadBalancerAttributes=attributes)
        truth.judged(called, **{"passes" if name == "classic-logs" else "fails": "logging"})


@holds()
def listeners(truth: Truth) -> None:
    """Plain HTTP, each on a load balancer of its own, and TLS on one of each kind."""
    maker = Maker(truth, HOME)
    for number, (name, (is_open, action, rules)) in enumerate(HTTP.items()):
        balancer = maker.balancer(name, "application", {**LOGS, **DROPS, **KEPT})
        truth.judged(balancer, passes=ATTRIBUTES)
        listener = maker.listener(balancer, 80 + number, "HTTP", action)
        for place, each in enumerate(rules):
            maker.rule(listener, place, each)
        fails = "https_redirect" * is_open
        truth.judged(f"{name}:{80 + number}", fails=fails, skipped="tls_policy", of="https_redirect")
    for name, type, protocol, action in (
        ("app", "application", "HTTPS", FORWARD),
        ("net", "network", "TLS", {"Type": "forward", "TargetGroupArn": maker.tcp_group}),
    ):
        arn = maker.balancer(name, type, {**LOGS, **DROPS, **KEPT})
        certificate = [{"CertificateArn": _certificate(truth)}]
        for port, policy in enumerate((*GOOD_POLICIES, *WEAK_POLICIES, ""), start=8443):
            given = {"SslPolicy": policy} if policy else {}
            made = maker.listener(arn, port, protocol, action, Certificates=certificate, **given)
            fails = "tls_policy" * (policy not in GOOD_POLICIES)
            truth.judged(made, fails=fails, skipped="https_redirect", of="tls_policy")
    for port, protocol in ((80, "TCP"), (53, "UDP")):
        made = maker.listener(arn, port, protocol, {"Type": "forward", "TargetGroupArn": maker.tcp_group})
        truth.judged(made, skipped="https_redirect tls_policy")


def _certificate(truth: Truth) -> str:
    return str(truth.client("acm").request_certificate(DomainName="example.com")["CertificateArn"])


@holds()
def unreadable_balancers(truth: Truth) -> None:
    """Attributes and listeners that are hidden at home, and lists that are hidden abroad."""
    maker = Maker(truth, HOME)
    arn = maker.balancer("hidden", "application", {})
    maker.listener(arn, 80, "HTTP", FORWARD)
    truth.judged(arn, unknown=ATTRIBUTES)
    truth.cloud.control("deny", actions=["elasticloadbalancing:DescribeLoadBalancerAttributes"], regions=[HOME])
    truth.hide("elasticloadbalancing:DescribeListeners", f"{V2}::Listener", region=HOME)
    types = (f"{V2}::LoadBalancer", f"{V2}::Listener", "AWS::ElasticLoadBalancing::LoadBalancer")
    truth.hide("elasticloadbalancing:DescribeLoadBalancers", *types)
