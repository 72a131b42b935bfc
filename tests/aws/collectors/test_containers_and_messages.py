"""EKS, ECS, ECR, Systems Manager, Secrets Manager, SQS and SNS: what is read of them, and what the rules make of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from tests.aws.collectors.containers_world import LEAK
from tests.aws.collectors.world import ACCOUNT, REGION, Clients, at, collected, named, why

from nephoscope.domain import UNIDENTIFIED, Finding, Resource, Verdict
from nephoscope.engine import Neighbours, judge
from nephoscope.testing import resource
from nephoscope_aws.api import Api, Denied
from nephoscope_aws.collectors import ALL, ecr, ecs, eks, secretsmanager, sns, sqs, ssm
from nephoscope_aws_simulator.testing import Simulator
from nephoscope_baseline import plugin

MODULES = (eks, ecs, ecr, ssm, secretsmanager, sqs, sns)
SERVICES = [module.COLLECTOR.service.id for module in MODULES]
READS = {call: action for module in MODULES for call, action in module.READS.items()}
RULES = {rule.id: rule for rule in plugin.register_rules()}
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
EMPTY_REGION = "eu-west-2"


@pytest.fixture(scope="module")
def cloud(simulators: Callable[[str], Simulator]) -> Simulator:
    return simulators("services")


@pytest.fixture
def account(cloud: Simulator) -> Iterator[Api]:
    api = Api(ACCOUNT, Clients(cloud.endpoint), READS)
    yield api
    api.close()
    cloud.control("reset-denials", {})


def judged(rule: str, subject: Resource, *neighbours: Resource) -> Finding:
    return judge(RULES[rule], subject, now=NOW, neighbours=Neighbours.fixed(neighbours))


# -- What is collected, and what the rules say of it ---------------------------------------------------------------

VERDICTS = [
    ("aws.eks.public_endpoint", "closed", "open"),
    ("aws.eks.version", "closed", "open"),
    ("aws.eks.secrets_kms", "closed", "open"),
    ("aws.eks.audit_logs", "closed", "open"),
    ("aws.ecs.public_ip", "inside", "outside"),
    ("aws.ecs.privileged", "good", "bad"),
    ("aws.ecs.readonly_root", "good", "bad"),
    ("aws.ecs.env_secrets", "good", "bad"),
    ("aws.ecr.scan_on_push", "team/good", "bad"),
    ("aws.ecr.scan_on_push", "team/scanned", "bad"),
    ("aws.ecr.immutable", "team/good", "bad"),
    ("aws.ecr.public_policy", "team/good", "bad"),
    ("aws.sqs.encrypted", "good", "bad"),
    ("aws.sqs.encrypted", "keyed", "bad"),
    ("aws.sqs.public", "good", "bad"),
    ("aws.sns.kms", "good", "bad"),
    ("aws.sns.public", "good", "bad"),
    ("aws.ssm.document_public", "own", "shared"),
    ("aws.secretsmanager.public", "db", "db-2"),
]


@pytest.mark.parametrize(("rule", "good", "bad"), VERDICTS)
def test_the_right_one_passes_and_the_wrong_one_fails(account: Api, rule: str, good: str, bad: str) -> None:
    found = collected(account, rule.split(".")[1])
    type = RULES[rule].on[0]
    assert judged(rule, named(found, type, good), *found).verdict is Verdict.PASS
    finding = judged(rule, named(found, type, bad), *found)
    assert finding.verdict is Verdict.FAIL
    assert finding.message
    assert finding.evidence


def test_a_cluster_is_told_as_a_template_would(account: Api) -> None:
    cluster = named(collected(account, "eks"), eks.CLUSTER, "closed")
    assert cluster.id == f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/closed"
    assert cluster.tags == {"team": "core"}
    assert at(cluster, "Logging.ClusterLogging.EnabledTypes") == [{"Type": "api"}, {"Type": "audit"}]
    assert at(cluster, "EncryptionConfig")[0]["Resources"] == ["secrets"]


def test_a_task_definition_is_known_by_its_family_and_shows_its_latest_revision(account: Api) -> None:
    task = named(collected(account, "ecs"), ecs.TASK, "good")
    assert task.id.endswith(":task-definition/good")
    assert at(task, "TaskDefinitionArn").endswith(":task-definition/good:2")
    assert task.tags == {"team": "web"}


def test_no_secret_is_copied_nor_shown_as_evidence(account: Api) -> None:
    found = [each for service in ("ecs", "secretsmanager") for each in collected(account, service)]
    assert LEAK not in json.dumps([each.properties for each in found])
    container = {"Name": "a", "Environment": [{"Name": "AWS_SECRET_ACCESS_KEY", "Value": LEAK}]}
    hidden = {"$unknown": {"reason": "a variable", "permission": ""}}
    for containers in ([container], [container, hidden], [{**container, "Privileged": hidden}], [hidden]):
        task = resource(ecs.TASK, {"ContainerDefinitions": containers})
        for rule in ("aws.ecs.privileged", "aws.ecs.readonly_root", "aws.ecs.env_secrets"):
            finding = judged(rule, task)
            assert LEAK not in f"{finding.message}{finding.evidence}"
            assert finding.verdict is not Verdict.ERROR


# -- What could not be read ----------------------------------------------------------------------------------------

DETAILS = [
    ("eks:DescribeCluster", "Version", "aws.eks.version"),
    ("ecs:DescribeServices", "NetworkConfiguration", "aws.ecs.public_ip"),
    ("ecs:DescribeTaskDefinition", "ContainerDefinitions", "aws.ecs.privileged"),
    ("ecr:GetRepositoryPolicy", "RepositoryPolicyText", "aws.ecr.public_policy"),
    ("sqs:GetQueueAttributes", "Policy", "aws.sqs.public"),
    ("sqs:GetQueueAttributes", "SqsManagedSseEnabled", "aws.sqs.encrypted"),
    ("sns:GetTopicAttributes", "Policy", "aws.sns.public"),
    ("secretsmanager:GetResourcePolicy", "ResourcePolicy", "aws.secretsmanager.public"),
    ("ssm:DescribeDocumentPermission", "Observed.AccountIds", "aws.ssm.document_public"),
]


@pytest.mark.parametrize(("action", "path", "rule"), DETAILS)
def test_a_denied_detail_is_unknown_with_its_permission(
    cloud: Simulator, account: Api, action: str, path: str, rule: str
) -> None:
    service, type = rule.split(".")[1], RULES[rule].on[0]
    known = {each.id for each in collected(account, service) if each.type == type}
    cloud.control("deny", actions=[action])
    found = [each for each in collected(account, service) if each.type == type]
    assert {each.id for each in found} == known
    for each in found:
        assert why(at(each, path))["permission"] == action
        finding = judged(rule, each, *found)
        assert (finding.verdict, finding.permission) == (Verdict.UNKNOWN, action)


LISTINGS = [
    ("eks:ListClusters", "eks", {eks.CLUSTER}),
    ("ecs:ListClusters", "ecs", {ecs.SERVICE}),
    ("ecs:ListServices", "ecs", {ecs.SERVICE}),
    ("ecs:ListTaskDefinitionFamilies", "ecs", {ecs.TASK}),
    ("ecr:DescribeRepositories", "ecr", {ecr.REPOSITORY}),
    ("ecr:GetRegistryScanningConfiguration", "ecr", {ecr.SCANNING}),
    ("sqs:ListQueues", "sqs", {sqs.QUEUE}),
    ("sns:ListTopics", "sns", {sns.TOPIC}),
    ("ssm:ListDocuments", "ssm", {ssm.DOCUMENT}),
    ("ssm:DescribeInstanceInformation", "ssm", {ssm.MANAGED}),
    ("secretsmanager:ListSecrets", "secretsmanager", {secretsmanager.SECRET}),
]


@pytest.mark.parametrize(("action", "service", "types"), LISTINGS)
def test_a_denied_listing_hides_its_own_type_once(
    cloud: Simulator, account: Api, action: str, service: str, types: set[str]
) -> None:
    cloud.control("deny", actions=[action])
    found = collected(account, service)
    hidden = [each for each in found if each.unlisted and why(each.properties)["permission"] == action]
    hidden = [each for each in hidden if not each.id.startswith(UNIDENTIFIED)]
    assert [each.type for each in hidden] == list(types)
    assert not types & {each.type for each in found if not each.unlisted}


def test_what_a_registry_scans_is_unknown_when_it_is_hidden(cloud: Simulator, account: Api) -> None:
    """Enhanced scanning leaves out what none of its filters matches, also a repository that says it is scanned."""
    cloud.control("deny", actions=["ecr:GetRegistryScanningConfiguration"])
    found = collected(account, "ecr")
    verdicts = {
        each.name: judged("aws.ecr.scan_on_push", each, *found).verdict for each in found if each.type == ecr.REPOSITORY
    }
    assert verdicts == {"team/good": "unknown", "team/scanned": "unknown", "bad": "unknown"}


def test_reading_again_raises_when_it_is_denied(cloud: Simulator, account: Api) -> None:
    queue = named(collected(account, "sqs"), sqs.QUEUE, "good")
    cloud.control("deny", actions=["sqs:GetQueueAttributes"])
    with pytest.raises(Denied):
        ALL["sqs"].reread(account, queue)
