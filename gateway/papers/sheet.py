"""Draws a paper as PDF: A4, Persian from right to left with joined letters, Latin and digits among it in their own order.

fpdf2 shapes by HarfBuzz and gives each character its bidi level; lines are broken and put in order here. fpdf2's own lines
measure letters one by one, though a letter's width depends on its neighbours, and lose spaces where directions meet.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from pathlib import Path

import segno
from fpdf import FPDF
from fpdf.bidi import BidiParagraph
from fpdf.enums import TextDirection
from fpdf.fonts import TTFFont

from gateway.papers.paper import Paper, Section, Stamp

FONTS = Path(__file__).parent / "fonts"
MARGIN, FOOT = 20.0, 18.0  # millimetres, as all lengths here
LINE, GAP = 6.6, 3.0
LABEL = 42.0
QR, QUIET = 38.0, 4  # the code with its white border, which is so many dots wide
TEXT, SMALL, HEADING, TITLE = 11.0, 8.5, 12.0, 16.0  # points
_GREY, _BLACK, _GREEN = (90, 90, 90), (20, 20, 20), (0, 95, 75)


def pdf(paper: Paper, stamp: Stamp) -> bytes:
    """The bytes of the PDF."""
    sheet = Sheet(paper, stamp)
    sheet.lay_out()
    sheet.embed_file(bytes=paper.content().encode(), basename="content.json", desc=paper.title)
    return bytes(sheet.output())


class Sheet(FPDF):
    """One PDF of one paper."""

    def __init__(self, paper: Paper, stamp: Stamp) -> None:
        super().__init__(format="A4")
        self.paper, self.stamp = paper, stamp
        self._widths: dict[tuple[str, bool, str], float] = {}
        self.rtl = paper.language == "fa"
        self.set_margin(MARGIN)
        self.c_margin = 0.0
        self.set_auto_page_break(True, FOOT + 4)
        for style, name in (("", "Regular"), ("B", "Bold")):
            self.add_font("Vazirmatn", style, FONTS / f"Vazirmatn-{name}.ttf")
        self._known = frozenset(self._font("").cmap) & frozenset(self._font("B").cmap)
        self.alias_nb_pages("")  # no text of a citizen's stands for a number of ours
        self.set_creation_date(datetime.fromisoformat(stamp.made_at))
        self.set_title(paper.title)
        self.set_author(paper.office)
        self.set_lang("fa-IR" if self.rtl else "en")

    # --- lines ---

    def styled(self, size: float, style: str = "", colour: tuple[int, int, int] = _BLACK) -> None:
        self.set_font("Vazirmatn", style, size)
        self.set_text_color(*colour)

    def text_in(self, text: str, x: float, width: float, height: float = LINE, own_side: bool = True) -> None:
        """A text of any length in the column that begins at `x`, paragraph by paragraph. `own_side`: each paragraph from
        the side that its first letter says; else from the paper's."""
        for typed in text.strip().split("\n"):
            paragraph = " ".join(self.shown(typed).split())
            right = from_the_right(paragraph, self.rtl) if own_side else self.rtl
            levels = levels_of(paragraph, right)
            at = 0
            for line in self._broken(paragraph, width):
                self._put(line, levels[at : at + len(line)], x, width, height, right)
                at += len(line)
                at += paragraph[at : at + 1] == " "

    def _put(self, line: str, levels: list[int], x: float, width: float, height: float, right: bool) -> None:
        """One line, its runs in the order in which they are seen."""
        if self.will_page_break(height):
            self.add_page()
        runs = [(run, level, self._width(run, level % 2 == 1)) for run, level in in_visual_order(line, levels)]
        at = x + width - sum(wide for _, _, wide in runs) if right else x
        for run, level, wide in runs:
            self._direct(level % 2 == 1)
            self.set_x(at)
            self.cell(wide, height, run)
            at += wide
        self.set_xy(x, self.get_y() + height)

    def _broken(self, paragraph: str, width: float) -> Iterator[str]:
        """Its lines. A word that is longer than a line is cut."""
        space = self._width(" ", False)
        line: list[str] = []
        used = 0.0
        for word in paragraph.split(" "):
            for piece in self._pieces(word, width):
                wide = self._width(piece, from_the_right(piece, self.rtl))
                if line and used + space + wide > width:
                    yield " ".join(line)
                    line, used = [], 0.0
                used += wide + (space if line else 0.0)
                line.append(piece)
        yield " ".join(line)

    def _width(self, text: str, right: bool) -> float:
        """Of text in one direction, shaped; kept, since words come again."""
        key = (text, right, self.font_style)
        if key not in self._widths:
            shaping = {"features": {}, "fragment_direction": _direction(right)}
            self._widths[key] = self._font(self.font_style).get_text_width(text, 1.0, shaping)[1] / self.k
        return self._widths[key] * self.font_size_pt

    def _pieces(self, word: str, room: float) -> Iterator[str]:
        right = from_the_right(word, self.rtl)
        while self._width(word, right) > room:
            low, high = 1, len(word)
            while low < high:
                middle = (low + high + 1) // 2
                low, high = (middle, high) if self._width(word[:middle], right) <= room else (low, middle - 1)
            yield word[:low]
            word = word[low:]
        yield word

    def shown(self, text: str) -> str:
        """The text with a mark for what the font has no picture of, so that nothing is left out unseen."""
        known = self._known
        return "".join(
            one if ord(one) in known or one.isspace() else "" if _is_mark(one) else "\ufffd"
            for one in unicodedata.normalize("NFC", text)
        )

    def _font(self, style: str) -> TTFFont:
        font = self.fonts[f"vazirmatn{style}"]
        assert isinstance(font, TTFFont)
        return font

    def _direct(self, right: bool) -> None:
        self.set_text_shaping(True, direction=_direction(right))

    # --- the paper ---

    def header(self) -> None:
        self.styled(HEADING, "B", _GREEN)
        self.set_y(12)
        self.text_in(self.paper.office, MARGIN, self.epw, own_side=False)
        self.set_draw_color(*_GREEN)
        y = self.get_y() + 1
        self.line(MARGIN, y, MARGIN + self.epw, y)
        self.set_y(y + GAP + 1)

    def lay_out(self) -> None:
        """Head, facts, sections, closing, seal."""
        self.add_page()
        self.styled(TITLE, "B")
        self.text_in(self.paper.title, MARGIN, self.epw, 10, own_side=False)
        self.ln(1)
        self._facts(self.paper.facts)
        for section in self.paper.sections:
            self._section(section)
        self._keep_together(GAP + LINE * len(self.paper.closing) + QR + 4)
        self.ln(GAP)
        self.styled(TEXT)
        for text in self.paper.closing:
            self.text_in(text, MARGIN, self.epw)
        self._stamp()
        self._number_pages()

    def _section(self, section: Section) -> None:
        self.ln(GAP)
        if section.heading:
            self._keep_together(8 + 2 * LINE)
            self.styled(HEADING, "B", _GREEN)
            self.text_in(section.heading, MARGIN, self.epw, 8, own_side=False)
        self._facts(section.facts)
        for text in section.paragraphs:
            self.styled(TEXT)
            self.text_in(text, MARGIN, self.epw)

    def _facts(self, facts: tuple[tuple[str, str], ...]) -> None:
        for label, value in facts:
            self._keep_together(2 * LINE)
            y = self.get_y()
            self.styled(TEXT, "", _GREY)
            right = MARGIN + self.epw - LABEL
            self.text_in(label, right + GAP if self.rtl else MARGIN, LABEL - GAP, own_side=False)
            below, page = self.get_y(), self.page
            self.set_y(y)
            self.styled(TEXT, "B")
            self.text_in(value, MARGIN if self.rtl else MARGIN + LABEL, self.epw - LABEL, own_side=False)
            if self.page == page:
                self.set_y(max(below, self.get_y()))

    def _stamp(self) -> None:
        code = segno.make_qr(self.stamp.address, error="m", boost_error=False)
        y = self.get_y() + GAP
        x = MARGIN if self.rtl else MARGIN + self.epw - QR
        size = QR / code.symbol_size(border=QUIET)[0]
        self.set_fill_color(0, 0, 0)
        for row, dots in enumerate(code.matrix_iter(border=QUIET)):
            for start, end in _runs(dots):
                self.rect(x + start * size, y + row * size, (end - start) * size, size, style="F")
        self.set_y(y + 2)
        beside = MARGIN + QR + GAP if self.rtl else MARGIN
        for note in self.stamp.notes:
            self.styled(SMALL, "", _GREY)
            self.text_in(note, beside, self.epw - QR - GAP, 4.6)

    def _number_pages(self) -> None:
        """At the foot of each, once it is known how many there are."""
        self.set_auto_page_break(False)
        for page in self.pages:
            self.page = page
            self.styled(TITLE)  # a page's own font is not known here: the change is what writes it
            self.styled(SMALL, "", _GREY)
            told = self.stamp.of_pages.format(page=self._number(page), pages=self._number(len(self.pages)))
            self.set_y(-FOOT)
            wide = self._width(told, self.rtl) + 1
            self.text_in(told, MARGIN + (self.epw - wide) / 2, wide, own_side=False)

    def _keep_together(self, height: float) -> None:
        if self.will_page_break(height):
            self.add_page()

    def _number(self, number: int) -> str:
        return str(number).translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")) if self.rtl else str(number)


def _direction(right: bool) -> TextDirection:
    return TextDirection.RTL if right else TextDirection.LTR


def levels_of(paragraph: str, right: bool) -> list[int]:
    """The embedding level of each character (UAX #9): even from the left, odd from the right."""
    found = BidiParagraph(paragraph, _direction(right), preserve_bn_chars=True).get_characters_with_embedding_level()
    levels = [one.embedding_level for one in found]
    assert len(levels) == len(paragraph), "a character has no level"
    return levels


def in_visual_order(line: str, levels: list[int]) -> list[tuple[str, int]]:
    """The runs of one level each, from left to right as they are seen (UAX #9, L2)."""
    runs = [
        ("".join(one for one, _ in together), level)
        for level, together in groupby(zip(line, levels, strict=True), lambda pair: pair[1])
    ]
    for level in range(max(levels, default=0), 0, -1):
        at = 0
        while at < len(runs):
            end = at
            while end < len(runs) and runs[end][1] >= level:
                end += 1
            runs[at:end] = runs[at:end][::-1]
            at = end + 1
    return runs


def from_the_right(text: str, otherwise: bool) -> bool:
    """Whether a paragraph reads from the right: its first letter says (UAX #9, P2)."""
    for one in text:
        side = unicodedata.bidirectional(one)
        if side in ("R", "AL"):
            return True
        if side == "L":
            return False
    return otherwise


def _is_mark(one: str) -> bool:
    """Marks that change the one before, such as a variation of an emoji, and have no picture of their own."""
    return unicodedata.category(one) in ("Mn", "Me", "Cf")


def _runs(dots: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Where the dark stretches of a row begin and end."""
    start = None
    for at, dark in enumerate((*dots, 0)):
        if dark and start is None:
            start = at
        elif not dark and start is not None:
            yield start, at
            start = None
