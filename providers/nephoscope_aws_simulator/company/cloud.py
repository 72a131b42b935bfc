"""What the modules of the company share: boto3 clients, threads, tags, counting."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from nephoscope_aws_simulator.accounts import DEFAULT_ACCOUNT
from nephoscope_aws_simulator.testing import HOSTILE, client_for, control

HOME = "us-east-1"
EUROPE = "eu-west-1"
PACIFIC = "ap-southeast-2"
REGIONS = (HOME, EUROPE, PACIFIC)
MARKUP = "<script>alert(1)</script>"
"""What somebody put into names of this account, in tests; a console that shows it must not run it."""

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass
class Cloud:
    """The account that is being filled."""

    endpoint: str
    counts: Counter[str] = field(default_factory=Counter)
    account: str = DEFAULT_ACCOUNT
    _clients: dict[tuple[str, str, str], Any] = field(default_factory=dict)
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(8))

    def client(self, service: str, region: str = HOME, account: str = "") -> Any:
        """A boto3 client, made once: making one costs as much as thirty calls."""
        key = (service, region, account)
        if key not in self._clients:
            self._clients[key] = client_for(self.endpoint, service, region, account=account or self.account)
        return self._clients[key]

    def each(self, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """Call the function for all items, some at a time. Not to be nested: the threads are few."""
        return list(self._pool.map(function, items))

    def patch(self, items: list[dict[str, Any]]) -> None:
        """Set what no AWS API can set, see `patches`."""
        control(self.endpoint, "patch", items)

    def made(self, kind: str, number: int = 1) -> None:
        """Count resources under their CloudFormation type."""
        self.counts[kind] += number


def odd(text: str) -> str:
    """Return the text, or markup in its place where tests ask for that: a demo need not frighten."""
    return MARKUP if os.environ.get(HOSTILE) else text


def tag_list(**tags: str) -> list[dict[str, str]]:
    """Tags as most services take them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
