"""Instances: metadata, addresses, roles, and how long they have been stopped."""

from __future__ import annotations

from typing import Any

from tests.truth.account import ABROAD, HOME, Truth, holds
from tests.truth.ec2 import ALL as GROUP_RULES

ALL = "imdsv2 public_ip instance_profile stopped_old"

V2, V1 = {"HttpTokens": "required"}, {"HttpTokens": "optional"}

Wanted = dict[str, tuple[str, dict[str, Any]]]

SETTINGS: Wanted = {
    "right": ("", {"MetadataOptions": V2}),
    "right-v2-and-endpoint": ("", {"MetadataOptions": V2 | {"HttpEndpoint": "enabled"}}),
    "no-endpoint": ("", {"MetadataOptions": V1 | {"HttpEndpoint": "disabled"}}),
    "v1": ("imdsv2", {"MetadataOptions": V1}),
    "v1-said": ("imdsv2", {"MetadataOptions": V1 | {"HttpEndpoint": "enabled", "HttpPutResponseHopLimit": 1}}),
    "nothing-said": ("imdsv2", {}),
    "no-role": ("instance_profile", {"MetadataOptions": V2, "IamInstanceProfile": {}}),
    "public": ("public_ip", {"MetadataOptions": V2, "public": True}),
    "all-wrong": ("imdsv2 instance_profile public_ip", {"IamInstanceProfile": {}, "public": True}),
}
"""Each instance with the rules that it fails, and what it is launched with besides a role and a private address."""

STOPPED: dict[str, tuple[str, float | None]] = {
    "stopped-now": ("passes", 0),
    "stopped-almost": ("passes", 29.99),
    "stopped-longer": ("fails", 30.01),
    "stopped-for-years": ("fails", 1500),
    "stopped-itself": ("unknown", None),
}
"""Each stopped instance with how stopped_old has to judge it, and for how many days it is stopped."""


def tagged(type: str, name: str) -> dict[str, Any]:
    return {"TagSpecifications": [{"ResourceType": type, "Tags": [{"Key": "Name", "Value": name}]}]}


@holds(services=("ec2",))
def instances(truth: Truth) -> None:
    """The same at home and abroad; names say where."""
    iam = truth.client("iam")
    iam.create_instance_profile(InstanceProfileName="web")
    for region in (HOME, ABROAD):
        launch = Launch(truth, region)
        for name, (fails, settings) in SETTINGS.items():
            launch(name, fails, **settings)
        for name, (verdict, days) in STOPPED.items():
            id = launch(name, "", stopped=verdict, MetadataOptions=V2)
            patch = {"kind": "instance_stopped", "account": truth.cloud.account, "region": region, "id": id}
            truth.cloud.control("patch", patch | {"age_days": days})
        launch.elastic()
        launch.gone()
        truth.judged(launch.default_group(), fails="default_sg_closed", passes=GROUP_RULES)


class Launch:
    """Makes instances of one region, and says how they have to be judged."""

    def __init__(self, truth: Truth, region: str) -> None:
        self.truth, self.region, self.ec2 = truth, region, truth.client("ec2", region)
        self.subnet = self.ec2.describe_subnets()["Subnets"][0]["SubnetId"]

    def __call__(
        self,
        name: str,
        fails: str,
        *,
        public: bool = False,
        stopped: str = "passes",
        judged: bool = True,
        interface: dict[str, Any] | None = None,
        **more: Any,
    ) -> str:
        wired = {"DeviceIndex": 0, "SubnetId": self.subnet, "AssociatePublicIpAddress": public} | (interface or {})
        name = f"{name}-{self.region}"
        given = {"NetworkInterfaces": [wired], "IamInstanceProfile": {"Name": "web"}, **tagged("instance", name)}
        given = {key: value for key, value in {**given, **more}.items() if value}
        made = self.ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, **given)["Instances"][0]
        if judged:
            verdicts = {"fails": fails} | {stopped: f"{fails * (stopped == 'fails')} stopped_old"}
            self.truth.judged(name, **verdicts, of=ALL)
        return str(made["InstanceId"])

    def elastic(self) -> None:
        """Only an Elastic IP address stays with an instance that is stopped; on a second interface it counts, too."""
        for name, stops in (("elastic", False), ("elastic-stopped", True)):
            id = self(name, "public_ip", MetadataOptions=V2)
            self._associate(InstanceId=id)
            if stops:
                self.ec2.stop_instances(InstanceIds=[id])
        id = self("public-stopped", "", MetadataOptions=V2, public=True)
        self.ec2.stop_instances(InstanceIds=[id])
        id = self("elastic-second", "public_ip", MetadataOptions=V2)
        for index, public in ((1, False), (2, True)):
            interface = self.ec2.create_network_interface(SubnetId=self.subnet)["NetworkInterface"]
            which = {"NetworkInterfaceId": interface["NetworkInterfaceId"]}
            self.ec2.attach_network_interface(InstanceId=id, DeviceIndex=index, **which)
            if public:
                self._associate(**which)

    def _associate(self, **what: str) -> None:
        address = self.ec2.allocate_address(Domain="vpc")["AllocationId"]
        self.ec2.associate_address(AllocationId=address, **what)

    def gone(self) -> None:
        """A terminated instance is listed for an hour, and can no longer be changed."""
        id = self("terminated", "", judged=False, public=True, IamInstanceProfile={})
        self.ec2.terminate_instances(InstanceIds=[id])

    def default_group(self) -> str:
        group = self.ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]
        return f"arn:aws:ec2:{self.region}:{self.truth.cloud.account}:security-group/{group}"


@holds(services=("ec2",))
def unreadable_instances(truth: Truth) -> None:
    """What cannot be listed in one region is unknown there, and only there."""
    truth.client("iam").create_instance_profile(InstanceProfileName="web")
    for region in (HOME, ABROAD):
        launch = Launch(truth, region)
        launch("wrong", "imdsv2", judged=region == HOME, MetadataOptions=V1)
        truth.judged(launch.default_group(), fails="default_sg_closed", passes=GROUP_RULES)
    truth.hide("ec2:DescribeInstances", "AWS::EC2::Instance")
