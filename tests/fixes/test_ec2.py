"""What fixes of EC2 refuse, and what they say of who uses something."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.fixes.buckets import ACCOUNT, CONNECTION, PROVIDER
from tests.fixes.refusals import planned, refused
from tests.fixes.rounds import ec2_acls, ec2_flow_logs, ec2_instances, ec2_network, ec2_storage, ec2_unused
from tests.fixes.rounds.round import Made
from tests.fixes.test_meta import REGISTRY

from nephoscope import surgery
from nephoscope.domain import FixRequest, LiveSession, PlanProblem, Resource
from nephoscope.testing import Notes
from nephoscope_aws_fixes.ec2_regions import BlockPublicImages
from nephoscope_aws_simulator.testing import Cloud

SNAPSHOT = ("aws.ec2.make_snapshot_private", "aws.ec2.snapshot_public")
IMAGE = ("aws.ec2.make_ami_private", "aws.ec2.ami_public")
TOKENS = ("aws.ec2.require_imdsv2", "aws.ec2.imdsv2")
SUBNET = ("aws.ec2.keep_subnet_private", "aws.ec2.subnet_auto_public")
GATEWAY = ("aws.ec2.stop_auto_accept", "aws.ec2.tgw_auto_accept")
FLOW_LOG = ("aws.ec2.create_flow_log", "aws.ec2.flow_logs")
ACL = ("aws.ec2.deny_admin_ports", "aws.ec2.nacl_admin")
UNUSED = ("aws.ec2.delete_unused_group", "aws.ec2.sg_unused")
ALREADY = "it is so already."
Which = tuple[str, str]


def place(kind: str, id: str, owner: str = ACCOUNT) -> str:
    return f"arn:aws:ec2:us-east-1:{owner}:{kind}/{id}"


GONE = "0" * 17


@pytest.mark.parametrize(
    ("which", "type", "id"),
    [
        (SNAPSHOT, "Snapshot", place("snapshot", f"snap-{GONE}", "")),
        (IMAGE, "Image", place("image", f"ami-{GONE}", "")),
        (TOKENS, "Instance", place("instance", f"i-{GONE}")),
        (SUBNET, "Subnet", place("subnet", f"subnet-{GONE}")),
        (FLOW_LOG, "VPC", place("vpc", f"vpc-{GONE}")),
        (ACL, "NetworkAcl", place("network-acl", f"acl-{GONE}")),
        (UNUSED, "SecurityGroup", place("security-group", f"sg-{GONE}")),
        (GATEWAY, "TransitGateway", place("transit-gateway", f"tgw-{GONE}")),
    ],
)
def test_what_is_gone_is_left_out(simulator: Cloud, session: LiveSession, which: Which, type: str, id: str) -> None:
    made = Made(f"AWS::EC2::{type}", id, "gone", lambda: None, lambda: None)
    inputs = {"destination": "arn:aws:s3:::somewhere"} if which == FLOW_LOG else None
    assert refused(session, *which, made, inputs) == "it does not exist any more."


@pytest.mark.parametrize("which", [SNAPSHOT, IMAGE, TOKENS, SUBNET, GATEWAY, ACL])
def test_what_is_right_already_is_left_out(simulator: Cloud, session: LiveSession, which: Which) -> None:
    made = {
        SNAPSHOT: ec2_storage.public_and_shared_with_a_partner,
        IMAGE: ec2_storage.image,
        TOKENS: ec2_instances.with_version_1,
        SUBNET: ec2_network.with_public_addresses,
        GATEWAY: ec2_network.that_accepts,
        ACL: ec2_acls.open_by_halves,
    }[which](simulator)
    plan = planned(session, *which, made)
    notes = Notes()
    with closing(surgery.open_writer(PROVIDER, CONNECTION, plan.permissions)) as writer:
        assert surgery.apply(REGISTRY.remediations[which[0]], plan.steps, session, writer, notes), notes
    assert refused(session, *which, made) == ALREADY


def test_what_a_declarative_policy_sets_is_left_out(session: LiveSession) -> None:
    fix, request = BlockPublicImages(), FixRequest(Resource("AWS::EC2::RegionSettings", "settings", "", "", "", {}))
    answered = {"ImageBlockPublicAccessState": "unblocked"}
    assert fix.found({**answered, "ManagedBy": "account"}) == answered
    with pytest.raises(PlanProblem, match="a declarative policy of the organization sets it; change it there"):
        fix.wanted(fix.found({**answered, "ManagedBy": "declarative-policy"}), request, session)


def test_a_terminated_instance_is_left_out(simulator: Cloud, session: LiveSession) -> None:
    made = ec2_instances.with_version_1(simulator)
    simulator.client("ec2").terminate_instances(InstanceIds=[made.id.rpartition("/")[2]])
    assert refused(session, *TOKENS, made) == "it does not exist any more."


# -- Who uses it -----------------------------------------------------------------------------------


def test_a_plan_says_how_often_imdsv1_was_used(simulator: Cloud, session: LiveSession) -> None:
    made = ec2_instances.with_version_1(simulator)
    hop = f"{made.name}: Its hop limit is 1: containers that are not on the host’s network cannot use IMDSv2."
    unknown = f"{made.name}: CloudWatch has no data on its use of IMDSv1 in the last 14 days."
    assert planned(session, *TOKENS, made).uses == (unknown, hop)
    for value, words in ((0, "IMDSv1 was not used in the last 14 days."), (1204, "IMDSv1 was used 1,204 times")):
        point = {
            "MetricName": "MetadataNoToken",
            "Dimensions": [{"Name": "InstanceId", "Value": made.name}],
            "Timestamp": datetime.now(UTC),
            "Value": value,
        }
        simulator.client("cloudwatch").put_metric_data(Namespace="AWS/EC2", MetricData=[point])
        assert planned(session, *TOKENS, made).uses[0].startswith(f"{made.name}: {words}")


def test_a_plan_says_with_whom_a_snapshot_stays_shared(simulator: Cloud, session: LiveSession) -> None:
    made = ec2_storage.public_and_shared_with_a_partner(simulator)
    assert planned(session, *SNAPSHOT, made).uses == (f"{made.name}: It stays shared with {ec2_storage.PARTNER}.",)


def test_a_plan_says_when_an_ami_was_last_launched(simulator: Cloud, session: LiveSession) -> None:
    made = ec2_storage.image(simulator)
    assert planned(session, *IMAGE, made).uses == (f"{made.name}: EC2 knows of no launch of it.",)
    simulator.client("ec2").run_instances(ImageId=made.id.rpartition("/")[2], MinCount=1, MaxCount=1)
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert planned(session, *IMAGE, made).uses == (f"{made.name}: It was last launched on {today}.",)


# -- Flow logs -------------------------------------------------------------------------------------

GROUP = "arn:aws:logs:us-east-1:444444444444:log-group:refused"
NOT_TRUSTED = f"arn:aws:iam::{ACCOUNT}:role/nephoscope-read"


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"destination": "my-bucket"}, "my-bucket is neither a bucket’s ARN nor that of a log group"),
        ({"destination": GROUP.replace("us-east-1", "eu-west-1")}, "is neither a bucket’s ARN nor that of a log group"),
        ({"destination": GROUP.replace(ACCOUNT, "111122223333")}, "is neither a bucket’s ARN nor that of a log group"),
        ({"destination": f"{GROUP}-not-there", "role": NOT_TRUSTED}, "there is no log group refused-not-there in"),
        ({"destination": GROUP}, "a flow log to a log group needs the ARN of a role of its account."),
        ({"destination": GROUP, "role": f"{NOT_TRUSTED}-not-there"}, "there is no role nephoscope-read-not-there."),
        ({"destination": GROUP, "role": NOT_TRUSTED}, "vpc-flow-logs.amazonaws.com may not assume the role"),
        ({"destination": "arn:aws:s3:::logs", "role": NOT_TRUSTED}, "a flow log to a bucket takes no role"),
    ],
)
def test_a_destination_that_would_not_work_is_refused(
    simulator: Cloud, session: LiveSession, inputs: Mapping[str, str], words: str
) -> None:
    logs = simulator.client("logs")
    if not logs.describe_log_groups(logGroupNamePrefix="refused")["logGroups"]:
        logs.create_log_group(logGroupName="refused")
    assert words in refused(session, *FLOW_LOG, ec2_flow_logs.vpc(simulator), inputs)


def test_a_second_flow_log_to_the_same_destination_is_refused(simulator: Cloud, session: LiveSession) -> None:
    made = ec2_flow_logs.vpc(simulator, "ACCEPT")
    words = "another flow log of it goes to the same destination; delete that first."
    assert refused(session, *FLOW_LOG, made, {"destination": "arn:aws:s3:::round-1-logged"}) == words


def test_a_vpc_that_logs_all_traffic_is_left_out(simulator: Cloud, session: LiveSession) -> None:
    made = ec2_flow_logs.vpc(simulator, "ALL")
    words = "it has a flow log of rejected traffic already."
    assert refused(session, *FLOW_LOG, made, {"destination": "arn:aws:s3:::elsewhere"}) == words


def test_what_aws_says_it_did_not_do_has_failed(simulator: Cloud, session: LiveSession) -> None:
    made = ec2_flow_logs.vpc(simulator)
    plan = planned(session, *FLOW_LOG, made, {"destination": "arn:aws:s3:::there-is-none"})
    notes = Notes()
    with closing(surgery.open_writer(PROVIDER, CONNECTION, plan.permissions)) as writer:
        assert not surgery.apply(REGISTRY.remediations[FLOW_LOG[0]], plan.steps, session, writer, notes)
    assert "ec2:CreateFlowLogs: LogDestination: there-is-none does not exist." in str(notes)
    assert made.state() == []


# -- Network ACLs ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (
            [{"RuleNumber": 100, **ec2_acls.ALL}, {"RuleNumber": 110, "CidrBlock": "203.0.113.0/24", **ec2_acls.TCP}],
            "its rule 110 lets 203.0.113.0/24 in after the open rule 100",
        ),
        ([{"RuleNumber": 1, **ec2_acls.ALL}], "there is no free number right before its rule 1"),
        (
            [{"RuleNumber": 99, "CidrBlock": "203.0.113.0/24", **ec2_acls.TCP}, {"RuleNumber": 100, **ec2_acls.ALL}],
            "there is no free number right before its rule 100",
        ),
    ],
)
def test_no_known_network_is_denied(
    simulator: Cloud, session: LiveSession, entries: list[dict[str, Any]], words: str
) -> None:
    assert refused(session, *ACL, ec2_acls.acl(simulator, *entries)).startswith(words)


# -- Unused security groups ------------------------------------------------------------------------


def test_a_group_that_is_used_meanwhile_is_not_deleted(simulator: Cloud, session: LiveSession) -> None:
    made = ec2_unused.unused(simulator, "used-now", closed=False)
    ec2, id = simulator.client("ec2"), made.id.rpartition("/")[2]
    vpc = ec2.describe_security_groups(GroupIds=[id])["SecurityGroups"][0]["VpcId"]
    other = ec2.create_security_group(GroupName="refers", Description="x", VpcId=vpc)["GroupId"]
    pairs = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": id}]}]
    ec2.authorize_security_group_ingress(GroupId=other, IpPermissions=pairs)
    assert refused(session, *UNUSED, made) == f"rules of {other} refer to it; remove them first."
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.95.1.0/24")["Subnet"]["SubnetId"]
    interface = ec2.create_network_interface(SubnetId=subnet, Groups=[id])["NetworkInterface"]["NetworkInterfaceId"]
    assert refused(session, *UNUSED, made) == f"{interface} uses it now."


def test_a_plan_names_the_launch_templates_that_name_a_group(simulator: Cloud, session: LiveSession) -> None:
    made = ec2_unused.unused(simulator, "named", closed=False)
    ec2, id = simulator.client("ec2"), made.id.rpartition("/")[2]
    assert planned(session, *UNUSED, made).uses == ()
    for name, data in (
        ("by-interface", {"NetworkInterfaces": [{"DeviceIndex": 0, "Groups": [id]}]}),
        ("by-id", {"SecurityGroupIds": [id]}),
        ("another", {"SecurityGroupIds": ["sg-0a1b2c3d"]}),
    ):
        ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
    assert planned(session, *UNUSED, made).uses == ("named: Launch templates that name it: by-id, by-interface.",)


def test_a_group_of_a_vpc_with_ipv6_is_not_deleted(simulator: Cloud, session: LiveSession) -> None:
    ec2 = simulator.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.94.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]["VpcId"]
    id = ec2_unused.make(ec2, vpc, "with-ipv6", closed=False)
    made = Made("AWS::EC2::SecurityGroup", place("security-group", id), "with-ipv6", lambda: None, lambda: None)
    assert refused(session, *UNUSED, made).startswith("its VPC has IPv6 addresses")


def test_an_undo_waits_until_aws_finds_what_was_made_a_moment_ago(simulator: Cloud, session: LiveSession) -> None:
    made = ec2_unused.unused(simulator, "found-late", closed=False)
    before = made.state()
    plan, fix, notes = planned(session, *UNUSED, made), REGISTRY.remediations[UNUSED[0]], Notes()
    with closing(surgery.open_writer(PROVIDER, CONNECTION, plan.permissions)) as writer:
        assert surgery.apply(fix, plan.steps, session, writer, notes), notes
        late = {"actions": ["ec2:RevokeSecurityGroupEgress"], "error": "InvalidGroup.NotFound", "times": 1}
        simulator.control("deny", late)
        assert surgery.undo(fix, plan.steps, [0], notes.kept, session, writer, notes), notes
    assert made.state() == before


def test_an_undo_that_stops_in_between_says_what_was_made(simulator: Cloud, session: LiveSession) -> None:
    made = ec2_unused.unused(simulator, "half-made", closed=False)
    plan, fix, notes = planned(session, *UNUSED, made), REGISTRY.remediations[UNUSED[0]], Notes()
    with closing(surgery.open_writer(PROVIDER, CONNECTION, plan.permissions)) as writer:
        assert surgery.apply(fix, plan.steps, session, writer, notes), notes
        simulator.control("deny", actions=["ec2:AuthorizeSecurityGroupIngress"])
        try:
            assert not surgery.undo(fix, plan.steps, [0], notes.kept, session, writer, notes)
        finally:
            simulator.control("reset-denials", {})
    new = made.resource.id.rpartition("/")[2]
    assert f"ec2:CreateSecurityGroup was done ({new}" in str(notes)
    assert "authorize_security_group_ingress" in str(notes)
