"""Security groups that nothing uses."""

from __future__ import annotations

from tests.truth.account import ABROAD, HOME, Truth, holds
from tests.truth.ec2 import ALL, Groups, arn, default_of, judged, tcp
from tests.truth.ec2_instances import V2, Launch


@holds(services=("ec2",))
def unused_groups(truth: Truth) -> None:
    """A group is in use where a network interface has it; other groups that name it do not use it."""
    truth.client("iam").create_instance_profile(InstanceProfileName="web")
    make, abroad = Groups(truth), Groups(truth, ABROAD)
    used = make("used")
    make.attach()
    launch = Launch(truth, HOME)
    for name in ("of-instance", "of-stopped", "of-terminated"):
        interface = {"Groups": [make(name)], "DeleteOnTermination": True}
        id = launch(name, "", interface=interface, judged=name != "of-terminated", MetadataOptions=V2)
        if name != "of-instance":
            change = make.ec2.stop_instances if name == "of-stopped" else make.ec2.terminate_instances
            change(InstanceIds=[id])
    named = make("named", tcp(443, used))
    make("naming", tcp(443, named))
    for name in ("used", "of-instance", "of-stopped"):
        judged(truth, name, "", uses="passes")
    for name in ("of-terminated", "named", "naming"):
        judged(truth, name, "", uses="fails")
    judged(truth, arn(truth, ABROAD, abroad("used")), "", uses="fails")
    for region in (HOME, ABROAD):
        group = arn(truth, region, default_of(truth.client("ec2", region)))
        truth.judged(group, passes=ALL, fails="default_sg_closed", skipped="sg_unused")


@holds(services=("ec2",))
def groups_of_hidden_interfaces(truth: Truth) -> None:
    make = Groups(truth)
    judged(truth, arn(truth, HOME, make("used")), "", uses="unknown")
    make.attach()
    for region in (HOME, ABROAD):
        group = arn(truth, region, default_of(truth.client("ec2", region)))
        truth.judged(group, passes=ALL, fails="default_sg_closed", skipped="sg_unused")
    truth.cloud.control("deny", actions=["ec2:DescribeNetworkInterfaces"])
