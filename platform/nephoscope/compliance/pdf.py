"""Compliance of an account by a policy as a document that a person hands to an auditor.

Everything that comes from a cloud or a person is text, never markup: it goes through :func:`marked`, which also finds
a font for every character.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache, partial
from itertools import groupby
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import getFont, registerFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table

from nephoscope import __version__
from nephoscope.alerts.models import Finding
from nephoscope.compliance.snapshots import trend
from nephoscope.compliance.standings import Compliance, ControlStanding, RuleStanding
from nephoscope.compliance.states import MEANINGS, ControlState, Standing, in_percent

LONGEST = 300
"""Characters of one text from elsewhere that are printed."""

INDENT = 32 * mm + 6
"""Where a control's title begins, and what is said of it under that."""

INK, SUBTLE, LINE = HexColor("#1f2937"), HexColor("#6b7280"), HexColor("#e5e7eb")
COLOURS = {
    ControlState.FAIL: "#b91c1c",
    ControlState.UNKNOWN: "#a16207",
    ControlState.PASS: "#15803d",
}

FOLDERS = tuple(
    Path("/usr/share/fonts", folder) for folder in ("truetype/dejavu", "dejavu", "dejavu-sans-fonts", "TTF")
)
"""Where Linux distributions keep DejaVu, which has Greek, Cyrillic, Hebrew, Arabic and more. ReportLab ships Vera."""

ASIAN = {
    "HIRAGANA": "HeiseiKakuGo-W5",
    "KATAKANA": "HeiseiKakuGo-W5",
    "HANGUL": "HYGothic-Medium",
    "CJK": "STSong-Light",
    "FULLWIDTH": "STSong-Light",
    "IDEOGRAPHIC": "STSong-Light",
}
"""Fonts that PDF readers bring themselves, by how the Unicode names of characters begin."""


EMBEDDED = "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf"
"""A font for Chinese and Japanese that can be put into the document, so that it reads the same everywhere."""


# -- Text ----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _fonts() -> tuple[str, str]:
    """Register the fonts; return the regular and the bold one's name."""
    for name in set(ASIAN.values()):
        registerFont(UnicodeCIDFont(name))
    for folder in FOLDERS:
        try:
            return _registered("DejaVuSans", folder / "DejaVuSans.ttf", folder / "DejaVuSans-Bold.ttf")
        except TTFError:
            continue
    return _registered("Vera", "Vera.ttf", "VeraBd.ttf")


@lru_cache(maxsize=1)
def _embedded() -> str:
    """Register the font for Chinese, Japanese and Korean; empty where it is not installed."""
    try:
        registerFont(TTFont("Fallback", EMBEDDED))
    except TTFError:
        return ""
    return "Fallback"


def _registered(name: str, regular: str | Path, bold: str | Path) -> tuple[str, str]:
    registerFont(TTFont(name, str(regular)))
    registerFont(TTFont(f"{name}-Bold", str(bold)))
    return name, f"{name}-Bold"


def _asian(character: str) -> str:
    if (embedded := _embedded()) and ord(character) in getFont(embedded).face.charToGlyph:
        return embedded
    return ASIAN.get(unicodedata.name(character, "").split(" ")[0].split("-")[0], "")


def _runs(text: str, font: str) -> Iterator[tuple[str, str]]:
    """Cut a text into runs with the font of each; a character that no font has becomes its number, U+1F512."""
    has = getFont(font).face.charToGlyph

    def font_of(character: str) -> str:
        return font if ord(character) in has else (_asian(character) if ord(character) < 0x10000 else "")

    for found, characters in groupby(text, font_of):
        run = "".join(characters)
        yield found or font, run if found else "".join(f"[U+{ord(each):04X}]" for each in run)


def marked(text: Any, *, bold: bool = False, most: int = LONGEST) -> str:
    """Return a text from elsewhere so that a paragraph prints it as it is, cut when it is too long."""
    plain = " ".join(
        "".join(each if unicodedata.category(each)[0] != "C" or each.isspace() else " " for each in str(text)).split()
    )
    plain = plain if len(plain) <= most else f"{plain[:most]}…"
    font = _fonts()[bold]
    return "".join(
        escape(run) if name == font else f'<font name="{name}">{escape(run)}</font>' for name, run in _runs(plain, font)
    )


def _style(size: float, *, bold: bool = False, **more: Any) -> ParagraphStyle:
    given = {"textColor": INK, "leading": size * 1.35, **more}
    return ParagraphStyle("", fontName=_fonts()[bold], fontSize=size, **given)


def _text(text: Any, size: float = 9, *, bold: bool = False, most: int = LONGEST, **more: Any) -> Paragraph:
    return Paragraph(marked(text, bold=bold, most=most), _style(size, bold=bold, **more))


def _heading(text: str) -> Paragraph:
    return _text(text, 14, bold=True, spaceBefore=6 * mm, spaceAfter=3 * mm, keepWithNext=1)


_note = partial(_text, size=8, textColor=SUBTLE)


def _moment(value: datetime | None) -> str:
    local = timezone.localtime(value) if value else None
    return f"{date_format(local, 'j F Y, H:i')} {local.tzname()}" if local else _("never")


def _table(rows: Sequence[Sequence[Any]], widths: Sequence[float], *, headed: bool = True) -> Table:
    style: list[tuple[Any, ...]] = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (0, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 3),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
        ("LINEBELOW", (0, 0), (-1, -1), 0.5, LINE),
    ]
    return Table(
        rows, [width * mm for width in widths], style=style, repeatRows=int(headed), hAlign="LEFT", splitInRow=1
    )


# -- Parts of the document -----------------------------------------------------------------------------------------


def _title(found: Compliance) -> Iterator[Any]:
    yield Spacer(1, 30 * mm)
    yield _text(_("Compliance report"), 11, textColor=SUBTLE)
    yield _text(found.policy.name, 26, bold=True, spaceAfter=2 * mm)
    yield _text(" · ".join(filter(None, (found.account.name, found.account.number))), 14, spaceAfter=12 * mm)
    yield _text(in_percent(found.score), 44, bold=True)
    counts = found.counts
    share = _("%(passed)s controls pass, %(failed)s fail. Controls in other states are not counted.")
    values = {"passed": counts[ControlState.PASS], "failed": counts[ControlState.FAIL]}
    yield _text(found.why_not or share % values, 10, spaceAfter=12 * mm)
    yield _table([[_note(name), _text(value, most=2000)] for name, value in _scope(found)], (45, 125), headed=False)
    yield PageBreak()


def _scope(found: Compliance) -> Iterator[tuple[str, Any]]:
    account, scan = found.account, found.last_scan
    yield (
        _("Account"),
        _("%(name)s, %(provider)s account %(number)s")
        % {
            "name": account.name,
            "provider": account.provider.upper(),
            "number": account.number,
        },
    )
    yield _("Policy"), f"{found.policy.name} ({found.policy.id})"
    yield _("Regions"), ", ".join(account.regions) or "—"
    yield _("Evaluated"), _moment(found.judged_at)
    state = _("none") if scan is None else f"{scan.get_state_display()}, {_moment(scan.finished_at or scan.created_at)}"
    yield _("Last scan"), state
    yield _("Condition"), found.condition.said
    yield _("Not read"), "; ".join(found.unread) or _left_out(found)
    yield (
        _("Created"),
        _("%(when)s by Nephoscope %(version)s") % {"when": _moment(timezone.now()), "version": __version__},
    )


def _left_out(found: Compliance) -> str:
    if not found.judged_at:
        return _("Everything: nothing was evaluated yet")
    if found.condition.partly:
        return _("Details of some resources; the controls that need them are unknown")
    return _("None: everything was read")


def _summary(found: Compliance) -> Iterator[Any]:
    yield _heading(_("Summary"))
    rows: list[list[Any]] = [[_text(each, bold=True) for each in (_("State"), _("Controls"), _("Meaning"))]]
    for state, count in found.counts.items():
        rows.append([_state(ControlState(state)), _text(count), _text(MEANINGS[ControlState(state)])])
    yield _table(rows, (32, 22, 116))
    yield Spacer(1, 4 * mm)
    yield _text(_("The score is the share of controls that pass among those that pass or fail, rounded down."))
    accepted = _(
        "A failing resource whose risk was accepted does not fail its control. It is listed as accepted, with the "
        "reason. Accepted in this report: %(n)s."
    )
    yield _text(accepted % {"n": found.accepted})
    days = trend(found)
    if len(days) > 1:
        (first, was), (last, now) = days[0], days[-1]
        line = _("Score on %(first)s: %(was)s. Score on %(last)s: %(now)s.")
        values = {
            "first": date_format(first, "j F Y"),
            "last": date_format(last, "j F Y"),
            "was": in_percent(was),
            "now": in_percent(now),
        }
        yield _text(line % values)


def _state(state: ControlState, words: str = "") -> Paragraph:
    return _text(words or state.label, bold=True, textColor=HexColor(COLOURS.get(state, "#6b7280")))


def _controls(found: Compliance) -> Iterator[Any]:
    yield _heading(_("Controls"))
    printed: dict[str, str] = {}
    for each in found.controls:
        head = [_text(each.control.id, bold=True), _text(each.control.title), _state(each.state, each.result)]
        table = _table([head], (32, 106, 32), headed=False)
        table.keepWithNext = True
        yield table
        yield from _rules(each, printed)
        yield Spacer(1, 3 * mm)


def _rules(each: ControlStanding, printed: dict[str, str]) -> Iterator[Any]:
    """A control's rules; ``printed`` names the control at which a rule's resources stand already."""
    if each.state in (ControlState.MANUAL, ControlState.NOT_COVERED):
        yield _note(MEANINGS[each.state], leftIndent=INDENT)
        return
    for rule in each.rules:
        counts = _("%(passed)s pass, %(failed)s fail, %(accepted)s accepted, %(unknown)s unknown") % {
            "passed": rule.passed,
            "failed": rule.failed,
            "accepted": rule.accepted,
            "unknown": rule.unknown,
        }
        # A rule's title names the problem, which under a control that passes would read as if there was one.
        looked = _("Looks for: %(title)s") % {"title": rule.rule.title if rule.rule else rule.id}
        yield _text(looked, leftIndent=INDENT, spaceBefore=2, keepWithNext=1)
        yield _note(f"{rule.id} · {counts}", leftIndent=INDENT, keepWithNext=int(bool(rule.failed or rule.accepted)))
        yield from (_note(each, leftIndent=INDENT) for each in rule.thresholds)
        if (before := printed.setdefault(rule.id, each.control.id)) == each.control.id:
            yield from _resources(rule)
        elif rule.failed or rule.accepted:
            yield _note(_("Its resources are listed under control %(id)s.") % {"id": before}, leftIndent=INDENT)


def _resources(rule: RuleStanding) -> Iterator[Any]:
    """The resources that fail and those that were accepted; unknown ones are in a chapter of their own."""
    shown = [each for each in rule.shown if each[0] != Standing.UNKNOWN]
    rows = [_resource(row, standing) for standing, found, _more in shown for row in found]
    if rows:
        table = _table(rows, (18, 50, 64), headed=False)
        table.hAlign = "RIGHT"
        yield table
    for standing, _found, more in shown:
        if more:
            left_out = _("%(n)s more (%(standing)s) are not listed here. The CSV export has them all.")
            yield _note(left_out % {"n": more, "standing": Standing(standing).label}, leftIndent=INDENT + 6 * mm)


def _resource(row: Finding, standing: str) -> list[Any]:
    """One line of the table: how it stands, which it is, what was found or why it was accepted."""
    resource, reason = row.resource, row.suppression.reason if row.suppression else ""
    failed = standing == Standing.FAILED
    which: list[Any] = [_text(f"{resource.name[:LONGEST]}, {resource.region}", 8, most=LONGEST + 40)]
    if resource.resource_id != resource.name:
        which.append(_text(resource.resource_id, 6.5, textColor=SUBTLE))
    found: list[Any] = [_text(row.message or "—", 8)]
    if reason:
        found.append(_text(_("Accepted because: %(reason)s") % {"reason": reason}, 8, most=LONGEST + 40))
    colour = HexColor(COLOURS[ControlState.FAIL]) if failed else SUBTLE
    return [_text(Standing(standing).label, 8, textColor=colour), which, found]


def _not_judged(found: Compliance) -> Iterator[Any]:
    yield _heading(_("What could not be evaluated, and why"))
    unknown = [each for each in found.controls if each.state == ControlState.UNKNOWN or _gaps(each)]
    rows = [[_text(each, bold=True) for each in (_("Control"), _("Rule"), _("Why"))]]
    for each in unknown:
        for rule in each.rules:
            rows += [[_text(each.control.id), _text(rule.id), _text(why)] for why in rule.reasons]
    if found.why_not:
        yield _text(found.why_not)
    elif len(rows) == 1:
        yield _text(_("Everything that the rules need was read."))
    else:
        yield _table(rows, (32, 64, 74))


def _gaps(each: ControlStanding) -> bool:
    """Whether a control that fails has something besides that is not known."""
    return each.state == ControlState.FAIL and any(rule.unknown or rule.unread for rule in each.rules)


def _listed(found: Compliance, state: ControlState, title: str) -> Iterator[Any]:
    controls = [each.control for each in found.controls if each.state == state]
    if controls:
        yield _heading(title)
        yield _text(MEANINGS[state], spaceAfter=2 * mm)
        yield _table([[_text(each.id, bold=True), _text(each.title)] for each in controls], (32, 138), headed=False)


def story(found: Compliance) -> list[Any]:
    """Return what the document holds, part after part."""
    manual, uncovered = ControlState.MANUAL, ControlState.NOT_COVERED
    return [
        *_title(found),
        *_summary(found),
        *_controls(found),
        *_not_judged(found),
        *_listed(found, manual, _("Manual controls")),
        *_listed(found, uncovered, _("Controls not covered")),
    ]


class _Numbered(Canvas):
    """Draws every page's foot last, when it is known how many there are."""

    def __init__(self, *arguments: Any, foot: str, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._foot, self._pages = foot, []  # type: ignore[var-annotated]

    def showPage(self) -> None:  # noqa: N802 - ReportLab's name
        self._pages.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for number, page in enumerate(pages := self._pages, start=1):
            self.__dict__.update(page)
            of = _("Page %(n)s of %(all)s") % {"n": number, "all": len(pages)}
            for text, right in ((self._foot, False), (marked(of), True)):
                line = Paragraph(text, _style(8, textColor=SUBTLE, alignment=2 if right else 0))
                line.wrapOn(self, 170 * mm - 12 if right else 130 * mm, 10 * mm)
                line.drawOn(self, 20 * mm + 6, 11 * mm)
            super().showPage()
        super().save()


def as_pdf(found: Compliance) -> bytes:
    """Return the document."""
    file = io.BytesIO()
    title = f"{found.policy.name}: {found.account.name}"
    document = SimpleDocTemplate(
        file,
        pagesize=A4,
        leftMargin=20 * mm,
        rightMargin=20 * mm,
        topMargin=20 * mm,
        bottomMargin=22 * mm,
        title=title,
        author=f"Nephoscope {__version__}",
        subject=_("Compliance report"),
        lang="en",
    )
    document.build(story(found), canvasmaker=partial(_Numbered, foot=marked(title, most=70)))
    return file.getvalue()
