"""Rules on the settings of S3 buckets, access points and the account's public access block.

Those on who can reach a bucket are in :mod:`.s3_access`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nephoscope.domain import Fail, Inventory, Severity, View, rule
from nephoscope.domain.examples import example, resource
from nephoscope_aws.access import BLOCK_FLAGS, block_flag, either_flag, owner_enforced

ACCOUNT = "AWS::::Account"
BUCKET = "AWS::S3::Bucket"
BLOCK = "PublicAccessBlockConfiguration"

GUIDE = "https://docs.aws.amazon.com/AmazonS3/latest/userguide"

BLOCK_ALL = "--public-access-block-configuration=" + ",".join(f"{flag}=true" for flag in BLOCK_FLAGS)
BLOCK_BUCKET = f"aws s3api put-public-access-block --region={{region}} --bucket={{name}}\n  {BLOCK_ALL}"

COMPLETE = dict.fromkeys(BLOCK_FLAGS, True)
HALF = {**COMPLETE, "RestrictPublicBuckets": False}


def _of_account(block: dict[str, Any] | None) -> dict[str, Any]:
    """What an example's bucket shows of its account's block."""
    return {"Observed": {"AccountPublicAccessBlock": block}}


def _blocked(resource: View, on: Callable[[View, str], bool] = block_flag) -> bool | Fail:
    off = [flag for flag in BLOCK_FLAGS if not on(resource, flag)]
    if not off:
        return True
    if len(off) == len(BLOCK_FLAGS):
        return Fail("All four settings are off", BLOCK)
    return Fail(f"Off: {', '.join(off)}", BLOCK)


@rule(
    "aws.s3.account_bpa",
    on=ACCOUNT,
    severity=Severity.HIGH,
    live_only=True,
    link=f"{GUIDE}/configuring-block-public-access-account.html",
    fix="""
        1. List the buckets that are public on purpose (IAM Access Analyzer for S3), and serve those through CloudFront
           first.
        2. In the S3 console, choose Account and organization settings (Block Public Access settings for this account),
           Edit, turn on Block all public access, and save.
    """,
    commands=f"aws s3control put-public-access-block --account-id={{account}}\n  {BLOCK_ALL}",
    remediations=("aws.s3.block_account",),
    good=[{BLOCK: COMPLETE}],
    bad=[{BLOCK: None}, {BLOCK: HALF}, {BLOCK: dict.fromkeys(BLOCK_FLAGS, False)}],
)
def account_bpa(account: View) -> bool | Fail:
    """Account does not block all public access to S3.

    One wrong policy or ACL can make any bucket public. The account-level block covers every bucket, including those
    created later.
    """
    return _blocked(account)


@rule(
    "aws.s3.bucket_bpa",
    on=BUCKET,
    severity=Severity.HIGH,
    link=f"{GUIDE}/configuring-block-public-access-bucket.html",
    fix="""
        1. In the S3 console, open the bucket and choose Permissions, Block public access (bucket settings), Edit.
        2. Turn on Block all public access, save and confirm.
    """,
    commands=BLOCK_BUCKET,
    remediations=("aws.s3.block_public_access",),
    good=[
        {BLOCK: COMPLETE},
        {BLOCK: dict.fromkeys(BLOCK_FLAGS, "true")},
        {BLOCK: None, **_of_account(COMPLETE)},
        {BLOCK: HALF, **_of_account({"RestrictPublicBuckets": True})},
        {BLOCK: COMPLETE, **_of_account(None)},
    ],
    bad=[
        {BLOCK: None},
        {BLOCK: HALF},
        {BLOCK: {"BlockPublicAcls": True}},
        {BLOCK: None, **_of_account(HALF)},
        {BLOCK: HALF, **_of_account(HALF)},
        {BLOCK: None, **_of_account(None)},
    ],
)
def bucket_bpa(bucket: View) -> bool | Fail:
    """S3 bucket does not block all public access.

    Nothing stops a wrong policy or ACL from making it public. The public access block is a second layer that such a
    mistake does not undo. The block of the account counts as well.
    """
    return _blocked(bucket, either_flag)


@rule(
    "aws.s3.access_point_bpa",
    on="AWS::S3::AccessPoint",
    severity=Severity.CRITICAL,
    needs=(ACCOUNT,),
    link=f"{GUIDE}/access-points-bpa-settings.html",
    fix="""
        1. The settings cannot be changed: create another access point with Block all public access on. All four
           settings are on by default.
        2. Copy the policy of the old access point to the new one.
        3. Move its clients, then delete the old access point.
    """,
    commands="""
        aws s3control create-access-point --region={region} --account-id={account} --name={NEW_NAME} --bucket={Bucket}
    """,
    inputs={"NEW_NAME": "the name of the new access point"},
    good=[
        {"Name": "reports", BLOCK: COMPLETE},
        example({"Name": "reports", BLOCK: COMPLETE}, neighbours=[resource(ACCOUNT, {BLOCK: None}, region="global")]),
        example({"Name": "reports", BLOCK: HALF}, neighbours=[resource(ACCOUNT, {BLOCK: COMPLETE}, region="global")]),
    ],
    bad=[
        {"Name": "reports", BLOCK: HALF},
        {"Name": "reports", BLOCK: {}},
        example({"Name": "reports", BLOCK: HALF}, neighbours=[resource(ACCOUNT, {BLOCK: HALF}, region="global")]),
        example({"Name": "reports", BLOCK: HALF}, neighbours=[resource(ACCOUNT, {BLOCK: None}, region="global")]),
    ],
)
def access_point_bpa(point: View, inventory: Inventory) -> bool | Fail:
    """S3 access point does not block all public access.

    An access point has its own policy, which can expose the bucket behind it. Its public access block can only be set
    at creation. The block of the account counts as well.
    """
    own = _blocked(point)
    if own is True or any(_block_together(point, account) for account in inventory.of(ACCOUNT)):
        return True
    return own


def _block_together(point: View, account: View) -> bool:
    return all(block_flag(point, flag) or block_flag(account, flag) for flag in BLOCK_FLAGS)


@rule(
    "aws.s3.logging",
    on=BUCKET,
    severity=Severity.MEDIUM,
    link=f"{GUIDE}/enable-server-access-logging.html",
    fix="""
        1. Choose or create a log bucket in the same region and account that is not logged itself.
        2. In the S3 console, open the bucket, choose Properties, Server access logging, Edit, Enable, and select that
           bucket.
    """,
    commands="""
        aws s3api put-bucket-logging --region={region} --bucket={name}
          --bucket-logging-status='{"LoggingEnabled": {"TargetBucket": "{LOG_BUCKET}", "TargetPrefix": "{name}/"}}'
    """,
    inputs={"LOG_BUCKET": "a bucket in the same region that receives the logs"},
    good=[{"LoggingConfiguration": {"DestinationBucketName": "logs", "LogFilePrefix": "b/"}}],
    bad=[{"LoggingConfiguration": None}, {}],
)
def logging(bucket: View) -> bool:
    """S3 bucket has no access logging.

    After a leak nobody can tell which objects were taken, and by whom. Server access logs answer that.
    """
    return bucket["LoggingConfiguration"] is not None


@rule(
    "aws.s3.versioning",
    on=BUCKET,
    severity=Severity.LOW,
    link=f"{GUIDE}/manage-versioning-examples.html",
    fix="""
        1. In the S3 console, open the bucket and choose Properties, Bucket Versioning, Edit, Enable.
        2. Add a lifecycle rule that expires noncurrent versions, to limit the cost.
    """,
    commands="""
        aws s3api put-bucket-versioning --region={region} --bucket={name} --versioning-configuration=Status=Enabled
    """,
    remediations=("aws.s3.enable_versioning",),
    good=[{"VersioningConfiguration": {"Status": "Enabled"}}],
    bad=[{"VersioningConfiguration": None}, {"VersioningConfiguration": {"Status": "Suspended"}}, {}],
)
def versioning(bucket: View) -> bool:
    """S3 bucket versioning is off.

    Objects that are overwritten or deleted, by mistake or by ransomware, are gone. With versioning they can be
    restored.
    """
    return bool(bucket["VersioningConfiguration.Status"] == "Enabled")


@rule(
    "aws.s3.mfa_delete",
    on=BUCKET,
    severity=Severity.LOW,
    live_only=True,
    link=f"{GUIDE}/MultiFactorAuthenticationDelete.html",
    fix="""
        1. Only the root user with its MFA device can turn it on, and not in the console: use the AWS CLI with root
           credentials.
        2. Delete those credentials again.
        3. Such a bucket cannot have a lifecycle configuration; S3 Object Lock is an alternative.
    """,
    commands="""
        aws s3api put-bucket-versioning --region={region} --bucket={name}
          --versioning-configuration=Status=Enabled,MFADelete=Enabled --mfa={MFA_CODE}
    """,
    inputs={"MFA_CODE": "the serial number or ARN of the MFA device, a space, and its current code"},
    good=[{"VersioningConfiguration": {"Status": "Enabled"}, "Observed": {"MFADelete": "Enabled"}}],
    bad=[
        {"VersioningConfiguration": {"Status": "Enabled"}, "Observed": {"MFADelete": "Disabled"}},
        {"VersioningConfiguration": None, "Observed": {"MFADelete": "Disabled"}},
    ],
)
def mfa_delete(bucket: View) -> bool:
    """S3 bucket MFA delete is off.

    Stolen credentials are enough to delete an object and all its versions for good. With MFA delete they are not.
    """
    return bool(bucket["Observed.MFADelete"] == "Enabled")


def _encryption(*algorithms: str) -> dict[str, Any]:
    """An example: a bucket with these default encryption rules."""
    rules = [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": each}} for each in algorithms]
    return {"BucketEncryption": {"ServerSideEncryptionConfiguration": rules}}


@rule(
    "aws.s3.kms",
    on=BUCKET,
    severity=Severity.MEDIUM,
    link=f"{GUIDE}/specifying-kms-encryption.html",
    fix="""
        1. Choose or create a KMS key in the bucket's region, and allow those who use the bucket to use the key.
        2. In the S3 console, open the bucket, choose Properties, Default encryption, Edit, SSE-KMS, select the key, and
           turn on Bucket Key.
        3. Existing objects keep their encryption until they are copied onto themselves.
    """,
    commands="""
        aws s3api put-bucket-encryption --region={region} --bucket={name}
          --server-side-encryption-configuration='{"Rules": [{"ApplyServerSideEncryptionByDefault": {
          "SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "{KEY_ARN}"}, "BucketKeyEnabled": true}]}'
    """,
    inputs={"KEY_ARN": "the ARN of the KMS key"},
    remediations=("aws.s3.encrypt_with_kms",),
    good=[_encryption("aws:kms"), _encryption("aws:kms:dsse")],
    bad=[_encryption("AES256"), {"BucketEncryption": None}],
)
def kms(bucket: View) -> bool | Fail:
    """S3 bucket is not encrypted with a KMS key.

    With S3 managed keys, anyone who can read the bucket can read the data. A KMS key requires a second permission, and
    its use is logged.
    """
    held = bucket["BucketEncryption"]
    encryption = held.value if isinstance(held, View) else held
    rules = encryption.get("ServerSideEncryptionConfiguration") if isinstance(encryption, dict) else None
    algorithms = [_algorithm(each) for each in rules] if isinstance(rules, list) else []
    if algorithms and all(each.startswith("aws:kms") for each in algorithms):
        return True
    used = ", ".join(algorithms) or "not set"
    return Fail(f"Default encryption is {used}", "BucketEncryption")


def _algorithm(encryption_rule: Any) -> str:
    default = encryption_rule.get("ServerSideEncryptionByDefault") if isinstance(encryption_rule, dict) else None
    return str(default.get("SSEAlgorithm")) if isinstance(default, dict) else "none"


@rule(
    "aws.s3.acl_disabled",
    on=BUCKET,
    severity=Severity.MEDIUM,
    link=f"{GUIDE}/about-object-ownership.html",
    fix="""
        1. Move what the ACLs grant into the bucket policy.
        2. In the S3 console, open the bucket, choose Permissions, Object Ownership, Edit, ACLs disabled, and save.
    """,
    commands="""
        aws s3api put-bucket-ownership-controls --region={region} --bucket={name}
          --ownership-controls='Rules=[{ObjectOwnership=BucketOwnerEnforced}]'
    """,
    remediations=("aws.s3.disable_acls",),
    good=[{"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}}],
    bad=[
        {"OwnershipControls": None},
        {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}},
        {"OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}},
    ],
)
def acl_disabled(bucket: View) -> bool | Fail:
    """S3 bucket ACLs are enabled.

    An ACL on a single object can make it public without showing on the bucket, and uploads can be owned by other
    accounts. With ACLs disabled, policies alone control access.
    """
    return owner_enforced(bucket) or Fail("Object Ownership is not BucketOwnerEnforced", "OwnershipControls")


@rule(
    "aws.s3.lifecycle",
    on=BUCKET,
    severity=Severity.LOW,
    link=f"{GUIDE}/how-to-set-lifecycle-configuration-intro.html",
    fix="""
        1. Decide how long the objects are needed, and which are rarely read.
        2. In the S3 console, open the bucket, choose Management, Create lifecycle rule, and set expiration or
           transition.
    """,
    commands="""
        aws s3api put-bucket-lifecycle-configuration --region={region} --bucket={name}
          --lifecycle-configuration={RULES_FILE}
    """,
    inputs={"RULES_FILE": "file://rules.json, where rules.json has all lifecycle rules of the bucket"},
    good=[{"LifecycleConfiguration": {"Rules": [{"Id": "old", "Status": "Enabled", "ExpirationInDays": 400}]}}],
    bad=[
        {"LifecycleConfiguration": None},
        {"LifecycleConfiguration": {"Rules": [{"Id": "old", "Status": "Disabled", "ExpirationInDays": 400}]}},
        {},
    ],
)
def lifecycle(bucket: View) -> bool | Fail:
    """S3 bucket has no lifecycle rule.

    Data that nobody needs any longer still costs money and can still leak. A lifecycle rule removes it on time.
    """
    rules = bucket["LifecycleConfiguration.Rules"]
    if isinstance(rules, View) and rules.is_list:
        for each in rules:
            if isinstance(each, View) and each["Status"] == "Enabled":
                return True
    return Fail("No lifecycle rule is enabled", "LifecycleConfiguration")
