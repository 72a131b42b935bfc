"""Who asks, from where and for how long yet; times are in the user's own time zone, texts in the user's language."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from nephoscope.people.addresses import client_address, is_trusted

_NOTED_EVERY = 60
"""Seconds between two writes of a session because it is used."""


class ClientAddress:
    """Makes ``REMOTE_ADDR`` the client's address behind trusted proxies, for everything that uses it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        proxies = settings.NEPHOSCOPE_TRUSTED_PROXIES
        peer = request.META.get("REMOTE_ADDR") or ""
        if proxies and not is_trusted(peer, proxies):
            request.META.pop("HTTP_X_FORWARDED_PROTO", None)
        request.META["REMOTE_ADDR"] = client_address(peer, request.META.get("HTTP_X_FORWARDED_FOR", ""), proxies)
        return self.get_response(request)


class StoreNothing:
    """Has no cache store what the API answers: it may hold a token, and is for its caller alone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        if request.path.startswith("/api/"):
            answer["Cache-Control"] = "private, no-store"
        return answer


def begin_session(request: Any) -> None:
    """Count a session's age and idleness from now."""
    request.session["began"] = request.session["seen"] = int(time.time())


class EndSessions:
    """Ends sessions that nobody used for a while, or that began long ago. A page's own polling is no use."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            self._follow(request)
        return self.get_response(request)

    def _follow(self, request: HttpRequest) -> None:
        now = int(time.time())
        began, seen = request.session.get("began", now), request.session.get("seen", now)
        idle = now - seen > settings.NEPHOSCOPE_SESSION_IDLE_MINUTES * 60
        if idle or now - began > settings.NEPHOSCOPE_SESSION_HOURS * 3600:
            logout(request)
        elif "began" not in request.session:
            begin_session(request)  # one from before sessions had a beginning
        elif now - seen >= _NOTED_EVERY and request.headers.get("X-Requested-By") != "page":
            request.session["seen"] = now


class UserTimeZone:
    """Activate the signed-in user's time zone for the request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        zone = getattr(request.user, "time_zone", "") if request.user.is_authenticated else ""
        with timezone.override(ZoneInfo(zone) if zone else None):
            return self.get_response(request)


class UserLanguage:
    """Activate the language that the signed-in user chose; else the browser's stays, which Django activated."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = getattr(request.user, "language", "") if request.user.is_authenticated else ""
        if chosen in dict(settings.LANGUAGES):  # one that was taken out again is as none
            translation.activate(chosen)
            request.LANGUAGE_CODE = translation.get_language()
        return self.get_response(request)
