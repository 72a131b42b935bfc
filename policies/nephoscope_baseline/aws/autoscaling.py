"""Rules on launch configurations of EC2 Auto Scaling."""

from __future__ import annotations

from nephoscope.domain import Fail, Severity, View, rule
from nephoscope_aws.access import is_on

LAUNCH_CONFIGURATION = "AWS::AutoScaling::LaunchConfiguration"

NEW_TEMPLATE = """
    aws autoscaling update-auto-scaling-group --region={region} --auto-scaling-group-name={GROUP_NAME}
      --launch-template=LaunchTemplateId={TEMPLATE_ID}
    aws autoscaling start-instance-refresh --region={region} --auto-scaling-group-name={GROUP_NAME}
"""
NEW_TEMPLATE_INPUTS = {
    "GROUP_NAME": "the name of the Auto Scaling group",
    "TEMPLATE_ID": "the ID of the new launch template",
}


@rule(
    "aws.autoscaling.lc_public_ip",
    on=LAUNCH_CONFIGURATION,
    severity=Severity.HIGH,
    link="https://docs.aws.amazon.com/autoscaling/ec2/userguide/migrate-to-launch-templates.html",
    fix="""
        1. A launch configuration cannot be changed. In the EC2 console, choose Launch configurations, select it, then
           Actions, Copy to launch template.
        2. In the template's network settings, set Auto-assign public IP to Disable.
        3. Assign the template to the Auto Scaling group and start an instance refresh. Put services that must be
           reachable behind a load balancer.
    """,
    commands=NEW_TEMPLATE,
    inputs=NEW_TEMPLATE_INPUTS,
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
    """Launch configuration assigns public IP addresses.

    Every instance that an Auto Scaling group starts from it gets a public IP address. Only its security groups then
    protect it from the internet.
    """
    if is_on(configuration["AssociatePublicIpAddress"]):
        return Fail("Instances get a public IP address at launch", "AssociatePublicIpAddress")
    return True


@rule(
    "aws.autoscaling.lc_imdsv2",
    on=LAUNCH_CONFIGURATION,
    severity=Severity.HIGH,
    link="https://docs.aws.amazon.com/autoscaling/ec2/userguide/create-launch-config.html",
    fix="""
        1. A launch configuration cannot be changed. In the EC2 console, choose Launch configurations, select it, then
           Actions, Copy to launch template.
        2. In the template's advanced details, set Metadata version to V2 only (token required).
        3. Assign the template to the Auto Scaling group and start an instance refresh.
    """,
    commands=NEW_TEMPLATE,
    inputs=NEW_TEMPLATE_INPUTS,
    good=[
        {"MetadataOptions": {"HttpTokens": "required", "HttpEndpoint": "enabled"}},
        {"MetadataOptions": {"HttpTokens": "optional", "HttpEndpoint": "disabled"}},
    ],
    bad=[
        {"MetadataOptions": {"HttpTokens": "optional", "HttpEndpoint": "enabled"}},
        {"MetadataOptions": {"HttpTokens": None, "HttpEndpoint": None}},
        {},
    ],
)
def lc_imdsv2(configuration: View) -> bool | Fail:
    """Launch configuration allows IMDSv1.

    IMDSv1 answers any request, so a server-side request forgery (SSRF) flaw in an application exposes the instance
    role's credentials. IMDSv2 requires a session token that such a request cannot obtain.
    """
    if configuration["MetadataOptions.HttpEndpoint"] == "disabled":
        return True
    if configuration["MetadataOptions.HttpTokens"] == "required":
        return True
    return Fail("IMDSv2 session tokens are not required", "MetadataOptions")
