"""Fixes for security groups: one step for each rule that goes, undone by one that is just the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from nephoscope.domain import (
    Call,
    FixRequest,
    LiveSession,
    Permission,
    PlanProblem,
    Remediation,
    Resource,
    Step,
    Verdict,
)
from nephoscope_aws.call import AwsCall, aws_call
from nephoscope_aws_fixes.setting import in_short_list, unless_hidden

GROUP = "AWS::EC2::SecurityGroup"
_READ_RULES = "ec2:DescribeSecurityGroupRules"
_READ_INTERFACES = "ec2:DescribeNetworkInterfaces"
_VERBS = {False: ("revoke_security_group_ingress", "authorize_security_group_ingress")}
_VERBS[True] = ("revoke_security_group_egress", "authorize_security_group_egress")

LOSES = "A rule that is put back has a new rule ID; what refers to the rule by its ID has to be changed."
"""https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html"""

Rule = dict[str, Any]
"""A rule of a security group as DescribeSecurityGroupRules gives it, less its id and its group's."""


def rules_of(group: str, region: str, session: LiveSession) -> list[Rule] | None:
    """Return the rules of a security group in the order of their ids; None when there is no such group."""
    asked = {"Filters": [{"Name": "group-id", "Values": [group]}], "MaxResults": 1000}
    answer = session.read(
        aws_call("ec2", "describe_security_group_rules", asked, Permission(_READ_RULES), region=region)
    )
    if answer is None:
        return None
    found = sorted(answer["SecurityGroupRules"], key=lambda each: str(each["SecurityGroupRuleId"]))
    return [_without_ids(each) for each in found]


def _without_ids(rule: Mapping[str, Any]) -> Rule:
    left_out = ("SecurityGroupRuleId", "SecurityGroupRuleArn", "GroupId", "GroupOwnerId")
    kept = {name: value for name, value in rule.items() if name not in left_out}
    return {**kept, "Tags": sorted(rule.get("Tags", []), key=lambda tag: str(tag["Key"]))}


def as_entry(rule: Rule) -> dict[str, Any]:
    """Return a rule as it stands in the canonical shape of its group."""
    other = rule.get("ReferencedGroupInfo", {})
    side = "Destination" if rule["IsEgress"] else "Source"
    known = {
        "IpProtocol": rule["IpProtocol"],
        **_ports(rule),
        "CidrIp": rule.get("CidrIpv4"),
        "CidrIpv6": rule.get("CidrIpv6"),
        f"{side}PrefixListId": rule.get("PrefixListId"),
        f"{side}SecurityGroupId": other.get("GroupId"),
        "Description": rule.get("Description"),
    }
    return {name: value for name, value in known.items() if value is not None}


def step_for(group: Resource, rule: Rule) -> Step:
    """Return the step that takes a rule away, and whose undo makes one that is just the same."""
    revoke, authorize = _VERBS[rule["IsEgress"]]
    permission = as_permission(rule)
    tags = [{"ResourceType": "security-group-rule", "Tags": rule["Tags"]}] if rule["Tags"] else []
    back: dict[str, Any] = {"IpPermissions": [permission]} | ({"TagSpecifications": tags} if tags else {})
    call = _call(group, revoke, {"IpPermissions": [permission]})
    on_rules = f"{group.id.rpartition('security-group/')[0]}security-group-rule/*"
    inverse = _call(group, authorize, back, *([Permission("ec2:CreateTags", on_rules)] if tags else []))
    return Step(group.id, f"Remove the rule for {_in_words(rule)}", call, inverse, rule, None)


def _call(group: Resource, operation: str, parameters: Mapping[str, Any], *also: Permission) -> Call:
    """Return a call on a group; tags are put on the new rule, whose ARN nobody knows before."""
    action = "".join(part.capitalize() for part in operation.split("_"))
    permissions = (Permission(f"ec2:{action}", group.id), *also)
    return aws_call("ec2", operation, {"GroupId": group_id(group), **parameters}, *permissions, region=group.region)


def group_id(group: Resource) -> str:
    return group.id.rpartition("/")[2]


def as_permission(rule: Rule) -> dict[str, Any]:
    said = {"Description": rule["Description"]} if rule.get("Description") else {}
    known: dict[str, dict[str, Any]] = {
        "IpRanges": {"CidrIp": rule.get("CidrIpv4")},
        "Ipv6Ranges": {"CidrIpv6": rule.get("CidrIpv6")},
        "PrefixListIds": {"PrefixListId": rule.get("PrefixListId")},
        "UserIdGroupPairs": _pair(rule.get("ReferencedGroupInfo", {})),
    }
    sources = {name: [{**range, **said}] for name, range in known.items() if any(range.values())}
    return {"IpProtocol": rule["IpProtocol"], **_ports(rule), **sources}


def _ports(rule: Rule) -> dict[str, Any]:
    """Return the ports of a rule; one for all traffic has none."""
    return {name: rule[name] for name in ("FromPort", "ToPort") if name in rule and rule["IpProtocol"] != "-1"}


def _pair(other: Mapping[str, Any]) -> dict[str, Any]:
    known = ("GroupId", "UserId", "VpcPeeringConnectionId")
    return {name: other[name] for name in known if other.get(name)}


def _in_words(rule: Rule) -> str:
    first, last = rule.get("FromPort", -1), rule.get("ToPort", -1)
    ports = "" if first in (-1, None) else f" {first}" if first == last else f" {first}–{last}"
    what = "all traffic" if rule["IpProtocol"] == "-1" else f"{rule['IpProtocol'].upper()}{ports}"
    other = rule.get("ReferencedGroupInfo", {}).get("GroupId")
    where = rule.get("CidrIpv4") or rule.get("CidrIpv6") or rule.get("PrefixListId") or other
    return f"{what} {'to' if rule['IsEgress'] else 'from'} {where}"


class GroupFix(Remediation):
    """Takes rules of a security group away."""

    provider = "aws"
    on = (GROUP,)
    reads = (_READ_RULES, _READ_INTERFACES)
    loses = LOSES

    def plan(self, request: FixRequest, session: LiveSession) -> list[Step]:
        group = request.resource
        with unless_hidden():
            rules = rules_of(group_id(group), group.region, session)
        if rules is None:
            raise PlanProblem("it does not exist any more.")
        steps = [step_for(group, rule) for rule in self.going(request, rules)]
        if not steps:
            raise PlanProblem("it is so already.")
        return [replace(step, loses=LOSES, restored=step.before) for step in steps]

    def going(self, request: FixRequest, rules: Sequence[Rule]) -> Iterator[Rule]:
        """Yield the rules that have to go."""
        raise NotImplementedError

    def state(self, step: Step, session: LiveSession) -> Any:
        """Read the rule, None when it is not there; descriptions and tags are part of it."""
        asked = AwsCall.of(step.call)
        rules = rules_of(asked.parameters["GroupId"], asked.region, session) or []
        [wanted] = asked.parameters["IpPermissions"]
        bare = _undescribed(wanted)
        egress = asked.operation == _VERBS[True][0]
        alike = (each for each in rules if each["IsEgress"] == egress and _undescribed(as_permission(each)) == bare)
        return next(alike, None)

    def project(self, resource: Resource, steps: Sequence[Step]) -> Resource | None:
        properties = dict(resource.properties)
        for name in ("SecurityGroupIngress", "SecurityGroupEgress"):
            gone = [as_entry(step.before) for step in steps if step.before["IsEgress"] == (name[13:] == "Egress")]
            if isinstance(properties.get(name), list):
                properties[name] = [each for each in properties[name] if not any(_alike(each, one) for one in gone)]
        return replace(resource, properties=properties)

    def uses(self, request: FixRequest, session: LiveSession) -> list[str]:
        group = request.resource
        asked = {"Filters": [{"Name": "group-id", "Values": [group_id(group)]}]}
        read = aws_call("ec2", "describe_network_interfaces", asked, Permission(_READ_INTERFACES), region=group.region)
        found = (session.read(read) or {}).get("NetworkInterfaces", [])
        if not found:
            return ["No network interface uses it."]
        named = in_short_list([_interface(each) for each in found])
        return [f"Used by {len(found)} network interface{'s' if len(found) > 1 else ''}: {named}."]


def _interface(found: Mapping[str, Any]) -> str:
    of = found.get("Attachment", {}).get("InstanceId") or found.get("Description") or found.get("InterfaceType", "")
    return f"{found['NetworkInterfaceId']} ({of})" if of else str(found["NetworkInterfaceId"])


def _undescribed(permission: Mapping[str, Any]) -> dict[str, Any]:
    """Return an IP permission without its descriptions: there are no two that differ in these only."""
    return {
        name: [{key: each for key, each in range.items() if key != "Description"} for range in value]
        if isinstance(value, list)
        else value
        for name, value in permission.items()
    }


def _alike(entry: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether an entry of the canonical shape is the same as another; it may say more of a security group."""
    return all(entry.get(name) == value for name, value in other.items() if name != "Description")


class CloseIngress(GroupFix):
    """Takes away the inbound rules that make a rule's finding fail, and no other: the rule's own ports and sources."""

    id = "aws.ec2.close_ingress"
    title = "Remove inbound rules that are open to the internet"
    summary = "Removes the inbound rules that the finding is about. Rules for other ports and for known networks stay."
    breaks = (
        "Whoever connects from the internet through these ports can no longer do so. A rule that spans more ports goes "
        "as a whole: give those who need one of them a rule of their own first."
    )
    group = "Open security groups"
    writes = ("ec2:RevokeSecurityGroupIngress", "ec2:AuthorizeSecurityGroupIngress", "ec2:CreateTags")

    def going(self, request: FixRequest, rules: Sequence[Rule]) -> Iterator[Rule]:
        inbound = [each for each in rules if not each["IsEgress"]]
        kept = list[Rule]()
        for rule in inbound:
            if _fails(request, [*kept, rule]):
                yield rule
            else:
                kept.append(rule)


def _fails(request: FixRequest, inbound: Sequence[Rule]) -> bool:
    """Whether the finding's rule would fail a group with just these inbound rules."""
    assert request.judge, "asked for a finding of a rule only"
    properties = {**request.resource.properties, "SecurityGroupIngress": [as_entry(each) for each in inbound]}
    verdict = request.judge(replace(request.resource, properties=properties))
    if verdict.verdict not in (Verdict.PASS, Verdict.FAIL):
        raise PlanProblem(f"which of its rules are meant cannot be said: {verdict.message}.")
    return verdict.verdict == Verdict.FAIL


class EmptyDefaultGroup(GroupFix):
    """https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-2"""

    id = "aws.ec2.empty_default_group"
    title = "Remove all rules of the default security group"
    summary = "Removes every inbound and outbound rule of the VPC’s default security group."
    breaks = "Whatever was started without naming a security group uses this one, and is cut off from the network."
    group = "Default security groups"
    writes = (
        "ec2:RevokeSecurityGroupIngress",
        "ec2:AuthorizeSecurityGroupIngress",
        "ec2:RevokeSecurityGroupEgress",
        "ec2:AuthorizeSecurityGroupEgress",
        "ec2:CreateTags",
    )

    def going(self, request: FixRequest, rules: Sequence[Rule]) -> Iterator[Rule]:
        yield from rules
