"""Clusters of Neptune, which has the API of RDS."""

from __future__ import annotations

from tests.truth.account import Truth, holds
from tests.truth.docdb import make_clusters, make_unreadable


@holds()
def clusters(truth: Truth) -> None:
    make_clusters(truth)


@holds()
def unreadable_clusters(truth: Truth) -> None:
    make_unreadable(truth, "Neptune")
