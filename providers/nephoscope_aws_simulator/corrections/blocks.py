"""EC2: who may restore a snapshot, an image's attributes, a region's blocks and defaults, a network ACL by its id."""

from __future__ import annotations

from typing import Any

from nephoscope_aws_simulator.corrections.patching import extend, replace


def apply() -> None:
    """Shared snapshots, images, defaults, EMR's block, and the three blocks and the filter that moto lacks."""
    _shared_snapshots()
    _image_attributes()
    _encryption_by_default()
    _snapshot_block()
    _image_block()
    _metadata_defaults()
    _vpc_block()
    _network_acl_filter()
    _emr_block()


def _shared_snapshots() -> None:
    """OwnerIds and RestorableByUserIds, of which moto takes no notice.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSnapshots.html
    """
    from moto.core.responses import ActionResult
    from moto.ec2.responses.elastic_block_store import ElasticBlockStore

    @extend(ElasticBlockStore, "describe_snapshots")
    def describe_snapshots(moto: Any, self: Any) -> Any:
        found = moto(self).result["Snapshots"]
        own = self.ec2_backend.account_id
        if owners := self._get_param("OwnerIds", []):
            wanted = {own if each == "self" else each for each in owners}
            found = [each for each in found if each.owner_id in wanted]
        if users := self._get_param("RestorableByUserIds", []):
            wanted = {own if each == "self" else each for each in users}
            found = [each for each in found if wanted & _may_restore(each)]
        return ActionResult({"Snapshots": found})

    def _may_restore(snapshot: Any) -> set[str]:
        """The accounts that were named, and ``all``; an owner's own right does not make a snapshot shared."""
        return {*snapshot.create_volume_permission_groups, *snapshot.create_volume_permission_userids}


def _image_attributes() -> None:
    """When an image was last launched, and that there is none of an id, at which moto breaks.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImageAttribute.html
    """
    from moto.core.responses import ActionResult
    from moto.ec2.exceptions import InvalidAMIIdError
    from moto.ec2.responses.amis import AmisResponse

    @extend(AmisResponse, "describe_image_attribute")
    def describe_image_attribute(moto: Any, self: Any) -> Any:
        id = self._get_param("ImageId")
        if id not in self.ec2_backend.amis:
            raise InvalidAMIIdError(id)
        if self._get_param("Attribute") != "lastLaunchedTime":
            return moto(self)
        launched = [each.launch_time for each in self.ec2_backend.all_instances() if each.image_id == id]
        last = f"{max(launched):%Y-%m-%dT%H:%M:%SZ}" if launched else None
        return ActionResult({"ImageId": id, "LastLaunchedTime": {"Value": last}})


def _encryption_by_default() -> None:
    """Where it is on, volumes are encrypted whatever is asked for; AWS's key, unless one of the account's is set.

    https://docs.aws.amazon.com/ebs/latest/userguide/encryption-by-default.html
    """
    from moto.core.responses import ActionResult
    from moto.ec2.models.elastic_block_store import EBSBackend
    from moto.ec2.responses.elastic_block_store import ElasticBlockStore

    @replace(ElasticBlockStore, "get_ebs_default_kms_key_id")
    def get_ebs_default_kms_key_id(self: Any) -> Any:
        return ActionResult({"KmsKeyId": self.ec2_backend.default_kms_key_id or "alias/aws/ebs"})

    @extend(EBSBackend, "create_volume")
    def create_volume(moto: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
        return moto(self, *args, **kwargs | ({"encrypted": True} if self.ebs_encryption_by_default else {}))


def _snapshot_block() -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableSnapshotBlockPublicAccess.html"""
    from moto.core.responses import ActionResult
    from moto.ec2.responses import EC2Response

    def setting(self: Any, state: str | None = None) -> Any:
        if state:
            self.ec2_backend.snapshot_block = state
        return ActionResult({"State": vars(self.ec2_backend).get("snapshot_block", "unblocked")})

    @replace(EC2Response, "get_snapshot_block_public_access_state")
    def get(self: Any) -> Any:
        self.error_on_dryrun()
        return setting(self)

    @replace(EC2Response, "enable_snapshot_block_public_access")
    def enable(self: Any) -> Any:
        return setting(self, self._get_param("State"))

    @replace(EC2Response, "disable_snapshot_block_public_access")
    def disable(self: Any) -> Any:
        return setting(self, "unblocked")


def _image_block() -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableImageBlockPublicAccess.html"""
    from moto.core.responses import ActionResult
    from moto.ec2.responses import EC2Response

    def setting(self: Any, state: str | None = None) -> Any:
        if state:
            self.ec2_backend.image_block = state
        now = vars(self.ec2_backend).get("image_block", "unblocked")
        return ActionResult({"ImageBlockPublicAccessState": now, "ManagedBy": "account"})

    replace(EC2Response, "get_image_block_public_access_state")(setting)

    @replace(EC2Response, "enable_image_block_public_access")
    def enable(self: Any) -> Any:
        return setting(self, self._get_param("ImageBlockPublicAccessState"))

    @replace(EC2Response, "disable_image_block_public_access")
    def disable(self: Any) -> Any:
        return setting(self, "unblocked")


def _metadata_defaults() -> None:
    """What a call does not mention stays as it is, and what has no preference is left out of the answer.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceMetadataDefaults.html
    """
    from moto.core.responses import ActionResult
    from moto.ec2.responses import EC2Response

    names = ("HttpTokens", "HttpPutResponseHopLimit", "HttpEndpoint", "InstanceMetadataTags", "HttpTokensEnforced")

    @replace(EC2Response, "get_instance_metadata_defaults")
    def get(self: Any) -> Any:
        return ActionResult({"AccountLevel": vars(self.ec2_backend).get("metadata_defaults", {})})

    @replace(EC2Response, "modify_instance_metadata_defaults")
    def modify(self: Any) -> Any:
        given = {name: value for name in names if (value := self._get_param(name)) is not None}
        known = vars(self.ec2_backend).get("metadata_defaults", {}) | given
        self.ec2_backend.metadata_defaults = {k: v for k, v in known.items() if v not in ("no-preference", -1)}
        return ActionResult({"Return": True})


def _vpc_block() -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpcBlockPublicAccessOptions.html"""
    from moto.core.responses import ActionResult
    from moto.ec2.responses import EC2Response

    def options(self: Any) -> Any:
        mode = vars(self.ec2_backend).get("vpc_block")
        return ActionResult(
            {
                "VpcBlockPublicAccessOptions": {
                    "AwsAccountId": self.ec2_backend.account_id,
                    "AwsRegion": self.ec2_backend.region_name,
                    "State": "update-complete" if mode else "default-state",
                    "InternetGatewayBlockMode": mode or "off",
                    "ManagedBy": "account",
                    "ExclusionsAllowed": "allowed",
                }
            }
        )

    @replace(EC2Response, "describe_vpc_block_public_access_options")
    def describe(self: Any) -> Any:
        self.error_on_dryrun()
        return options(self)

    @replace(EC2Response, "describe_vpc_block_public_access_exclusions")
    def describe_exclusions(self: Any) -> Any:
        return ActionResult({"VpcBlockPublicAccessExclusions": []})

    @replace(EC2Response, "modify_vpc_block_public_access_options")
    def modify(self: Any) -> Any:
        self.ec2_backend.vpc_block = self._get_param("InternetGatewayBlockMode")
        return options(self)


def _network_acl_filter() -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkAcls.html"""
    from moto.ec2.models.network_acls import NetworkAcl

    @extend(NetworkAcl, "get_filter_value")
    def get_filter_value(moto: Any, self: Any, name: str, method: str | None = None) -> Any:
        return self.id if name == "network-acl-id" else moto(self, name, method)


def _emr_block() -> None:
    """moto cannot switch it off, and has none at first; AWS begins with everything but SSH blocked.

    It also finds the region of a call in AWS's own host names alone.

    https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-block-public-access.html
    """
    from moto.core.responses import ActionResult, EmptyResult
    from moto.core.utils import utcnow
    from moto.emr.responses import ElasticMapReduceResponse as Response

    first = {
        "BlockPublicSecurityGroupRules": True,
        "PermittedPublicSecurityGroupRuleRanges": [{"MinRange": 22, "MaxRange": 22}],
    }

    @replace(Response, "get_region_from_url")
    def get_region_from_url(self: Any, request: Any, full_url: str) -> Any:
        return super(Response, self).get_region_from_url(request, full_url)

    @replace(Response, "get_block_public_access_configuration")
    def get(self: Any) -> Any:
        block, made = vars(self.backend).get("emr_block", (first, utcnow()))
        by = f"arn:aws:iam::{self.current_account}:root"
        metadata = {"CreationDateTime": made, "CreatedByArn": by}
        return ActionResult(
            {"BlockPublicAccessConfiguration": block, "BlockPublicAccessConfigurationMetadata": metadata}
        )

    @replace(Response, "put_block_public_access_configuration")
    def put(self: Any) -> Any:
        self.backend.emr_block = (self._get_params()["BlockPublicAccessConfiguration"], utcnow())
        return EmptyResult()
