"""Nephoscope: the open, self-hosted cloud-posture platform."""

__version__ = "0.1.0"
