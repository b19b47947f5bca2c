"""`python -m deploy.fonts SOURCES TARGET`: makes the fonts of the papers from their authors' files. Needs fonttools.

SOURCES holds the Regular and Bold of Vazirmatn, Noto Sans and Noto Sans Arabic and the Regular of Noto Sans Symbols, Noto
Sans Symbols 2, Noto Sans Math and Noto Emoji, as NAME-STYLE.ttf (Noto Emoji: the static one without colour). All are under
the SIL Open Font License without a reserved name.

- Noto is cut down to what a letter may hold, and loses its hinting, which no PDF needs.
- Vazirmatn is given one glyph for each Persian letter with its mark. Drawn, nothing changes; but typst writes a glyph that
  is moved up or down as a text of its own, so that a marked word would be copied, searched and read aloud in pieces.
  Its ZWNJ becomes a glyph that is kept: left out, as a shaper does, it moves into the letter after it when it is copied.
- Peygir Box draws an empty box for every character that there is: what no other font knows is seen, and stays text.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from fontTools.fontBuilder import FontBuilder
from fontTools.otlLib.builder import buildLigatureSubstSubtable, buildLookup, buildSingleSubstSubtable
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables import otTables
from fontTools.ttLib.tables._c_m_a_p import CmapSubtable
from fontTools.ttLib.tables._g_l_y_f import Glyph, GlyphComponent

Ranges = tuple[tuple[int, int], ...]

_EUROPEAN: Ranges = ((0x20, 0x52F), (0x1E00, 0x1FFF), (0x2000, 0x206F), (0x20A0, 0x20CF), (0x2100, 0x214F))
_SYMBOLS: Ranges = ((0x20, 0x20), (0x2000, 0x2BFF), (0x1F100, 0x1F1FF), (0x1F300, 0x1F8FF))
_MATH: Ranges = ((0x20, 0x20), (0x2010, 0x209F), (0x20D0, 0x20F0), (0x2190, 0x23FF), (0x25A0, 0x27FF), (0x2900, 0x2BFF))
_ALL: Ranges = ((0x20, 0x10FFFF),)
NOTO: dict[str, tuple[Ranges, tuple[str, ...]]] = {
    "NotoSans-Regular": (_EUROPEAN, ("ccmp", "mark", "mkmk", "kern", "locl", "liga")),
    "NotoSans-Bold": (_EUROPEAN, ("ccmp", "mark", "mkmk", "kern", "locl", "liga")),
    "NotoSansArabic-Regular": (_ALL, ("*",)),
    "NotoSansArabic-Bold": (_ALL, ("*",)),
    "NotoSansSymbols-Regular": (_ALL, ("*",)),
    "NotoSansSymbols2-Regular": (_SYMBOLS, ("*",)),
    "NotoSansMath-Regular": (_MATH, ("ccmp", "mark", "mkmk")),
    "NotoEmoji-Regular": (_ALL, ("*",)),
}
"""Font → the characters and the features of it that are kept."""

LETTERS = "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيٱپچژکگۀہھیے"
_ABOVE = (
    *("uni064B", "uni064C", "uni064E", "uni064F", "uni0651", "uni0652", "uni0653", "uni0654", "uni0670"),
    *("uni0651064B", "uni0651064C", "uni0651064E", "uni0651064F", "uni0654064E", "uni0654064F"),
    *("uni064B0651", "uni064E0651"),  # shadde with the two that stand below a letter, there below the shadde
)
_BREAK = "zerowidthnonjoiner.kept"
_BELOW = ("uni0650", "uni064D", "uni0655")
MARKS: tuple[tuple[str, ...], ...] = (
    *((mark,) for mark in (*_ABOVE, *_BELOW)),
    *((above, below) for above in ("uni0651", "uni0654", "uni0653") for below in ("uni0650", "uni064D")),
)
"""What a letter may carry: one mark, or one above and one below."""
_ON_LAM_ALEF = (("uni064B",),)
"""Of the marks of two letters in one glyph, the one that is surely the alef's."""


def main() -> None:
    sources, target = Path(sys.argv[1]), Path(sys.argv[2])
    for name, (ranges, features) in NOTO.items():
        font = TTFont(sources / f"{name}.ttf")
        cut_down(font, ranges, features)
        font.save(target / f"{name}.ttf")
    for style in ("Regular", "Bold"):
        font = TTFont(sources / f"Vazirmatn-{style}.ttf")
        join_marks(font)
        font.save(target / f"Vazirmatn-{style}.ttf")
    box().save(target / "PeygirBox-Regular.ttf")


def cut_down(font: TTFont, ranges: Ranges, features: Iterable[str]) -> None:
    """Only these characters, without hinting and without the tables of formulas."""
    options = Options()
    options.hinting = False
    options.notdef_outline = True
    options.layout_features = list(features)
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    options.drop_tables += ["MATH"]
    cutter = Subsetter(options)
    cutter.populate(unicodes=[code for code in font.getBestCmap() if any(low <= code <= high for low, high in ranges)])
    cutter.subset(font)


# --- letters with their marks ---


def join_marks(font: TTFont) -> None:
    """One glyph, made of the letter's and its marks', in place of each sequence of letter and marks."""
    glyphs, metrics, order = font["glyf"], font["hmtx"], tuple(font.getGlyphOrder())
    anchors = _Anchors(font)
    ligatures: dict[tuple[str, ...], str] = {}
    for letter, marks_of_it in _forms(font):
        for marks in marks_of_it:
            places = [anchors.place(letter, mark) for mark in marks]
            if any(place is None for place in places) or not all(mark in glyphs.glyphs for mark in marks):
                continue
            name = "_".join((letter, *marks))
            made = Glyph()
            made.numberOfContours = -1
            made.components = [_part(letter, (0, 0)), *map(_part, marks, places)]
            glyphs[name] = made
            metrics[name] = metrics[letter]
            ligatures[letter, *marks] = name
    glyphs[_BREAK] = Glyph()
    metrics[_BREAK] = (0, 0)
    font.setGlyphOrder([*order, *ligatures.values(), _BREAK])
    glyphs.glyphOrder = font.getGlyphOrder()
    for name in ligatures.values():
        glyphs[name].recalcBounds(glyphs)
        advance, _ = metrics[name]
        metrics[name] = (advance, glyphs[name].xMin)
    font["GDEF"].table.GlyphClassDef.classDefs.update(dict.fromkeys(ligatures.values(), 1))
    anchors.keep_for(ligatures)
    _kern_as_letters(font, ligatures)
    _substitute(font, ligatures)
    font["post"].formatType = 3.0


def _part(glyph: str, place: tuple[int, int] | None) -> GlyphComponent:
    part = GlyphComponent()
    part.glyphName = glyph
    part.x, part.y = place or (0, 0)
    part.flags = 0x4  # at whole units
    return part


def _forms(font: TTFont) -> Iterator[tuple[str, tuple[tuple[str, ...], ...]]]:
    """The glyphs of Persian letters, alone and joined, and of lam with alef; with the marks that are joined to each."""
    table = font["GSUB"].table
    of_feature: dict[str, set[int]] = {}
    for record in table.FeatureList.FeatureRecord:
        of_feature.setdefault(record.FeatureTag, set()).update(record.Feature.LookupListIndex)
    characters = font.getBestCmap()
    forms = dict.fromkeys(characters[ord(letter)] for letter in LETTERS if ord(letter) in characters)
    for tag in ("init", "medi", "fina"):
        for index in of_feature[tag]:
            for subtable in _subtables(table.LookupList.Lookup[index]):
                forms.update({subtable.mapping[glyph]: None for glyph in list(forms) if glyph in subtable.mapping})
    # With their alternates beside others, such as uniFE9C.long.
    yield from ((name, MARKS) for name in font.getGlyphOrder() if name.partition(".")[0] in forms)
    for index in of_feature["rlig"]:
        for subtable in _subtables(table.LookupList.Lookup[index]):
            for ligature in chain.from_iterable(subtable.ligatures.values()):
                yield ligature.LigGlyph, _ON_LAM_ALEF


class _Anchors:
    """Where marks stand on letters, as the font's own mark-to-base tables say."""

    def __init__(self, font: TTFont) -> None:
        subtables = [subtable for lookup in font["GPOS"].table.LookupList.Lookup for subtable in _subtables(lookup)]
        self._tables = [subtable for subtable in subtables if isinstance(subtable, otTables.MarkBasePos)]
        self._of_ligatures = [subtable for subtable in subtables if isinstance(subtable, otTables.MarkLigPos)]
        self._font = font

    def place(self, letter: str, mark: str) -> tuple[int, int] | None:
        """How far the mark is moved; None where the font does not say."""
        for table in self._tables:
            if letter in table.BaseCoverage.glyphs and mark in table.MarkCoverage.glyphs:
                on = table.MarkArray.MarkRecord[table.MarkCoverage.glyphs.index(mark)]
                base = table.BaseArray.BaseRecord[table.BaseCoverage.glyphs.index(letter)].BaseAnchor[on.Class]
                if base is not None:
                    return _apart(base, on.MarkAnchor)
        for table in self._of_ligatures:
            if letter in table.LigatureCoverage.glyphs and mark in table.MarkCoverage.glyphs:
                on = table.MarkArray.MarkRecord[table.MarkCoverage.glyphs.index(mark)]
                attach = table.LigatureArray.LigatureAttach[table.LigatureCoverage.glyphs.index(letter)]
                last = attach.ComponentRecord[-1].LigatureAnchor[on.Class]
                if last is not None:
                    return _apart(last, on.MarkAnchor)
        return None

    def keep_for(self, ligatures: dict[tuple[str, ...], str]) -> None:
        """A further mark stands on the joined glyph where it would on the letter; higher, where there is one already."""
        for table in self._tables:
            records = dict(zip(table.BaseCoverage.glyphs, table.BaseArray.BaseRecord, strict=True))
            for (letter, *marks), name in ligatures.items():
                if letter in records:
                    records[name] = self._raised(records[letter], table, marks)
            names = sorted(records, key=self._font.getGlyphID)
            table.BaseCoverage.glyphs = names
            table.BaseArray.BaseRecord = [records[name] for name in names]
            table.BaseArray.BaseCount = len(names)

    def _raised(self, record: Any, table: Any, marks: list[str]) -> Any:
        height = 0
        for mark in marks:
            if mark in table.MarkCoverage.glyphs:
                glyph = self._font["glyf"][mark]
                height += (glyph.yMax - glyph.yMin + 40) * (1 if mark in _ABOVE else -1)
        if not height:
            return record
        raised = otTables.BaseRecord()
        raised.BaseAnchor = []
        for anchor in record.BaseAnchor:
            moved = None
            if anchor is not None:
                moved = otTables.Anchor()
                moved.Format = 1
                moved.XCoordinate, moved.YCoordinate = anchor.XCoordinate, anchor.YCoordinate + height
            raised.BaseAnchor.append(moved)
        return raised


def _apart(base: Any, mark: Any) -> tuple[int, int]:
    return base.XCoordinate - mark.XCoordinate, base.YCoordinate - mark.YCoordinate


def _kern_as_letters(font: TTFont, ligatures: dict[tuple[str, ...], str]) -> None:
    """The joined glyphs keep their letters' distances."""
    for lookup in font["GPOS"].table.LookupList.Lookup:
        for table in _subtables(lookup):
            if not isinstance(table, otTables.PairPos) or table.Format != 2:
                continue
            covered = set(table.Coverage.glyphs)
            added = [name for (letter, *_), name in ligatures.items() if letter in covered]
            table.Coverage.glyphs = sorted(covered.union(added), key=font.getGlyphID)
            for classes in (table.ClassDef1.classDefs, table.ClassDef2.classDefs):
                classes.update({name: classes[letter] for (letter, *_), name in ligatures.items() if letter in classes})


def _substitute(font: TTFont, ligatures: dict[tuple[str, ...], str]) -> None:
    """After all that the font itself does, in the Arabic script's feature of ligatures."""
    table = font["GSUB"].table
    features = table.FeatureList.FeatureRecord
    breaks = {font.getBestCmap()[0x200C]: _BREAK}
    added = [buildLookup([buildLigatureSubstSubtable(ligatures)]), buildLookup([buildSingleSubstSubtable(breaks)])]
    indices = range(table.LookupList.LookupCount, table.LookupList.LookupCount + len(added))
    table.LookupList.Lookup.extend(added)
    table.LookupList.LookupCount += len(added)
    for script in table.ScriptList.ScriptRecord:
        if script.ScriptTag not in ("arab", "DFLT"):
            continue
        languages = [script.Script.DefaultLangSys, *(record.LangSys for record in script.Script.LangSysRecord)]
        for language in filter(None, languages):
            for at in language.FeatureIndex:
                feature = features[at]
                if feature.FeatureTag == "liga" and indices[0] not in feature.Feature.LookupListIndex:
                    feature.Feature.LookupListIndex.extend(indices)
                    feature.Feature.LookupCount += len(added)


def _subtables(lookup: Any) -> Iterator[Any]:
    for subtable in lookup.SubTable:
        yield getattr(subtable, "ExtSubTable", subtable)


# --- the box ---


def box() -> TTFont:
    """A font of one glyph for every character that is seen."""
    pen = TTGlyphPen(None)
    for corners in (
        ((60, 0), (60, 700), (540, 700), (540, 0)),
        ((110, 50), (490, 50), (490, 650), (110, 650)),
    ):
        pen.moveTo(corners[0])
        for corner in corners[1:]:
            pen.lineTo(corner)
        pen.closePath()
    drawn = pen.glyph()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "box"])
    builder.setupGlyf({".notdef": drawn, "box": drawn})
    builder.setupHorizontalMetrics({".notdef": (600, 60), "box": (600, 60)})
    builder.setupHorizontalHeader(ascent=900, descent=-250)
    builder.setupCharacterMap({0x25A1: "box"})
    builder.setupNameTable({"familyName": "Peygir Box", "styleName": "Regular", "psName": "PeygirBox-Regular"})
    builder.setupOS2(sTypoAscender=900, sTypoDescender=-250, usWinAscent=900, usWinDescent=250)
    builder.setupPost(keepGlyphNames=False)
    every = CmapSubtable.newSubtable(13)
    every.platformID, every.platEncID, every.language = 3, 10, 0
    every.format, every.reserved, every.length, every.nGroups = 13, 0, 0, 0
    every.cmap = {code: "box" for code in range(0x21, 0x110000) if not _unseen(code)}
    builder.font["cmap"].tables = [every]
    builder.font["head"].created = builder.font["head"].modified = 0
    return builder.font


def _unseen(code_point: int) -> bool:
    """Control and format characters, spaces, surrogates, and what chooses among a character's shapes."""
    is_selector = (
        0xFE00 <= code_point <= 0xFE0F
        or 0xE0100 <= code_point <= 0xE01EF
        or 0x180B <= code_point <= 0x180D
        or code_point == 0x034F
    )
    return is_selector or unicodedata.category(chr(code_point)) in ("Cc", "Cf", "Cs", "Zs", "Zl", "Zp")


if __name__ == "__main__":
    main()
