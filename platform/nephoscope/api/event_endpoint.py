"""The endpoint: no session, no cookie, one signed message."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from nephoscope.events import receiving

SMALLEST = 64 * 1024
"""Bytes that are read of a message for a provider that sends none; it is answered as any unknown address is."""


@csrf_exempt
@require_POST
def receive(request: HttpRequest, provider: str, address: str) -> JsonResponse:
    """Answer 2xx to what need not be sent again."""
    size = request.META.get("CONTENT_LENGTH") or ""
    largest = receiving.largest(provider) or SMALLEST
    if not size.isdecimal() or int(size) > largest:
        return JsonResponse({"detail": f"Send at most {largest:,} bytes, with their length."}, status=413)
    try:
        body = request.body
    except UnreadablePostError:
        return JsonResponse({"detail": "The body ended early."}, status=400)
    answer = receiving.receive(provider, address, request.headers.get("Nephoscope-Signature", ""), body)
    headers = {"Retry-After": "60"} if answer is receiving.BUSY else {}
    return JsonResponse({"detail": answer.detail}, status=answer.status, headers=headers)
