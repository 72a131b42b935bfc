"""Suppressions are set in one module; what reads them is anywhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PLATFORM = Path(__file__).parents[2] / "platform/nephoscope"
PLACE = "alerts/suppressions.py"
FIELDS = {"suppression", "suppression_id"}
MAKES = {"create", "bulk_create", "get_or_create", "update_or_create", "update", "delete", "bulk_update"}


def written(tree: ast.AST) -> Iterator[str]:
    """Yield what sets a finding's suppression, or makes, changes or removes a suppression."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in FIELDS and isinstance(node.ctx, ast.Store | ast.Del):
            yield ast.unparse(node)
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            verb = called.rpartition(".")[2]
            if (verb in MAKES or verb == "Finding") and FIELDS & {each.arg for each in node.keywords}:
                yield ast.unparse(node)
            if verb == "Suppression" or (verb in MAKES and ("Suppression." in called or "suppressions." in called)):
                yield ast.unparse(node)


def test_suppressions_are_set_in_one_module_only() -> None:
    found = {
        path.relative_to(PLATFORM).as_posix(): list(written(ast.parse(path.read_text())))
        for path in PLATFORM.rglob("*.py")
        if "migrations" not in path.parts
    }
    assert {name for name, setting in found.items() if setting} == {PLACE}, {n: s for n, s in found.items() if s}
    assert len(found[PLACE]) >= 6
