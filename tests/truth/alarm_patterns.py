"""Metric filter patterns as CIS and Security Hub publish them, for each rule on alarms, and ones that fall short.

https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html
"""

from __future__ import annotations

CALLS: dict[str, tuple[str, str]] = {
    "alarm_iam": (
        "iam",
        "DeleteGroupPolicy DeleteRolePolicy DeleteUserPolicy PutGroupPolicy PutRolePolicy PutUserPolicy CreatePolicy "
        "DeletePolicy CreatePolicyVersion DeletePolicyVersion AttachRolePolicy DetachRolePolicy AttachUserPolicy "
        "DetachUserPolicy AttachGroupPolicy DetachGroupPolicy",
    ),
    "alarm_trail": ("cloudtrail", "CreateTrail UpdateTrail DeleteTrail StartLogging StopLogging"),
    "alarm_kms": ("kms", "DisableKey ScheduleKeyDeletion"),
    "alarm_s3": (
        "s3",
        "PutBucketAcl PutBucketPolicy PutBucketCors PutBucketLifecycle PutBucketReplication DeleteBucketPolicy "
        "DeleteBucketCors DeleteBucketLifecycle DeleteBucketReplication",
    ),
    "alarm_config": (
        "config",
        "StopConfigurationRecorder DeleteDeliveryChannel PutDeliveryChannel PutConfigurationRecorder",
    ),
    "alarm_sg": (
        "ec2",
        "AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress RevokeSecurityGroupIngress "
        "RevokeSecurityGroupEgress CreateSecurityGroup DeleteSecurityGroup",
    ),
    "alarm_nacl": (
        "ec2",
        "CreateNetworkAcl CreateNetworkAclEntry DeleteNetworkAcl DeleteNetworkAclEntry ReplaceNetworkAclEntry "
        "ReplaceNetworkAclAssociation",
    ),
    "alarm_gateway": (
        "ec2",
        "CreateCustomerGateway DeleteCustomerGateway AttachInternetGateway CreateInternetGateway "
        "DeleteInternetGateway DetachInternetGateway",
    ),
    "alarm_routes": (
        "ec2",
        "CreateRoute CreateRouteTable ReplaceRoute ReplaceRouteTableAssociation DeleteRouteTable DeleteRoute "
        "DisassociateRouteTable",
    ),
    "alarm_vpc": (
        "ec2",
        "CreateVpc DeleteVpc ModifyVpcAttribute AcceptVpcPeeringConnection CreateVpcPeeringConnection "
        "DeleteVpcPeeringConnection RejectVpcPeeringConnection AttachClassicLinkVpc DetachClassicLinkVpc "
        "DisableVpcClassicLink EnableVpcClassicLink",
    ),
    "alarm_org": (
        "organizations",
        "AcceptHandshake AttachPolicy CreateAccount CreateOrganizationalUnit CreatePolicy DeclineHandshake "
        "DeleteOrganization DeleteOrganizationalUnit DeletePolicy DetachPolicy DisablePolicyType EnablePolicyType "
        "InviteAccountToOrganization LeaveOrganization MoveAccount RemoveAccountFromOrganization UpdatePolicy "
        "UpdateOrganizationalUnit",
    ),
}
"""The service and the names of its calls."""

MFA = '($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes")'
FIELDS = {
    "alarm_root": (
        '{$.userIdentity.type="Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType !="AwsServiceEvent"}'
    ),
    "alarm_unauthorized": '{($.errorCode="*UnauthorizedOperation") || ($.errorCode="AccessDenied*")}',
    "alarm_no_mfa_login": (
        f'{{ {MFA} && ($.userIdentity.type = "IAMUser") && ($.responseElements.ConsoleLogin = "Success") }}'
    ),
    "alarm_console_fail": '{($.eventName=ConsoleLogin) && ($.errorMessage="Failed authentication")}',
}


def _named(names: str, quote: str = "") -> str:
    return " || ".join(f"($.eventName={quote}{name}{quote})" for name in names.split())


def _with_source(source: str, names: str) -> str:
    return f"{{($.eventSource={source}.amazonaws.com) && ({_named(names)})}}"


PUBLISHED = FIELDS | {rule: _with_source(*said) for rule, said in CALLS.items()}

OTHERWISE = {rule: "{ " + _named(names, '"') + " }" for rule, (_, names) in CALLS.items()} | {
    "alarm_root": (
        '{ ($.userIdentity.type = "Root") && ($.userIdentity.invokedBy NOT EXISTS) && '
        '($.eventType != "AwsServiceEvent") }'
    ),
    "alarm_unauthorized": (
        '{ ($.errorCode ="*UnauthorizedOperation") || ($.errorCode ="AccessDenied*") && '
        '($.sourceIPAddress!="delivery.logs.amazonaws.com") && ($.eventName!="HeadBucket") }'
    ),
    "alarm_no_mfa_login": f"{{ {MFA} }}",
    "alarm_console_fail": '{ $.eventName = "ConsoleLogin" && $.errorMessage = "*ailed authentication" }',
}
"""The same as other editions of the benchmark write it: without the source, in quotes, with exceptions."""


def _first_left_out(source: str, names: str) -> str:
    return _with_source(source, names.partition(" ")[2])


SHORT = {rule: _first_left_out(*said) for rule, said in CALLS.items()} | {
    "alarm_root": '{$.userIdentity.type="Root" && $.eventName="ConsoleLogin"}',
    "alarm_unauthorized": '{$.errorCode="*UnauthorizedOperation"}',
    "alarm_no_mfa_login": '{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed = "Yes") }',
    "alarm_console_fail": '{($.eventName=ConsoleLogin) && ($.errorMessage="No username found in supplied account")}',
}
"""One event each that is not found."""

BROAD = {rule: f'{{ ($.eventName = "*") || ({_named(names)}) }}' for rule, (_, names) in CALLS.items()} | {
    "alarm_root": "",
    "alarm_unauthorized": '{ $.eventVersion = "*" }',
    "alarm_no_mfa_login": '{ $.eventName = "ConsoleLogin" }',
    "alarm_console_fail": "ConsoleLogin",
}
"""What finds the event, and everyday ones with it, so that nobody minds the alarm any more."""

RULES = " ".join(PUBLISHED)
