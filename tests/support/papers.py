"""Reads PDFs and QR codes in tests of papers, with other libraries than those that make them."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

import pypdfium2
import zxingcpp
from pypdf import PdfReader


@dataclass(frozen=True)
class ReadPdf:
    """The contents of a PDF. `text`: of all pages; `codes`: the texts of their QR codes."""

    pages: int
    text: str
    codes: list[str]
    content: str
    title: str
    raw: bytes


def read(pdf: bytes) -> ReadPdf:
    """Its contents; QR codes are read from the rendered pages."""
    document = pypdfium2.PdfDocument(pdf)
    pages = [document[number] for number in range(len(document))]
    codes = [
        barcode.text
        for page in pages
        for barcode in zxingcpp.read_barcodes(
            page.render(scale=2).to_pil(), formats=zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])
        )
    ]
    text = "\n".join(page.get_textpage().get_text_bounded() for page in pages)
    reader = PdfReader(io.BytesIO(pdf))
    attached = {name: files[0] for name, files in reader.attachments.items()}
    title = reader.metadata.title if reader.metadata else None
    return ReadPdf(len(pages), text, codes, attached["content.json"].decode(), title or "", pdf)


def plain(text: str) -> str:
    """For comparisons: pdfium omits ZWNJ and breaks lines."""
    return re.sub(r"\s+", " ", text.replace("\u200c", "").replace("\ufffe", ""))
