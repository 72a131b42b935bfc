"""File systems."""

from __future__ import annotations

from typing import Any

from tests.fixes.rounds.round import ACCOUNT, Made, goes_round

from nephoscope_aws_simulator.testing import Cloud


def system(cloud: Cloud, name: str, policy: str = "") -> Made:
    efs = cloud.client("efs")
    ids = [efs.create_file_system(CreationToken=f"{name}-{number}")["FileSystemId"] for number in range(2)]
    for id in ids if policy else ():
        efs.put_backup_policy(FileSystemId=id, BackupPolicy={"Status": policy})

    def backups(id: str) -> Any:
        try:
            return efs.describe_backup_policy(FileSystemId=id)["BackupPolicy"]["Status"]
        except efs.exceptions.ClientError:
            return "DISABLED"

    arn = f"arn:aws:elasticfilesystem:us-east-1:{ACCOUNT}:file-system/{ids[0]}"
    return Made(
        "AWS::EFS::FileSystem",
        arn,
        name,
        lambda: backups(ids[0]),
        lambda: backups(ids[1]),
        properties={"FileSystemId": ids[0]},
    )


@goes_round("aws.efs.enable_backups", "aws.efs.backup")
def never_backed_up(cloud: Cloud) -> Made:
    return system(cloud, "round-never")


@goes_round("aws.efs.enable_backups", "aws.efs.backup")
def backed_up_no_more(cloud: Cloud) -> Made:
    return system(cloud, "round-no-more", "DISABLED")
