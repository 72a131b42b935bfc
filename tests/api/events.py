"""Sending events as the function in an account does."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

from django.test import Client

from nephoscope.events.models import Listener
from nephoscope.events.services import secret_of


def body_of(listener: Listener, *doors: str, id: str = "e-1", **more: Any) -> bytes:
    return json.dumps({"id": id, "account": listener.account.number, "doors": doors, **more}).encode()


def signature(secret: str, body: bytes, at: float | None = None) -> str:
    stamp = str(int(at or time.time()))
    signed = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256)
    return f"t={stamp},v1={signed.hexdigest()}"


def post(
    listener: Listener, body: bytes, header: str | None = None, *, address: str = "", provider: str = "toy"
) -> Any:
    """Post a body to the listener, signed by its secret unless another header is given; as nobody, with no cookie."""
    given = signature(secret_of(listener), body) if header is None else header
    return Client(enforce_csrf_checks=True).post(
        f"/events/{provider}/{address or listener.address}",
        body,
        content_type="application/json",
        headers={"Nephoscope-Signature": given} if given else {},
    )


def tell(listener: Listener, *doors: str, **more: Any) -> Any:
    return post(listener, body_of(listener, *doors, **more))
