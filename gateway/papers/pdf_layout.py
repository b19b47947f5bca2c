"""Renders a paper as PDF/A: A4, set by typst with pdf_layout.typ. All text is passed as data and is never read as markup."""

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

from gateway.papers.paper import Paper, VerificationBlock

FONTS = Path(__file__).parent / "fonts"
_TEMPLATE = Path(__file__).parent / "pdf_layout.typ"
_EMBLEM = Path(__file__).parent / "emblem.svg"
_EMPTY_BOX = "\u25a1"
_LINES = re.compile(r"\r\n|[\n\r\v\f\x85\u2028\u2029]")
_KEPT_FORMAT_CHARACTERS = frozenset("\u200c\u200d\u200e\u200f\u061c\u2066\u2067\u2068\u2069")
"""Format characters that shape or order a text; the others, such as overrides of direction, can make it look different."""


def pdf(paper: Paper, verification: VerificationBlock) -> bytes:
    """The bytes of the PDF: PDF/A-3a, tagged, with the paper's content as the attachment content.json."""
    layout = json.dumps(_layout(paper, verification), ensure_ascii=False)
    content: bytes = typst.compile(
        _TEMPLATE,
        root=_TEMPLATE.parent,
        font_paths=[FONTS],
        ignore_system_fonts=True,
        sys_inputs={"layout": layout},
        format="pdf",
        pdf_standards=["a-3a"],
        timestamp=int(datetime.fromisoformat(verification.made_at).timestamp()),
    )
    return content


def _layout(paper: Paper, verification: VerificationBlock) -> dict[str, Any]:
    """The input of pdf_layout.typ: each text as lines, each with its direction."""
    is_rtl = paper.language == "fa"
    code = io.BytesIO()
    segno.make_qr(verification.address, error="m", boost_error=False).save(code, kind="svg", border=4, xmldecl=False)
    made_at = datetime.fromisoformat(verification.made_at)
    return {
        "paper": {"language": paper.language, "office": printable(paper.office), "title": printable(paper.title)},
        "verification": {
            "of_pages": verification.of_pages,
            "emblem": verification.emblem or _EMBLEM.read_text("utf-8"),
        },
        "made_at": {"year": made_at.year, "month": made_at.month, "day": made_at.day},
        "head": _facts(paper.facts, is_rtl),
        "sections": [
            {
                "heading": printable(section.heading),
                "facts": _facts(section.facts, is_rtl),
                "paragraphs": [line for text in section.paragraphs for line in _lines(text, is_rtl)],
            }
            for section in paper.sections
        ],
        "closing": [_line(text, is_rtl) for text in paper.closing],
        "notes": [line for text in verification.notes for line in _lines(text, is_rtl)],
        "code": code.getvalue().decode(),
        "code_description": printable(verification.notes[0]) if verification.notes else verification.address,
        "content": paper.content(),
    }


def _facts(facts: tuple[tuple[str, str], ...], is_rtl: bool) -> list[dict[str, Any]]:
    return [{"label": _line(label, is_rtl), "value": _line(value, is_rtl)} for label, value in facts]


def _lines(text: str, is_rtl: bool) -> list[dict[str, Any]]:
    """A text's paragraphs, without those of white space alone."""
    lines = (_line(line, is_rtl) for line in _LINES.split(text))
    return [line for line in lines if line["text"]]


def _line(text: str, is_rtl: bool) -> dict[str, Any]:
    line = printable(text)
    return {"text": line, "rtl": is_right_to_left(line, is_rtl)}


def printable(text: str) -> str:
    """A line as it is printed: composed, with single spaces, without control characters and overrides of its direction. A
    character of private use, which means nothing outside one font and is not allowed in PDF/A, becomes an empty box."""
    printed = (
        character
        for character in unicodedata.normalize("NFC", " ".join(text.split()))
        if character in _KEPT_FORMAT_CHARACTERS
        or unicodedata.category(character) not in ("Cc", "Cf", "Cs")
        or _is_visible_format(character)
    )
    return " ".join(
        "".join(_EMPTY_BOX if unicodedata.category(character) == "Co" else character for character in printed).split()
    )


def _is_visible_format(character: str) -> bool:
    """Format characters with a glyph: Arabic number signs, and the tags of regional flags."""
    return "\u0600" <= character <= "\u06dd" or character == "\u08e2" or "\U000e0020" <= character <= "\U000e007f"


def is_right_to_left(text: str, default: bool) -> bool:
    """Whether a paragraph reads from right to left: its first strong character decides (UAX #9, P2)."""
    for character in text:
        direction = unicodedata.bidirectional(character)
        if direction in ("R", "AL"):
            return True
        if direction == "L":
            return False
    return default
