"""Documents and tables that strangers and the office send, and words that are searched, are read in linear time."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from backbone.tables import reader_process
from contracts.masking import masked
from services.media.processing.documents import examine_document
from services.media.processing.rules import Limits
from services.tracking.search.conditions import _containing
from services.tracking.search.document import searchable
from tests.support.linear import Build, Read, assert_linear

SIZE = 200_000


def pdf(objects: Sequence[bytes], table: bool = True) -> bytes:
    """A document of these objects, numbered from 1, the first its catalog; `table` False: without where they lie."""
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    if table:
        begin = len(out)
        out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
        out += b"".join(b"%010d 00000 n \n" % place for place in places)
        out += b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, begin)
    return bytes(out)


def page(*more: bytes, entries: bytes = b"", table: bool = True) -> bytes:
    """A document of one page with these entries; `more` objects are numbered from 4."""
    catalog, pages = b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
    return pdf([catalog, pages, b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]%b>>" % entries, *more], table)


def many_pages(count: int) -> bytes:
    kids = b"".join(b"%d 0 R " % number for number in range(3, 3 + count))
    pages = b"<</Type/Pages/Count %d/Kids[%b]>>" % (count, kids)
    return pdf([b"<</Type/Catalog/Pages 2 0 R>>", pages, *[b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"] * count])


def many_remarks(count: int) -> bytes:
    listed = b"".join(b"%d 0 R " % number for number in range(4, 4 + count))
    remark = b"<</Type/Annot/Subtype/Text/Contents(x)/T(a)/Rect[0 0 1 1]>>"
    return page(*[remark] * count, entries=b"/Annots[%b]" % listed)


def look_at(document: bytes) -> object:
    limits = Limits(max_bytes=10**8, max_pixels=10**8, max_seconds=60, max_pages=10**6)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "document.pdf"
        source.write_bytes(document)
        return examine_document(source, Path(folder), limits)


def table(content: bytes) -> object:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.seek(0)
        return reader_process.read("csv", io.BufferedReader(io.FileIO(file.fileno(), closefd=False)))


CASES: dict[str, tuple[Read, Build, int]] = {
    "pdf: many pages": (look_at, lambda n: many_pages(n // 90), SIZE),
    "pdf: many remarks": (look_at, lambda n: many_remarks(n // 90), SIZE),
    "pdf: objects that nothing refers to": (look_at, lambda n: page(*[b"<</A 1>>"] * (n // 30)), SIZE),
    "pdf: objects without a table": (
        look_at,
        lambda n: page(*[b"<</A 1>>"] * (n // 30), table=False) + b"trailer<</Root 1 0 R>>",
        SIZE,
    ),
    "pdf: a string that never ends": (look_at, lambda n: page(b"(" * n, entries=b"/X 4 0 R"), SIZE),
    "pdf: a string of escapes": (look_at, lambda n: page(b"(" + b"\\(" * (n // 2) + b")", entries=b"/X 4 0 R"), SIZE),
    "pdf: a dictionary of many names": (
        look_at,
        lambda n: page(b"<<" + b"".join(b"/A%d 1" % i for i in range(n // 9)) + b">>", entries=b"/X 4 0 R"),
        SIZE,
    ),
    "pdf: many ends": (look_at, lambda n: page() + b"startxref\n9\n%%EOF\n" * (n // 18), SIZE),
    "pdf: words of objects alone": (look_at, lambda n: b"%PDF-1.7\n" + b"1 0 obj " * (n // 8), SIZE),
    "pdf: spaces before everything": (look_at, lambda n: b"%PDF-1.7\n" + b" " * n + page()[9:], SIZE),
    "csv: many cells": (table, lambda n: b"a,b\n" + b"1,2\n" * (n // 4), SIZE // 4),
    "csv: quotes that never end": (table, lambda n: b'a,b\n"' + b'""' * (n // 2), SIZE),
    "search: a text of one word": (lambda text: searchable("1405-000001", text), lambda n: "ا" * n, SIZE),
    "search: words without end": (lambda text: list(_containing(text)), lambda n: "راه " * (n // 4), SIZE),
    "export: digits without end": (masked, lambda n: "0912 " * (n // 5), SIZE),
}


@pytest.mark.parametrize("name", CASES)
def test_four_times_the_input_is_about_four_times_the_work(name: str) -> None:
    assert_linear(*CASES[name])


def test_the_measured_files_are_readable() -> None:
    """A reader that refuses all of it would be quick, too."""
    for name in (
        "pdf: many pages",
        "pdf: many remarks",
        "pdf: objects without a table",
        "pdf: many ends",
        "csv: many cells",
    ):
        read, build, _ = CASES[name]
        assert read(build(2_000)), name
