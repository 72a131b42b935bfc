"""RDS."""

from __future__ import annotations

from typing import Any

from nephoscope_aws_simulator.corrections.patching import extend


def apply() -> None:
    """Every DB instance says whether it has a public address; moto leaves it out where nobody asked for one.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBInstance.html
    """
    from moto.rds.models import DBInstance

    @extend(DBInstance, "__init__")
    def new_instance(moto: Any, self: Any, *args: Any, **kwargs: Any) -> None:
        moto(self, *args, **kwargs)
        self.publicly_accessible = bool(self.publicly_accessible)
