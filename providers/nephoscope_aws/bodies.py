"""Does an answer's body have the shape that AWS's model gives it? What is of another type is no answer.

botocore takes what it finds: a text where a list should be, or no list at all, reads as an empty list, and "yes" as a
boolean as false. AWS's SDKs that are generated with types refuse such an answer, so it never comes from AWS:
https://smithy.io/2.0/aws/protocols/index.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from weakref import WeakKeyDictionary
from xml.etree.ElementTree import Element

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

_names: WeakKeyDictionary[Any, dict[str, Any]] = WeakKeyDictionary()


def wrong_in_json(value: Any, shape: Any, name: str = "it", depth: int = 0) -> str:
    """Say what is wrong with a value of JSON, or nothing. One that is not there, or null, is not looked at."""
    kind = shape.type_name
    wanted = _JSON.get(kind)
    if wanted is None or getattr(shape, "is_document_type", False):
        return ""
    if not isinstance(value, wanted) or (isinstance(value, bool) and kind != "boolean"):
        return _not(name, kind)
    return _wrong_inside(value, shape, name, depth)


def _wrong_inside(value: Any, shape: Any, name: str, depth: int) -> str:
    kind = shape.type_name
    if kind == "structure":
        members = _members(shape)
        return _first(
            wrong_in_json(each, members[key], key, depth + 1)
            for key, each in value.items()
            if each is not None and key in members
        )
    if kind == "map":
        return _first(wrong_in_json(each, shape.value, name, depth + 1) for each in value.values() if each is not None)
    if kind == "list":
        return _first(_wrong_item(each, shape.member, name, depth, wrong_in_json) for each in value)
    return ""


def wrong_in_xml(element: Element, shape: Any, name: str = "it", depth: int = 0) -> str:
    """Say what is wrong with an element, or nothing; elements that the model does not know are not looked at."""
    kind = shape.type_name
    if kind in ("structure", "list", "map"):
        if (element.text or "").strip():
            return _not(name, kind)
        if kind == "structure":
            return _wrong_members(element, shape, depth)
        return _wrong_items(element, shape, name, depth) if kind == "list" else ""
    if len(element):
        return _not(name, kind)
    return _wrong_text(element.text or "", kind, name)


def local(element: Element) -> str:
    """Return an element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def _wrong_members(element: Element, shape: Any, depth: int) -> str:
    members = _members(shape, xml=True)
    found = ((local(child), child) for child in element)
    return _first(_wrong_member(child, members[tag], tag, depth) for tag, child in found if tag in members)


def _wrong_member(child: Element, member: Any, tag: str, depth: int) -> str:
    if member.type_name == "list" and member.serialization.get("flattened"):
        return _wrong_item(child, member.member, tag, depth + 1, wrong_in_xml)
    if member.type_name == "map" and member.serialization.get("flattened"):
        return ""
    return wrong_in_xml(child, member, tag, depth + 1)


def _wrong_items(element: Element, shape: Any, name: str, depth: int) -> str:
    item = shape.member.serialization.get("name", "member")
    return _first(
        _wrong_item(child, shape.member, name, depth, wrong_in_xml) if local(child) == item else _not(name, "list")
        for child in element
    )


def _wrong_item(item: Any, shape: Any, name: str, depth: int, wrong: Callable[..., str]) -> str:
    """Look at one item of a list. In the answer's own lists, one without any member tells nothing."""
    if item is None or (depth <= 1 and shape.type_name == "structure" and shape.members and _is_empty(item)):
        return f"{name} has an empty item"
    if shape.type_name == "string" and not isinstance(item, str | Element):  # a name, by which more is asked
        return _not(f"what {name} lists", "string")
    return wrong(item, shape, f"what {name} lists", depth + 1)


def _is_empty(item: Any) -> bool:
    return not item if isinstance(item, dict) else isinstance(item, Element) and not len(item) and not item.text


def _wrong_text(text: str, kind: str, name: str) -> str:
    if kind == "boolean" and text.strip() not in ("true", "false"):
        return _not(name, kind)
    if kind in ("integer", "long", "float", "double"):
        try:
            float(text)
        except ValueError:
            return _not(name, kind)
    return ""


def _not(name: str, kind: str) -> str:
    return f"in AWS's answer {name} is not {_WORDS.get(kind, f'a {kind}')}"


def _first(found: Iterable[str]) -> str:
    return next(filter(None, found), "")


def _members(shape: Any, *, xml: bool = False) -> dict[str, Any]:
    """Return a structure's members by their names on the wire."""
    if shape not in _names:
        _names[shape] = {
            (xml_name if xml else plain_name)(name, member): member
            for name, member in shape.members.items()
            if "location" not in member.serialization and not member.serialization.get("xmlAttribute")
        }
    return _names[shape]


def plain_name(name: str, member: Any) -> str:
    """Return what a member is called in JSON."""
    return str(member.serialization.get("name", name))


def xml_name(name: str, member: Any) -> str:
    """Return what the element of a member is called: a flattened list has only its items' name, if they have one."""
    if member.type_name == "list" and member.serialization.get("flattened"):
        return str(member.member.serialization.get("name") or plain_name(name, member))
    return plain_name(name, member)
