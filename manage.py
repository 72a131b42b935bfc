#!/usr/bin/env python
"""Hand over to Django, with the four shelves on the path."""

import os
import sys
from pathlib import Path

SHELVES = ("platform", "providers", "policies", "remediations")

if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    # Appended, never put first: a folder named `platform` must not come before the standard library.
    sys.path.extend(str(here / shelf) for shelf in SHELVES if str(here / shelf) not in sys.path)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nephoscope.settings")
    if sys.argv[1:2] == ["demo"]:
        # Its simulated accounts do not belong among one's own.
        os.environ.setdefault("NEPHOSCOPE_DATA_DIR", str(here / "var" / "demo"))
    from django.core.management import execute_from_command_line

    from nephoscope.configuration import ConfigurationError

    try:
        execute_from_command_line(sys.argv)
    except ConfigurationError as error:
        sys.exit(f"manage.py: {error}")
