"""Replacing methods of moto's classes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


def replace(owner: Any, name: str) -> Callable[[Any], Any]:
    """Decorator: put the function (or property) in the place of a class's or a module's."""

    def install(function: Any) -> Any:
        setattr(owner, name, function)
        return function

    return install


def extend(owner: Any, name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: put the function in the place of a method; it gets the original as its first argument."""
    original = getattr(owner, name)

    def install(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            return function(original, self, *args, **kwargs)

        setattr(owner, name, method)
        return function

    return install
