"""``python -m nephoscope``: the command line."""

import sys

from nephoscope.cli import main

if __name__ == "__main__":
    sys.exit(main())
