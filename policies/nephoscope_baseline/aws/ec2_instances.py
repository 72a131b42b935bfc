"""Rules on how EC2 instances are set up."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from nephoscope.domain import Fail, NotKnown, Parameter, ResourceView, Severity, Unknown, View, rule
from nephoscope_aws.access_policies import all_right, members

INSTANCE = "AWS::EC2::Instance"

STOPPED = Parameter("days", "Maximum days stopped", "days", 30, "lower")

_STOPPED_AT = re.compile(r"\((\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?:GMT|UTC)\)")


def _terminated(instance: View) -> bool:
    """Terminated instances are listed for about an hour and can no longer be changed."""
    return instance["Observed.State"] in ("terminated", "shutting-down")


@rule(
    "aws.ec2.imdsv2",
    on=INSTANCE,
    severity=Severity.HIGH,
    fix="""
        1. Update the software on the instance until its CloudWatch metric MetadataNoToken stays at zero.
        2. In the EC2 console, select the instance, choose Actions, Instance settings, Modify instance metadata options,
           and set IMDSv2 to Required.
    """,
    commands="""
        aws ec2 modify-instance-metadata-options --region={region} --instance-id={InstanceId} --http-tokens=required
    """,
    remediations=("aws.ec2.require_imdsv2",),
    link="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-IMDS-existing-instances.html",
    good=[
        {"MetadataOptions": {"HttpEndpoint": "enabled", "HttpTokens": "required"}},
        {"MetadataOptions": {"HttpEndpoint": "disabled", "HttpTokens": "optional"}},
        {"MetadataOptions": {"HttpEndpoint": "enabled", "HttpTokens": "optional"}, "Observed": {"State": "terminated"}},
    ],
    bad=[
        {"MetadataOptions": {"HttpEndpoint": "enabled", "HttpTokens": "optional"}, "Observed": {"State": "running"}},
        {},
    ],
)
def imdsv2(instance: View) -> bool | None:
    """EC2 instance allows IMDSv1.

    IMDSv1 answers any request, so a server-side request forgery (SSRF) flaw in an application exposes the instance
    role's credentials. IMDSv2 requires a session token that such a request cannot obtain.
    """
    if _terminated(instance):
        return None
    if instance["MetadataOptions.HttpEndpoint"] == "disabled":
        return True
    return bool(instance["MetadataOptions.HttpTokens"] == "required")


@rule(
    "aws.ec2.public_ip",
    on=INSTANCE,
    severity=Severity.HIGH,
    fix="""
        1. Use a load balancer, a NAT gateway or Session Manager instead of the public IP address.
        2. If it is an Elastic IP address, disassociate it.
        3. If it was assigned at launch, choose Actions, Networking, Manage IP addresses in the EC2 console, and turn
           the public address off.
        4. Keep new instances from getting one: turn off the automatic assignment of the subnet.
    """,
    commands="""
        aws ec2 describe-addresses --region={region} --filters=Name=instance-id,Values={InstanceId}
          --query='Addresses[].[PublicIp,AssociationId]' --output=table

        aws ec2 disassociate-address --region={region} --association-id={ASSOCIATION_ID}
    """,
    inputs={
        "ASSOCIATION_ID": "the ID of the association of an Elastic IP address, which the first command lists",
    },
    link="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-instance-addressing.html",
    good=[
        {"PublicIp": None, "PrivateIp": "10.0.0.5", "Observed": {"State": "running"}},
        {"NetworkInterfaces": [{"DeviceIndex": "0", "AssociatePublicIpAddress": False}]},
        {"SubnetId": "subnet-0a1b2c3d"},
    ],
    bad=[
        {"PublicIp": "203.0.113.10", "Observed": {"State": "running"}},
        {"PublicIp": None, "Observed": {"State": "running", "PublicIps": ["203.0.113.11", "203.0.113.12"]}},
        {"NetworkInterfaces": [{"DeviceIndex": "0", "AssociatePublicIpAddress": True}]},
        {"NetworkInterfaces": [{"DeviceIndex": "0", "AssociatePublicIpAddress": "true"}]},
    ],
)
def public_ip(instance: View) -> bool | Fail | None:
    """EC2 instance has a public IP address.

    An instance with a public IP address is one bad security group rule away from the internet. Behind a load balancer
    or in a private subnet, the same mistake has no effect.
    """
    if _terminated(instance):
        return None
    if "PublicIp" in instance:
        return _addresses(instance)
    # A template does not know the address; where it leaves the choice to the subnet there is nothing to judge.
    return all_right(instance.get("NetworkInterfaces"), _is_private)


def _is_private(interface: View) -> bool | Fail | None:
    asked = str(interface["AssociatePublicIpAddress"]).lower()
    if asked == "true":
        return Fail("A public IP address is assigned at launch", interface)
    return True if asked == "false" else None


def _addresses(instance: View) -> bool | Fail:
    """Judge a running instance: the address it is known by, and those of its other network interfaces."""
    if address := instance["PublicIp"]:
        return Fail(f"Public IP address {address}", "PublicIp")
    gaps: list[NotKnown] = []
    if others := [str(each) for each in members(instance.get("Observed.PublicIps"), gaps)]:
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        return Fail(f"Public IP address {others[0]}{more} on another network interface", "Observed.PublicIps")
    if gaps:
        raise gaps[0]
    return True


@rule(
    "aws.ec2.instance_profile",
    on=INSTANCE,
    severity=Severity.MEDIUM,
    fix="""
        1. Create a role for EC2 with only the permissions that the software needs.
        2. In the EC2 console, select the instance, choose Actions, Security, Modify IAM role, and select the role.
        3. Delete the access keys stored on the instance, and deactivate them in IAM.
    """,
    commands="""
        aws ec2 associate-iam-instance-profile --region={region} --instance-id={InstanceId}
          --iam-instance-profile=Name={PROFILE_NAME}
    """,
    inputs={
        "PROFILE_NAME": "the name of the instance profile of the role",
    },
    link="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/attach-iam-role.html",
    good=[
        {"IamInstanceProfile": "arn:aws:iam::123456789012:instance-profile/web"},
        {"IamInstanceProfile": None, "Observed": {"State": "terminated"}},
    ],
    bad=[{"IamInstanceProfile": None, "Observed": {"State": "running"}}, {}],
)
def instance_profile(instance: View) -> bool | Fail | None:
    """EC2 instance has no IAM role.

    Without a role, software on the instance needs stored access keys to call AWS. Such keys do not expire, end up in
    images and backups, and work from anywhere.
    """
    if _terminated(instance):
        return None
    return bool(instance["IamInstanceProfile"]) or Fail("No instance profile is attached", "IamInstanceProfile")


@rule(
    "aws.ec2.stopped_old",
    on=INSTANCE,
    severity=Severity.LOW,
    parameters=[STOPPED],
    live_only=True,
    fix="""
        1. Ask the owner whether the instance is still needed.
        2. If in doubt, keep an image.
        3. In the EC2 console, select the instance, then choose Instance state, Terminate instance.
    """,
    commands="""
        IMAGE_ID=aws ec2 create-image --region={region} --instance-id={InstanceId} --name={IMAGE_NAME}
          --query=ImageId --output=text
        aws ec2 wait image-available --region={region} --image-ids={IMAGE_ID}
        aws ec2 terminate-instances --region={region} --instance-ids={InstanceId}
    """,
    inputs={
        "IMAGE_NAME": "the name of the image to keep",
    },
    link="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/terminating-instances.html",
    good=[
        {"Observed": {"State": "running", "StateTransitionReason": ""}},
        {"Observed": {"State": "stopped", "StateTransitionReason": "User initiated (2026-01-10 10:00:00 GMT)"}},
        {"Observed": {"State": "terminated", "StateTransitionReason": "User initiated (2025-01-10 10:00:00 GMT)"}},
    ],
    bad=[{"Observed": {"State": "stopped", "StateTransitionReason": "User initiated (2025-12-01 10:00:00 GMT)"}}],
)
def stopped_old(instance: ResourceView, *, days: int) -> bool | Fail | None:
    """EC2 instance has been stopped for too long.

    When it is started again, it has missed every security update since. Until then its volumes, addresses and role stay
    around unwatched.
    """
    if _terminated(instance):
        return None
    if instance["Observed.State"] != "stopped":
        return True
    reason = "Observed.StateTransitionReason"
    when = _STOPPED_AT.search(str(instance[reason]))
    if not when:
        # EC2 gives no time when the operating system shut itself down.
        raise NotKnown(reason, Unknown("EC2 does not say when the instance was stopped"))
    stopped = datetime.fromisoformat(when[1]).replace(tzinfo=UTC)
    if instance.now - stopped <= timedelta(days=days):
        return True
    return Fail(f"Stopped since {stopped:%Y-%m-%d}, more than {days} days ago", reason)
