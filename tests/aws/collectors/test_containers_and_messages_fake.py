"""Machines, secrets and denied clusters as AWS publishes their shapes, over HTTP: the simulator does not have them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from tests.aws.collectors.test_containers_and_messages import READS, judged
from tests.aws.collectors.world import ACCOUNT, REGION, Clients, at, collected, named
from tests.serving import serving

from nephoscope.domain import Resource, Verdict
from nephoscope.testing import resource
from nephoscope_aws.api import Api
from nephoscope_aws.collectors import ALL, ecs, secretsmanager, ssm

Answer = Callable[[dict[str, Any]], dict[str, Any] | None]


@dataclass(frozen=True)
class Aws:
    """An AWS of the JSON protocols that answers each operation by a function of what was asked; None is a refusal."""

    answers: dict[str, Answer]
    asked: list[tuple[str, dict[str, Any]]]

    def answer(self, operation: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.asked.append((operation, body))
        answer = self.answers[operation](body) if operation in self.answers else None
        return (200, answer) if answer is not None else (400, {"__type": "AccessDeniedException", "message": "no"})


@pytest.fixture
def fake() -> Iterator[Callable[..., tuple[Api, Aws]]]:
    opened = ExitStack()

    def start(**answers: Answer) -> tuple[Api, Aws]:
        aws = Aws(answers, [])

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, answer = aws.answer(self.headers["X-Amz-Target"].rpartition(".")[2], body)
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: Any) -> None: ...

        endpoint = opened.enter_context(serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)))
        api = Api(ACCOUNT, Clients(endpoint), READS)
        opened.callback(api.close)
        return api, aws

    with opened:
        yield start


MACHINES = [
    {"InstanceId": "i-1", "PingStatus": "Online", "LastPingDateTime": 1764000000, "ResourceType": "EC2Instance"},
    {"InstanceId": "i-2", "PingStatus": "ConnectionLost", "ResourceType": "EC2Instance"},
    {"InstanceId": "mi-3", "PingStatus": "Online", "ResourceType": "ManagedInstance"},
]


def summary(id: str, status: str) -> dict[str, Any]:
    return {
        "ComplianceType": "Patch",
        "ResourceType": "ManagedInstance",
        "ResourceId": id,
        "Status": status,
        "OverallSeverity": "CRITICAL",
        "NonCompliantSummary": {"NonCompliantCount": 1},
    }


def machines(body: dict[str, Any]) -> dict[str, Any]:
    """DescribeInstanceInformation: two pages, or the machines that a filter names."""
    if "Filters" in body:
        wanted = body["Filters"][0]["Values"]
        return {"InstanceInformationList": [each for each in MACHINES if each["InstanceId"] in wanted]}
    return (
        {"InstanceInformationList": MACHINES[2:]}
        if body.get("NextToken")
        else {"InstanceInformationList": MACHINES[:2], "NextToken": "more"}
    )


def summaries(body: dict[str, Any]) -> dict[str, Any]:
    assert body["Filters"][0] == {"Key": "ComplianceType", "Values": ["Patch"], "Type": "EQUAL"}
    return {
        "ResourceComplianceSummaryItems": [
            summary("i-1", "COMPLIANT"),
            summary("i-2", "NON_COMPLIANT"),
            summary("i-gone", "COMPLIANT"),
        ]
    }


def no_documents(body: dict[str, Any]) -> dict[str, Any]:
    assert body["Filters"] == [{"Key": "Owner", "Values": ["Self"]}]
    return {"DocumentIdentifiers": []}


def instance(id: str, region: str = REGION) -> Resource:
    properties = {"InstanceId": id, "Observed": {"State": "running"}}
    return resource("AWS::EC2::Instance", properties, name=id, region=region)


def test_machines_are_judged_by_their_agent_and_their_patches(fake: Callable[..., tuple[Api, Aws]]) -> None:
    api, aws = fake(
        DescribeInstanceInformation=machines, ListResourceComplianceSummaries=summaries, ListDocuments=no_documents
    )
    found = collected(api, "ssm")
    assert [name for name, _ in aws.asked] == [
        "DescribeInstanceInformation",
        "ListResourceComplianceSummaries",
        "DescribeInstanceInformation",
        "ListDocuments",
    ]
    assert {each.name: judged("aws.ssm.patch_compliant", each).verdict for each in found} == {
        "i-1": "pass",
        "i-2": "fail",
        "mi-3": "not_applicable",
    }
    findings = {id: judged("aws.ssm.managed", instance(id), *found) for id in ("i-1", "i-2", "i-4")}
    assert {id: each.verdict for id, each in findings.items()} == {"i-1": "pass", "i-2": "fail", "i-4": "fail"}
    assert "ConnectionLost" in findings["i-2"].message
    assert "LastPingDateTime" not in json.dumps([each.properties for each in found])
    for each in found:
        assert ALL["ssm"].reread(api, each) == each
    gone = Resource(ssm.MANAGED, "arn", "i-9", REGION, ACCOUNT, {})
    assert ALL["ssm"].reread(api, gone) is None


def test_patches_that_are_hidden_leave_the_machines_known(fake: Callable[..., tuple[Api, Aws]]) -> None:
    api, _ = fake(DescribeInstanceInformation=machines, ListDocuments=no_documents)
    found = collected(api, "ssm")
    assert judged("aws.ssm.managed", instance("i-1"), *found).verdict is Verdict.PASS
    for each in found:
        finding = judged("aws.ssm.patch_compliant", each)
        assert (finding.verdict, finding.permission) == (Verdict.UNKNOWN, "ssm:ListResourceComplianceSummaries")


def test_machines_hidden_in_another_region_do_not_matter(fake: Callable[..., tuple[Api, Aws]]) -> None:
    api, _ = fake(ListDocuments=no_documents)
    [hidden] = collected(api, "ssm")
    assert judged("aws.ssm.managed", instance("i-1"), hidden).permission == "ssm:DescribeInstanceInformation"
    assert judged("aws.ssm.managed", instance("i-1", "us-east-1"), hidden).verdict is Verdict.FAIL


def secret(name: str, **more: Any) -> dict[str, Any]:
    return {
        "ARN": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-AbCdEf",
        "Name": name,
        "CreatedDate": 1700000000.5,
        **more,
    }


SECRETS = [
    secret("rotating", RotationEnabled=True, RotationRules={"AutomaticallyAfterDays": 30}, LastAccessedDate=1795305600),
    secret("stopped", RotationEnabled=False, RotationRules={"AutomaticallyAfterDays": 30}, LastAccessedDate=1784937600),
    secret("never-read", PrimaryRegion=REGION),
    secret("replica", PrimaryRegion="us-east-1"),
    secret("events!connection/x", OwningService="events"),
]


def test_secrets_are_judged_by_rotation_and_use(fake: Callable[..., tuple[Api, Aws]]) -> None:
    def listed(body: dict[str, Any]) -> dict[str, Any]:
        start = body["Filters"][0]["Values"][0] if "Filters" in body else ""
        return {"SecretList": [each for each in SECRETS if each["Name"].startswith(start)]}

    api, _ = fake(ListSecrets=listed)
    found = collected(api, "secretsmanager")
    verdicts = {
        each.name: (
            judged("aws.secretsmanager.rotation", each).verdict.value,
            judged("aws.secretsmanager.unused", each).verdict.value,
        )
        for each in found
    }
    assert verdicts == {
        "rotating": ("pass", "pass"),
        "stopped": ("fail", "fail"),
        "never-read": ("fail", "fail"),
        "replica": ("not_applicable", "not_applicable"),
        "events!connection/x": ("not_applicable", "not_applicable"),
    }
    assert at(named(found, secretsmanager.SECRET, "stopped"), "Observed.LastAccessedDate") == "2026-07-25T00:00:00Z"
    assert all(ALL["secretsmanager"].reread(api, each) == each for each in found)
    beginning = Resource(secretsmanager.SECRET, "arn", "rota", REGION, ACCOUNT, {})
    assert ALL["secretsmanager"].reread(api, beginning) is None


@pytest.mark.parametrize("moment", ["yesterday", "", 7, [], {}])
def test_a_time_that_is_none_is_unknown(moment: Any) -> None:
    for observed in ({"LastAccessedDate": moment}, {"LastAccessedDate": None, "CreatedDate": moment}):
        subject = resource(secretsmanager.SECRET, {"Observed": observed})
        assert judged("aws.secretsmanager.unused", subject).verdict is Verdict.UNKNOWN


def test_services_of_clusters_that_can_be_listed_are_found_beside_one_that_cannot(
    fake: Callable[..., tuple[Api, Aws]],
) -> None:
    arn = f"arn:aws:ecs:{REGION}:{ACCOUNT}"
    network = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "ENABLED"}}
    services = [
        {
            "serviceArn": f"{arn}:service/b/by-task-set",
            "status": "ACTIVE",
            "taskSets": [{"status": "ACTIVE"}, {"status": "PRIMARY", "networkConfiguration": network}],
        },
        {"serviceArn": f"{arn}:service/b/deleted", "status": "INACTIVE", "networkConfiguration": network},
    ]

    def listed(body: dict[str, Any]) -> dict[str, Any] | None:
        arns = [each["serviceArn"] for each in services]
        return {"serviceArns": arns} if body["cluster"].endswith("/b") else None

    api, _ = fake(
        ListClusters=lambda _: {"clusterArns": [f"{arn}:cluster/{name}" for name in "abc"]},
        ListServices=listed,
        DescribeServices=lambda _: {"services": services, "failures": []},
        ListTaskDefinitionFamilies=lambda _: {"families": []},
    )
    found = collected(api, "ecs")
    assert [(each.name, not each.unlisted) for each in found] == [
        ("by-task-set", True),
        (f"All {ecs.SERVICE} in {REGION}", False),
        (f"One {ecs.TASK} in {REGION}", False),
    ]
    assert judged("aws.ecs.public_ip", found[0]).verdict is Verdict.FAIL


@pytest.mark.parametrize("rule", ["privileged", "readonly_root", "env_secrets"])
def test_a_container_without_its_members_is_unknown_and_has_not_passed(
    rule: str, fake: Callable[..., tuple[Api, Aws]]
) -> None:
    arn = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/app:1"
    task = {"taskDefinitionArn": arn, "family": "app", "revision": 1, "status": "ACTIVE", "containerDefinitions": [{}]}
    api, _ = fake(
        ListClusters=lambda _: {"clusterArns": []},
        ListTaskDefinitionFamilies=lambda _: {"families": ["app"]},
        DescribeTaskDefinition=lambda _: {"taskDefinition": task, "tags": []},
    )
    [found] = collected(api, "ecs")
    assert judged(f"aws.ecs.{rule}", found).verdict is Verdict.UNKNOWN
