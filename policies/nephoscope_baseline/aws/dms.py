"""Rules on DMS replication instances."""

from __future__ import annotations

from typing import Any

from nephoscope.domain import Severity, View, rule

INSTANCE = "AWS::DMS::ReplicationInstance"


def _is_off(value: Any) -> bool:
    """Read a switch that is on unless it is said to be off; templates may write it as text."""
    return value is False or (isinstance(value, str) and value.lower() == "false")


@rule(
    "aws.dms.public",
    on=INSTANCE,
    severity=Severity.CRITICAL,
    link="https://docs.aws.amazon.com/dms/latest/userguide/CHAP_ReplicationInstance.Creating.html",
    fix="""
        1. The setting cannot be changed. In the DMS console, choose Replication instances, Create replication instance,
           the same class and version and a subnet group of private subnets, and clear Publicly accessible.
        2. Stop the tasks of the old instance and move them to the new one.
        3. Delete the old instance.
    """,
    commands="""
        aws dms create-replication-instance --region={region} --replication-instance-identifier={NEW_NAME}
          --replication-instance-class={ReplicationInstanceClass} --no-publicly-accessible
          --replication-subnet-group-identifier={SUBNET_GROUP}
    """,
    inputs={"NEW_NAME": "the identifier of the new instance", "SUBNET_GROUP": "a subnet group of private subnets"},
    good=[
        {"ReplicationInstanceIdentifier": "migrate", "PubliclyAccessible": False},
        {"PubliclyAccessible": "false", "ReplicationInstanceClass": "dms.t3.medium"},
    ],
    bad=[
        {"ReplicationInstanceIdentifier": "migrate", "PubliclyAccessible": True},
        {"PubliclyAccessible": "true"},
        {"PubliclyAccessible": None},
        {"ReplicationInstanceClass": "dms.t3.medium"},
    ],
)
def public(instance: View) -> bool:
    """DMS replication instance is public.

    It holds the credentials of both databases, and all data passes through it. With a public IP address, one open port
    or one vulnerability is enough to expose both.
    """
    # One that does not say is public: https://docs.aws.amazon.com/dms/latest/APIReference/API_CreateReplicationInstance.html
    return _is_off(instance["PubliclyAccessible"])
