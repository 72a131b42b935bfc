"""Does an answer's body have the shape that AWS's model gives it? What is of another type is no answer.

botocore takes what it finds: a text where a list should be, or no list at all, reads as an empty list, and "yes" as a
boolean as false. AWS's SDKs that are generated with types refuse such an answer, so it never comes from AWS:
https://smithy.io/2.0/aws/protocols/index.html

What is wrong inside of a list or a structure of the answer is taken out of the body, so that one odd item does not hide
the others, and noted with its place; what is wrong right in the answer makes all of it none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary
from xml.etree.ElementTree import Element

from botocore.utils import parse_timestamp

Place = tuple[str | int, ...]
"""Where a value stands in what botocore makes of a body: names of members and numbers of items, from the outside."""

_PLAIN = (str, int, float)
_JSON: Mapping[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "boolean": (bool,),
    # Services write numbers as texts and texts as numbers here and there, which changes nothing that is judged.
    **dict.fromkeys(
        ("string", "character", "blob", "integer", "long", "float", "double", "timestamp"),
        _PLAIN,
    ),
}
_WORDS = {"structure": "an object", "map": "an object", "list": "a list", "boolean": "true or false"}
_EMPTY: Mapping[str, Any] = {"structure": {}, "map": {}, "list": [], "boolean": False, "string": ""}
"""What is put in the place of an item of a list that is taken out, by its kind; for others it is 0."""

_LAST_SECOND = 253_402_300_799
"""9999-12-31T23:59:59Z, in seconds since 1970."""

_NUMBERS = ("integer", "long", "float", "double")

_names: WeakKeyDictionary[Any, dict[str, tuple[str, Any]]] = WeakKeyDictionary()


@dataclass
class Odd:
    """What was taken out of a body: why, by its place."""

    why: dict[Place, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.why)

    def take(self, place: Place, why: str) -> None:
        """Note what is taken out. With it goes what was noted of the inside of it."""
        self.why = {at: each for at, each in self.why.items() if at[: len(place)] != place} | {place: why}


# -- JSON ----------------------------------------------------------------------------------------------------------


def wrong_in_json(value: Any, shape: Any, odd: Odd, at: Place = (), name: str = "it") -> str:
    """Say what is wrong with a value of JSON as a whole, or nothing, after what is odd in it was taken out.

    One that is not there, or null, is not looked at.
    """
    kind = shape.type_name
    wanted = _JSON.get(kind)
    if wanted is None or getattr(shape, "is_document_type", False):
        return ""
    is_one = isinstance(value, wanted) and (kind == "boolean" or not isinstance(value, bool))
    if not is_one:
        return _not(name, kind)
    if kind == "structure":
        return _json_members(value, shape, odd, at)
    if kind == "map":
        return _json_values(value, shape, odd, at, name)
    if kind == "list":
        return _json_items(value, shape, odd, at, name)
    return _wrong_plain(value, kind, name)


def _json_members(value: dict[str, Any], shape: Any, odd: Odd, at: Place) -> str:
    members = _members(shape)
    for key, each in list(value.items()):
        if each is not None and key in members:
            name, member = members[key]
            if why := wrong_in_json(each, member, odd, (*at, name), key):
                if not at:
                    return why
                del value[key]
                odd.take((*at, name), why)
    return ""


def _json_values(value: dict[str, Any], shape: Any, odd: Odd, at: Place, name: str) -> str:
    for key, each in list(value.items()):
        if each is not None and (why := wrong_in_json(each, shape.value, odd, (*at, key), name)):
            del value[key]
            odd.take((*at, key), why)
    return ""


def _json_items(value: list[Any], shape: Any, odd: Odd, at: Place, name: str) -> str:
    found: list[str] = []
    for number, each in enumerate(value):
        here = (*at, number)
        if why := _empty(each, shape.member, at, name) or wrong_in_json(
            each, shape.member, odd, here, f"what {name} lists"
        ):
            value[number] = _EMPTY.get(shape.member.type_name, 0)
            odd.take(here, why)
            found.append(why)
    return _if_all(found, len(value))


def _empty(item: Any, shape: Any, at: Place, name: str) -> str:
    """Look at one item of a list. In the answer's own lists, one without any member tells nothing."""
    if item is None or (len(at) <= 1 and shape.type_name == "structure" and shape.members and _is_empty(item)):
        return f"{name} has an empty item"
    if shape.type_name == "string" and not isinstance(item, str | Element):  # a name, by which more is asked
        return _not(f"what {name} lists", "string")
    return ""


def _is_empty(item: Any) -> bool:
    return not item if isinstance(item, dict) else isinstance(item, Element) and not len(item) and not item.text


def _if_all(found: list[str], items: int) -> str:
    """Return what is wrong with a list: it is none if there is nothing right in it."""
    return found[0] if found and len(found) == items else ""


# -- XML -----------------------------------------------------------------------------------------------------------


def wrong_in_xml(element: Element, shape: Any, odd: Odd, at: Place = (), name: str = "it") -> str:
    """Say what is wrong with an element as a whole, or nothing, after what is odd in it was taken out.

    Elements that the model does not know are not looked at.
    """
    kind = shape.type_name
    if kind in ("structure", "list", "map"):
        if (element.text or "").strip():
            return _not(name, kind)
        if kind == "structure":
            return _xml_members(element, shape, odd, at)
        return _xml_items(element, shape, odd, at, name) if kind == "list" else ""
    if len(element):
        return _not(name, kind)
    return _wrong_text(element.text or "", kind, name)


def local(element: Element) -> str:
    """Return an element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def _xml_members(element: Element, shape: Any, odd: Odd, at: Place) -> str:
    members = _members(shape, xml=True)
    seen: Counter[str] = Counter()
    found: list[str] = []
    for child in list(element):
        tag = local(child)
        if tag not in members:
            continue
        name, member = members[tag]
        if _is_flat(member, "list"):
            _xml_item(child, member, odd, (*at, name), seen[name], tag, found)
            seen[name] += 1
        elif not _is_flat(member, "map") and (why := wrong_in_xml(child, member, odd, (*at, name), tag)):
            if not at:
                return why
            element.remove(child)
            odd.take((*at, name), why)
    return "" if at else _if_all(found, seen.total())


def _is_flat(member: Any, kind: str) -> bool:
    return bool(member.type_name == kind and member.serialization.get("flattened"))


def _xml_items(element: Element, shape: Any, odd: Odd, at: Place, name: str) -> str:
    item, found = shape.member.serialization.get("name", "member"), list[str]()
    for number, child in enumerate(element):
        if local(child) != item:
            return _not(name, "list")
        _xml_item(child, shape, odd, at, number, name, found)
    return _if_all(found, len(element))


def _xml_item(child: Element, shape: Any, odd: Odd, at: Place, number: int, name: str, found: list[str]) -> None:
    """Take an item of a list out if something is wrong with it, and add what that is to ``found``."""
    here = (*at, number)
    why = _empty(child, shape.member, at, name) or wrong_in_xml(child, shape.member, odd, here, f"what {name} lists")
    if why:
        child.clear()
        child.text = {"structure": "", "list": "", "map": "", "boolean": "false"}.get(shape.member.type_name, "0")
        odd.take(here, why)
        found.append(why)


# -- Both ----------------------------------------------------------------------------------------------------------


def _wrong_text(text: str, kind: str, name: str) -> str:
    if kind == "boolean":
        return "" if text.strip() in ("true", "false") else _not(name, kind)
    return _wrong_plain(text, kind, name)


def _wrong_plain(value: Any, kind: str, name: str) -> str:
    if kind in _NUMBERS:
        try:
            float(value)
        except ValueError:
            return _not(name, kind)
    return _not(name, kind) if kind == "timestamp" and not _is_time(value) else ""


def _is_time(value: Any) -> bool:
    """Tell whether botocore can make a time of it; what it cannot ends the reading of the whole answer."""
    if isinstance(value, int | float) and 0 <= value <= _LAST_SECOND:
        return True
    for parse in (datetime.fromisoformat, parse_timestamp):  # the first one is much quicker, the second one decides
        try:
            parse(value)
            return True
        except (ArithmeticError, OSError, RuntimeError, TypeError, ValueError):
            continue
    return False


def _not(name: str, kind: str) -> str:
    return f"in AWS's answer {name} is not {_WORDS.get(kind, f'a {kind}')}"


def _members(shape: Any, *, xml: bool = False) -> dict[str, tuple[str, Any]]:
    """Return a structure's members, each with its name, by their names on the wire."""
    if shape not in _names:
        _names[shape] = {
            (xml_name if xml else plain_name)(name, member): (name, member)
            for name, member in shape.members.items()
            if "location" not in member.serialization and not member.serialization.get("xmlAttribute")
        }
    return _names[shape]


def plain_name(name: str, member: Any) -> str:
    """Return what a member is called in JSON."""
    return str(member.serialization.get("name", name))


def xml_name(name: str, member: Any) -> str:
    """Return what the element of a member is called: a flattened list has only its items' name, if they have one."""
    if _is_flat(member, "list"):
        return str(member.member.serialization.get("name") or plain_name(name, member))
    return plain_name(name, member)
