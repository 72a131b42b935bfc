"""The events that need an alarm: sets of CloudTrail events, one for each rule on alarms.

Event names are those of section 4 of the CIS AWS Foundations Benchmark; the fields of events are described at
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html and
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from nephoscope_aws.names import home_of
from nephoscope_baseline.aws.log_patterns import Event

GLOBAL_SERVICES = {"iam.amazonaws.com", "organizations.amazonaws.com"}
"""Services whose events come from the home region only."""

_ACCOUNT, _HOME = "123456789012", home_of("aws")


@dataclass(frozen=True)
class Watch:
    """One kind of event: a pattern that finds them, each event that must be found, and everyday ones that must not.

    An alarm that also fires on everyday events is soon ignored. ``of_all_services``: the events are examples of what
    each service may report.
    """

    metric: str
    pattern: str
    events: Mapping[str, Event]
    everyday: tuple[Event, ...]
    of_all_services: bool = False

    def within(self, account: str, partition: str) -> Watch:
        """Return the same, with events as they are written in this account: a filter may name it."""
        import json  # here, so that a list of rules does not wait for it

        def written(event: Event) -> Event:
            text = json.dumps(event).replace(_ACCOUNT, account).replace("arn:aws:", f"arn:{partition}:")
            found: Event = json.loads(text.replace(f'"{_HOME}"', f'"{home_of(partition)}"'))
            return found

        events = {name: written(each) for name, each in self.events.items()}
        return replace(self, events=events, everyday=tuple(map(written, self.everyday)))

    @property
    def fields(self) -> list[dict[str, str]]:
        """Return the fields of the events by which a trail can tell them from others; none where it must log all."""
        told = ("eventSource", "eventName", "eventType")
        return [] if self.of_all_services else [{name: each[name] for name in told} for each in self.events.values()]


def event(source: str, name: str, **fields: Any) -> dict[str, Any]:
    """Return an event as CloudTrail writes it, of a user in an unusual region."""
    return {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": "AIDACKCEVSQ6C2EXAMPLE",
            "arn": "arn:aws:iam::123456789012:user/somebody",
            "accountId": "123456789012",
            "userName": "somebody",
        },
        "eventTime": "2026-01-15T11:58:00Z",
        "eventSource": source,
        "eventName": name,
        "awsRegion": _HOME if source in GLOBAL_SERVICES else "ap-southeast-2",
        "sourceIPAddress": "203.0.113.77",
        "userAgent": "aws-cli/2.31.0",
        "requestParameters": {},
        "responseElements": None,
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": "123456789012",
        "eventCategory": "Management",
    } | fields


def _sign_in(result: str, mfa: str, **fields: Any) -> dict[str, Any]:
    more = {"additionalEventData": {"MFAUsed": mfa, "MobileVersion": "No"}, "eventType": "AwsConsoleSignIn"}
    return event("signin.amazonaws.com", "ConsoleLogin", responseElements={"ConsoleLogin": result}, **more, **fields)


ROOT: dict[str, Any] = {"type": "Root", "arn": "arn:aws:iam::123456789012:root", "accountId": "123456789012"}
READING = event("ec2.amazonaws.com", "DescribeInstances", readOnly=True)
GOOD_SIGN_IN = _sign_in("Success", "Yes")


def one_of(names: Iterable[str]) -> str:
    """Return the condition that an event has one of these names."""
    return " || ".join(f'($.eventName = "{name}")' for name in names)


def _calls(metric: str, source: str, *names: str, also: tuple[str, ...] = ()) -> Watch:
    """Watch calls of one service by name; ``also`` should be found, but no benchmark asks for it."""
    pattern = f'{{ ($.eventSource = "{source}") && ({one_of(names + also)}) }}'
    return Watch(metric, pattern, {name: event(source, name) for name in names}, (READING, GOOD_SIGN_IN))


WATCHES = {
    "alarm_unauthorized": Watch(
        "UnauthorizedCalls",
        '{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }',
        {
            code: event("ec2.amazonaws.com", "RunInstances", errorCode=code)
            for code in ("Client.UnauthorizedOperation", "AccessDenied", "AccessDeniedException")
        },
        (READING, GOOD_SIGN_IN),
        of_all_services=True,
    ),
    "alarm_no_mfa_login": Watch(
        "SignInWithoutMfa",
        '{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") && '
        '($.userIdentity.type = "IAMUser") && ($.responseElements.ConsoleLogin = "Success") }',
        {"ConsoleLogin without MFA": _sign_in("Success", "No")},
        (READING, GOOD_SIGN_IN),
    ),
    "alarm_root": Watch(
        "RootUse",
        '{ ($.userIdentity.type = "Root") && ($.userIdentity.invokedBy NOT EXISTS) && '
        '($.eventType != "AwsServiceEvent") }',
        {
            "calls by root": event("iam.amazonaws.com", "CreateUser", userIdentity=ROOT),
            "ConsoleLogin by root": _sign_in("Success", "Yes", userIdentity=ROOT),
        },
        (READING, GOOD_SIGN_IN),
        of_all_services=True,
    ),
    "alarm_iam": _calls(
        "IamPolicyChanges",
        "iam.amazonaws.com",
        *(f"{verb}{who}Policy" for verb in ("Put", "Delete", "Attach", "Detach") for who in ("Group", "Role", "User")),
        "CreatePolicy",
        "DeletePolicy",
        "CreatePolicyVersion",
        "DeletePolicyVersion",
    ),
    "alarm_trail": _calls(
        "TrailChanges",
        "cloudtrail.amazonaws.com",
        "CreateTrail",
        "UpdateTrail",
        "DeleteTrail",
        "StartLogging",
        "StopLogging",
        also=("PutEventSelectors",),
    ),
    "alarm_console_fail": Watch(
        "FailedSignIns",
        '{ ($.eventName = "ConsoleLogin") && ($.errorMessage = "Failed authentication") }',
        {"failed ConsoleLogin": _sign_in("Failure", "No", errorMessage="Failed authentication")},
        (READING, GOOD_SIGN_IN),
    ),
    "alarm_kms": _calls("KeyRemovals", "kms.amazonaws.com", "DisableKey", "ScheduleKeyDeletion"),
    "alarm_s3": _calls(
        "BucketPolicyChanges",
        "s3.amazonaws.com",
        "PutBucketAcl",
        *(
            f"{verb}Bucket{what}"
            for verb in ("Put", "Delete")
            for what in ("Policy", "Cors", "Lifecycle", "Replication")
        ),
    ),
    "alarm_config": _calls(
        "ConfigChanges",
        "config.amazonaws.com",
        "StopConfigurationRecorder",
        "PutConfigurationRecorder",
        "DeleteDeliveryChannel",
        "PutDeliveryChannel",
        also=("DeleteConfigurationRecorder",),
    ),
    "alarm_sg": _calls(
        "SecurityGroupChanges",
        "ec2.amazonaws.com",
        *(f"{verb}SecurityGroup{way}" for verb in ("Authorize", "Revoke") for way in ("Ingress", "Egress")),
        "CreateSecurityGroup",
        "DeleteSecurityGroup",
        also=("ModifySecurityGroupRules",),
    ),
    "alarm_nacl": _calls(
        "NetworkAclChanges",
        "ec2.amazonaws.com",
        "CreateNetworkAcl",
        "CreateNetworkAclEntry",
        "DeleteNetworkAcl",
        "DeleteNetworkAclEntry",
        "ReplaceNetworkAclEntry",
        "ReplaceNetworkAclAssociation",
    ),
    "alarm_gateway": _calls(
        "GatewayChanges",
        "ec2.amazonaws.com",
        "CreateCustomerGateway",
        "DeleteCustomerGateway",
        "CreateInternetGateway",
        "DeleteInternetGateway",
        "AttachInternetGateway",
        "DetachInternetGateway",
    ),
    "alarm_routes": _calls(
        "RouteTableChanges",
        "ec2.amazonaws.com",
        "CreateRoute",
        "ReplaceRoute",
        "DeleteRoute",
        "CreateRouteTable",
        "DeleteRouteTable",
        "ReplaceRouteTableAssociation",
        "DisassociateRouteTable",
    ),
    # The benchmark also names four calls of ClassicLink, which AWS has retired.
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AttachClassicLinkVpc.html
    "alarm_vpc": _calls(
        "VpcChanges",
        "ec2.amazonaws.com",
        "CreateVpc",
        "DeleteVpc",
        "ModifyVpcAttribute",
        *(f"{verb}VpcPeeringConnection" for verb in ("Create", "Accept", "Reject", "Delete")),
    ),
    "alarm_org": _calls(
        "OrganizationChanges",
        "organizations.amazonaws.com",
        "AcceptHandshake",
        "DeclineHandshake",
        "InviteAccountToOrganization",
        "CreateAccount",
        "MoveAccount",
        "RemoveAccountFromOrganization",
        "LeaveOrganization",
        "DeleteOrganization",
        "CreateOrganizationalUnit",
        "UpdateOrganizationalUnit",
        "DeleteOrganizationalUnit",
        "CreatePolicy",
        "UpdatePolicy",
        "DeletePolicy",
        "AttachPolicy",
        "DetachPolicy",
        "EnablePolicyType",
        "DisablePolicyType",
    ),
}
"""By the last part of the rule's id."""
