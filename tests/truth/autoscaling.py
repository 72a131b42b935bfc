"""Launch configurations of Auto Scaling: metadata and public addresses of what they start."""

from __future__ import annotations

from typing import Any

from tests.truth.account import ABROAD, HOME, Truth, holds

ALL = "lc_public_ip lc_imdsv2"
V2, V1 = {"HttpTokens": "required"}, {"HttpTokens": "optional"}
INSIDE, PUBLIC = {"AssociatePublicIpAddress": False}, {"AssociatePublicIpAddress": True}

CONFIGURATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "right": ("", {"MetadataOptions": V2, **INSIDE}),
    "right-subnet-decides": ("", {"MetadataOptions": V2 | {"HttpEndpoint": "enabled"}}),
    "right-no-endpoint": ("", {"MetadataOptions": V1 | {"HttpEndpoint": "disabled"}, **INSIDE}),
    "v1": ("lc_imdsv2", {"MetadataOptions": V1 | {"HttpEndpoint": "enabled"}, **INSIDE}),
    "hops-only": ("lc_imdsv2", {"MetadataOptions": {"HttpPutResponseHopLimit": 1}, **INSIDE}),
    "as-made": ("lc_imdsv2", {}),
    "public": ("lc_public_ip", {"MetadataOptions": V2, **PUBLIC}),
    "all-wrong <b>ünsafe</b>": (ALL, {"MetadataOptions": V1, **PUBLIC}),
}
"""Each launch configuration with the rules that it fails, and what it is made with."""


@holds()
def launch_configurations(truth: Truth) -> None:
    for region in (HOME, ABROAD):
        autoscaling = truth.client("autoscaling", region)
        for name, (fails, settings) in CONFIGURATIONS.items():
            called = f"{name}-{region}"
            autoscaling.create_launch_configuration(
                LaunchConfigurationName=called, ImageId="ami-12c6146b", InstanceType="t3.micro", **settings
            )
            truth.judged(called, fails=fails, of=ALL)
        autoscaling.create_launch_configuration(
            LaunchConfigurationName="gone", ImageId="ami-12c6146b", InstanceType="t3.micro", **PUBLIC
        )
        autoscaling.delete_launch_configuration(LaunchConfigurationName="gone")


@holds()
def unreadable_configurations(truth: Truth) -> None:
    """What is hidden abroad is unknown there; at home there is none."""
    truth.hide("autoscaling:DescribeLaunchConfigurations", "AWS::AutoScaling::LaunchConfiguration")
