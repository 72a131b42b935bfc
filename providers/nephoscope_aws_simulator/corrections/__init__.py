"""Where moto answers differently from AWS in what a posture scanner reads, and what AWS answers."""

from __future__ import annotations

from nephoscope_aws_simulator.corrections import (
    backup,
    blocks,
    changes,
    containers,
    databases,
    edge,
    findings,
    identity,
    keys_and_trails,
    regional,
    secrets,
    services,
    speed,
    stacks,
    storage,
    stores,
    watching,
)
from nephoscope_aws_simulator.world import World


def apply(world: World) -> None:
    """Correct this process's moto. Once, before the first request."""
    identity.apply(world)
    storage.apply()
    databases.apply()
    regional.apply(world)
    backup.apply()
    blocks.apply()
    edge.apply()
    watching.apply()
    findings.apply()
    secrets.apply()
    services.apply()
    containers.apply()
    stacks.apply()
    stores.apply()
    changes.apply()
    keys_and_trails.apply()
    speed.apply()
