"""What it means in a CloudFormation template when a property is not there, as AWS documents it.

Dates are those from which a resource created without the property behaves so. Collectors write every property, null
where there is none, so none of this is ever taken for the state of something that exists. The four settings of a
public access block have no entries of their own: a block that leaves one out has that one off, while a bucket without
any block has all four on.
"""

from __future__ import annotations

from typing import Any

from nephoscope.domain import Default

_REFERENCE = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-"
_ALL_BLOCKED = {
    "BlockPublicAcls": True,
    "BlockPublicPolicy": True,
    "IgnorePublicAcls": True,
    "RestrictPublicBuckets": True,
}


def _table(since: str, source: str, **values: Any) -> dict[str, Default]:
    return {path.replace("__", "."): Default(value, since, source) for path, value in values.items()}


_BUCKET = {
    **_table(
        "2023-01-05",
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html",
        BucketEncryption={
            "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        },
    ),
    **_table(
        "2023-04-30",  # AWS says April 2023; by its end every region had it
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/create-bucket-faq.html",
        PublicAccessBlockConfiguration=_ALL_BLOCKED,
        OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    ),
}

DEFAULTS: dict[str, dict[str, Default]] = {
    "AWS::S3::Bucket": _BUCKET,
    "AWS::S3::AccessPoint": _table(
        "2019-12-03",
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-bpa-settings.html",
        PublicAccessBlockConfiguration=_ALL_BLOCKED,
    ),
    "AWS::EC2::SecurityGroup": _table(
        "2011-03-15",
        _REFERENCE + "ec2-securitygroup.html",
        SecurityGroupIngress=[],
        SecurityGroupEgress=[{"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}, {"IpProtocol": "-1", "CidrIpv6": "::/0"}],
    ),
    # Without the option an image or an account setting can require tokens; neither stands in the template.
    "AWS::EC2::Instance": _table(
        "2019-11-19",
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-options.html",
        MetadataOptions__HttpTokens="optional",
        MetadataOptions__HttpEndpoint="enabled",
        MetadataOptions__HttpPutResponseHopLimit=1,
    ),
    "AWS::CloudTrail::Trail": _table(
        "2018-11-19",
        _REFERENCE + "cloudtrail-trail.html",
        IsMultiRegionTrail=False,
        EnableLogFileValidation=False,
        IncludeGlobalServiceEvents=True,
        IsOrganizationTrail=False,
    ),
    "AWS::KMS::Key": _table(
        "2021-06-16",
        _REFERENCE + "kms-key.html",
        Enabled=True,
        EnableKeyRotation=False,
        KeySpec="SYMMETRIC_DEFAULT",
        KeyUsage="ENCRYPT_DECRYPT",
        MultiRegion=False,
        Origin="AWS_KMS",
    ),
    "AWS::IAM::AccessKey": _table("2011-07-11", _REFERENCE + "iam-accesskey.html", Status="Active"),
    "AWS::IAM::Role": _table("2018-03-28", _REFERENCE + "iam-role.html", Path="/", MaxSessionDuration=3600),
    "AWS::IAM::User": _table("2011-07-11", _REFERENCE + "iam-user.html", Path="/"),
}
