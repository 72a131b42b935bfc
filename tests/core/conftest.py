"""Fixtures that several modules here share."""

from tests.core.standing import find, policy, scanned

__all__ = ["find", "policy", "scanned"]
