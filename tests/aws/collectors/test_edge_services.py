"""Load balancers, CloudFront, APIs, WAF, ACM, Auto Scaling, Lambda and CodeBuild: collected over HTTP and judged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER
from tests.aws.collectors.edge_world import HOME, LOGS, NOW, PASSWORD
from tests.aws.collectors.world import ACCOUNT, READS, REGION, Clients, at, collected, why

from nephoscope.domain import Resource, Verdict
from nephoscope.engine import judge
from nephoscope_aws.api import Api, Denied
from nephoscope_aws.collectors import ALL, lambda_, waf
from nephoscope_aws.defaults import DEFAULTS
from nephoscope_aws_simulator.testing import Simulator
from nephoscope_baseline import plugin

SERVICES = ("elb", "cloudfront", "apigateway", "waf", "acm", "autoscaling", "lambda", "codebuild")
EMPTY_REGION = "eu-north-1"
RULES = {rule.id: rule for rule in plugin.register_rules()}


@pytest.fixture(scope="module")
def aws(simulators: Callable[[str], Simulator]) -> Simulator:
    return simulators("services")


@pytest.fixture
def reader(aws: Simulator) -> Iterator[Api]:
    api = Api(ACCOUNT, Clients(aws.endpoint), READS)
    yield api
    api.close()
    aws.control("reset-denials", {})


@pytest.fixture(scope="module")
def found(aws: Simulator) -> dict[tuple[str, str], Resource]:
    """Everything in the account by the last part of its type and its name."""
    api = Api(ACCOUNT, Clients(aws.endpoint), READS)
    resources = [each for service in SERVICES for each in collected(api, service)] + collected(api, "waf", HOME)
    api.close()
    return {(each.type.partition("::")[2], each.name): each for each in resources}


VERDICTS = [
    ("elb.https_redirect", "ElasticLoadBalancingV2::Listener", "right:80", "wrong:80"),
    ("elb.https_redirect", "ElasticLoadBalancingV2::Listener", "right:80", "right:8080"),
    ("elb.tls_policy", "ElasticLoadBalancingV2::Listener", "right:443", "wrong:443"),
    ("elb.drop_invalid", "ElasticLoadBalancingV2::LoadBalancer", "right", "wrong"),
    ("elb.logging", "ElasticLoadBalancingV2::LoadBalancer", "right", "wrong"),
    ("elb.logging", "ElasticLoadBalancing::LoadBalancer", "classic-right", "classic-wrong"),
    ("elb.deletion_protection", "ElasticLoadBalancingV2::LoadBalancer", "right", "wrong"),
    ("elb.deletion_protection", "ElasticLoadBalancingV2::LoadBalancer", "right", "net"),
    *(
        (f"cloudfront.{name}", "CloudFront::Distribution", "right.example.com", "wrong.example.com")
        for name in ("https", "logging", "waf", "oac", "tls_origin", "origin_https", "default_certificate")
    ),
    ("cloudfront.logging", "CloudFront::Distribution", "delivered.example.com", "wrong.example.com"),
    ("apigateway.logging", "ApiGateway::Stage", "shop/right", "shop/wrong"),
    ("apigateway.logging", "ApiGatewayV2::Stage", "chat/right", "chat/wrong"),
    ("apigateway.auth", "ApiGatewayV2::Route", "web GET /right", "web GET /wrong"),
    ("apigateway.auth", "ApiGatewayV2::Route", "web GET /right", "chat $connect"),
    ("waf.logging", "WAFv2::WebACL", "right", "wrong"),
    ("waf.logging", "WAFv2::WebACL", "right-global", "wrong-global"),
    ("acm.expiry", "CertificateManager::Certificate", "right.example.com", "wrong.example.com"),
    ("autoscaling.lc_public_ip", "AutoScaling::LaunchConfiguration", "right", "wrong"),
    ("autoscaling.lc_imdsv2", "AutoScaling::LaunchConfiguration", "right", "wrong"),
    *((f"lambda.{name}", "Lambda::Function", "right", "wrong") for name in ("public", "runtime", "env_secrets")),
    ("lambda.url_auth", "Lambda::Url", "right", "wrong"),
    ("codebuild.plain_secrets", "CodeBuild::Project", "right", "wrong"),
]

NOT_APPLICABLE = [
    ("elb.https_redirect", "ElasticLoadBalancingV2::Listener", "right:443"),
    ("elb.tls_policy", "ElasticLoadBalancingV2::Listener", "right:80"),
    ("elb.drop_invalid", "ElasticLoadBalancingV2::LoadBalancer", "net"),
    ("elb.logging", "ElasticLoadBalancingV2::LoadBalancer", "net"),
    ("apigateway.auth", "ApiGatewayV2::Route", "chat send"),
    ("lambda.runtime", "Lambda::Function", "bare"),
    ("lambda.env_secrets", "Lambda::Function", "bare"),
]


def verdict(rule: str, resource: Resource) -> Verdict:
    return judge(RULES[f"aws.{rule}"], resource, now=NOW, defaults=DEFAULTS).verdict


@pytest.mark.parametrize(("rule", "type", "right", "wrong"), VERDICTS)
def test_the_right_one_passes_and_the_wrong_one_fails(
    found: dict[tuple[str, str], Resource], rule: str, type: str, right: str, wrong: str
) -> None:
    assert verdict(rule, found[type, right]) is Verdict.PASS
    assert verdict(rule, found[type, wrong]) is Verdict.FAIL


@pytest.mark.parametrize(("rule", "type", "name"), NOT_APPLICABLE)
def test_what_a_rule_is_not_about_is_left_alone(
    found: dict[tuple[str, str], Resource], rule: str, type: str, name: str
) -> None:
    assert verdict(rule, found[type, name]) is Verdict.NOT_APPLICABLE


def test_each_type_is_collected_in_its_published_shape_and_nothing_is_hidden(
    found: dict[tuple[str, str], Resource],
) -> None:
    folded = {**lambda_.SYNTHETIC, **waf.SYNTHETIC}
    assert {each.type for each in found.values()} == {type for name in SERVICES for type in ALL[name].service.types}
    for resource in found.values():
        known = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource.type).schema["properties"]
        assert set(resource.properties) <= {*known, *folded.get(resource.type, ()), "Observed"}, resource.type
        assert "$unknown" not in json.dumps(resource.properties)


def test_no_secret_is_kept(found: dict[tuple[str, str], Resource]) -> None:
    kept = {key: each for key, each in found.items() if PASSWORD in json.dumps(each.properties)}
    assert list(kept) == [("CodeBuild::Project", "right")], "a reference to a secret is no secret"


def test_tags_and_what_other_rules_look_for(found: dict[tuple[str, str], Resource]) -> None:
    balancer = found["ElasticLoadBalancingV2::LoadBalancer", "right"]
    assert balancer.tags == {"kind": "right"}
    assert len(at(balancer, "Subnets")) == 2
    assert found["ElasticLoadBalancing::LoadBalancer", "classic-right"].tags == {"kind": "classic-right"}
    assert found["ApiGateway::Stage", "shop/right"].tags == {"kind": "right"}
    assert found["CodeBuild::Project", "right"].tags == {"kind": "right"}
    assert at(found["AutoScaling::LaunchConfiguration", "right"], "SecurityGroups") == ["sg-1"]
    assert at(found["CloudFront::Distribution", "delivered.example.com"], "Observed.LogDeliveries") == [LOGS]
    assert at(found["Lambda::Function", "bare"], "Policy") is None
    assert at(found["ApiGateway::Stage", "shop/right"], "MethodSettings")[0]["ResourcePath"] == "/*"


@pytest.mark.parametrize("service", SERVICES)
def test_reading_one_again_gives_what_collecting_gave(reader: Api, service: str) -> None:
    for resource in collected(reader, service, HOME if service == "waf" else REGION):
        assert ALL[service].reread(reader, resource) == resource


@pytest.mark.parametrize("service", SERVICES)
def test_reading_again_what_is_gone_gives_none(reader: Api, service: str) -> None:
    for type, known in {each.type: each for each in collected(reader, service)}.items():
        absent = known.id.removesuffix("/url")[:-8] + "0badc0de"
        gone = Resource(type, absent, "no-such-name", known.region, ACCOUNT, known.properties)
        assert ALL[service].reread(reader, gone) is None


PARTS = [
    ("elb", "elasticloadbalancing:DescribeLoadBalancerAttributes", "LoadBalancerAttributes", "elb.logging"),
    ("elb", "elasticloadbalancing:DescribeLoadBalancerAttributes", "AccessLoggingPolicy", "elb.logging"),
    ("elb", "elasticloadbalancing:DescribeTags", "Tags", ""),
    ("cloudfront", "cloudfront:GetDistributionConfig", "DistributionConfig.Logging", "cloudfront.logging"),
    ("cloudfront", "logs:DescribeDeliverySources", "Observed.LogDeliveries", ""),
    ("waf", "wafv2:ListLoggingConfigurations", "LoggingConfiguration", "waf.logging"),
    ("lambda", "lambda:GetPolicy", "Policy", "lambda.public"),
    ("codebuild", "codebuild:BatchGetProjects", "Environment", "codebuild.plain_secrets"),
]


@pytest.mark.parametrize(("service", "action", "path", "rule"), PARTS)
def test_a_denied_part_is_unknown_with_its_permission(
    aws: Simulator, reader: Api, service: str, action: str, path: str, rule: str
) -> None:
    before = {each.id for each in collected(reader, service)}
    aws.control("deny", actions=[action])
    again = Api(ACCOUNT, Clients(aws.endpoint), READS)
    after = collected(again, service)
    again.close()
    assert {each.id for each in after} == before
    hit = [each for each in after if path.partition(".")[0] in each.properties]
    assert hit
    for resource in hit:
        assert why(at(resource, path))["permission"] == action
        unknown = judge(RULES[f"aws.{rule}"], resource, now=NOW, defaults=DEFAULTS) if rule else None
        applies = resource.properties.get("Type") != "network"
        assert not (unknown and applies) or (unknown.verdict, unknown.permission) == (Verdict.UNKNOWN, action)


def test_logs_of_the_older_kind_are_enough_when_the_newer_cannot_be_seen(aws: Simulator, reader: Api) -> None:
    aws.control("deny", actions=["logs:DescribeDeliverySources"])
    verdicts = {each.name: verdict("cloudfront.logging", each) for each in collected(reader, "cloudfront")}
    assert verdicts == {
        "right.example.com": Verdict.PASS,
        "wrong.example.com": Verdict.UNKNOWN,
        "delivered.example.com": Verdict.UNKNOWN,
    }


LISTS = [
    ("elb", "elasticloadbalancing:DescribeLoadBalancers", set(ALL["elb"].service.types)),
    ("elb", "elasticloadbalancing:DescribeListeners", {"AWS::ElasticLoadBalancingV2::Listener"}),
    ("cloudfront", "cloudfront:ListDistributions", {"AWS::CloudFront::Distribution"}),
    ("apigateway", "apigateway:GET", set(ALL["apigateway"].service.types)),
    ("waf", "wafv2:ListWebACLs", {"AWS::WAFv2::WebACL"}),
    ("acm", "acm:ListCertificates", {"AWS::CertificateManager::Certificate"}),
    ("autoscaling", "autoscaling:DescribeLaunchConfigurations", {"AWS::AutoScaling::LaunchConfiguration"}),
    ("lambda", "lambda:ListFunctions", set(ALL["lambda"].service.types)),
    ("lambda", "lambda:ListFunctionUrlConfigs", {"AWS::Lambda::Url"}),
    ("codebuild", "codebuild:ListProjects", {"AWS::CodeBuild::Project"}),
]


@pytest.mark.parametrize(("service", "action", "types"), LISTS)
def test_a_denied_list_leaves_one_stand_in_per_type_and_the_others_are_read(
    aws: Simulator, reader: Api, service: str, action: str, types: set[str]
) -> None:
    known = [each for each in collected(reader, service) if each.type in types]
    aws.control("deny", actions=[action])
    resources = collected(reader, service, HOME if service == "waf" else REGION)
    assert sorted(each.type for each in resources if each.unlisted) == sorted(types)
    assert {each.type for each in resources if not each.unlisted} == set(ALL[service].service.types) - types
    assert all(not each.unlisted or why(each.properties)["permission"] == action for each in resources)
    if action not in ("lambda:ListFunctions", "codebuild:ListProjects", "cloudfront:ListDistributions"):
        with pytest.raises(Denied, match=action):
            ALL[service].reread(reader, known[0])


def test_the_calls_are_as_few_as_the_docstrings_say(reader: Api) -> None:
    made: dict[str, tuple[int, int]] = {}
    for service in SERVICES:
        before = reader.calls
        collected(reader, service)
        full = reader.calls - before
        collected(reader, service, EMPTY_REGION)
        made[service] = full, reader.calls - before - full
    del made["cloudfront"]
    assert made == {
        "elb": (2 + 2 + 3 * 2 + 3 + 2, 2),
        "apigateway": (2 + 1 + 1 + 2, 2),
        "waf": (2, 1),
        "acm": (1, 1),
        "autoscaling": (1, 1),
        "lambda": (1 + 3 * 2, 1),
        "codebuild": (2, 1),
    }


def test_cloudfront_takes_a_call_for_each_distribution_and_two_for_the_deliveries(reader: Api) -> None:
    collected(reader, "cloudfront")
    assert reader.calls == 1 + 3 + 2
