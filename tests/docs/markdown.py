"""Reading our own pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")]
PAGES += sorted((ROOT / "docs").glob("*.md"))

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# ([\w/.-]+\.(?:py|toml))\n")


@dataclass(frozen=True)
class Block:
    """One fenced block: its language and text, and the file that its first line names, if it does."""

    language: str
    text: str

    @property
    def file(self) -> str:
        found = _FILE.match(self.text)
        return found[1] if found else ""


def blocks(text: str) -> list[Block]:
    return [Block(*found.groups()) for found in _FENCE.finditer(text)]


def section(text: str, heading: str) -> str:
    """Return what stands under a heading of the second level."""
    _before, _heading, rest = text.partition(f"\n## {heading}\n")
    assert rest, f"there is no “## {heading}”"
    return rest.partition("\n## ")[0]


def prose(text: str) -> str:
    """Return a page without its fenced blocks."""
    return _FENCE.sub("", text)


def write_files(text: str, folder: Path) -> list[str]:
    """Write the files that a page's blocks hold; return their names."""
    found = [block for block in blocks(text) if block.file]
    for block in found:
        path = folder / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text)
    return [block.file for block in found]


def commands(text: str) -> list[str]:
    """Return the commands of the console blocks, without what is said about them."""
    lines = [line for block in blocks(text) if block.language == "console" for line in block.text.splitlines()]
    return [line[2:].partition("  #")[0].strip() for line in lines if line.startswith("$ ")]
