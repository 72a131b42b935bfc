"""Static files, compressed: WhiteNoise compresses only in a build step, which a checkout does not have."""

from __future__ import annotations

import gzip
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from whitenoise.middleware import WhiteNoiseMiddleware

_TEXTS = ("text/", "application/javascript", "application/json", "image/svg+xml")


class CompressedStaticFiles(WhiteNoiseMiddleware):
    """Answers with files as WhiteNoise does, and compresses whole texts for who accepts it, each once in a process.

    They are public, so that nothing can be read from their length.
    """

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponseBase:
        plain: Any = WhiteNoiseMiddleware.serve(static_file, request)
        if not plain.headers.get("Content-Type", "").startswith(_TEXTS):
            return plain  # type: ignore[no-any-return]
        patch_vary_headers(plain, ["Accept-Encoding"])
        accepted = "gzip" in request.headers.get("Accept-Encoding", "")
        if not accepted or request.method != "GET" or plain.status_code != 200:
            return plain  # type: ignore[no-any-return]
        content = _packed(b"".join(plain))
        plain.close()
        kept = {name: value for name, value in plain.items() if name != "Accept-Ranges"}
        sent = {"Content-Encoding": "gzip", "Content-Length": str(len(content))}
        return HttpResponse(content, headers={**kept, **sent})


@lru_cache(maxsize=64)
def _packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)
