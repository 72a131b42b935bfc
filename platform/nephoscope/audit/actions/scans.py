"""What is recorded of scans."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from nephoscope.audit.actions.registry import Data, register


def _finished(data: Data) -> str:
    n = data["count"]
    sentences = {
        "succeeded": ngettext(
            "succeeded after reading %(count)s resource", "succeeded after reading %(count)s resources", n
        ),
        "partial": ngettext(
            "partially succeeded after reading %(count)s resource",
            "partially succeeded after reading %(count)s resources",
            n,
        ),
        "failed": ngettext("failed after reading %(count)s resource", "failed after reading %(count)s resources", n),
        "cancelled": ngettext(
            "was cancelled after reading %(count)s resource", "was cancelled after reading %(count)s resources", n
        ),
    }
    return sentences[data["state"]] % data


SCAN_REQUESTED = register("scan.requested", _("Scan started"), _("started a scan of %(account)s"), account="prod")
SCAN_CANCELLED = register("scan.cancelled", _("Scan cancelled"), _("cancelled the scan of %(account)s"), account="prod")
SCAN_FINISHED = register("scan.finished", _("Scan ended"), _finished, state="succeeded", count=1234)
