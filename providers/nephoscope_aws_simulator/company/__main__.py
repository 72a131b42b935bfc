"""`python -m nephoscope_aws_simulator.company http://127.0.0.1:5001`: seed a simulator that runs already."""

from __future__ import annotations

import sys
import time

from nephoscope_aws_simulator.company import seed

started = time.monotonic()
summary = seed(sys.argv[1])
print(f"seeded {summary} in {time.monotonic() - started:.1f} s", file=sys.stderr)
