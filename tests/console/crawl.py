"""Following what a page offers, as a person would: its links, and its forms."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from django.http import HttpResponse
from django.test import Client
from django.urls import Resolver404, resolve


@dataclass
class Form:
    method: str
    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str, list[tuple[str, str]]]] = field(default_factory=list)
    """Of each its method, its address, and what it adds."""


class Page(HTMLParser):
    """The links and forms of a page, and the names of its inputs for passwords and secrets."""

    def __init__(self, address: str, text: str) -> None:
        super().__init__()
        self.address, self.links, self.secrets = address, list[str](), set[str]()
        self.forms, self.ids, self._open = list[Form](), dict[str, Form](), list[Form]()
        self._waiting: list[tuple[str, str, dict[str, str]]] = []
        self.feed(text)
        for owner, tag, found in self._waiting:
            if owner in self.ids:
                self._add(self.ids[owner], tag, found)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in found:
            self.links.append(urljoin(self.address, found["href"]))
        elif tag == "form":
            action = urljoin(self.address, found.get("action") or self.address)
            form = Form(found.get("method", "get").lower(), action)
            self.forms.append(form)
            self._open.append(form)
            self.ids[found.get("id", "")] = form
        elif tag in ("input", "button", "select", "textarea") and "disabled" not in found:
            if found.get("type") == "password":
                self.secrets.add(found["name"])
            if "form" in found:
                self._waiting.append((found["form"], tag, found))
            elif self._open:
                self._add(self._open[-1], tag, found)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._open:
            self._open.pop()

    def _add(self, form: Form, tag: str, found: dict[str, str]) -> None:
        name, kind = found.get("name", ""), found.get("type", "submit" if tag == "button" else "text")
        given = [(name, found.get("value", ""))] if name else []
        if kind == "submit":
            action = urljoin(self.address, found["formaction"]) if "formaction" in found else form.action
            form.buttons.append((found.get("formmethod", form.method).lower(), action, given))
        elif kind == "button" or tag in ("select", "textarea"):
            pass
        elif kind != "radio" or "checked" in found:
            form.fields += given  # whoever sees a box can tick it

    def asked(self) -> list[str]:
        """All addresses on this page that a person reaches by a click that changes nothing."""
        found = [link for link in self.links if "#" not in link or link.partition("#")[0]]
        for form in self.forms:
            for method, action, given in form.buttons or [(form.method, form.action, [])]:
                if method == "get":
                    found.append(f"{action.partition('?')[0]}?{urlencode([*form.fields, *given])}")
        return found

    def posted(self) -> list[str]:
        """All addresses that this page's forms are posted to."""
        return [action for form in self.forms for method, action, _given in form.buttons if method == "post"]


def _kind(address: str) -> tuple[str, ...] | None:
    parts = urlsplit(address)
    if parts.netloc not in ("", "testserver"):
        return None
    try:
        found = resolve(parts.path)
    except Resolver404:
        return None
    if found.app_name != "admin":
        return None
    name = str(found.url_name or parts.path)
    if name.endswith("_changelist"):  # how a list is filtered and sorted refuses nobody
        return (name,)
    return (name, *sorted({parameter for parameter, _value in parse_qsl(parts.query)}))


def walk(client: Client, *starts: str) -> tuple[list[Page], dict[str, str]]:
    """Open one of each kind of page that can be reached from these addresses.

    Return the pages, and of each address that is refused where it stood.
    """
    waiting = [(start, "the start") for start in starts]
    opened, pages, refused = set[tuple[str, ...]](), list[Page](), dict[str, str]()
    while waiting:
        address, source = waiting.pop(0)
        address = address.partition("#")[0].removeprefix("http://testserver")
        kind = _kind(address)
        if kind is None or kind in opened:
            continue
        opened.add(kind)
        answer: HttpResponse = client.get(address, follow=True)  # type: ignore[assignment]
        if answer.status_code in (403, 500):
            refused[address] = source
        elif answer.get("Content-Type", "").startswith("text/html"):
            pages.append(Page(f"http://testserver{answer.request['PATH_INFO']}", answer.content.decode()))  # type: ignore[attr-defined]
            waiting += [(each, address) for each in pages[-1].asked()]
    return pages, refused
