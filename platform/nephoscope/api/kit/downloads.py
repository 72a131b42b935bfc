"""Sending files."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import StreamingHttpResponse


def download(lines: Iterator[str], type: str, name: str) -> StreamingHttpResponse:
    """Send a file as it is made."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(lines, content_type=type, headers=headers)
