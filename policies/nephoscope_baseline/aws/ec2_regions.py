"""Rules on Amazon EC2's settings of a whole region: what is encrypted, blocked or required unless somebody says so."""

from __future__ import annotations

from nephoscope.domain import Fail, Severity, View, rule
from nephoscope_aws.access import is_on

REGION_SETTINGS = "AWS::EC2::RegionSettings"
SNAPSHOT_BLOCK = "AWS::EC2::SnapshotBlockPublicAccess"


@rule(
    "aws.ec2.ebs_default_encryption",
    on=REGION_SETTINGS,
    severity=Severity.MEDIUM,
    live_only=True,
    link="https://docs.aws.amazon.com/ebs/latest/userguide/encryption-by-default.html",
    fix="""
        1. In the EC2 console, select the region, then choose EC2 Dashboard, Account attributes, Data protection and
           security.
        2. Under EBS encryption, choose Manage, select Enable, choose a key, and update.
        3. Existing volumes stay as they are; new volumes are encrypted.
    """,
    commands="""
        aws ec2 enable-ebs-encryption-by-default --region={region}
    """,
    remediations=("aws.ec2.encrypt_ebs_by_default",),
    good=[{"EbsEncryptionByDefault": True}, {"EbsEncryptionByDefault": "true"}],
    bad=[{"EbsEncryptionByDefault": False}, {"EbsEncryptionByDefault": None}],
)
def ebs_default_encryption(settings: View) -> bool:
    """EBS encryption by default is off.

    A volume created without the option is unencrypted, and so is every snapshot of it. Turned on once per region,
    encryption cannot be forgotten.
    """
    return is_on(settings["EbsEncryptionByDefault"])


@rule(
    "aws.ec2.snapshot_bpa",
    on=SNAPSHOT_BLOCK,
    severity=Severity.HIGH,
    link="https://docs.aws.amazon.com/ebs/latest/userguide/block-public-access-snapshots.html",
    fix="""
        1. Make sure that no snapshot in the region is public on purpose.
        2. In the EC2 console, choose EC2 Dashboard, Account attributes, Data protection and security.
        3. Under Block public access for EBS snapshots, choose Manage, Block all public access, and update.
    """,
    commands="""
        aws ec2 enable-snapshot-block-public-access --region={region} --state=block-all-sharing
    """,
    remediations=("aws.ec2.block_public_snapshots",),
    good=[{"State": "block-all-sharing"}, {"State": "block-all-sharing", "AccountId": "123456789012"}],
    bad=[{"State": "unblocked"}, {"State": "block-new-sharing"}],
)
def snapshot_bpa(block: View) -> bool | Fail:
    """Public EBS snapshots are not fully blocked.

    One wrong click on one snapshot publishes a whole volume. With all public access blocked, the click has no effect,
    and snapshots that are already public become private.
    """
    # Only the mode that covers snapshots which are public already passes, as in AWS Config:
    # https://docs.aws.amazon.com/config/latest/developerguide/ebs-snapshot-block-public-access.html
    state = block["State"]
    if state == "block-new-sharing":
        return Fail("New public sharing is blocked, but snapshots that are already public stay public", "State")
    return bool(state == "block-all-sharing")


@rule(
    "aws.ec2.ami_bpa",
    on=REGION_SETTINGS,
    severity=Severity.HIGH,
    live_only=True,
    link="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/block-public-access-to-amis.html",
    fix="""
        1. In the EC2 console, select the region, then choose EC2 Dashboard, Account attributes, Data protection and
           security.
        2. Under Block public access for AMIs, choose Manage, select Block new public sharing, and update. It may take
           up to 10 minutes.
        3. AMIs that are public already stay public: make each of them private.
    """,
    commands="""
        aws ec2 enable-image-block-public-access --region={region} --image-block-public-access-state=block-new-sharing
    """,
    remediations=("aws.ec2.block_public_amis",),
    good=[
        {"ImageBlockPublicAccessState": "block-new-sharing"},
        {"ImageBlockPublicAccessState": "block-new-sharing", "EbsEncryptionByDefault": False},
    ],
    bad=[{"ImageBlockPublicAccessState": "unblocked"}, {"ImageBlockPublicAccessState": None}],
)
def ami_bpa(settings: View) -> bool:
    """Public sharing of AMIs is not blocked.

    One wrong click on one AMI lets any AWS account launch it and read everything on its volumes. Where new public
    sharing is blocked, the click is refused.
    """
    return bool(settings["ImageBlockPublicAccessState"] == "block-new-sharing")


@rule(
    "aws.ec2.imds_defaults",
    on=REGION_SETTINGS,
    severity=Severity.MEDIUM,
    live_only=True,
    link="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-IMDS-new-instances.html",
    fix="""
        1. In the EC2 console, select the region, then choose EC2 Dashboard, Account attributes, Data protection and
           security.
        2. Under IMDS defaults, choose Manage, set Metadata version to V2 only (token required), and update.
        3. Running instances, and launches that set the metadata version themselves, stay as they are.
    """,
    commands="""
        aws ec2 modify-instance-metadata-defaults --region={region} --http-tokens=required
    """,
    remediations=("aws.ec2.require_imdsv2_by_default",),
    good=[
        {"InstanceMetadataDefaults": {"HttpTokens": "required"}},
        {"InstanceMetadataDefaults": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2}},
    ],
    bad=[
        {"InstanceMetadataDefaults": {"HttpTokens": "optional"}},
        {"InstanceMetadataDefaults": {"HttpTokens": None, "HttpPutResponseHopLimit": 2}},
    ],
)
def imds_defaults(settings: View) -> bool | Fail:
    """IMDSv2 is not required by default.

    An instance launched without saying so answers IMDSv1 requests, unless its AMI asks for IMDSv2. Then a server-side
    request forgery (SSRF) flaw in an application exposes the instance role's credentials.
    """
    at = "InstanceMetadataDefaults.HttpTokens"
    if settings[at] == "required":
        return True
    return Fail("The account does not set it" if settings[at] is None else "IMDSv1 is allowed by default", at)
