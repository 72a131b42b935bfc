"""The fix of a network ACL that lets the internet reach administration ports: rules before the open ones refuse it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from nephoscope.domain import FixRequest, LiveSession, PlanProblem, Recorder, Remediation, Resource, Step, Verdict, View
from nephoscope_aws.addresses import Addresses, parse_range
from nephoscope_aws.call import AwsCall
from nephoscope_aws.network_acls import Opening, openings
from nephoscope_aws_fixes.setting import Target, at, in_short_list, operation, unless_hidden

READ = operation("ec2", "describe_network_acls", "ec2:DescribeNetworkAcls")
CREATE = operation("ec2", "create_network_acl_entry", "ec2:CreateNetworkAclEntry")
DELETE = operation("ec2", "delete_network_acl_entry", "ec2:DeleteNetworkAclEntry")

Entry = Mapping[str, Any]
"""An entry as DescribeNetworkAcls gives it, which is as a resource's properties have it, too."""

EVERYONE = {4: "0.0.0.0/0", 6: "::/0"}
"""All addresses, by the version of IP."""


class DenyPorts(Remediation):
    """https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html"""

    id = "aws.ec2.deny_admin_ports"
    title = "Deny administration ports from the internet"
    summary = "Adds rules to the network ACL that deny these ports, right before the rules that allow them to everyone."
    breaks = (
        "Whoever connects from the internet to these ports can no longer do so. Network ACLs are stateless: of the "
        "replies to connections from inside, the few that come back to port 3389 are lost and tried again."
    )
    provider = "aws"
    group = "Network ACLs"
    loses = ""
    on = ("AWS::EC2::NetworkAcl",)
    reads = READ.actions
    writes = (*CREATE.actions, *DELETE.actions)

    def plan(self, request: FixRequest, session: LiveSession) -> list[Step]:
        target = _target(request.resource)
        with unless_hidden():
            acl = _read(target, session)
        if acl is None:
            raise PlanProblem("it does not exist any more.")
        ports = request.parameters["ports"]
        assert isinstance(ports, tuple), "the rule's ports"
        denying = _denying(list(acl["Entries"]), ports)
        if not denying:
            raise PlanProblem("it is so already.")
        _require_passes(request, [*acl["Entries"], *denying])
        return [self._step(target, entry) for entry in denying]

    def _step(self, target: Target, entry: Entry) -> Step:
        title = f"Deny TCP port {entry['PortRange']['From']} from {_source(entry)} by rule {entry['RuleNumber']}"
        undo = {name: entry[name] for name in ("RuleNumber", "Egress")}
        create = CREATE.on(target, {**target.names, **entry})
        return Step(target.arn, title, create, DELETE.on(target, {**target.names, **undo}), None, dict(entry))

    def state(self, step: Step, session: LiveSession) -> Any:
        asked = AwsCall.of(step.call)
        names = {"NetworkAclId": asked.parameters["NetworkAclId"]}
        entries = (_read(Target(names, step.resource, asked.region), session) or {}).get("Entries", [])
        number = asked.parameters["RuleNumber"]
        return next((dict(each) for each in entries if not each["Egress"] and each["RuleNumber"] == number), None)

    def project(self, resource: Resource, steps: Sequence[Step]) -> Resource:
        entries = resource.properties.get("Entries")
        made = [step.after for step in steps]
        return _with_entries(resource, [*(entries if isinstance(entries, list) else []), *made])

    def uses(self, request: FixRequest, session: LiveSession) -> list[str]:
        acl = _read(_target(request.resource), session) or {}
        subnets = sorted(str(each["SubnetId"]) for each in acl.get("Associations", []))
        return [f"Used by {in_short_list(subnets)}." if subnets else "No subnet uses it."]


def _target(acl: Resource) -> Target:
    return Target({"NetworkAclId": acl.id.rpartition("/")[2]}, acl.id, acl.region)


def _read(target: Target, session: LiveSession) -> Mapping[str, Any] | None:
    asked = {"NetworkAclIds": [target.names["NetworkAclId"]]}
    found: Mapping[str, Any] | None = at(session.read(READ.on(target, asked)), ("NetworkAcls", 0))
    return found


def _with_entries(acl: Resource, entries: Iterable[Entry]) -> Resource:
    return replace(acl, properties={**acl.properties, "Entries": [dict(each) for each in entries]})


def _require_passes(request: FixRequest, entries: Iterable[Entry]) -> None:
    assert request.judge, "asked for a finding of a rule only"
    verdict = request.judge(_with_entries(request.resource, entries))
    if verdict.verdict != Verdict.PASS:
        raise PlanProblem(f"change its rules manually: {verdict.message}.")


def _denying(entries: list[Entry], ports: Iterable[int]) -> list[Entry]:
    """Return the entries that, added to these, keep the internet from the ports, and take nothing from anybody else.

    :raises PlanProblem: there are none.
    """
    made = list[Entry]()
    for port in ports:
        while opening := _opening([*entries, *made], port):
            number, source = int(opening.entry["RuleNumber"]), EVERYONE[opening.source.version]
            known = [each for each in entries if _lets_known_in(each, port, source)]
            _require_none_after(known, number)
            made.append(_entry(port, _free([*entries, *made], known, number), source))
    return made


def _opening(entries: Sequence[Entry], port: int) -> Opening | None:
    view = View({"Entries": list(entries)}, "", Recorder(), "", {}).key("Entries")
    return next(iter(openings(view, port)), None)


def _entry(port: int, number: int, source: str) -> Entry:
    name = "Ipv6CidrBlock" if ":" in source else "CidrBlock"
    ports = {"From": port, "To": port}
    return {
        name: source,
        "Egress": False,
        "PortRange": ports,
        "Protocol": "6",
        "RuleAction": "deny",
        "RuleNumber": number,
    }


def _lets_known_in(entry: Entry, port: int, everyone: str) -> bool:
    """Whether an entry lets a known network in to a TCP port, of the IP version that ``everyone`` is of."""
    source, ports = _source(entry), entry.get("PortRange") or {"From": port, "To": port}
    covers = entry["Protocol"] in ("-1", "6") and ports["From"] <= port <= ports["To"]
    known = (":" in source) == (":" in everyone) and not Addresses.of(parse_range(source)).is_world
    return covers and known and not entry["Egress"] and bool(entry["RuleAction"] == "allow")


def _free(entries: Iterable[Entry], known: Iterable[Entry], number: int) -> int:
    """Return the highest free number before another one, with none between that lets a known network in.

    :raises PlanProblem: there is none.
    """
    taken = {each["RuleNumber"] for each in entries if not each["Egress"]}
    last = max((each["RuleNumber"] for each in known if each["RuleNumber"] < number), default=0)
    free = next((each for each in range(number - 1, last, -1) if each not in taken), None)
    if free is None:
        raise PlanProblem(f"there is no free number right before its rule {number}; renumber its rules first.")
    return free


def _require_none_after(known: Iterable[Entry], number: int) -> None:
    """Raise PlanProblem if a known network is let in after an open rule, and would be denied with all others."""
    if after := next((each for each in known if each["RuleNumber"] > number), None):
        raise PlanProblem(
            f"its rule {after['RuleNumber']} lets {_source(after)} in after the open rule {number}, and would be "
            f"denied with all others; give it a lower number first."
        )


def _source(entry: Entry) -> str:
    return str(entry.get("CidrBlock") or entry.get("Ipv6CidrBlock"))
