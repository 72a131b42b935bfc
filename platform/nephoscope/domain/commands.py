"""The commands that fix what a rule finds: a template in the rule, filled in for one resource, safe to paste.

A template holds one command a line; an indented line goes on with the one before, and so may what is quoted. After
a command that failed, those that follow it do not run, up to a blank line. In braces stands what is filled in:

- ``{name}``, ``{id}``, ``{region}`` and ``{account}`` of the resource, and the rule's parameters by their names;
- ``{VolumeId}``, ``{Observed.LoginProfile}``: a property, by its path;
- ``{LOG_BUCKET}``: an input, which only a person knows, or what an earlier line ``LOG_BUCKET=command`` printed.

Every value is quoted as the place where it stands needs it, so that no name of a resource becomes more than one word.
What is not known, or cannot be put there, becomes an input too. An input is a variable of the shell: empty at the top
of the block, and while it is, no command runs between the blank lines around the one that needs it.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nephoscope.domain.resource import ALL_REGIONS, Resource

_OF_RESOURCE = ("name", "id", "region", "account")
_SLOT = re.compile(r"\{([A-Za-z][A-Za-z0-9_.]*)\}")
_PIECE = re.compile(r"'[^']*'|\{[A-Za-z][A-Za-z0-9_.]*\}|[A-Za-z0-9_=,.:/@+%-]+| +")
_CAPTURE = re.compile(r"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)=(?=[a-z])")
_INPUT = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
"""Two words or more, so that none is a variable that the shell itself lives by, such as PATH."""
_STAGES = re.compile(r"\n(?:[ \t]*\n)+")
_OPENED = re.compile(r"[A-Z0-9_]+=\$\(")
_WORDS = re.compile(r"[A-Za-z0-9 ,.:()/_-]+")
_OPTION = re.compile(r"--[a-z0-9-]+=")
_PLAIN = re.compile(r"[A-Za-z0-9_.:/@+-]+")
"""What means nothing but itself within a word, to a shell as well as to a command that reads lists and maps from it."""
_FILE = ("file:", "fileb:")
"""A value that begins so is read from a file by some commands."""
_ADDRESS = ("http://", "https://")
"""The value of an option that begins so is read from that address by some, unless the option is for an address.

https://docs.aws.amazon.com/cli/v1/userguide/cli-usage-parameters-file.html
"""
LONGEST = 2048
"""Characters of a value that is filled in."""


@dataclass(frozen=True, slots=True)
class Filled:
    """Commands for one resource.

    ``inputs`` says of each variable that a person sets first what it is; ``missing`` likewise, of what should be known
    of the resource and is not.
    """

    body: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The block as it is pasted."""
        return "".join(f"{name}=''\n" for name in (*self.inputs, *self.missing)) + self.body


def together(blocks: Iterable[Filled]) -> str:
    """Return the commands for several resources, each with variables of its own.

    What a person sets for one resource (a policy, the number of a rule) may be wrong for the next.
    """
    return "\n".join(each.text for each in blocks)


@dataclass(frozen=True, slots=True)
class Commands:
    """Templates of commands by the type of resource, and of each input what it is."""

    templates: Mapping[str, str]
    inputs: Mapping[str, str]

    @classmethod
    def of(
        cls,
        on: tuple[str, ...],
        given: str | Mapping[str, str],
        inputs: Mapping[str, str],
        parameters: Iterable[str] = (),
    ) -> Commands | None:
        """Return the commands of a rule on these types; None when it has none.

        :raises ValueError: a template cannot be filled in safely; the message says which part.
        """
        by_type = dict.fromkeys(on, given) if isinstance(given, str) else given
        templates = {type: inspect.cleandoc(f"\n{text}") for type, text in by_type.items() if text}
        if strange := set(templates) - set(on):
            raise ValueError(f"commands for {min(strange)}, which it does not judge")
        for text in set(templates.values()):
            _check(text, inputs, parameters)
        if unused := [name for name in inputs if not any(f"{{{name}}}" in text for text in templates.values())]:
            raise ValueError(f"no command uses the input {unused[0]}")
        return cls(templates, inputs) if templates else None

    @property
    def paths(self) -> frozenset[str]:
        """The properties that are filled in."""
        return frozenset(name for text in self.templates.values() for name in _SLOT.findall(text) if _is_property(name))

    @property
    def parameters(self) -> frozenset[str]:
        """The parameters of the rule that are filled in."""
        used = {name for text in self.templates.values() for name in _SLOT.findall(text) if name[0].islower()}
        return frozenset(used.difference(_OF_RESOURCE))

    def fill(self, resource: Resource, parameters: Mapping[str, Any]) -> Filled | None:
        """Return the commands for a resource; None for a type that has none."""
        template = self.templates.get(resource.type)
        return None if template is None else _Filling(resource, parameters, self.inputs).fill(template)


def _check(template: str, inputs: Mapping[str, str], parameters: Iterable[str]) -> None:
    known, captured = {*_OF_RESOURCE, *parameters}, set[str]()
    for name, words in inputs.items():
        if not _INPUT.fullmatch(name) or not _WORDS.fullmatch(words):
            raise ValueError(f"the input {name} is not two words in capitals with plain words about it")
    for line in _lines(template):
        capture = _CAPTURE.match(line)
        for before, piece in _pieces(line[capture.end() :] if capture else line):
            slots = _SLOT.findall(piece)
            if slots and (not before or piece.startswith("'{" + slots[0] + "}")):
                raise ValueError(f"{piece} begins a word; write --option={piece}")
            for name in slots:
                if name not in known and name not in inputs and name not in captured and not _is_property(name):
                    raise ValueError(f"unknown placeholder {{{name}}}")
        if capture:
            captured.add(capture[1])


def _lines(template: str) -> Iterator[str]:
    """Yield the lines; what is quoted over several is one, with a space for each break."""
    open_line = ""
    for line in filter(str.strip, template.splitlines()):
        open_line = f"{open_line} {line.strip()}" if open_line else line
        if open_line.count("'") % 2 == 0:
            yield open_line
            open_line = ""
    if open_line:
        raise ValueError(f"a quote is not closed: {open_line[:30]!r}")


def _is_property(name: str) -> bool:
    return name[0].isupper() and not _INPUT.fullmatch(name)


def _pieces(line: str) -> Iterator[tuple[str, str]]:
    """Yield the parts of a line, each with what stands before it in its word.

    :raises ValueError: a character means something to a shell and is not between single quotes.
    """
    at, before = 0, ""
    while at < len(line):
        found = _PIECE.match(line, at)
        if found is None:
            raise ValueError(f"put single quotes around {line[at : at + 30]!r}")
        yield before, found[0]
        before = "" if found[0].isspace() else before + found[0]
        at = found.end()


class _Filling:
    """One block while it is made."""

    def __init__(self, resource: Resource, parameters: Mapping[str, Any], inputs: Mapping[str, str]) -> None:
        self.resource, self.parameters, self.known = resource, parameters, inputs
        self.captured, self.asked = set[str](), dict[str, str]()
        self.inputs, self.missing = dict[str, str](), dict[str, str]()

    def fill(self, template: str) -> Filled:
        stages = "\n".join(self._stage(each) for each in _STAGES.split(template))
        return Filled(stages, self.inputs, self.missing)

    def _stage(self, template: str) -> str:
        """Return commands of which each runs only after those before it, and none before all variables are set."""
        commands: list[str] = []
        self.asked.clear()
        for line in _lines(template):
            text = self._line(line)
            if line.startswith(" "):
                commands[-1] += f" \\\n  {text.lstrip()}"
            else:
                commands.append(text)
        done = [f"{each})" if _OPENED.match(each) else each for each in commands]
        guard = " ".join(f'"${{{name}:?{words}}}"' for name, words in self.asked.items())
        return " &&\n".join([f": {guard}", *done] if guard else done) + "\n"

    def _line(self, line: str) -> str:
        capture = _CAPTURE.match(line)
        rest = line[capture.end() :] if capture else line
        pieces = [piece for _, piece in _pieces(rest)]
        text = ""
        for index, (before, piece) in enumerate(_pieces(rest)):
            last = index + 1 == len(pieces) or pieces[index + 1].isspace()
            text += self._piece(piece, before, last=last)
        if capture:
            self.captured.add(capture[1])
        return f"{capture[1]}=$({text}" if capture else text

    def _piece(self, piece: str, before: str, *, last: bool) -> str:
        if slot := _SLOT.fullmatch(piece):
            begins = bool(_OPTION.fullmatch(before))
            quote = _quoted if begins and last else _plain
            return self._slot(slot[1], _unfetched(quote) if begins and not before.endswith("-url=") else quote)
        if piece.startswith("'"):
            quote = _in_json if '"' in piece else _plain
            return _SLOT.sub(lambda slot: self._slot(slot[1], quote, inside="'"), piece)
        return piece

    def _slot(self, name: str, quote: Callable[[str], str | None], *, inside: str = "") -> str:
        if name not in self.known and name not in self.captured:
            value = _text(self._value(name))
            if value is not None and (text := quote(value)) is not None:
                return text
        return f'{inside}"${{{self._variable(name)}:?}}"{inside}'

    def _variable(self, name: str) -> str:
        if name in self.captured:
            return name
        known = name in self.known
        variable, words = (name, self.known[name]) if known else (_named(name), f"the {name} of the resource")
        (self.inputs if known else self.missing)[variable] = words
        self.asked[variable] = words
        return variable

    def _value(self, name: str) -> Any:
        if name in self.parameters:
            return self.parameters[name]
        if name in _OF_RESOURCE:
            value = getattr(self.resource, name)
            return None if (name, value) == ("region", ALL_REGIONS) else value
        value = self.resource.properties
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return value


def _named(name: str) -> str:
    return "RESOURCE_" + re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.rpartition(".")[2]).upper()


def _text(value: Any) -> str | None:
    """Return a value as text; None for what is none: not there, not known, a list, or far too long."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int):
        return None
    text = str(value)
    return text if 0 < len(text) <= LONGEST and "\0" not in text and not text.lower().startswith(_FILE) else None


def _plain(value: str) -> str | None:
    return value if _PLAIN.fullmatch(value) else None


def _quoted(value: str) -> str | None:
    """Return a whole word; None for what a terminal would obey or not show (a newline, an escape).

    Not every shell has a way to write that with numbers: in dash, ``$'\\''`` leaves a quote open.
    """
    if not value.isprintable():
        return None
    return value if _PLAIN.fullmatch(value) else "'" + value.replace("'", "'\\''") + "'"


def _unfetched(quote: Callable[[str], str | None]) -> Callable[[str], str | None]:
    return lambda value: None if value.lower().startswith(_ADDRESS) else quote(value)


def _in_json(value: str) -> str:
    """Return what stands in a string of JSON between single quotes; what is not ASCII is written with its number."""
    return json.dumps(value)[1:-1].replace("'", "\\u0027")
