"""Fixes for Amazon CloudFront distributions.

A distribution is updated as a whole, and only by whoever knows its last version: the ETag is part of the call, so that
CloudFront itself refuses when anything was changed meanwhile.
https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_UpdateDistribution.html
"""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

from nephoscope.domain import Call, Field, FixRequest, LiveSession, PlanProblem, Resource, Step, Wait, result
from nephoscope_aws_fixes.setting import Setting, Target, operation, put, unless_hidden

DISTRIBUTION = "AWS::CloudFront::Distribution"
ALLOWS_HTTP, REDIRECTS = "allow-all", "redirect-to-https"
WEBSITE = ".s3-website"
"""Part of the host of a bucket's website, which only speaks HTTP.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteEndpoints.html"""

Config = dict[str, Any]

_READ = operation("cloudfront", "get_distribution", "cloudfront:GetDistribution")


class ConfigFix(Setting):
    """Changes something in the configuration of a distribution; the state is all of it."""

    group = "CloudFront"
    on = (DISTRIBUTION,)
    keys = ("Id",)
    getter = operation("cloudfront", "get_distribution_config", "cloudfront:GetDistributionConfig")
    setter = operation("cloudfront", "update_distribution", "cloudfront:UpdateDistribution")
    also_reads = _READ.actions

    def names(self, resource: Resource) -> dict[str, Any]:
        return {"Id": resource.id.rpartition("/")[2]}

    def found(self, answer: Mapping[str, Any]) -> Any:
        return answer["DistributionConfig"]

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        after = copy.deepcopy(before)
        self.change(after, request)
        return after

    @abstractmethod
    def change(self, config: Config, request: FixRequest) -> None:
        """Change the configuration in place. Raises PlanProblem if it cannot be changed; says why."""

    def plan(self, request: FixRequest, session: LiveSession) -> list[Step]:
        target = self.target(request.resource)
        with unless_hidden():
            answer = session.read(self.getter.on(target, target.names))
        if answer is None:
            raise PlanProblem("it does not exist any more.")
        before = self.found(answer)
        _require_no_headers(before)
        after = self.wanted(before, request, session)
        if after == before:
            raise PlanProblem("it is so already.")
        call = self._update(target, after, answer["ETag"])
        inverse = self._update(target, before, result(0, "ETag"))
        return [Step(request.resource.id, self.title, call, inverse, before, after, self.wait(target), ("ETag",))]

    def _update(self, target: Target, config: Config, version: Any) -> Call:
        return self.setter.on(target, {**target.names, "DistributionConfig": config, "IfMatch": version})

    def wait(self, target: Target) -> Wait | None:
        """Until all edge locations have it, which takes minutes."""
        return Wait(_READ.on(target, target.names), "Distribution.Status", ("Deployed",), 1800, 15)


def _require_no_headers(config: Config) -> None:
    """People put shared secrets into custom headers, and a plan, which holds all of a call, is stored and shown."""
    for origin in _items(config.get("Origins")):
        if _items(origin.get("CustomHeaders")):
            raise PlanProblem(
                f"origin {origin['Id']} has custom headers, which may hold secrets that must not stand in a plan: "
                "change it manually."
            )


def _items(counted: Mapping[str, Any] | None) -> list[Any]:
    return list((counted or {}).get("Items") or ())


class RedirectToHttps(ConfigFix):
    """https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-https-viewers-to-cloudfront.html"""

    id = "aws.cloudfront.redirect_to_https"
    title = "Redirect viewers of the distribution to HTTPS"
    summary = "Sets the viewer protocol policy of each behavior that allows HTTP to Redirect HTTP to HTTPS."
    breaks = (
        "Clients that do not follow redirects, and those that do not trust the distribution’s certificate, can no "
        "longer use it over HTTP."
    )

    def change(self, config: Config, request: FixRequest) -> None:
        for behavior in (config["DefaultCacheBehavior"], *_items(config.get("CacheBehaviors"))):
            if behavior.get("ViewerProtocolPolicy") == ALLOWS_HTTP:
                behavior["ViewerProtocolPolicy"] = REDIRECTS

    def show(self, properties: dict[str, Any], state: Any) -> None:
        policy = state["DefaultCacheBehavior"]["ViewerProtocolPolicy"]
        put(properties, "DistributionConfig.DefaultCacheBehavior.ViewerProtocolPolicy", policy)
        policies = {each["PathPattern"]: each["ViewerProtocolPolicy"] for each in _items(state.get("CacheBehaviors"))}
        for behavior in properties["DistributionConfig"].get("CacheBehaviors") or ():
            behavior["ViewerProtocolPolicy"] = policies[behavior["PathPattern"]]


class SetDefaultRoot(ConfigFix):
    """https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DefaultRootObject.html"""

    id = "aws.cloudfront.set_default_root"
    title = "Set the distribution’s default root object"
    summary = "Sets the page that is shown to whoever asks for the site itself."
    breaks = "Whoever asks for the site itself gets this page, and an error where the origin does not have it."
    inputs = (Field("page", "Default root object", "Its name, without a slash at the front.", default="index.html"),)

    def change(self, config: Config, request: FixRequest) -> None:
        page = request.inputs["page"]
        if page.startswith("/"):
            raise PlanProblem("the name of the default root object has no slash at the front.")
        if not config.get("DefaultRootObject"):
            config["DefaultRootObject"] = page

    def show(self, properties: dict[str, Any], state: Any) -> None:
        put(properties, "DistributionConfig.DefaultRootObject", state["DefaultRootObject"])


class OriginFix(ConfigFix):
    """Changes what CloudFront and the custom origins of a distribution speak with each other."""

    def change(self, config: Config, request: FixRequest) -> None:
        for origin in _items(config.get("Origins")):
            if custom := origin.get("CustomOriginConfig"):
                self.change_origin(origin, custom)

    @abstractmethod
    def change_origin(self, origin: Config, custom: Config) -> None:
        """Change the settings of a custom origin in place."""

    def show(self, properties: dict[str, Any], state: Any) -> None:
        for shown, custom in _shown_origins(properties, state):
            shown["OriginProtocolPolicy"] = custom["OriginProtocolPolicy"]
            shown["OriginSSLProtocols"] = sorted(_items(custom["OriginSslProtocols"]))


def _shown_origins(properties: dict[str, Any], state: Config) -> Iterator[tuple[Config, Config]]:
    """Yield the settings of each custom origin, as the resource has them and as they stand in a configuration."""
    customs = {
        each["Id"]: each["CustomOriginConfig"] for each in _items(state["Origins"]) if "CustomOriginConfig" in each
    }
    for origin in properties["DistributionConfig"].get("Origins") or ():
        if origin["Id"] in customs and origin.get("CustomOriginConfig"):
            yield origin["CustomOriginConfig"], customs[origin["Id"]]


class RefuseSslv3(OriginFix):
    """https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_OriginSslProtocols.html"""

    id = "aws.cloudfront.refuse_sslv3"
    title = "Stop using SSLv3 to origins"
    summary = "Takes SSLv3 away from the protocols of custom origins; TLSv1.2 is left where there was no other."
    breaks = "An origin that speaks nothing newer than SSLv3 can no longer be reached: viewers then get an error 502."

    def change_origin(self, origin: Config, custom: Config) -> None:
        now = _items(custom.get("OriginSslProtocols"))
        if "SSLv3" in now:
            left = [each for each in now if each != "SSLv3"] or ["TLSv1.2"]
            custom["OriginSslProtocols"] = {"Quantity": len(left), "Items": left}


class OriginHttps(OriginFix):
    """https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-https-cloudfront-to-custom-origin.html"""

    id = "aws.cloudfront.origin_https"
    title = "Use HTTPS to the distribution’s origins"
    summary = "Sets the protocol of custom origins to HTTPS only."
    breaks = (
        "An origin without a certificate of a trusted authority for its name, or that does not listen on its HTTPS "
        "port, can no longer be reached: viewers then get an error 502."
    )

    def change_origin(self, origin: Config, custom: Config) -> None:
        if custom["OriginProtocolPolicy"] == "https-only":
            return
        if WEBSITE in origin["DomainName"].lower():
            raise PlanProblem(
                f"origin {origin['Id']} is the website of a bucket, which only speaks HTTP: use the bucket itself with "
                "origin access control."
            )
        custom["OriginProtocolPolicy"] = "https-only"
