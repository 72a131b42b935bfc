"""Things that have several parts are judged by all of them, as they are read from an account: not by the first."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.aws.collectors.conftest import Reader
from tests.aws.collectors.networks_world import SEEDED
from tests.aws.collectors.world import at, collected, named, why

from nephoscope.domain import Finding, Resource, Verdict
from nephoscope.engine import Neighbours, judge
from nephoscope.plugins import Registry
from nephoscope.testing import NOW
from nephoscope_aws.api import Api
from nephoscope_aws.collectors import ALL, ec2, ecs, elb
from nephoscope_aws.network import PREFIX_LIST
from nephoscope_aws_simulator.testing import Simulator

RULES = Registry(["aws", "baseline"]).rules
PASS, FAIL, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN
Readers = Callable[[str], Reader]


def judged(rule: str, subject: Resource, found: list[Resource]) -> Finding:
    return judge(RULES[f"aws.{rule}"], subject, now=NOW, neighbours=Neighbours.fixed(found))


# -- Addresses and groups ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ids(simulator: Simulator) -> dict[str, str]:
    """A private instance with a public address on its second interface, and groups with prefix lists."""
    client = simulator.client("ec2", SEEDED)
    subnet = client.describe_subnets()["Subnets"][0]["SubnetId"]
    interfaces = [{"DeviceIndex": 0, "SubnetId": subnet, "AssociatePublicIpAddress": False}]
    machine = client.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, NetworkInterfaces=interfaces)
    instance = machine["Instances"][0]["InstanceId"]
    second = client.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    client.attach_network_interface(NetworkInterfaceId=second, InstanceId=instance, DeviceIndex=1)
    address = client.allocate_address(Domain="vpc")
    client.associate_address(AllocationId=address["AllocationId"], NetworkInterfaceId=second)
    halves = [{"Cidr": "0.0.0.0/1"}, {"Cidr": "128.0.0.0/1"}]
    lists = {
        name: client.create_managed_prefix_list(
            PrefixListName=name, AddressFamily="IPv4", MaxEntries=5, Entries=entries
        )["PrefixList"]["PrefixListId"]
        for name, entries in (("world", halves), ("office", [{"Cidr": "203.0.113.0/24"}]))
    }
    managed = client.describe_managed_prefix_lists(Filters=[{"Name": "owner-id", "Values": ["AWS"]}])
    lists["cloud"] = managed["PrefixLists"][0]["PrefixListId"]
    for name, id in lists.items():
        group = client.create_security_group(GroupName=name, Description=name)["GroupId"]
        rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "PrefixListIds": [{"PrefixListId": id}]}
        client.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    client.modify_network_interface_attribute(NetworkInterfaceId=second, Groups=[group])
    return {**lists, "instance": instance, "address": address["PublicIp"]}


def test_a_public_address_of_a_second_interface_is_found(api: Api, ids: dict[str, str]) -> None:
    found = collected(api, "ec2", SEEDED)
    instance = named(found, ec2.INSTANCE, ids["instance"])
    assert at(instance, "PublicIp") is None
    finding = judged("ec2.public_ip", instance, found)
    assert finding.verdict is FAIL
    assert finding.message == f"Public IP address {ids['address']} on another network interface"
    assert ALL["ec2"].reread(api, instance) == instance


def test_groups_are_judged_by_the_entries_of_their_prefix_lists(api: Api, ids: dict[str, str]) -> None:
    found = collected(api, "ec2", SEEDED)
    verdicts = {
        name: judged("ec2.sg_ssh", named(found, ec2.SECURITY_GROUP, name), found).verdict
        for name in ("world", "office", "cloud")
    }
    assert verdicts == {"world": FAIL, "office": PASS, "cloud": PASS}
    cloud = next(each for each in found if each.type == PREFIX_LIST and each.id.endswith(ids["cloud"]))
    assert (at(cloud, "Entries"), at(cloud, "Observed.OwnerId")) == (None, "AWS")
    office = named(found, PREFIX_LIST, "office")
    assert at(office, "Entries") == [{"Cidr": "203.0.113.0/24", "Description": None}]


@pytest.mark.parametrize("action", ["ec2:GetManagedPrefixListEntries", "ec2:DescribeManagedPrefixLists"])
def test_a_group_whose_prefix_list_is_hidden_is_unknown(
    simulator: Simulator, api: Api, ids: dict[str, str], action: str
) -> None:
    simulator.control("deny", actions=[action])
    found = collected(api, "ec2", SEEDED)
    finding = judged("ec2.sg_ssh", named(found, ec2.SECURITY_GROUP, "office"), found)
    assert (finding.verdict, finding.permission) == (UNKNOWN, action)


def test_a_group_that_no_interface_has_is_unused(simulator: Simulator, api: Api, ids: dict[str, str]) -> None:
    found = collected(api, "ec2", SEEDED)
    groups = {each.name: each for each in found if each.type == ec2.SECURITY_GROUP}
    verdicts = {name: judged("ec2.sg_unused", groups[name], found).verdict for name in ("office", "cloud", "default")}
    assert verdicts == {"office": FAIL, "cloud": PASS, "default": Verdict.NOT_APPLICABLE}
    simulator.control("deny", actions=["ec2:DescribeNetworkInterfaces"])
    hidden = named(collected(api, "ec2", SEEDED), ec2.SECURITY_GROUP, "office")
    finding = judged("ec2.sg_unused", hidden, found)
    assert (finding.verdict, finding.permission) == (UNKNOWN, "ec2:DescribeNetworkInterfaces")


# -- Revisions that run --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "words"),
    [
        ("lagging", "Container 'app' of revision 1, which is in use, is privileged"),
        ("adhoc", "Container 'app' of revision 1, which is in use, is privileged"),
        ("retired", "Container 'app' is privileged"),
    ],
)
def test_an_older_revision_that_a_service_or_a_task_runs_is_judged(readers: Readers, family: str, words: str) -> None:
    reader = readers("ecs")
    found = reader.collect()
    task = named(found, ecs.TASK, family)
    assert judged("ecs.privileged", task, found).message == words
    assert ALL["ecs"].reread(reader.api, task) == task


@pytest.mark.parametrize("action", ["ecs:ListTasks", "ecs:DescribeTasks", "ecs:ListServices", "ecs:DescribeServices"])
def test_which_revisions_run_is_unknown_where_services_or_tasks_are_hidden(readers: Readers, action: str) -> None:
    reader = readers("ecs")
    reader.simulator.control("deny", actions=[action])
    found = reader.collect()
    task = named(found, ecs.TASK, "good")
    assert why(at(task, "Observed.OtherRevisions"))["permission"] == action
    assert judged("ecs.privileged", task, found).verdict is UNKNOWN
    assert judged("ecs.privileged", named(found, ecs.TASK, "bad"), found).verdict is FAIL


# -- Rules of a listener -------------------------------------------------------------------------------------------


def test_a_rule_that_forwards_behind_a_redirecting_default_is_found(readers: Readers) -> None:
    reader = readers("elb")
    found = reader.collect()
    listener = named(found, elb.LISTENER, "right:8080")
    assert judged("elb.https_redirect", listener, found).message == (
        "HTTP on port 8080 is not redirected to HTTPS by rule 7"
    )
    reader.simulator.control("deny", actions=["elasticloadbalancing:DescribeRules"])
    finding = judged("elb.https_redirect", named(reader.collect(), elb.LISTENER, "right:80"), found)
    assert (finding.verdict, finding.permission) == (UNKNOWN, "elasticloadbalancing:DescribeRules")
