"""A request as the proxy sees it: what makes it the same as another one, and which API call it is."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

from nephoscope_aws_simulator import errors
from nephoscope_aws_simulator.actions import iam_action, operation_name
from nephoscope_aws_simulator.wire import Call, read

_CREDENTIAL = re.compile(rb"Credential=[^/]+/\d+/([^/]+/[^/]+)/aws4_request")
_FLEETING = re.compile(
    rb"\d{4}-\d\d-\d\dT\d\d(?::|%3A)\d\d(?::|%3A)\d\d(?:\.\d+)?(?:Z|(?:\+|%2B)\d\d(?::|%3A)?\d\d)?"
    rb"|(?<![\d.])1[6-9]\d{8}(?:\.\d+)?(?!\d)"
)
"""Times, which differ from one run to the next."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, its body read to the end. Header names are lower case."""

    method: bytes
    target: bytes
    headers: dict[bytes, bytes]
    body: bytes

    def key(self) -> bytes:
        """What two requests have in common that get the same answer. Signatures and times are no part of it."""
        signed = _CREDENTIAL.search(self.headers.get(b"authorization", b""))
        scope = signed[1] if signed else b""
        asked = b" ".join((self.method, self.target, self.headers.get(b"x-amz-target", b""), scope, self.body))
        return _FLEETING.sub(b"", asked)

    def call(self) -> Call:
        """Which call of which service this is. Slow for REST; done once for each different request."""
        path, _, query = self.target.decode("latin-1").partition("?")
        environ = {
            "REQUEST_METHOD": self.method.decode(),
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "aws",
            "SERVER_PORT": "80",
            "wsgi.url_scheme": "http",
            "SCRIPT_NAME": "",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_LENGTH": str(len(self.body)),
            "wsgi.input": io.BytesIO(self.body),
            "CONTENT_TYPE": self.headers.get(b"content-type", b"").decode("latin-1"),
        }
        for name, value in self.headers.items():
            if name not in (b"content-type", b"content-length"):
                environ["HTTP_" + name.decode("latin-1").upper().replace("-", "_")] = value.decode("latin-1")
        return read(environ)


def parse(head: bytes) -> tuple[bytes, bytes, dict[bytes, bytes]]:
    """Return method, target and headers of a request's head. An absolute target is of a client that takes us for a
    proxy, and loses its host."""
    first, *lines = head.split(b"\r\n")
    method, target, _version = first.split(b" ", 2)
    if target.startswith(b"http://"):
        target = b"/" + target[7:].partition(b"/")[2]
    pairs = (line.partition(b":") for line in lines if line)
    return method, target, {name.strip().lower(): value.strip() for name, _, value in pairs}


def answer(status: int, content_type: str, body: bytes, headers: tuple[tuple[str, str], ...] = ()) -> bytes:
    """Return a whole HTTP answer."""
    lines = [f"HTTP/1.1 {status} OK", f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def refused(call: Call, kind: str) -> bytes:
    """Return the answer by which the call's service says AccessDenied or Throttling, in its own protocol."""
    found = errors.render(call, errors.of_kind(call, kind))
    return answer(found.status, found.content_type, found.body, found.headers)


def names_of(call: Call) -> tuple[str, str]:
    """Return ``service:Operation``, and the IAM action that the call needs."""
    return operation_name(call), iam_action(call)
