"""Rules on launch configurations of EC2 Auto Scaling."""

from __future__ import annotations

from nephoscope.domain import Fail, Severity, View, rule
from nephoscope_aws.access import is_on

LAUNCH_CONFIGURATION = "AWS::AutoScaling::LaunchConfiguration"


@rule(
    "aws.autoscaling.lc_public_ip",
    on=LAUNCH_CONFIGURATION,
    severity=Severity.HIGH,
    link="https://docs.aws.amazon.com/autoscaling/ec2/userguide/migrate-to-launch-templates.html",
    fix="""
        1. A launch configuration cannot be changed. In the EC2 console open Launch configurations, choose it, and
           Actions, Copy to launch template.
        2. In the template's network settings set Auto-assign public IP to Disable.
        3. Give the template to the group, and start an instance refresh; what must be reached goes behind a load
           balancer.
        4. By command line: aws autoscaling update-auto-scaling-group --auto-scaling-group-name GROUP --launch-template
           LaunchTemplateId=TEMPLATE, then aws autoscaling start-instance-refresh --auto-scaling-group-name GROUP
        """,
    good=[
        {"LaunchConfigurationName": "web", "AssociatePublicIpAddress": False},
        {"LaunchConfigurationName": "web", "AssociatePublicIpAddress": None},
        {},
    ],
    bad=[
        {"LaunchConfigurationName": "web", "AssociatePublicIpAddress": True},
        {"AssociatePublicIpAddress": "true"},
    ],
)
def lc_public_ip(configuration: View) -> bool | Fail:
    """Auto Scaling puts instances directly on the internet.

    Every instance that a group starts from this launch configuration gets a public address. Only its security group
    then stands between its services and everyone.
    """
    if is_on(configuration["AssociatePublicIpAddress"]):
        return Fail("Instances get a public IP address", "AssociatePublicIpAddress")
    return True


@rule(
    "aws.autoscaling.lc_imdsv2",
    on=LAUNCH_CONFIGURATION,
    severity=Severity.HIGH,
    link="https://docs.aws.amazon.com/autoscaling/ec2/userguide/create-launch-config.html",
    fix="""
        1. A launch configuration cannot be changed. In the EC2 console open Launch configurations, choose it, and
           Actions, Copy to launch template.
        2. In the template's advanced details set Metadata version to V2 only (token required).
        3. Give the template to the group, and start an instance refresh.
        4. By command line: aws autoscaling update-auto-scaling-group --auto-scaling-group-name GROUP --launch-template
           LaunchTemplateId=TEMPLATE, then aws autoscaling start-instance-refresh --auto-scaling-group-name GROUP
        """,
    good=[
        {"MetadataOptions": {"HttpTokens": "required", "HttpEndpoint": "enabled"}},
        {"MetadataOptions": {"HttpTokens": "optional", "HttpEndpoint": "disabled"}},
    ],
    bad=[
        {"MetadataOptions": {"HttpTokens": "optional", "HttpEndpoint": "enabled"}},
        {"MetadataOptions": {"HttpTokens": None, "HttpEndpoint": None}},
        {"MetadataOptions": "odd"},
        {},
    ],
)
def lc_imdsv2(configuration: View) -> bool | Fail:
    """Auto Scaling starts instances with the old metadata service.

    A program that can be made to fetch an address hands over the credentials of the instance's role: the old metadata
    service (IMDSv1) answers any request. Version 2 asks for a token first, which such programs cannot get.
    """
    if configuration["MetadataOptions.HttpEndpoint"] == "disabled":
        return True
    if configuration["MetadataOptions.HttpTokens"] == "required":
        return True
    return Fail("Tokens are not required for instance metadata", "MetadataOptions")
