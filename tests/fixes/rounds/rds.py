"""DB instances and their snapshots."""

from __future__ import annotations

from typing import Any

from tests.fixes.rounds.round import ACCOUNT, Made, goes_round

from nephoscope_aws_simulator.testing import Cloud


def instance(cloud: Cloud, name: str, **more: Any) -> Made:
    """Make a DB instance, and one like it beside it."""
    rds = cloud.client("rds")
    for each in (name, f"{name}-beside"):
        rds.create_db_instance(
            DBInstanceIdentifier=each,
            DBInstanceClass="db.t3.micro",
            Engine="postgres",
            MasterUsername="root",
            MasterUserPassword="not-a-secret",
            **more,
        )

    def described(name: str) -> Any:
        found = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
        return {key: value for key, value in found.items() if key != "LatestRestorableTime"}

    arn = f"arn:aws:rds:us-east-1:{ACCOUNT}:db:{name}"
    beside = f"{name}-beside"
    return Made("AWS::RDS::DBInstance", arn, name, lambda: described(name), lambda: described(beside))


@goes_round("aws.rds.keep_private", "aws.rds.public")
def public(cloud: Cloud) -> Made:
    return instance(cloud, "round-public", PubliclyAccessible=True)
