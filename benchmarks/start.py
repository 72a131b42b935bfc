"""How long the command line takes to start, against Python itself: ``make bench-start``.

Each command runs ``ROUNDS`` times, in turn with a bare interpreter. What counts is the least time that the processor
worked for it: a start waits for nothing, and so the figures are the same while the machine does other things as well.
Modules are compiled before, as by any run that may keep what it compiled.

Ends with 1 when a command takes more than its limit, in times of the bare interpreter.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

ROUNDS = 20
COMMAND = str(Path(sys.executable).with_name("nephoscope"))
BARE = "python -c pass"
COMMANDS: dict[str, tuple[list[str], float | None]] = {
    BARE: ([sys.executable, "-c", "pass"], None),
    "nephoscope --version": ([COMMAND, "--version"], 3),
    "python -m nephoscope --version": ([sys.executable, "-m", "nephoscope", "--version"], 3),
    "nephoscope rules": ([COMMAND, "rules"], 10),
    "nephoscope rules --json": ([COMMAND, "rules", "--json"], None),
    "nephoscope rules --json --controls": ([COMMAND, "rules", "--json", "--controls"], None),
}
"""What is run, and the most times that it may take as long as the first."""


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """Run a command, and return how long the processor worked for it."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)  # noqa: S603 - our own commands
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    least = {name: seconds(command, environment) for name, (command, _limit) in COMMANDS.items()}
    for _round in range(ROUNDS):
        for name, (command, _limit) in COMMANDS.items():
            least[name] = min(least[name], seconds(command, environment))
    over = False
    for name, (_command, limit) in COMMANDS.items():
        times = least[name] / least[BARE]
        over = over or (limit is not None and times > limit)
        said = f"at most {limit:g}" if limit else ""
        print(f"{name:36}{least[name] * 1000:8.1f} ms {times:6.1f} times  {said}")
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
