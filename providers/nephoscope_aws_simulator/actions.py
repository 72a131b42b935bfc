"""Which IAM action an operation needs, and on which resource.

Operations are named as actions except where listed here; the source is the service authorization reference,
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html and its siblings.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from nephoscope_aws_simulator.targets import named
from nephoscope_aws_simulator.wire import Call

# signing name -> prefix of actions, where they differ
_PREFIXES = {"monitoring": "cloudwatch", "tagging": "tag"}

_S3 = {
    "AbortMultipartUpload": "AbortMultipartUpload",
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteBucketAnalyticsConfiguration": "PutAnalyticsConfiguration",
    "DeleteBucketCors": "PutBucketCORS",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketIntelligentTieringConfiguration": "PutIntelligentTieringConfiguration",
    "DeleteBucketInventoryConfiguration": "PutInventoryConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketMetricsConfiguration": "PutMetricsConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeleteObjects": "DeleteObject",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "GetBucketAnalyticsConfiguration": "GetAnalyticsConfiguration",
    "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketIntelligentTieringConfiguration": "GetIntelligentTieringConfiguration",
    "GetBucketInventoryConfiguration": "GetInventoryConfiguration",
    "GetBucketLifecycle": "GetLifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketMetricsConfiguration": "GetMetricsConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBucketAnalyticsConfigurations": "GetAnalyticsConfiguration",
    "ListBucketIntelligentTieringConfigurations": "GetIntelligentTieringConfiguration",
    "ListBucketInventoryConfigurations": "GetInventoryConfiguration",
    "ListBucketMetricsConfigurations": "GetMetricsConfiguration",
    "ListBuckets": "ListAllMyBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListParts": "ListMultipartUploadParts",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
    "PutBucketAnalyticsConfiguration": "PutAnalyticsConfiguration",
    "PutBucketCors": "PutBucketCORS",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketIntelligentTieringConfiguration": "PutIntelligentTieringConfiguration",
    "PutBucketInventoryConfiguration": "PutInventoryConfiguration",
    "PutBucketLifecycle": "PutLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketMetricsConfiguration": "PutMetricsConfiguration",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutBucketReplication": "PutReplicationConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
}
_S3_CONTROL = {
    "DeletePublicAccessBlock": "PutAccountPublicAccessBlock",
    "GetPublicAccessBlock": "GetAccountPublicAccessBlock",
    "PutPublicAccessBlock": "PutAccountPublicAccessBlock",
}
_LAMBDA = {"Invoke": "InvokeFunction", "InvokeAsync": "InvokeFunction"}
_RENAMED = {"s3": _S3, "s3control": _S3_CONTROL, "lambda": _LAMBDA}

# a parameter that names the resource -> the kind in its ARN
_EC2_KINDS = {
    "FlowLogId": "vpc-flow-log",
    "GroupId": "security-group",
    "ImageId": "image",
    "InstanceId": "instance",
    "NetworkAclId": "network-acl",
    "NetworkInterfaceId": "network-interface",
    "SnapshotId": "snapshot",
    "SubnetId": "subnet",
    "TransitGatewayId": "transit-gateway",
    "VolumeId": "volume",
    "VpcId": "vpc",
}
# kinds whose ARN names no account
_EC2_UNOWNED = ("image", "snapshot")
# what an operation makes, which has no id yet
_EC2_MADE = {"CreateFlowLogs": "vpc-flow-log", "CreateSecurityGroup": "security-group"}
# operations on all of a region
_EC2_REGION = re.compile(r"ByDefault$|BlockPublicAccess|InstanceMetadataDefaults$")
_IAM_KINDS = ("RoleName", "UserName", "GroupName", "InstanceProfileName", "ServerCertificateName")
_READS = ("Describe", "Get", "List")

Lookup = Callable[[str, str, str], str | None]
"""(account, parameter, name) -> the ARN of an IAM entity, which contains its path."""


def operation_name(call: Call) -> str:
    """The operation as its documentation calls it, e.g. `s3:GetBucketEncryption`, `s3control:GetPublicAccessBlock`."""
    service = call.model if call.model == "s3control" else _PREFIXES.get(call.service, call.service)
    return f"{service}:{call.operation}"


def iam_action(call: Call) -> str:
    """The action a policy must allow for this call."""
    if call.service == "apigateway":  # its actions are the HTTP methods
        return f"apigateway:{call.method}"
    prefix = _PREFIXES.get(call.service, call.service)
    return f"{prefix}:{_RENAMED.get(call.model, {}).get(call.operation, call.operation)}"


def _s3(call: Call) -> list[str | None]:
    bucket, key = call.params.get("Bucket"), call.params.get("Key")
    if not bucket:
        return ["*"]
    if call.operation == "DeleteObjects":
        key = "*"
    return [f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"]


def _iam(call: Call, account: str, lookup: Lookup) -> list[str | None]:
    for parameter in _IAM_KINDS:
        if name := call.params.get(parameter):
            if found := lookup(account, parameter, name):
                return [found]
            path = call.params.get("Path", "/")  # being created, or not there
            kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", parameter.removesuffix("Name")).lower()
            return [f"arn:aws:iam::{account}:{kind}{path}{name}"]
    if arn := call.params.get("PolicyArn"):
        return [arn]
    if name := call.params.get("PolicyName"):
        return [f"arn:aws:iam::{account}:policy{call.params.get('Path', '/')}{name}"]
    if arn := call.params.get("PolicySourceArn"):
        return [arn]
    return ["*"]


def _ec2(call: Call, account: str) -> list[str | None]:
    if call.operation.startswith(_READS) or _EC2_REGION.search(call.operation):
        return ["*"]
    found = [f"{_EC2_MADE[call.operation]}/*"] if call.operation in _EC2_MADE else []
    for parameter, value in call.params.items():
        # InstanceId.1 of a list, NetworkInterface.1.SubnetId of a structure: only the first kind is a target
        name, _, index = parameter.partition(".")
        kind = value.partition("-")[0] if name == "ResourceId" else _EC2_KINDS.get(name)
        if kind and (not index or index.isdigit()):
            found.append(f"{kind}/{value}")
    return [_ec2_arn(each, call.region, account) for each in found] or [None]


def _ec2_arn(place: str, region: str, account: str) -> str:
    owner = "" if place.partition("/")[0] in _EC2_UNOWNED else account
    return f"arn:aws:ec2:{region}:{owner}:{place}"


def _kms(call: Call, account: str) -> list[str | None]:
    key = call.params.get("KeyId")
    if not key:
        return ["*"]
    if key.startswith("arn:") and ":alias/" not in key:
        return [key]
    return [None] if "alias/" in key else [f"arn:aws:kms:{call.region}:{account}:key/{key}"]


def _cloudtrail(call: Call, account: str) -> list[str | None]:
    name = call.params.get("Name") or call.params.get("TrailName")
    if not name:
        return ["*"] if call.operation.startswith(_READS) else [None]
    return [name if name.startswith("arn:") else f"arn:aws:cloudtrail:{call.region}:{account}:trail/{name}"]


def _logs(call: Call, account: str) -> list[str | None]:
    """A log group's permission is asked for on its streams.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
    """
    name = call.params.get("logGroupName")
    return [f"arn:aws:logs:{call.region}:{account}:log-group:{name}:log-stream:"] if name else [None]


def _ssm(call: Call, account: str) -> list[str | None]:
    name = call.params.get("Name")
    return [f"arn:aws:ssm:{call.region}:{account}:document/{name}"] if "Document" in call.operation and name else [None]


def resources(call: Call, account: str, lookup: Lookup) -> list[str | None]:
    """The ARNs a call acts on, `*` where the action knows no resources, None where they cannot be told."""
    if call.model == "s3":
        return _s3(call)
    if call.model == "s3control":
        return ["*"] if call.operation in _S3_CONTROL else [None]
    if call.service == "iam":
        return _iam(call, account, lookup)
    if call.service == "ec2":
        return _ec2(call, account)
    if call.service == "kms":
        return _kms(call, account)
    if call.service == "cloudtrail":
        return _cloudtrail(call, account)
    if call.service == "logs":
        return _logs(call, account)
    if call.service == "ssm":
        return _ssm(call, account)
    if call.service == "guardduty":
        id = call.params.get("DetectorId")
        return [f"arn:aws:guardduty:{call.region}:{account}:detector/{id}" if id else "*"]
    if call.service == "sts":
        return [call.params.get("RoleArn", "*")]
    return named(call, account)
