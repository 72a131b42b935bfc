"""Rules on EFS file systems."""

from __future__ import annotations

from nephoscope.domain import Severity, View, rule
from nephoscope_aws.access import is_on

FILE_SYSTEM = "AWS::EFS::FileSystem"

BACKED_UP = ("ENABLED", "ENABLING")
"""States in which automatic backups are on, or are being turned on.
https://docs.aws.amazon.com/efs/latest/ug/API_BackupPolicy.html"""


@rule(
    "aws.efs.encrypted",
    on=FILE_SYSTEM,
    severity=Severity.MEDIUM,
    link="https://docs.aws.amazon.com/efs/latest/ug/encryption-at-rest.html",
    fix="""
        1. A file system cannot be encrypted later. In the EFS console, choose Create file system, Customize, and leave
           Enable encryption of data at rest selected.
        2. Copy the data with AWS DataSync, or mount both, and mount the new file system on the clients.
        3. When nothing uses the old one any longer, delete it.
    """,
    commands="""
        aws efs create-file-system --region={region} --encrypted --kms-key-id={KEY_ARN} --tags=Key=Name,Value={NEW_NAME}
    """,
    inputs={
        "KEY_ARN": "the ARN of the KMS key",
        "NEW_NAME": "the name of the new file system",
    },
    good=[
        {"Encrypted": True, "KmsKeyId": "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d"},
        {"Encrypted": "true", "FileSystemTags": [{"Key": "Name", "Value": "shared"}]},
    ],
    bad=[{"Encrypted": False}, {"KmsKeyId": None, "Encrypted": None}, {"Encrypted": "false"}, {}],
)
def encrypted(file_system: View) -> bool:
    """EFS file system is not encrypted at rest.

    Anyone who gets hold of the underlying storage or a copy of it can read the files. With encryption they also need
    the KMS key, whose every use is logged.
    """
    return is_on(file_system["Encrypted"])


@rule(
    "aws.efs.backup",
    on=FILE_SYSTEM,
    severity=Severity.MEDIUM,
    link="https://docs.aws.amazon.com/efs/latest/ug/awsbackup.html",
    fix="""
        1. In the EFS console, choose File systems, select the file system, then Edit under General.
        2. Turn on Automatic backups and save. AWS Backup then keeps daily backups for 35 days.
        3. If another backup plan already covers the file system, suppress this alert and name the plan.
    """,
    commands="""
        aws efs put-backup-policy --region={region} --file-system-id={FileSystemId} --backup-policy=Status=ENABLED
    """,
    remediations=("aws.efs.enable_backups",),
    good=[{"BackupPolicy": {"Status": "ENABLED"}}, {"BackupPolicy": {"Status": "ENABLING"}, "Encrypted": True}],
    bad=[
        {"BackupPolicy": {"Status": "DISABLED"}},
        {"BackupPolicy": {"Status": "DISABLING"}},
        {"BackupPolicy": None},
        {"AvailabilityZoneName": "eu-west-1a", "BackupPolicy": {"Status": None}},
        {},
    ],
)
def backup(file_system: View) -> bool:
    """EFS automatic backups are off.

    EFS replicates deletions and ransomware damage as faithfully as any other change. Only a backup restores the file
    system to an earlier day.
    """
    return file_system["BackupPolicy.Status"] in BACKED_UP
