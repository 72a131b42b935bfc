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
        1. A file system cannot be encrypted later. In the EFS console choose Create file system, Customize, and leave
           Enable encryption of data at rest on.
        2. By command line: aws efs create-file-system --encrypted --kms-key-id KEY_ARN
           --tags Key=Name,Value=NAME
        3. Copy the data with AWS DataSync or a mount of both, and let the clients mount the new file system.
        4. When nothing uses the old one any more: aws efs delete-file-system --file-system-id FILE_SYSTEM_ID
        """,
    good=[
        {"Encrypted": True, "KmsKeyId": "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d"},
        {"Encrypted": "true", "FileSystemTags": [{"Key": "Name", "Value": "shared"}]},
    ],
    bad=[{"Encrypted": False}, {"KmsKeyId": None, "Encrypted": None}, {"Encrypted": "false"}, {}],
)
def encrypted(file_system: View) -> bool:
    """EFS file system is not encrypted at rest.

    Whoever gets at the storage below, or at a copy of it, reads the files. With encryption they also need the key,
    whose every use is controlled and recorded.
    """
    return is_on(file_system["Encrypted"])


@rule(
    "aws.efs.backup",
    on=FILE_SYSTEM,
    severity=Severity.MEDIUM,
    link="https://docs.aws.amazon.com/efs/latest/ug/awsbackup.html",
    fix="""
        1. In the EFS console open File systems, choose the file system, then Edit under General.
        2. Turn on Automatic backups and save: AWS Backup then keeps daily backups for 35 days.
        3. By command line: aws efs put-backup-policy --file-system-id FILE_SYSTEM_ID --backup-policy Status=ENABLED
        4. If a backup plan of your own covers the file system already, suppress this alert and say which plan.
        """,
    good=[{"BackupPolicy": {"Status": "ENABLED"}}, {"BackupPolicy": {"Status": "ENABLING"}, "Encrypted": True}],
    bad=[
        {"BackupPolicy": {"Status": "DISABLED"}},
        {"BackupPolicy": {"Status": "DISABLING"}},
        {"BackupPolicy": None},
        {"BackupPolicy": ["ENABLED"]},
        {"AvailabilityZoneName": "eu-west-1a", "BackupPolicy": {"Status": None}},
        {},
    ],
)
def backup(file_system: View) -> bool:
    """EFS file system has no automatic backups.

    Replication within AWS keeps files through a failed disk, and repeats a deletion or ransomware at once. Backups
    bring back what the file system held on an earlier day.
    """
    return file_system["BackupPolicy.Status"] in BACKED_UP
