"""One odd item costs itself: real answers of the simulator, each with one member left out or of another kind.

For every collector: nothing raises, no other resource is lost, and nothing that failed or was unknown passes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice

import pytest
from tests.aws.collectors.conftest import Simulators
from tests.aws.collectors.places import PLACE_OF
from tests.aws.collectors.replay import Edit, Key, Replaying, edits, emptied
from tests.aws.collectors.world import ACCOUNT, READS, collected
from tests.baseline.test_meta import RULES

from nephoscope.domain import Resource, Verdict
from nephoscope.domain.unknown import as_unknown, unknown
from nephoscope.engine import Defaults, Neighbours, judge
from nephoscope.plugins import Registry
from nephoscope_aws.api import Api
from nephoscope_aws.plain_secrets import MASK

MOST = 24
"""Changed answers that are tried of each service, half of them such that lack a member. There are some 9,000."""

NOW = datetime.now(UTC)

PARENTS = {
    *("GetAccountAuthorizationDetails", "DescribeLoadBalancers", "GetRestApis", "GetApis", "ListFunctions"),
    *("ListClusters", "DescribeInstances"),
}
"""Operations that list what has children, which cannot be asked for without its name."""

LEAVES_OUT = {
    ("GetAccountAuthorizationDetails", "UserDetailList"),
    ("GetAccountAuthorizationDetails", "GroupDetailList"),
    ("GetAccountAuthorizationDetails", "RoleDetailList"),
    ("GetAccountAuthorizationDetails", "Policies"),
    ("ListQueues", "QueueUrls"),
    ("DescribeAlarms", "AlarmActions"),
    ("DescribeInstances", "ipAddress"),
    ("DescribeLaunchConfigurations", "AssociatePublicIpAddress"),
    ("GetQueueAttributes", "Policy"),
    ("GetResourcePolicy", "ResourcePolicy"),
    ("BatchGetProjects", "type"),
    ("DescribeCluster", "endpointPublicAccess"),
    ("DescribeDomains", "EnforceHTTPS"),
    ("DescribeReplicationInstances", "PubliclyAccessible"),
}
"""What an answer lacks to say that there is none, or what the default is: an operation, and the name on the wire."""

Judged = Mapping[tuple[str, str], Verdict]


@pytest.fixture(scope="module")
def defaults() -> Defaults:
    providers = Registry(["aws", "baseline"]).providers.values()
    return {type: table for provider in providers for type, table in provider.defaults.items()}


def collect(service: str, replaying: Replaying) -> list[Resource]:
    api = Api(ACCOUNT, replaying, READS)
    try:
        return collected(api, service, PLACE_OF[service].region)
    finally:
        api.close()


def judged(resources: list[Resource], defaults: Defaults) -> Judged:
    neighbours = Neighbours.fixed(resources)
    return {
        (each.id, rule.id): judge(rule, each, now=NOW, neighbours=neighbours, defaults=defaults).verdict
        for each in resources
        for rule in RULES
        if each.type in rule.on
    }


def sampled(replaying: Replaying) -> Iterator[tuple[Key, Edit]]:
    """Yield some of all edits of what was recorded, evenly spread, the same ones in each run."""
    found = [(key, each) for key, answer in sorted(replaying.known.items()) for each in edits(answer)]
    for wanted in (True, False):
        some = [each for each in found if (each[1].kind == "drop") is wanted]
        yield from islice(some, 0, None, max(1, 2 * len(some) // MOST))


def complaints(before: list[Resource], after: list[Resource], operation: str, edit: Edit) -> Iterator[str]:
    """Say what one changed answer cost that it must not."""
    there, hidden = {each.id for each in after}, {each.type for each in after if each.unlisted}
    lost = Counter(each.type for each in before if each.id not in there)
    yield from (f"{type} is gone without a word" for type in lost if type not in hidden)
    if edit.in_item and operation not in PARENTS:
        yield from (f"{count} {type} are lost" for type, count in lost.items() if count > 1)
    known = {each.id: each for each in before}
    changed = [each for each in after if each.id in known and each.properties != known[each.id].properties]
    # Of what names no owner, every one may be it: that is unknown of all.
    told = Counter(each.type for each in changed if "$unknown" not in json.dumps(each.properties))
    if edit.in_item:
        yield from (f"{count} {type} are changed" for type, count in told.items() if count > 1)


def silent(was: Judged, now: Judged) -> Iterator[str]:
    """Say which verdict became better by what is not known."""
    for key, verdict in now.items():
        before = was.get(key, verdict)
        if verdict is Verdict.ERROR or (verdict is Verdict.PASS and before in (Verdict.FAIL, Verdict.UNKNOWN)):
            yield f"{key} was {before} and is {verdict}"


@pytest.mark.parametrize("service", PLACE_OF)
def test_what_one_item_lacks_costs_that_item_alone(service: str, simulators: Simulators, defaults: Defaults) -> None:
    replaying = Replaying(simulators(PLACE_OF[service].simulator).endpoint)
    before = collect(service, replaying)
    verdicts = judged(before, defaults)
    assert not any(each.unlisted for each in before)
    wrong = []
    for key, edit in sampled(replaying):
        operation, name = key[0].rpartition(".")[2], edit.path.rpartition(".")[2]
        if (operation, name) in LEAVES_OUT:
            continue
        replaying.edited = {key: edit.body}
        after = collect(service, replaying)
        found = list(complaints(before, after, operation, edit))
        if edit.kind not in ("null", "empty"):  # an empty text is one
            found += silent(verdicts, judged(after, defaults))
        wrong += [f"{operation} {edit.path} {edit.kind}: {each}" for each in found]
    assert wrong == []


@pytest.mark.parametrize("service", PLACE_OF)
def test_an_empty_item_costs_one_resource(service: str, simulators: Simulators, defaults: Defaults) -> None:
    replaying = Replaying(simulators(PLACE_OF[service].simulator).endpoint)
    before = collect(service, replaying)
    verdicts = judged(before, defaults)
    wrong = []
    for key, edit in [(key, edit) for key, answer in replaying.known.items() for edit in emptied(answer)]:
        replaying.edited = {key: edit.body}
        after = collect(service, replaying)
        operation = key[0].rpartition(".")[2]
        found = [*complaints(before, after, operation, edit), *silent(verdicts, judged(after, defaults))]
        wrong += [f"{operation} {edit.path}: {each}" for each in found]
    assert wrong == []


@pytest.mark.parametrize(
    ("service", "path"),
    [
        ("vpc", "vpcSet.0.ownerId"),
        ("ebs", "snapshotSet.0.ownerId"),
        ("elb", "LoadBalancers.0.LoadBalancerArn"),
        ("redshift", "Clusters.0.ClusterIdentifier"),
        ("ssm", "DocumentIdentifiers.0.Name"),
        ("rds", "DBClusters.0.DBClusterParameterGroup"),
        ("rds", "DBClusters.1.DBClusterParameterGroup"),
    ],
)
def test_what_has_an_empty_name_is_not_gone(service: str, path: str, simulators: Simulators) -> None:
    replaying = Replaying(simulators(PLACE_OF[service].simulator).endpoint)
    before = collect(service, replaying)
    found = [(key, each) for key, answer in replaying.known.items() for each in edits(answer) if each.path == path]
    for key, edit in found:
        if edit.kind in ("null", "empty"):
            replaying.edited = {key: edit.body}
            assert list(complaints(before, collect(service, replaying), key[0].rpartition(".")[2], edit)) == []
    assert found


@pytest.mark.parametrize("ranges", ["ipRanges", "ipv6Ranges"])
def test_a_permission_without_a_list_of_sources_may_be_open(
    ranges: str, simulators: Simulators, defaults: Defaults
) -> None:
    replaying = Replaying(simulators(PLACE_OF["ec2"].simulator).endpoint)
    verdicts = judged(collect("ec2", replaying), defaults)
    dropped = [
        (key, edit)
        for key, answer in replaying.known.items()
        for edit in edits(answer)
        if edit.path.endswith(f"ipPermissions.0.{ranges}") and edit.kind == "drop"
    ]
    for key, edit in dropped:
        replaying.edited = {key: edit.body}
        assert list(silent(verdicts, judged(collect("ec2", replaying), defaults))) == []
    assert dropped


def test_a_variable_of_a_type_that_is_not_known_is_masked_and_unknown(
    simulators: Simulators, defaults: Defaults
) -> None:
    replaying = Replaying(simulators(PLACE_OF["codebuild"].simulator).endpoint)
    verdicts = judged(collect("codebuild", replaying), defaults)
    odd = [
        (key, edit)
        for key, answer in replaying.known.items()
        for edit in edits(answer)
        if edit.path.endswith("environmentVariables.0.type") and edit.kind == "enum"
    ]
    for key, edit in odd:
        replaying.edited = {key: edit.body}
        after = collect("codebuild", replaying)
        assert list(silent(verdicts, judged(after, defaults))) == []
        firsts = [(each.properties["Environment"]["EnvironmentVariables"] or [None])[0] for each in after]
        assert [each for each in firsts if each and "$unknown" in each["Type"] and each["Value"] != MASK] == []
    assert odd


def test_one_odd_instance_of_several_is_there_and_unknown_by_name(simulators: Simulators, defaults: Defaults) -> None:
    replaying = Replaying(simulators(PLACE_OF["rds"].simulator).endpoint)
    before = collect("rds", replaying)
    [(key, edit)] = [
        (key, edit)
        for key, answer in replaying.known.items()
        for edit in edits(answer)
        if edit.path == "DBInstances.0.PubliclyAccessible" and edit.kind == "drop"
    ]
    replaying.edited = {key: edit.body}
    after = collect("rds", replaying)
    assert [each.id for each in after] == [each.id for each in before]
    [odd] = [each for each, was in zip(after, before, strict=True) if each.properties != was.properties]
    assert odd.properties["PubliclyAccessible"] == unknown(
        "describe_db_instances: AWS's answer has no PubliclyAccessible"
    )
    assert judged([odd], defaults)[odd.id, "aws.rds.public"] is Verdict.UNKNOWN


def test_an_item_without_its_identity_is_one_stand_in_and_the_others_are_read(simulators: Simulators) -> None:
    replaying = Replaying(simulators(PLACE_OF["rds"].simulator).endpoint)
    before = collect("rds", replaying)
    for kind in ("drop", "null", "wrong"):
        [(key, edit)] = [
            (key, edit)
            for key, answer in replaying.known.items()
            for edit in edits(answer)
            if edit.path == "DBInstances.0.DBInstanceArn" and edit.kind == kind
        ]
        replaying.edited = {key: edit.body}
        after = collect("rds", replaying)
        assert len({each.id for each in before} - {each.id for each in after}) == 1
        hidden = {each.type: as_unknown(each.properties) for each in after if each.unlisted}
        assert len(hidden) == 1
        assert all(why and ("DBInstanceArn" in why.reason or kind == "null") for why in hidden.values())
