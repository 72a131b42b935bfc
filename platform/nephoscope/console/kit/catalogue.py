"""The rules and policies that a page shows, read once for all its parts."""

from __future__ import annotations

from django.http import HttpRequest

from nephoscope.policies.queries import Catalogue, catalogue


def catalogue_of(request: HttpRequest) -> Catalogue:
    """Return the catalogue as it was when the request first asked for it."""
    known: Catalogue | None = getattr(request, "catalogue", None)
    if known is None:
        known = catalogue()
        request.catalogue = known  # type: ignore[attr-defined]
    return known
