"""botocore's descriptions of AWS's APIs, without what is never used of them.

Whole, those of our 43 services take 121 MB and a client made from them 5 ms; with the declared calls alone 31 MB and
2 ms. They hold nothing of any account, so all sessions share them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

from botocore import xform_name
from botocore.loaders import JSONFileLoader, Loader

Operation = tuple[str, str]
"""boto3's names of a service and of one of its operations."""

BY_ITSELF = frozenset({("s3", "head_bucket"), ("s3", "create_session")})
"""What botocore calls unasked: to find a bucket that has moved, and for directory buckets.

https://github.com/boto/botocore/blob/develop/botocore/utils.py
"""


class _PlainFiles(JSONFileLoader):  # type: ignore[misc,unused-ignore]
    """Loads plain dictionaries, which keep their order as botocore's own class does and take half the memory."""

    def _load_file(self, full_path: str, open_method: Callable[..., Any]) -> Any:
        try:
            with open_method(full_path, "rb") as file:
                return json.loads(file.read())
        except FileNotFoundError:
            return None


class Models(Loader):  # type: ignore[misc,unused-ignore]
    """Descriptions of all operations, or of those that are named, without the documentation."""

    def __init__(self, only: frozenset[Operation] | None = None) -> None:
        super().__init__(file_loader=_PlainFiles())
        self._only = only

    def load_data(self, name: str) -> Any:
        """Return a file's content; what is of no service, as the list of all endpoints, is there once."""
        return super().load_data(name) if self._only is None or os.sep in name else WHOLE.load_data(name)

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:
        """Return a description; it is trimmed in place, so that the loader's cache holds the trimmed one."""
        model = super().load_service_model(service_name, type_name, api_version)
        if type_name == "service-2" and "trimmed" not in model:
            model["trimmed"] = True
            if self._only is not None:
                _keep(model, {operation for service, operation in self._only if service == service_name})
            for part in ("operations", "shapes"):  # botocore wants that of the rest
                _strip(model[part])
        return model


WHOLE = Models()
"""For what is not known before: calls of fixes, and those that find out whether a permission is there."""


@lru_cache(maxsize=4)
def declared(operations: frozenset[Operation]) -> Models:
    """Return the descriptions of these operations alone; a client made from them has no others."""
    return Models(operations | BY_ITSELF)


def _keep(model: dict[str, Any], wanted: set[str]) -> None:
    operations = {name: each for name, each in model["operations"].items() if xform_name(name) in wanted}
    shapes, reached, todo = model["shapes"], set(), list(_shapes_in(operations))
    while todo:
        name = todo.pop()
        if name not in reached:
            reached.add(name)
            todo += _shapes_in(shapes[name])
    model["operations"], model["shapes"] = operations, {name: shapes[name] for name in shapes if name in reached}


def _shapes_in(part: Any) -> Iterator[str]:
    """Yield the names of the shapes that a part of a description refers to."""
    if isinstance(part, dict):
        if isinstance(name := part.get("shape"), str):
            yield name
        part = part.values()
    for each in part if isinstance(part, Iterable) and not isinstance(part, str) else ():
        yield from _shapes_in(each)


def _strip(part: Any) -> None:
    """Drop the documentation. A member of that name is no text, and stays."""
    if isinstance(part, dict):
        if isinstance(part.get("documentation"), str):
            del part["documentation"]
        part = part.values()
    for each in part if isinstance(part, Iterable) and not isinstance(part, str) else ():
        _strip(each)
