"""How the console looks: django-unfold's settings."""

from __future__ import annotations

from typing import Any

UNFOLD: dict[str, Any] = {"SITE_TITLE": "Nephoscope", "SITE_HEADER": "Nephoscope"}
