"""The command line: ``nephoscope COMMAND``. It needs neither Django nor a database, and starts without either.

A command is a module of this package: its docstring is its help, ``add_arguments`` says what it takes, and ``run``
returns the exit status. What such a module imports at its top, every command waits for.
"""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Sequence

from nephoscope import __version__
from nephoscope.cli.usage import FAILED, INTERRUPTED, OK, USAGE, UsageError

TYPE_CHECKING = False  # typing itself is not imported for it
if TYPE_CHECKING:
    from argparse import ArgumentParser

VERSION = f"nephoscope {__version__}"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name, by default the process's; return the exit status."""
    if sys.stdout is None:  # it was closed, as by `>&-`: nothing can be written, and nobody asked to hear of it
        return FAILED
    # While modules load there is nothing to collect, and looking for it takes a tenth of the time.
    gc.disable()
    if isinstance(sys.stdout, io.TextIOWrapper):  # a character that a terminal cannot show is written as its number
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status = _run(sys.argv[1:] if argv is None else argv)
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
    finally:
        gc.enable()


def _run(argv: Sequence[str]) -> int:
    if list(argv) == ["--version"]:  # at once: scripts ask this often, and argparse takes longer than Python itself
        print(VERSION)
        return OK
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


def _parser() -> ArgumentParser:
    import argparse

    from nephoscope.cli import rules

    parser = argparse.ArgumentParser(
        prog="nephoscope",
        description="Open, self-hosted cloud posture, on the command line.",
        epilog="`nephoscope COMMAND --help` says what a command takes.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, command in {"rules": rules}.items():
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
