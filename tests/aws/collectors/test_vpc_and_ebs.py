"""Networks, disks, images and launch templates: what is collected of them, and how the rules judge it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest
from botocore.exceptions import EndpointConnectionError
from tests.aws.collectors.networks_world import BARE, SEEDED
from tests.aws.collectors.world import ACCOUNT, READS, Clients, at, collected, named, why
from tests.serving import serving

from nephoscope.domain import Resource, Verdict, unknown
from nephoscope.engine import Neighbours, judge
from nephoscope.plugins import Registry
from nephoscope.testing import NOW, resource
from nephoscope_aws.api import Api, Denied
from nephoscope_aws.collectors import ALL, ebs, vpc
from nephoscope_aws.network import PREFIX_LIST
from nephoscope_aws_simulator.testing import Simulator

RULES = Registry(["aws", "baseline"]).rules
TYPES = {**dict.fromkeys(vpc.COLLECTOR.service.types, "vpc"), **dict.fromkeys(ebs.COLLECTOR.service.types, "ebs")}

OF_A_REGION = {
    "aws.ec2.vpc_bpa": "DescribeVpcBlockPublicAccessOptions",
    "aws.ec2.snapshot_bpa": "GetSnapshotBlockPublicAccessState",
    "aws.ec2.ebs_default_encryption": "GetEbsEncryptionByDefault",
    "aws.ec2.ami_bpa": "GetImageBlockPublicAccessState",
    "aws.ec2.imds_defaults": "GetInstanceMetadataDefaults",
}
"""Rules on a region's settings, with the call that reads each."""


def verdicts(rule: str, resources: list[Resource]) -> dict[str, Verdict]:
    judged = [judge(RULES[rule], each, now=NOW) for each in resources if each.type in RULES[rule].on]
    return {each.resource.name: each.verdict for each in judged}


PASS, FAIL, APART = Verdict.PASS, Verdict.FAIL, Verdict.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("aws.ec2.nacl_admin", {"tight": PASS, "loose": FAIL}),
        ("aws.ec2.flow_logs", {"logged": PASS, "silent": FAIL}),
        ("aws.ec2.subnet_auto_public", {"inner": PASS, "outer": FAIL}),
        ("aws.ec2.tgw_auto_accept", {"asks": PASS, "open": FAIL}),
        ("aws.ec2.volume_encrypted", {"sealed": PASS, "plain": FAIL, "spare": APART}),
        ("aws.ec2.snapshot_public", {"kept": PASS, "shared": FAIL}),
        ("aws.ec2.ami_public", {"private": PASS, "public": FAIL}),
        ("aws.ec2.lt_imdsv2", {"strict": PASS, "slack": FAIL, "slackening": FAIL, "pinned": FAIL, "mixed": FAIL}),
        ("aws.ec2.lt_public_ip", {"strict": PASS, "slack": FAIL, "slackening": FAIL}),
    ],
)
def test_a_right_and_a_wrong_one_are_told_apart(api: Api, rule: str, expected: dict[str, Verdict]) -> None:
    found = verdicts(rule, collected(api, TYPES[RULES[rule].on[0]], SEEDED))
    assert expected.items() <= found.items()


@pytest.mark.parametrize("rule", OF_A_REGION)
def test_a_setting_is_judged_once_in_each_region(api: Api, rule: str) -> None:
    service = TYPES[RULES[rule].on[0]]
    assert list(verdicts(rule, collected(api, service, SEEDED)).values()) == [FAIL]
    assert list(verdicts(rule, collected(api, service, BARE)).values()) == [PASS]


def test_an_address_that_is_attached_to_nothing_is_named(api: Api) -> None:
    addresses = [each for each in collected(api, "vpc", SEEDED) if each.type == vpc.EIP]
    judged = {judge(RULES["aws.ec2.eip_unused"], each, now=NOW).message: each.name for each in addresses}
    assert len(judged) == 2
    assert {message for message in judged if message} == {
        f"{name} is not associated with any resource" for message, name in judged.items() if message
    }


def test_a_default_network_acl_lets_everything_in_and_says_which_rule(api: Api) -> None:
    default = next(
        each
        for each in collected(api, "vpc", SEEDED)
        if each.type == vpc.NETWORK_ACL and at(each, "Observed.IsDefault")
    )
    assert judge(RULES["aws.ec2.nacl_admin"], default, now=NOW).message == (
        "Rule 100 allows TCP port 22 from 0.0.0.0/0; rule 100 allows TCP port 3389 from 0.0.0.0/0"
    )


def test_shapes(api: Api) -> None:
    networks, disks = collected(api, "vpc", SEEDED), collected(api, "ebs", SEEDED)
    assert at(named(networks, vpc.NETWORK_ACL, "tight"), "Entries")[0] == {
        "RuleNumber": 100,
        "RuleAction": "allow",
        "Egress": False,
        "Protocol": "6",
        "CidrBlock": "0.0.0.0/0",
        "Ipv6CidrBlock": None,
        "PortRange": {"From": 443, "To": 443},
    }
    [log] = at(named(networks, vpc.VPC, "logged"), "Observed.FlowLogs")
    assert (log["TrafficType"], log["FlowLogStatus"]) == ("REJECT", "ACTIVE")
    assert at(named(networks, vpc.VPC, "silent"), "Observed.FlowLogs") == []
    assert [each.name for each in networks if each.type == vpc.TRANSIT_GATEWAY] == ["asks", "open"]
    plain = named(disks, ebs.VOLUME, "plain")
    assert (at(plain, "Encrypted"), at(plain, "KmsKeyId")) == (False, None)
    assert (at(plain, "Observed.State"), len(at(plain, "Observed.InstanceIds"))) == ("in-use", 1)
    assert named(disks, ebs.SNAPSHOT, "kept").id.startswith(f"arn:aws:ec2:{SEEDED}::snapshot/snap-")


def test_a_launch_template_shows_both_versions_in_use_and_no_user_data(api: Api) -> None:
    found = collected(api, "ebs", SEEDED)
    template = named(found, ebs.LAUNCH_TEMPLATE, "slackening")
    assert at(template, "DefaultVersionNumber") == "1"
    assert at(template, "LaunchTemplateData.MetadataOptions")["HttpTokens"] == "required"
    latest = at(template, "Observed.LatestVersion")
    assert (latest["VersionNumber"], latest["LaunchTemplateData"]["MetadataOptions"]["HttpTokens"]) == (2, "optional")
    assert at(named(found, ebs.LAUNCH_TEMPLATE, "strict"), "Observed.LatestVersion") is None
    assert "UserData" not in json.dumps([each.properties for each in found])


def test_a_denied_listing_hides_one_type_and_raises_when_it_is_read_again(simulator: Simulator, api: Api) -> None:
    known = named(collected(api, "ebs", SEEDED), ebs.VOLUME, "plain")
    simulator.control("deny", actions=["ec2:DescribeVolumes"])
    [hidden] = [each for each in collected(api, "ebs", SEEDED) if each.unlisted]
    finding = judge(RULES["aws.ec2.volume_encrypted"], hidden, now=NOW)
    assert (finding.verdict, finding.permission) == (Verdict.UNKNOWN, "ec2:DescribeVolumes")
    with pytest.raises(Denied, match="ec2:DescribeVolumes"):
        ALL["ebs"].reread(api, known)


@pytest.mark.parametrize("rule", OF_A_REGION)
def test_a_denied_setting_is_unknown(simulator: Simulator, api: Api, rule: str) -> None:
    action = OF_A_REGION[rule]
    simulator.control("deny", actions=[f"ec2:{action}"])
    found = collected(api, TYPES[RULES[rule].on[0]], SEEDED)
    [hidden] = [each for each in found if each.type in RULES[rule].on]
    finding = judge(RULES[rule], hidden, now=NOW)
    assert (finding.verdict, finding.permission) == (Verdict.UNKNOWN, f"ec2:{action}")


def test_hidden_flow_logs_are_unknown_on_each_vpc_and_nothing_else_is(simulator: Simulator, api: Api) -> None:
    simulator.control("deny", actions=["ec2:DescribeFlowLogs"])
    found = collected(api, "vpc", SEEDED)
    assert all(not each.unlisted for each in found)
    assert set(verdicts("aws.ec2.flow_logs", found).values()) == {Verdict.UNKNOWN}
    logged = named(found, vpc.VPC, "logged")
    assert why(at(logged, "Observed.FlowLogs"))["permission"] == "ec2:DescribeFlowLogs"
    assert at(logged, "CidrBlock") == "10.9.0.0/16"


def test_snapshots_of_which_it_is_not_known_who_may_restore_them(watched: Callable[..., Api]) -> None:
    def fail(params: dict[str, Any], **_: Any) -> None:
        if "RestorableByUserIds" in params:
            raise EndpointConnectionError(endpoint_url="https://ec2")

    found = collected(watched(ec2__DescribeSnapshots=fail), "ebs", SEEDED)
    assert verdicts("aws.ec2.snapshot_public", found)["shared"] is Verdict.UNKNOWN
    assert at(named(found, ebs.SNAPSHOT, "shared"), "Encrypted") is False


HIDDEN = unknown("the template's value is not known", "")
OPEN = {"RuleNumber": 100, "RuleAction": "allow", "Egress": False, "Protocol": "-1", "CidrBlock": "0.0.0.0/0"}


@pytest.mark.parametrize(
    ("entries", "verdict"),
    [
        (HIDDEN, Verdict.UNKNOWN),
        ([OPEN, HIDDEN], Verdict.UNKNOWN),
        ([OPEN | {"RuleNumber": HIDDEN}], Verdict.UNKNOWN),
        ([OPEN | {"RuleAction": "${Action}"}], Verdict.UNKNOWN),
        ([OPEN | {"CidrBlock": "${Cidr}"}], Verdict.UNKNOWN),
        ([OPEN | {"Protocol": "6", "PortRange": None}], Verdict.UNKNOWN),
        ([OPEN, OPEN | {"RuleNumber": 200, "CidrBlock": HIDDEN}], FAIL),
        ([OPEN | {"RuleNumber": 90, "RuleAction": "deny", "CidrBlock": HIDDEN}, OPEN], Verdict.UNKNOWN),
        (
            [
                OPEN | {"Protocol": "6", "PortRange": {"From": 3389, "To": 3389}},
                OPEN | {"RuleNumber": 90, "Protocol": "6", "PortRange": {"From": 22, "To": 22}, "CidrBlock": HIDDEN},
            ],
            FAIL,
        ),
        ([], PASS),
    ],
)
def test_a_network_acl_of_which_a_part_is_hidden(entries: Any, verdict: Verdict) -> None:
    acl = resource(vpc.NETWORK_ACL, {"Entries": entries})
    assert judge(RULES["aws.ec2.nacl_admin"], acl, now=NOW).verdict is verdict


VERSION = """<item><launchTemplateId>lt-1</launchTemplateId><launchTemplateName>web</launchTemplateName>
<versionNumber>{0}</versionNumber><defaultVersion>{1}</defaultVersion><launchTemplateData/></item>"""
ANSWERS = {
    "DescribeVpcs": """<vpcSet><item><vpcId>vpc-1</vpcId><ownerId>123456789012</ownerId></item>
        <item><vpcId>vpc-2</vpcId><ownerId>999999999999</ownerId></item></vpcSet>""",
    "DescribeFlowLogs": """<flowLogSet><item><flowLogId>fl-2</flowLogId><resourceId>vpc-1</resourceId></item>
        <item><flowLogId>fl-1</flowLogId><resourceId>vpc-1</resourceId></item>
        <item><flowLogId>fl-3</flowLogId><resourceId>subnet-1</resourceId></item></flowLogSet>""",
    "DescribeLaunchTemplateVersions": f"""<launchTemplateVersionSet>{VERSION.format(3, "false")}
        </launchTemplateVersionSet><nextToken>more</nextToken>""",
    "DescribeLaunchTemplateVersions more": f"""<launchTemplateVersionSet>{VERSION.format(2, "true")}
        </launchTemplateVersionSet>""",
    "DescribeManagedPrefixLists": """<prefixListSet><item><prefixListId>pl-1</prefixListId>
        <ownerId>999999999999</ownerId><state>create-complete</state>
        <prefixListArn>arn:aws:ec2:eu-north-1:999999999999:prefix-list/pl-1</prefixListArn>
        <prefixListName>partners</prefixListName></item><item><prefixListId>pl-2</prefixListId>
        <ownerId>123456789012</ownerId><state>delete-complete</state>
        <prefixListArn>arn:aws:ec2:eu-north-1:123456789012:prefix-list/pl-2</prefixListArn></item></prefixListSet>""",
    "GetManagedPrefixListEntries": """<entrySet><item><cidr>203.0.113.0/24</cidr></item></entrySet>
        <nextToken>more</nextToken>""",
    "GetManagedPrefixListEntries more": "<entrySet><item><cidr>0.0.0.0/0</cidr></item></entrySet>",
}
"""EC2's own answers that the simulator does not give: shared things, and lists that lie on two pages.
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/"""


class Fake(BaseHTTPRequestHandler):
    """An EC2 with the answers above, and empty ones to everything else."""

    def do_POST(self) -> None:
        asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        action = " ".join([asked["Action"][0], *asked.get("NextToken", [])])
        name = f"{asked['Action'][0]}Response"
        body = f'<{name} xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">{ANSWERS.get(action, "")}</{name}>'.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def fake() -> Iterator[Api]:
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Fake)) as endpoint:
        api = Api(ACCOUNT, Clients(endpoint), READS)
        yield api
        api.close()


def test_what_others_share_is_left_out_and_flow_logs_of_subnets_do_not_count(fake: Api) -> None:
    [own] = [each for each in collected(fake, "vpc", SEEDED) if each.type == vpc.VPC]
    assert own.id == f"arn:aws:ec2:{SEEDED}:{ACCOUNT}:vpc/vpc-1"
    assert [log["FlowLogId"] for log in at(own, "Observed.FlowLogs")] == ["fl-1", "fl-2"]


def test_versions_of_one_template_are_found_on_different_pages(fake: Api) -> None:
    [template] = [each for each in collected(fake, "ebs", SEEDED) if each.type == ebs.LAUNCH_TEMPLATE]
    assert (at(template, "DefaultVersionNumber"), at(template, "Observed.LatestVersion.VersionNumber")) == ("2", 3)
    assert verdicts("aws.ec2.lt_imdsv2", [template]) == {"web": FAIL}


def test_a_prefix_list_that_another_account_shares_is_read_page_by_page(fake: Api) -> None:
    [shared] = [each for each in collected(fake, "ec2", SEEDED) if each.type == PREFIX_LIST]
    assert (shared.id, shared.name) == (f"arn:aws:ec2:{SEEDED}:999999999999:prefix-list/pl-1", "partners")
    assert [entry["Cidr"] for entry in at(shared, "Entries")] == ["0.0.0.0/0", "203.0.113.0/24"]
    rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "SourcePrefixListId": "pl-1"}
    group = resource("AWS::EC2::SecurityGroup", {"SecurityGroupIngress": [rule]}, region=SEEDED)
    finding = judge(RULES["aws.ec2.sg_ssh"], group, now=NOW, neighbours=Neighbours.fixed([shared]))
    assert finding.message == "TCP 22 is open to prefix list pl-1 (0.0.0.0/0 and 1 more)"
