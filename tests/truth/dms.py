"""Replication instances of the Database Migration Service, which are public unless they are made otherwise."""

from __future__ import annotations

from typing import Any

from tests.truth.account import ABROAD, HOME, Truth, holds

INSTANCES: dict[str, tuple[bool, dict[str, Any]]] = {
    "private": (False, {"PubliclyAccessible": False}),
    "public": (True, {"PubliclyAccessible": True}),
    "as-made": (True, {}),
}
"""Each replication instance with whether it is public.
https://docs.aws.amazon.com/dms/latest/APIReference/API_CreateReplicationInstance.html"""


@holds()
def replication_instances(truth: Truth) -> None:
    for region in (HOME, ABROAD):
        dms = truth.client("dms", region)
        for name, (public, settings) in INSTANCES.items():
            _made(dms, f"{name}-{region}", **settings)
            truth.judged(f"{name}-{region}", fails="public" * public, of="public")
        gone = _made(dms, f"gone-{region}", PubliclyAccessible=True)
        dms.delete_replication_instance(ReplicationInstanceArn=gone)
        going = _made(dms, f"going-{region}", PubliclyAccessible=True)
        truth.deleting("dms.replication_instances", going, region)


def _made(dms: Any, name: str, **settings: Any) -> str:
    made = dms.create_replication_instance(
        ReplicationInstanceIdentifier=name, ReplicationInstanceClass="dms.t3.micro", **settings
    )
    return str(made["ReplicationInstance"]["ReplicationInstanceArn"])


@holds()
def unreadable_instances(truth: Truth) -> None:
    """What is hidden abroad is unknown there; at home there is none."""
    _made(truth.client("dms", ABROAD), "hidden", PubliclyAccessible=True)
    truth.hide("dms:DescribeReplicationInstances", "AWS::DMS::ReplicationInstance")
