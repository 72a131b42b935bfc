"""The fix of a security group that nothing uses: it is deleted, and made again by the undo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nephoscope.domain import Call, FixRequest, LiveSession, Permission, PlanProblem, Remediation, Resource, Step
from nephoscope_aws.call import AwsCall, answered, aws_call
from nephoscope_aws_fixes.ec2_groups import GROUP, as_permission, rules_of
from nephoscope_aws_fixes.setting import Target, at, in_short_list, operation, unless_hidden

GROUPS = operation("ec2", "describe_security_groups", "ec2:DescribeSecurityGroups", anywhere=True)
INTERFACES = operation("ec2", "describe_network_interfaces", "ec2:DescribeNetworkInterfaces", anywhere=True)
VPCS = operation("ec2", "describe_vpcs", "ec2:DescribeVpcs", anywhere=True)
TEMPLATES = operation("ec2", "describe_launch_template_versions", "ec2:DescribeLaunchTemplateVersions", anywhere=True)
DELETE = operation("ec2", "delete_security_group", "ec2:DeleteSecurityGroup")

ITSELF = "this group"
"""What stands in a group's rules for its own id, which is another one after an undo."""

EVERYTHING = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
"""The outbound rule that each new group has.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
"""

LOSES = (
    "Undo makes a group of the same name, rules and tags with a new ID; what refers to the old ID has to be changed."
)


class DeleteUnused(Remediation):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html"""

    id = "aws.ec2.delete_unused_group"
    title = "Delete the security group"
    summary = "Deletes the security group, if no network interface and no rule of another group uses it."
    breaks = (
        "Launch templates, Auto Scaling groups, functions and tasks that name the group can start nothing any more, "
        "and templates that refer to it fail."
    )
    loses = LOSES
    provider = "aws"
    group = "Unused security groups"
    on = (GROUP,)
    reads = ("ec2:DescribeSecurityGroupRules", *GROUPS.actions, *INTERFACES.actions, *VPCS.actions, *TEMPLATES.actions)
    writes = (
        *DELETE.actions,
        "ec2:CreateSecurityGroup",
        "ec2:RevokeSecurityGroupEgress",
        "ec2:AuthorizeSecurityGroupIngress",
        "ec2:AuthorizeSecurityGroupEgress",
        "ec2:CreateTags",
    )

    def plan(self, request: FixRequest, session: LiveSession) -> list[Step]:
        resource = request.resource
        target = Target({"GroupId": resource.id.rpartition("/")[2]}, resource.id, resource.region)
        with unless_hidden():
            before = _found(target, {"group-id": target.names["GroupId"]}, session)
            if before is None:
                raise PlanProblem("it does not exist any more.")
            _require_unused(target, session)
            _require_no_ipv6(target, before["VpcId"], session)
        undo = _made_again(resource, before)
        delete = DELETE.on(target, target.names)
        return [Step(resource.id, self.title, delete, undo, before, None, loses=LOSES, restored=before)]

    def state(self, step: Step, session: LiveSession) -> Any:
        """Read the group by its name, which only one in its VPC can have."""
        target = Target({}, step.resource, AwsCall.of(step.call).region)
        return _found(target, {"group-name": step.before["GroupName"], "vpc-id": step.before["VpcId"]}, session)

    def uses(self, request: FixRequest, session: LiveSession) -> list[str]:
        """AWS deletes also what launch templates name, which then launch nothing any more."""
        id = request.resource.id.rpartition("/")[2]
        asked = {"Versions": ["$Default", "$Latest"]}
        answer = session.read(TEMPLATES.on(Target({}, "*", request.resource.region), asked)) or {}
        named = {
            str(each["LaunchTemplateName"]) for each in answer.get("LaunchTemplateVersions", []) if _names(each, id)
        }
        return [f"Launch templates that name it: {in_short_list(sorted(named))}."] if named else []


def _names(version: Mapping[str, Any], id: str) -> bool:
    """Whether a version of a launch template names a security group."""
    data = version.get("LaunchTemplateData", {})
    of_interfaces = [group for each in data.get("NetworkInterfaces", []) for group in each.get("Groups", [])]
    return id in (*data.get("SecurityGroupIds", []), *of_interfaces)


def _found(target: Target, which: Mapping[str, str], session: LiveSession) -> dict[str, Any] | None:
    """Return a group with its rules and tags, but without any id of its own."""
    asked = {"Filters": [{"Name": name, "Values": [value]} for name, value in which.items()]}
    group = at(session.read(GROUPS.on(target, asked)), ("SecurityGroups", 0))
    if group is None:
        return None
    rules = [_of_itself(rule, group["GroupId"]) for rule in rules_of(group["GroupId"], target.region, session) or []]
    return {
        **{name: group[name] for name in ("GroupName", "Description", "VpcId")},
        "Tags": sorted(group.get("Tags", []), key=lambda tag: str(tag["Key"])),
        "Rules": sorted(rules, key=lambda rule: str(sorted(rule.items(), key=str))),
    }


def _of_itself(rule: Mapping[str, Any], id: str) -> dict[str, Any]:
    other = rule.get("ReferencedGroupInfo", {})
    return {**rule, "ReferencedGroupInfo": {"GroupId": ITSELF}} if other.get("GroupId") == id else dict(rule)


def _require_unused(target: Target, session: LiveSession) -> None:
    """Raise PlanProblem if a network interface or another group's rule uses the group: AWS deletes none such."""
    id = target.names["GroupId"]
    asked = {"Filters": [{"Name": "group-id", "Values": [id]}]}
    if found := (session.read(INTERFACES.on(target, asked)) or {}).get("NetworkInterfaces"):
        raise PlanProblem(f"{in_short_list([str(each['NetworkInterfaceId']) for each in found])} uses it now.")
    for name in ("ip-permission.group-id", "egress.ip-permission.group-id"):
        asked = {"Filters": [{"Name": name, "Values": [id]}]}
        found = (session.read(GROUPS.on(target, asked)) or {}).get("SecurityGroups", [])
        if others := sorted({str(each["GroupId"]) for each in found} - {id}):
            raise PlanProblem(f"rules of {in_short_list(others)} refer to it; remove them first.")


def _require_no_ipv6(target: Target, vpc: str, session: LiveSession) -> None:
    """Raise PlanProblem where a new group may have another outbound rule, so that it would not be the same again."""
    found = at(session.read(VPCS.on(target, {"VpcIds": [vpc]})), ("Vpcs", 0)) or {}
    if found.get("Ipv6CidrBlockAssociationSet"):
        raise PlanProblem(
            "its VPC has IPv6 addresses, for which undo cannot make the same group again; delete it manually."
        )


def _made_again(group: Resource, before: Mapping[str, Any]) -> Call:
    """Return the call that makes the group, with those that make its rules. Its ARN nobody knows before."""
    of_account = group.id.rpartition("security-group/")[0]
    new = f"{of_account}security-group/*"
    tags = [Permission("ec2:CreateTags", new)] if before["Tags"] else []
    create = [Permission("ec2:CreateSecurityGroup", each) for each in (f"{of_account}vpc/{before['VpcId']}", new)]
    asked = {name: before[name] for name in ("GroupName", "Description", "VpcId")} | _tagged(
        "security-group", before["Tags"]
    )
    then = [_rules("revoke_security_group_egress", group, new, [EVERYTHING], [])]
    for egress, verb in ((False, "authorize_security_group_ingress"), (True, "authorize_security_group_egress")):
        rules = [each for each in before["Rules"] if each["IsEgress"] == egress]
        plain = [_permission(each) for each in rules if not each["Tags"]]
        then += [_rules(verb, group, new, plain, [])] if plain else []
        then += [_rules(verb, group, new, [_permission(each)], each["Tags"]) for each in rules if each["Tags"]]
    return aws_call("ec2", "create_security_group", asked, *create, *tags, region=group.region, then=then)


def _tagged(type: str, tags: Any) -> dict[str, Any]:
    return {"TagSpecifications": [{"ResourceType": type, "Tags": tags}]} if tags else {}


def _permission(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return a rule as an IP permission; one that refers to its own group refers to the new one."""
    permission = as_permission(dict(rule))
    pairs = permission.get("UserIdGroupPairs", [])
    own = [{**each, "GroupId": answered("GroupId")} if each.get("GroupId") == ITSELF else each for each in pairs]
    return {**permission, "UserIdGroupPairs": own} if own else permission


def _rules(verb: str, group: Resource, new: str, permissions: Sequence[Mapping[str, Any]], tags: Any) -> Call:
    """Return the call that makes rules of the new group, or takes them away; EC2 gives the tags to each of them."""
    asked = {"GroupId": answered("GroupId"), "IpPermissions": list(permissions), **_tagged("security-group-rule", tags)}
    needed = [Permission(f"ec2:{''.join(part.capitalize() for part in verb.split('_'))}", new)]
    if tags:
        needed.append(Permission("ec2:CreateTags", new.replace("security-group/", "security-group-rule/")))
    return aws_call("ec2", verb, asked, *needed, region=group.region)
