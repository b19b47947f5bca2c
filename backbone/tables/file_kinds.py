"""What a file that is given as a table really is, told by its first bytes, and how its text is encoded.

A name may say anything: an old program calls a page of HTML `.xls`, a renamed PDF stays a PDF. What cannot be read is named,
so that whoever sent it knows what to save it as.
"""

from __future__ import annotations

import codecs
import io
import re
import zipfile
from enum import StrEnum

CHUNK = 1 << 20
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_STREAMS = (("EncryptedPackage", "password_protected"), ("Workbook", "old_xls"), ("Book", "old_xls"))
_LETTERS_AFTER_BOM = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_STARTS = (
    (b"%PDF", "pdf_file"),
    (b"{\\rtf", "document_file"),
    (b"\x89PNG", "picture_file"),
    (b"\xff\xd8\xff", "picture_file"),
    (b"\x1f\x8b", "packed_file"),
    (b"Rar!", "packed_file"),
    (b"7z\xbc\xaf", "packed_file"),
)
_MARKUP = re.compile(rb"\s*<(!doctype|html|head|meta|body|table|style|\?xml|script)", re.IGNORECASE)
_OPEN_DOCUMENT = b"application/vnd.oasis.opendocument"
_NOT_IN_A_PERSIAN_TABLE = re.compile(
    "[^\x09\x0a\x0d\x20-\x7e\u0600-\u06ff\u200c-\u200f\xa0«»×÷°²…–—‘’“”•]"  # the marks that 1256 has
)


class Kind(StrEnum):
    WORKBOOK = "workbook"
    TEXT = "text"


class NotATable(Exception):
    """`reason`: as in the `fields` of an error."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def kind_of(content: bytes) -> Kind:
    """A workbook (XLSX) or text. NotATable, naming what it is instead."""
    if content.startswith(_OLE):
        reasons = (reason for stream, reason in _OLE_STREAMS if stream.encode("utf-16-le") in content)
        raise NotATable(next(reasons, "not_a_table"))
    if content.startswith(b"PK\x03\x04"):
        return _kind_of_archive(content)
    for start, reason in _STARTS:
        if content.startswith(start):
            raise NotATable(reason)
    if _MARKUP.match(content.removeprefix(codecs.BOM_UTF8)[:1024]):
        raise NotATable("html_table")
    return Kind.TEXT


def _kind_of_archive(content: bytes) -> Kind:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = {part.filename.lower(): part for part in archive.infolist()}
            if any(part.flag_bits & 1 for part in parts.values()):
                raise NotATable("password_protected")
            if "mimetype" in parts and parts["mimetype"].file_size < 200:
                with archive.open(parts["mimetype"]) as mimetype:
                    if mimetype.read(200).startswith(_OPEN_DOCUMENT):
                        raise NotATable("open_document")
    except zipfile.BadZipFile:
        raise NotATable("damaged_workbook") from None
    if "xl/workbook.bin" in parts:
        raise NotATable("binary_workbook")
    if any(name.startswith(("word/", "ppt/")) for name in parts):
        raise NotATable("document_file")
    if not any(name.startswith("xl/") for name in parts):
        raise NotATable("packed_file")
    return Kind.WORKBOOK


def encoding_of(content: bytes) -> str:
    """UTF-8 or UTF-16 as its BOM says; without one UTF-16 by its zeros, UTF-8, or Windows-1256 where that gives the letters of a
    Persian table and no others. NotATable with the reason `not_utf8`."""
    for bom, encoding in _LETTERS_AFTER_BOM:
        if content.startswith(bom):
            return _checked(content, encoding)
    start = content[:1024]
    if b"\0" in start:
        even, odd = start[0::2].count(0), start[1::2].count(0)
        return _checked(content, "utf-16-le" if odd > even else "utf-16-be")
    try:
        return _checked(content, "utf-8")
    except NotATable:
        return _checked(content, "cp1256")


def _checked(content: bytes, encoding: str) -> str:
    """The encoding, when all of the content is text in it."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for at in range(0, len(content), CHUNK):
            text = decoder.decode(content[at : at + CHUNK])
            if "\0" in text or (encoding == "cp1256" and _NOT_IN_A_PERSIAN_TABLE.search(text)):
                raise NotATable("not_utf8")
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise NotATable("not_utf8") from None
    return encoding
