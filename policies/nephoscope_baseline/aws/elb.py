"""Rules on load balancers and their listeners."""

from __future__ import annotations

import re
from typing import Any

from nephoscope.domain import Fail, NotKnown, ResourceView, Severity, View, rule
from nephoscope_aws.access import is_on
from nephoscope_aws.access_policies import objects

BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
CLASSIC = "AWS::ElasticLoadBalancing::LoadBalancer"
LISTENER = "AWS::ElasticLoadBalancingV2::Listener"

RECOMMENDED_TLS = re.compile(r"ELBSecurityPolicy-TLS13-1-(3|2-Res)(-FIPS)?(-PQ)?-\d{4}-\d\d")
"""The security policies that AWS recommends: TLS 1.3, at most with a TLS 1.2 that is restricted to forward secrecy and
authenticated encryption, with FIPS 140-3 and post-quantum variants. Not so TLS13-1-0 and TLS13-1-1, which still admit
TLS 1.0 and 1.1, nor the policies without TLS 1.3 (FS-1-2).
https://docs.aws.amazon.com/securityhub/latest/userguide/elb-controls.html#elb-17,
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html"""

EVERYTHING = {"path-pattern": {"*", "/*"}, "host-header": {"*"}}
"""The values with which a condition on a path or a host is met by every request.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html"""

DROP_INVALID = "routing.http.drop_invalid_header_fields.enabled"
ACCESS_LOGS = "access_logs.s3.enabled"
DELETION_PROTECTION = "deletion_protection.enabled"
"""Attributes, all off unless set.
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html"""


def _balancer(type: str = "application", **attributes: Any) -> dict[str, Any]:
    """An example: a load balancer with these attributes, whose dots are written as two underscores."""
    held = [{"Key": name.replace("__", "."), "Value": value} for name, value in attributes.items()]
    return {"Type": type, "LoadBalancerAttributes": held}


def _forwarding(protocol: str, **more: Any) -> dict[str, Any]:
    """An example: a listener that hands requests to a target group."""
    return {"Protocol": protocol, "DefaultActions": [{"Type": "forward", "TargetGroupArn": "arn:aws:tg"}], **more}


def _redirecting(**to: Any) -> dict[str, Any]:
    """An example: an HTTP listener that redirects."""
    return {"Protocol": "HTTP", "Port": 80, "DefaultActions": [{"Type": "redirect", "RedirectConfig": to}]}


TO_HTTPS = _redirecting(Protocol="HTTPS", Port="443", StatusCode="HTTP_301")
REFUSING = {"Protocol": "HTTP", "Port": 80, "DefaultActions": [{"Type": "fixed-response"}]}


def _ruled(default: dict[str, Any], *rules: tuple[dict[str, Any], tuple[str, ...]]) -> dict[str, Any]:
    """An example: a listener with rules as (the listener whose actions they have, the paths that they are for)."""
    observed = [
        {
            "Priority": str(number),
            "Conditions": [{"Field": "path-pattern", "Values": list(paths)}],
            "Actions": like["DefaultActions"],
        }
        for number, (like, paths) in enumerate(rules, 1)
    ]
    return {**default, "Observed": {"Rules": observed}}


def _type(balancer: View) -> str:
    return str(balancer.get("Type", "application"))


def _attribute(balancer: View, name: str) -> bool:
    """Tell whether an attribute is on; one that is not listed is off."""
    attributes = balancer["LoadBalancerAttributes"]
    for each in attributes if isinstance(attributes, View) and attributes.is_list else ():
        if isinstance(each, View) and each["Key"] == name:
            return is_on(each["Value"])
    return False


SETTING = """
        1. In the EC2 console, choose Load Balancers, select the load balancer, then Attributes, Edit.
        2. Turn on the setting and save. It takes effect at once and interrupts nothing.
    """


def _turning_on(attribute: str) -> str:
    """The commands that turn an attribute on."""
    return f"""
        aws elbv2 modify-load-balancer-attributes --region={{region}} --load-balancer-arn={{id}}
          --attributes=Key={attribute},Value=true
    """


@rule(
    "aws.elb.https_redirect",
    on=LISTENER,
    severity=Severity.MEDIUM,
    link="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html",
    fix="""
        1. Make sure that the load balancer has an HTTPS listener with a certificate.
        2. In the EC2 console, choose Load Balancers, select the load balancer, then Listeners and rules, and the HTTP
           listener.
        3. Edit its default action: Redirect to URL, protocol HTTPS, port 443, status code 301. Remove rules that
           forward requests.
    """,
    commands="""
        aws elbv2 modify-listener --region={region} --listener-arn={id} --default-actions='[{"Type": "redirect",
          "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}]'
    """,
    remediations=("aws.elb.redirect_to_https",),
    good=[
        TO_HTTPS,
        _ruled(TO_HTTPS, (TO_HTTPS, ("/old/*",)), (REFUSING, ("/.env",))),
        _ruled(_forwarding("HTTP"), (TO_HTTPS, ("/*",)), (_forwarding("HTTP"), ("/api/*",))),
        _forwarding("HTTPS", Port=443),
        _forwarding("TCP", Port=80),
        {"DefaultActions": [{"Type": "forward", "TargetGroupArn": "arn:aws:gateway"}]},
    ],
    bad=[
        _forwarding("HTTP", Port=80),
        _redirecting(Host="example.com", StatusCode="HTTP_301"),
        _redirecting(Protocol="#{protocol}", Port="8080", StatusCode="HTTP_302"),
        REFUSING,
        _ruled(TO_HTTPS, (REFUSING, ("*",))),
        _ruled(TO_HTTPS, (_forwarding("HTTP"), ("/api/*",))),
        _ruled(TO_HTTPS, (TO_HTTPS, ("/old/*",)), (_redirecting(Protocol="HTTP"), ("/new/*",))),
        _ruled(_forwarding("HTTP"), (TO_HTTPS, ("/old/*",))),
    ],
)
def https_redirect(listener: View) -> bool | Fail | None:
    """Load balancer allows unencrypted HTTP.

    Traffic over HTTP, session cookies included, can be read and changed in transit. A redirect to HTTPS costs nothing
    and keeps old links working.
    """
    if listener["Protocol"] != "HTTP":
        return None
    port = listener.get("Port", 80)
    gap: NotKnown | None = None
    for request_rule in objects(listener["Observed.Rules"]):
        try:
            answers = _answers(request_rule["Actions"])
        except NotKnown as unread:
            answers, gap = True, gap or unread  # one after it may be certainly wrong
        last = answers and _takes_all(request_rule["Conditions"])  # then nothing is left for the default action
        if not answers or (last and not gap and not _redirects(request_rule["Actions"])):
            number = request_rule["Priority"]
            return Fail(f"HTTP on port {port} is not redirected to HTTPS by rule {number}", request_rule)
        if last:
            break
    else:
        if not _redirects(listener["DefaultActions"]):
            return Fail(f"HTTP on port {port} is not redirected to HTTPS", "Protocol", "DefaultActions")
    if gap:
        raise gap
    return True


def _takes_all(conditions: Any) -> bool:
    """Tell whether every request meets all conditions; a rule has at least one."""
    found = [_is_always(each) for each in objects(conditions)]
    return bool(found) and all(found)


def _answers(actions: Any) -> bool:
    """Tell whether a rule serves nothing over HTTP: it redirects to HTTPS, or refuses with a fixed answer."""
    return any(_is_redirect(each) or each["Type"] == "fixed-response" for each in objects(actions))


def _redirects(actions: Any) -> bool:
    """Tell whether what takes all requests that are left redirects them: one that refuses them has no redirect.

    https://docs.aws.amazon.com/securityhub/latest/userguide/elb-controls.html#elb-1
    """
    return any(map(_is_redirect, objects(actions)))


def _is_redirect(action: View) -> bool:
    return bool(action["Type"] == "redirect" and action["RedirectConfig.Protocol"] == "HTTPS")


def _is_always(condition: View) -> bool:
    """Tell whether every request meets a condition."""
    values = condition["Values"]
    named = [each for each in values if isinstance(each, str)] if isinstance(values, View) and values.is_list else []
    return bool(EVERYTHING.get(str(condition["Field"]), set()) & {*named})


@rule(
    "aws.elb.tls_policy",
    on=LISTENER,
    severity=Severity.MEDIUM,
    link="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html",
    fix="""
        1. Check in the access logs (fields ssl_protocol and ssl_cipher) that no client needs an older TLS version.
        2. In the EC2 console, choose Load Balancers, select the load balancer, then Listeners, and the listener.
        3. Edit its secure listener settings: set Security policy to ELBSecurityPolicy-TLS13-1-2-Res-2021-06 or later.
    """,
    commands="""
        aws elbv2 modify-listener --region={region} --listener-arn={id}
          --ssl-policy=ELBSecurityPolicy-TLS13-1-2-Res-2021-06
    """,
    remediations=("aws.elb.use_strong_tls",),
    good=[
        _forwarding("HTTPS", SslPolicy="ELBSecurityPolicy-TLS13-1-2-Res-2021-06"),
        _forwarding("TLS", SslPolicy="ELBSecurityPolicy-TLS13-1-3-FIPS-PQ-2025-09"),
        _forwarding("HTTP", SslPolicy=None),
        _forwarding("TCP"),
    ],
    bad=[
        _forwarding("HTTPS", SslPolicy="ELBSecurityPolicy-2016-08"),
        _forwarding("HTTPS", SslPolicy="ELBSecurityPolicy-TLS13-1-0-2021-06"),
        _forwarding("TLS", SslPolicy="ELBSecurityPolicy-FS-1-2-Res-2020-10"),
        _forwarding("HTTPS", SslPolicy="ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06"),
        _forwarding("HTTPS"),
    ],
)
def tls_policy(listener: View) -> bool | Fail | None:
    """Load balancer listener allows weak TLS.

    Old TLS versions, and ciphers without forward secrecy, let recorded traffic be decrypted later. No client of the
    last ten years needs them.
    """
    if listener["Protocol"] not in ("HTTPS", "TLS"):
        return None
    # What is not chosen is ELBSecurityPolicy-2016-08, which admits TLS 1.0 (same page as RECOMMENDED_TLS).
    chosen = listener.get("SslPolicy", "ELBSecurityPolicy-2016-08")
    if isinstance(chosen, str) and RECOMMENDED_TLS.fullmatch(chosen):
        return True
    return Fail(f"Security policy {str(chosen)[:100]}", "SslPolicy")


@rule(
    "aws.elb.drop_invalid",
    on=BALANCER,
    severity=Severity.MEDIUM,
    fix=SETTING,
    commands=_turning_on(DROP_INVALID),
    link="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html",
    remediations=("aws.elb.drop_invalid_headers",),
    good=[
        _balancer(routing__http__drop_invalid_header_fields__enabled="true"),
        _balancer("network", deletion_protection__enabled="true"),
        _balancer("gateway"),
    ],
    bad=[
        _balancer(routing__http__drop_invalid_header_fields__enabled="false"),
        _balancer(routing__http__desync_mitigation_mode="defensive"),
        {},
        {"Type": "application", "LoadBalancerAttributes": ["odd"]},
    ],
)
def drop_invalid(balancer: View) -> bool | Fail | None:
    """Load balancer does not drop invalid HTTP headers.

    Servers interpret malformed headers differently, and attackers exploit the gap to smuggle requests. The load
    balancer can drop such headers before any server sees them.
    """
    if _type(balancer) != "application":
        return None
    return _attribute(balancer, DROP_INVALID) or Fail(f"{DROP_INVALID} is off", "LoadBalancerAttributes")


@rule(
    "aws.elb.logging",
    on=(BALANCER, CLASSIC),
    severity=Severity.MEDIUM,
    link="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html",
    fix="""
        1. Choose a bucket in the load balancer's region and allow Elastic Load Balancing to write to it (see the linked
           guide).
        2. In the EC2 console, choose Load Balancers, select the load balancer, then Attributes, Edit.
        3. Turn on Access logs, enter the bucket, and save.
    """,
    commands={
        BALANCER: """
            aws elbv2 modify-load-balancer-attributes --region={region} --load-balancer-arn={id}
              --attributes='[{"Key": "access_logs.s3.enabled", "Value": "true"},
              {"Key": "access_logs.s3.bucket", "Value": "{LOG_BUCKET}"}]'
        """,
        CLASSIC: """
            aws elb modify-load-balancer-attributes --region={region} --load-balancer-name={name}
              --load-balancer-attributes='{"AccessLog": {"Enabled": true, "S3BucketName": "{LOG_BUCKET}"}}'
        """,
    },
    inputs={
        "LOG_BUCKET": "the bucket that receives the logs",
    },
    remediations=("aws.elb.enable_access_logs",),
    good=[
        _balancer(access_logs__s3__enabled="true", access_logs__s3__bucket="logs"),
        _balancer(access_logs__s3__enabled=True),
        _balancer("network", access_logs__s3__enabled="false"),
        _balancer("gateway"),
    ],
    bad=[_balancer(access_logs__s3__enabled="false"), _balancer(), {}],
)
def logging(balancer: ResourceView) -> bool | Fail | None:
    """Load balancer has no access logging.

    During an attack nobody can tell who requested what, and afterwards nobody can prove that nothing was taken. Access
    logs cost no more than their storage.
    """
    if balancer.type == CLASSIC:
        return is_on(balancer["AccessLoggingPolicy.Enabled"])
    # A network load balancer logs only what comes over TLS, a gateway one nothing: as the control ELB.5, not judged.
    if _type(balancer) != "application":
        return None
    return _attribute(balancer, ACCESS_LOGS) or Fail(f"{ACCESS_LOGS} is off", "LoadBalancerAttributes")


@rule(
    "aws.elb.deletion_protection",
    on=BALANCER,
    severity=Severity.LOW,
    fix=SETTING,
    commands=_turning_on(DELETION_PROTECTION),
    link="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html",
    remediations=("aws.elb.enable_deletion_protection",),
    good=[
        _balancer(deletion_protection__enabled="true"),
        _balancer("network", deletion_protection__enabled="true"),
    ],
    bad=[
        _balancer(deletion_protection__enabled="false"),
        _balancer("gateway", deletion_protection__enabled="false"),
        _balancer("network"),
        {},
    ],
)
def deletion_protection(balancer: View) -> bool | Fail:
    """Load balancer deletion protection is off.

    One wrong click or a deleted stack takes the service offline, and a replacement gets a different address. Deletion
    protection must be turned off first, which forces a second look.
    """
    held = _attribute(balancer, DELETION_PROTECTION)
    return held or Fail(f"{DELETION_PROTECTION} is off", "LoadBalancerAttributes")
