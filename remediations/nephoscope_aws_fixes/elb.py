"""Fixes for load balancers and their listeners."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from nephoscope.domain import Field, FixRequest, LiveSession, PlanProblem, Resource, Verdict
from nephoscope_aws_fixes.setting import Members, Setting, Target, operation

BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"""


class BalancerAttributes(Setting):
    """Attributes of a load balancer. The state is the values of those in ``wants``, by their keys.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ModifyLoadBalancerAttributes.html
    """

    group = "Load balancers"
    on = ("AWS::ElasticLoadBalancingV2::LoadBalancer",)
    keys = ("LoadBalancerArn",)
    getter = operation(
        "elbv2", "describe_load_balancer_attributes", "elasticloadbalancing:DescribeLoadBalancerAttributes"
    )
    setter = operation("elbv2", "modify_load_balancer_attributes", "elasticloadbalancing:ModifyLoadBalancerAttributes")
    wants: Mapping[str, str]

    def names(self, resource: Resource) -> dict[str, Any]:
        return {"LoadBalancerArn": resource.id}

    def found(self, answer: Mapping[str, Any]) -> Any:
        return {each["Key"]: each["Value"] for each in answer["Attributes"] if each["Key"] in self.wants}

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        if before is None:
            raise PlanProblem("it does not exist any more.")
        return {**before, **self.wants}

    def parameters(self, state: Any) -> Mapping[str, Any]:
        return {"Attributes": [{"Key": key, "Value": value} for key, value in state.items()]}

    def show(self, properties: dict[str, Any], state: Any) -> None:
        held = properties.get("LoadBalancerAttributes")
        others = [each for each in held if each["Key"] not in state] if isinstance(held, list) else []
        properties["LoadBalancerAttributes"] = [*others, *self.parameters(state)["Attributes"]]


class DropInvalidHeaders(BalancerAttributes):
    id = "aws.elb.drop_invalid_headers"
    title = "Drop invalid HTTP headers at the load balancer"
    summary = "The load balancer removes headers whose names are not valid. It takes effect at once."
    breaks = (
        "Clients and applications that rely on a header whose name has other characters than letters, digits and "
        "hyphens, such as an underscore, lose it."
    )
    wants = {"routing.http.drop_invalid_header_fields.enabled": "true"}


class ProtectFromDeletion(BalancerAttributes):
    id = "aws.elb.enable_deletion_protection"
    title = "Turn on deletion protection of the load balancer"
    summary = "The load balancer cannot be deleted until it is turned off again."
    breaks = "Whatever deletes it, a stack or a Kubernetes controller for instance, fails until it is turned off."
    wants = {"deletion_protection.enabled": "true"}


class LogAccess(BalancerAttributes):
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html"""

    id = "aws.elb.enable_access_logs"
    title = "Turn on access logs of the load balancer"
    summary = "Writes access logs to the bucket that you enter. Its policy must let Elastic Load Balancing write to it."
    breaks = "Nothing stops working. AWS refuses the change if it cannot write to the bucket. Storage is charged."
    inputs = (Field("bucket", "Bucket for access logs", "A bucket in the load balancer’s region.", required=True),)
    loses = "Undo turns access logs off; the bucket’s name stays entered."
    wants = {"access_logs.s3.enabled": "true", "access_logs.s3.bucket": ""}

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        after = super().wanted(before, request, session)
        if before["access_logs.s3.enabled"] == "true":
            return before
        if not BUCKET_NAME.fullmatch(bucket := request.inputs["bucket"].strip()):
            raise PlanProblem(f"{bucket[:80]!r} is not the name of a bucket.")
        return {**after, "access_logs.s3.bucket": bucket}

    def parameters(self, state: Any) -> Mapping[str, Any]:
        """AWS takes no empty name of a bucket, and may check any other one."""
        on = state["access_logs.s3.enabled"] == "true"
        return super().parameters(state if on else {"access_logs.s3.enabled": "false"})

    def lost(self, before: Any, after: Any) -> tuple[str, Any]:
        off = {**after, "access_logs.s3.enabled": "false"}
        return ("", None) if off == before else (self.loses, off)


class ListenerSetting(Setting):
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ModifyListener.html"""

    group = "Load balancers"
    on = ("AWS::ElasticLoadBalancingV2::Listener",)
    keys = ("ListenerArn",)
    getter = operation("elbv2", "describe_listeners", "elasticloadbalancing:DescribeListeners")
    setter = operation("elbv2", "modify_listener", "elasticloadbalancing:ModifyListener")

    def names(self, resource: Resource) -> dict[str, Any]:
        return {"ListenerArn": resource.id}

    def asked(self, target: Target) -> Mapping[str, Any]:
        return {"ListenerArns": [target.names["ListenerArn"]]}


class UseStrongTls(ListenerSetting, Members):
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html"""

    id = "aws.elb.use_strong_tls"
    title = "Use a strong TLS policy for the listener"
    summary = "Sets the security policy that AWS recommends: TLS 1.3, and TLS 1.2 with forward secrecy."
    breaks = (
        "Clients that know no TLS 1.2, or only its older ciphers, can no longer connect. The access logs tell which "
        "version and cipher each client uses."
    )
    path = ("Listeners", 0)
    wants = {"SslPolicy": "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"}

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        after = super().wanted(before, request, session)
        fips = {"SslPolicy": "ELBSecurityPolicy-TLS13-1-2-Res-FIPS-2023-04"}
        return fips if "-FIPS-" in str(before["SslPolicy"]) else after


class RedirectToHttps(ListenerSetting):
    """The state is the default actions as AWS tells them."""

    id = "aws.elb.redirect_to_https"
    title = "Redirect HTTP to HTTPS"
    summary = "The listener’s default action becomes a permanent redirect to the load balancer’s HTTPS listener."
    breaks = (
        "Clients that speak HTTP only, or do not follow redirects, stop working, as do health checks from outside that "
        "expect another answer. Browsers remember the redirect, also after an undo."
    )

    def found(self, answer: Mapping[str, Any]) -> Any:
        return next((each["DefaultActions"] for each in answer["Listeners"]), None)

    def same(self, one: Any, other: Any) -> bool:
        return one is not None and other is not None and _plain(one) == _plain(other)

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        if before is None:
            raise PlanProblem("it does not exist any more.")
        after = [{"Type": "redirect", "RedirectConfig": {**_SAME_PLACE, "Port": self._port(request.resource, session)}}]
        properties = {**request.resource.properties}
        self.show(properties, after)
        assert request.judge, "asked for a finding of a rule only"
        judged = request.judge(replace(request.resource, properties=properties))
        if judged.verdict != Verdict.PASS:
            raise PlanProblem(f"it has rules of its own, which have to be changed manually: {judged.message}.")
        return after

    def _port(self, listener: Resource, session: LiveSession) -> str:
        """Return the port on which the load balancer speaks HTTPS."""
        asked = {"LoadBalancerArn": listener.properties["LoadBalancerArn"]}
        answer = session.read(self.getter.on(self.target(listener), asked)) or {}
        ports = sorted(each["Port"] for each in answer.get("Listeners", ()) if each["Protocol"] == "HTTPS")
        if not ports:
            raise PlanProblem("its load balancer has no HTTPS listener. Add one with a certificate first.")
        return "443" if 443 in ports else str(ports[0])

    def parameters(self, state: Any) -> Mapping[str, Any]:
        return {"DefaultActions": state}

    def show(self, properties: dict[str, Any], state: Any) -> None:
        properties["DefaultActions"] = state


_SAME_PLACE = {
    "Protocol": "HTTPS",
    "Host": "#{host}",
    "Path": "/#{path}",
    "Query": "#{query}",
    "StatusCode": "HTTP_301",
}
"""A redirect that changes nothing but the protocol.
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RedirectActionConfig.html"""


def _plain(actions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return actions without what says nothing: the order of a single one, and the other form of one target group."""
    alone = len(actions) == 1
    return [
        {
            name: value
            for name, value in each.items()
            if not (name == "Order" and alone) and not (name == "ForwardConfig" and each.get("TargetGroupArn"))
        }
        for each in actions
    ]
