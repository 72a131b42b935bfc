"""The command line: ``nephoscope COMMAND``. It needs neither Django nor a database, and starts without either.

A command is a module of this package: its docstring is its help, ``add_arguments`` says what it takes, and ``run``
returns the exit status. What such a module imports at its top, every command waits for.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from nephoscope import __version__
from nephoscope.cli import rules
from nephoscope.cli.usage import FAILED, INTERRUPTED, OK, USAGE, UsageError

COMMANDS = {"rules": rules}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name, by default the process's; return the exit status."""
    try:
        status = _run(argv)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # Who reads has seen enough, as `head` does. Python would complain once more when it closes the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except OSError as error:
        return _complain(f"cannot write the output: {error.strerror}", FAILED)
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(argv: Sequence[str] | None) -> int:
    try:
        options = _parser().parse_args(argv)
        return int(options.run(options))
    except UsageError as error:
        return _complain(str(error), USAGE)
    except SystemExit as ended:  # argparse ends so, after it has printed help or what is wrong
        return int(ended.code or OK)


def _complain(message: str, status: int) -> int:
    print(f"nephoscope: {message}", file=sys.stderr)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nephoscope",
        description="Open, self-hosted cloud posture, on the command line.",
        epilog="`nephoscope COMMAND --help` says what a command takes.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"nephoscope {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        text = command.__doc__ or ""
        added = commands.add_parser(
            name,
            help=text.partition("\n")[0],
            description=text,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        command.add_arguments(added)
        added.set_defaults(run=command.run)
    return parser
