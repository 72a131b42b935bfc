"""S3."""

from __future__ import annotations

from typing import Any

from nephoscope_aws_simulator.corrections.patching import extend, replace
from nephoscope_aws_simulator.corrections.public_policy import is_public
from nephoscope_aws_simulator.policy import action_applies, as_list, parse, statements
from nephoscope_aws_simulator.wildcards import matches

_EVERYBODY = "http://acs.amazonaws.com/groups/global/"
_DEFAULT_PAGE = 10_000


def _base_encryption() -> dict[str, Any]:
    return {"Rule": {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": "false"}}


def apply() -> None:
    """Defaults of new buckets, the list with regions, and what Block Public Access refuses."""
    _defaults()
    _list_with_regions()
    _refusals()
    _log_delivery()
    _mfa_delete()
    _canned_acls()
    _access_points()


def _defaults() -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/create-bucket-faq.html and, for encryption,
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html
    """
    from moto.s3 import models

    @extend(models.FakeBucket, "__init__")
    def new_bucket(moto: Any, self: Any, *args: Any, **kwargs: Any) -> None:
        moto(self, *args, **kwargs)
        self.public_access_block = models.PublicAccessBlock(*["true"] * 4)
        self.ownership_rule = "BucketOwnerEnforced"
        self.encryption = _base_encryption()

    @replace(models.S3Backend, "delete_bucket_encryption")
    def delete_bucket_encryption(self: Any, bucket_name: str) -> None:
        self.get_bucket(bucket_name).encryption = _base_encryption()


def _list_with_regions() -> None:
    """ "If the request contains at least one valid parameter", buckets come with their region, in pages.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
    """
    from moto.core.responses import ActionResult
    from moto.s3.responses import S3Response

    @replace(S3Response, "all_buckets")
    def all_buckets(self: Any) -> Any:
        prefix, region, token = (self._get_param(n) for n in ("prefix", "bucket-region", "continuation-token"))
        size = self._get_param("max-buckets")
        found = sorted(self.backend.list_buckets(prefix, region, None), key=lambda bucket: str(bucket.name))
        rest = [bucket for bucket in found if not token or bucket.name > token]
        page = rest[: int(size or _DEFAULT_PAGE)]
        buckets = [{"Name": bucket.name, "CreationDate": bucket.creation_date_ISO8601} for bucket in page]
        if prefix or region or token or size:
            for entry, bucket in zip(buckets, page, strict=True):
                entry["BucketRegion"] = bucket.region_name
        self.data["Action"] = "ListBuckets"
        result = {"Owner": {"ID": "bcaf1ffd86f41161ca5fb16fd081034f"}, "Buckets": buckets}
        if len(page) < len(rest):
            result["ContinuationToken"] = page[-1].name
        return self.serialized(ActionResult(result))


def _blocks(bucket: Any) -> list[Any]:
    """The Block Public Access settings that hold for a bucket: its own and its account's."""
    from moto.s3control.models import s3control_backends

    account = s3control_backends[bucket.account_id]["aws"].public_access_block
    return [block for block in (bucket.public_access_block, account) if block]


def _refusals() -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html"""
    import moto.s3.responses as responses
    from moto.s3.exceptions import S3ClientError
    from moto.s3.models import OWNER, S3Backend

    replace(responses, "bucket_policy_is_public")(is_public)

    @extend(S3Backend, "put_bucket_policy")
    def put_bucket_policy(moto: Any, self: Any, bucket_name: str, policy: bytes) -> None:
        bucket = self.get_bucket(bucket_name)
        if any(block.block_public_policy for block in _blocks(bucket)) and is_public(policy):
            setting = "because public policies are prevented by the BlockPublicPolicy setting"
            on = f'on resource: "arn:aws:s3:::{bucket_name}"'
            refusal = f"User is not authorized to perform: s3:PutBucketPolicy {on} {setting} in S3 Block Public Access."
            raise S3ClientError("AccessDenied", refusal)
        moto(self, bucket_name, policy)

    @extend(S3Backend, "put_bucket_acl")
    def put_bucket_acl(moto: Any, self: Any, bucket_name: str, acl: Any) -> None:
        bucket = self.get_bucket(bucket_name)
        grantees = [grantee for grant in (acl.grants if acl else []) for grantee in grant.grantees]
        # "You can only use bucket owner full control ACLs":
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
        if bucket.ownership_rule == "BucketOwnerEnforced" and any(g.uri or g.id != OWNER for g in grantees):
            raise S3ClientError("AccessControlListNotSupported", "The bucket does not allow ACLs")
        public = any(grantee.uri.startswith(_EVERYBODY) for grantee in grantees)
        if public and any(block.block_public_acls for block in _blocks(bucket)):
            raise S3ClientError("AccessDenied", "Public ACLs are blocked by the BlockPublicAcls setting.")
        moto(self, bucket_name, acl)


def _log_delivery() -> None:
    """Whether a bucket's policy lets S3 deliver logs; moto fails on a statement whose Principal is "*".

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
    """
    from moto.s3.models import FakeBucket

    def lets_deliver(target_bucket: Any, target_prefix: str | None) -> bool:
        if not target_bucket.policy:
            return False
        target = f"arn:aws:s3:::{target_bucket.name}/{target_prefix or ''}log"
        return any(
            statement.get("Effect") == "Allow"
            and isinstance(statement.get("Principal"), dict)
            and "logging.s3.amazonaws.com" in as_list(statement["Principal"].get("Service", []))
            and action_applies(statement, "s3:PutObject")
            and any(matches(pattern, target) for pattern in as_list(statement.get("Resource", [])))
            for statement in statements(parse(target_bucket.policy.decode()))
        )

    replace(FakeBucket, "_log_permissions_enabled_policy")(staticmethod(lets_deliver))


def _mfa_delete() -> None:
    """Only the root user can turn MFA delete on, so ``POST /simulator/patch`` does.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html
    """
    from moto.core.responses import ActionResult
    from moto.s3.responses import S3Response

    @replace(S3Response, "get_bucket_versioning")
    def get_bucket_versioning(self: Any) -> Any:
        bucket = self.backend.get_bucket(self.bucket_name)
        result = {"Status": bucket.versioning_status, "MFADelete": vars(bucket).get("mfa_delete")}
        self.data["Action"] = "GetBucketVersioning"
        return self.serialized(ActionResult({name: value for name, value in result.items() if value}))


def _canned_acls() -> None:
    """public-read-write grants two permissions, of which moto answers the first.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl
    """
    import moto.s3.responses as responses
    from moto.s3.models import FakeGrant

    @extend(responses, "get_canned_acl")
    def get_canned_acl(moto: Any, acl: str) -> Any:
        found = moto(acl)
        found.grants = [FakeGrant(each.grantees, [granted]) for each in found.grants for granted in each.permissions]
        return found


def _access_points() -> None:
    """An access point is in the region in which it was made, and no other knows it; moto has all in us-east-1.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_ListAccessPoints.html
    """
    from moto.s3control.exceptions import AccessPointNotFound
    from moto.s3control.responses import S3ControlResponse

    @extend(S3ControlResponse, "create_access_point")
    def create_access_point(moto: Any, self: Any) -> Any:
        answer = moto(self)
        point = self.backend.get_access_point(self._get_param("AccountId"), self._get_param("Name"))
        point.region, point.arn = self.region, point.arn.replace(":us-east-1:", f":{self.region}:")
        answer.result["AccessPointArn"] = point.arn
        return answer

    @extend(S3ControlResponse, "list_access_points")
    def list_access_points(moto: Any, self: Any) -> Any:
        answer = moto(self)
        listed = answer.result["AccessPointList"]
        answer.result["AccessPointList"] = [each for each in listed if f":{self.region}:" in each["AccessPointArn"]]
        return answer

    @extend(S3ControlResponse, "get_access_point")
    def get_access_point(moto: Any, self: Any) -> Any:
        answer = moto(self)
        if f":{self.region}:" not in answer.result["AccessPointArn"]:
            raise AccessPointNotFound(self._get_param("Name"))
        return answer
