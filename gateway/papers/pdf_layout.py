"""Draws a paper as PDF/A: A4, set by typst from sheet.typ. All that is on it goes there as data and is never read as markup."""

from __future__ import annotations

import io
import json
import re
import unicodedata
from datetime import datetime
from pathlib import Path
from typing import Any

import segno
import typst

from gateway.papers.paper import Paper, Stamp

FONTS = Path(__file__).parent / "fonts"
_TEMPLATE = Path(__file__).parent / "pdf_layout.typ"
_EMBLEM = Path(__file__).parent / "emblem.svg"
_LINES = re.compile(r"\r\n|[\n\r\v\f\x85\u2028\u2029]")
_KEPT_FORMATS = frozenset("\u200c\u200d\u200e\u200f\u061c\u2066\u2067\u2068\u2069")
"""Format characters that shape or order a text; the others, such as overrides of direction, make it look like another."""


def pdf(paper: Paper, stamp: Stamp) -> bytes:
    """The bytes of the PDF: PDF/A-3a, tagged, with the paper's content as the attachment content.json."""
    sheet = json.dumps(_sheet(paper, stamp), ensure_ascii=False)
    made: bytes = typst.compile(
        _TEMPLATE,
        root=_TEMPLATE.parent,
        font_paths=[FONTS],
        ignore_system_fonts=True,
        sys_inputs={"sheet": sheet},
        format="pdf",
        pdf_standards=["a-3a"],
        timestamp=int(datetime.fromisoformat(stamp.made_at).timestamp()),
    )
    return made


def _sheet(paper: Paper, stamp: Stamp) -> dict[str, Any]:
    """What sheet.typ takes: each text as lines, each with its direction."""
    right = paper.language == "fa"
    code = io.BytesIO()
    segno.make_qr(stamp.address, error="m", boost_error=False).save(code, kind="svg", border=4, xmldecl=False)
    made_at = datetime.fromisoformat(stamp.made_at)
    return {
        "paper": {"language": paper.language, "office": shown(paper.office), "title": shown(paper.title)},
        "stamp": {"of_pages": stamp.of_pages, "emblem": stamp.emblem or _EMBLEM.read_text("utf-8")},
        "made_at": {"year": made_at.year, "month": made_at.month, "day": made_at.day},
        "head": _facts(paper.facts, right),
        "sections": [
            {
                "heading": shown(section.heading),
                "facts": _facts(section.facts, right),
                "paragraphs": [line for text in section.paragraphs for line in _lines(text, right)],
            }
            for section in paper.sections
        ],
        "closing": [_line(text, right) for text in paper.closing],
        "notes": [line for text in stamp.notes for line in _lines(text, right)],
        "code": code.getvalue().decode(),
        "told_of_code": shown(stamp.notes[0]) if stamp.notes else stamp.address,
        "content": paper.content(),
    }


def _facts(facts: tuple[tuple[str, str], ...], right: bool) -> list[dict[str, Any]]:
    return [{"label": _line(label, right), "value": _line(value, right)} for label, value in facts]


def _lines(text: str, right: bool) -> list[dict[str, Any]]:
    """A text's paragraphs. Empty ones hold nothing but space, and are left out."""
    lines = (_line(line, right) for line in _LINES.split(text))
    return [line for line in lines if line["text"]]


def _line(text: str, right: bool) -> dict[str, Any]:
    line = shown(text)
    return {"text": line, "rtl": from_the_right(line, right)}


def shown(text: str) -> str:
    """A line as it is set: composed, single spaces, without control characters and overrides of its direction; an
    empty box for what means nothing outside one font (private use), which PDF/A does not take."""
    kept = (
        one
        for one in unicodedata.normalize("NFC", " ".join(text.split()))
        if one in _KEPT_FORMATS or unicodedata.category(one) not in ("Cc", "Cf", "Cs") or _is_letter_like(one)
    )
    return " ".join("".join("\u25a1" if unicodedata.category(one) == "Co" else one for one in kept).split())


def _is_letter_like(one: str) -> bool:
    """Format characters that are drawn: Arabic number signs, and the tags of regional flags."""
    return "\u0600" <= one <= "\u06dd" or one == "\u08e2" or "\U000e0020" <= one <= "\U000e007f"


def from_the_right(text: str, otherwise: bool) -> bool:
    """Whether a paragraph reads from the right: its first letter says (UAX #9, P2)."""
    for one in text:
        side = unicodedata.bidirectional(one)
        if side in ("R", "AL"):
            return True
        if side == "L":
            return False
    return otherwise
