"""EC2, KMS and CloudTrail."""

from __future__ import annotations

import json
from typing import Any

from nephoscope_aws_simulator.corrections.patching import extend, replace
from nephoscope_aws_simulator.world import World


def apply(world: World) -> None:
    """Regions, default security groups, metadata options, keys and trails."""
    _regions(world)
    _default_security_groups()
    _groups_of_instances()
    _metadata_options()
    _keys()
    _trails()


def _regions(world: World) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRegions.html

    moto lists the regions of all partitions, and those that are not enabled also without AllRegions.
    """
    from moto.core.responses import ActionResult
    from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend
    from moto.ec2.responses.availability_zones_and_regions import AvailabilityZonesAndRegions
    from moto.utilities.utils import get_partition

    known = [region for region in RegionsAndZonesBackend.regions if get_partition(region.name) == "aws"]
    world.disabled_regions |= {region.name for region in known if region.opt_in_status == "not-opted-in"}

    def status(region: Any) -> str:
        if region.name in world.disabled_regions:
            return "not-opted-in"
        return "opted-in" if region.opt_in_status == "not-opted-in" else "opt-in-not-required"

    @replace(AvailabilityZonesAndRegions, "describe_regions")
    def describe_regions(self: Any) -> Any:
        names, everything = self._get_param("RegionNames", []), self._get_param("AllRegions", False)
        found = [
            {"RegionName": region.name, "Endpoint": region.endpoint, "OptInStatus": status(region)}
            for region in known
            if (region.name in names if names else everything or status(region) != "not-opted-in")
        ]
        return ActionResult({"Regions": found})


def _default_security_groups() -> None:
    """A default group "allows inbound traffic from network interfaces assigned to the same security group".

    https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html
    """
    from moto.ec2.models.security_groups import SecurityGroupBackend

    @extend(SecurityGroupBackend, "create_security_group")
    def create_security_group(moto: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
        group = moto(self, *args, **kwargs)
        if kwargs.get("is_default"):
            source = [{"GroupId": group.id}]
            self.authorize_security_group_ingress(group.id, "-1", None, None, [], source_groups=source)
        return group


def _groups_of_instances() -> None:
    """An instance's groups are those of its primary network interface; moto keeps two lists and shows their union.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceAttribute.html: "changes the security
    groups of the primary network interface"
    """
    from moto.ec2.models.elastic_network_interfaces import NetworkInterface
    from moto.ec2.models.instances import Instance

    def primary(instance: Any) -> Any:
        return vars(instance).get("nics", {}).get(0)

    def get_groups(instance: Any) -> list[Any]:
        interface = primary(instance)
        found: list[Any] = interface._group_set if interface else vars(instance).get("launch_groups", [])
        return found

    def set_groups(instance: Any, groups: list[Any]) -> None:
        if interface := primary(instance):
            interface._group_set = groups
        else:  # while it is being launched
            instance.launch_groups = groups

    replace(Instance, "security_groups")(property(get_groups, set_groups))
    replace(NetworkInterface, "group_set")(property(lambda interface: interface._group_set))


def _metadata_options() -> None:
    """What a call does not mention stays as it is; moto resets it.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceMetadataOptions.html
    """
    from moto.ec2.models.instances import InstanceBackend

    @extend(InstanceBackend, "modify_instance_metadata_options")
    def modify(moto: Any, self: Any, instance_id: str, **given: Any) -> Any:
        now = self.get_instance(instance_id).metadata_options
        stays = {
            "http_tokens": now.http_tokens,
            "hop_limit": now.http_put_response_hop_limit,
            "http_endpoint": now.http_endpoint,
            "http_protocol": now.http_protocol_ipv6,
            "metadata_tags": now.instance_metadata_tags,
        }
        return moto(self, instance_id, **stays | {key: value for key, value in given.items() if value is not None})


def _keys() -> None:
    """https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html"""
    import moto.kms.responses as responses
    from moto.kms.models import Key, KmsBackend

    # moto denies whoever asks what a key's policy denies anybody on any condition.
    replace(responses, "validate_policy")(lambda key, action: None)

    @extend(Key, "__init__")
    def new_key(moto: Any, self: Any, *args: Any, **kwargs: Any) -> None:
        moto(self, *args, **kwargs)
        self.key_usage = self.key_usage or "ENCRYPT_DECRYPT"

    @extend(Key, "to_dict")
    def to_dict(moto: Any, self: Any) -> dict[str, Any]:
        described: dict[str, Any] = moto(self)
        described["KeyMetadata"]["MultiRegion"] = bool(self.multi_region)
        return described

    @extend(KmsBackend, "_generate_default_keys")
    def aws_managed_key(moto: Any, self: Any, alias_name: str) -> str | None:
        """ "The key rotation status for AWS managed KMS keys is always true", and AWS is their manager."""
        key_id: str | None = moto(self, alias_name)
        if key_id:
            self.keys[key_id].key_manager = "AWS"
            self.keys[key_id].key_rotation_status = True
        return key_id

    @extend(KmsBackend, "get_key_rotation_status")
    def get_key_rotation_status(moto: Any, self: Any, key_id: str) -> bool:
        """ "While a KMS key is pending deletion, its key rotation status is false":
        https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html
        """
        key = self.keys[self.get_key_id(key_id)]
        return bool(moto(self, key_id)) and key.key_state != "PendingDeletion"


# https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html: a trail that nobody gave
# selectors logs all management events and no data events
_DEFAULT_SELECTOR = {
    "ReadWriteType": "All",
    "IncludeManagementEvents": True,
    "DataResources": [],
    "ExcludeManagementEventSources": [],
}


def _trails() -> None:
    """A multi-region trail is seen by its ARN from every region, and a status tells of the last delivery.

    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetTrailStatus.html
    """
    from moto.cloudtrail.models import CloudTrailBackend, Trail
    from moto.cloudtrail.responses import CloudTrailResponse

    def visible(backend: Any, name_or_arn: str) -> Any:
        for trail in backend.describe_trails(include_shadow_trails=True):
            if trail.arn == name_or_arn:
                return trail
        return backend.get_trail(name_or_arn)

    @extend(CloudTrailBackend, "get_event_selectors")
    def get_event_selectors(_: Any, self: Any, trail_name: str) -> tuple[str, list[Any], list[Any]]:
        trail = visible(self, trail_name)
        plain, advanced = trail.get_event_selectors()
        return trail.arn, plain or ([] if advanced else [_DEFAULT_SELECTOR]), advanced

    @extend(CloudTrailBackend, "get_insight_selectors")
    def get_insight_selectors(_: Any, self: Any, trail_name: str) -> tuple[str, list[Any]]:
        trail = visible(self, trail_name)
        return trail.arn, trail.get_insight_selectors()

    @extend(Trail, "description")
    def description(moto: Any, self: Any, include_region: bool = False) -> dict[str, Any]:
        """AWS names the home region in GetTrail too, and says whether there are selectors."""
        described: dict[str, Any] = moto(self, include_region=True)
        described["HasCustomEventSelectors"] = bool(self.event_selectors or self.advanced_event_selectors)
        described["HasInsightSelectors"] = bool(self.insight_selectors)
        return described

    def answer(backend: Any, name: str) -> dict[str, Any]:
        trail = visible(backend, name)
        status: dict[str, Any] = backend.get_trail_status(trail.arn).description()
        if trail.status.is_logging and trail.cw_log_group_arn:
            status["LatestCloudWatchLogsDeliveryTime"] = trail.status.latest_delivery_time
        if "cloudwatch_delivery" in vars(trail):
            status["LatestCloudWatchLogsDeliveryTime"] = trail.cloudwatch_delivery
            status["LatestCloudWatchLogsDeliveryError"] = trail.cloudwatch_error
        return {name: value for name, value in status.items() if value is not None}

    @replace(CloudTrailResponse, "get_trail_status")
    def get_trail_status(self: Any) -> str:
        return json.dumps(answer(self.cloudtrail_backend, self._get_param("Name")))

    @replace(CloudTrailResponse, "get_trail")
    def get_trail(self: Any) -> str:
        return json.dumps({"Trail": visible(self.cloudtrail_backend, self._get_param("Name")).description()})
