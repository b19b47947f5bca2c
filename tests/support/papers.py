"""What the tests of papers read them with: a reader of PDFs that is not the one they are made with, and one of QR codes."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

import pypdfium2
import zxingcpp
from pypdf import PdfReader


@dataclass(frozen=True)
class Read:
    """A PDF as a person has it before them. `text`: of all pages; `codes`: what their QR codes say."""

    pages: int
    text: str
    codes: list[str]
    content: str
    title: str
    raw: bytes


def read(pdf: bytes) -> Read:
    """What is on it; its QR codes as a camera sees them."""
    document = pypdfium2.PdfDocument(pdf)
    pages = [document[number] for number in range(len(document))]
    found = [one.text for page in pages for one in zxingcpp.read_barcodes(page.render(scale=2).to_pil())]
    text = "\n".join(page.get_textpage().get_text_bounded() for page in pages)
    reader = PdfReader(io.BytesIO(pdf))
    attached = {name: files[0] for name, files in reader.attachments.items()}
    title = reader.metadata.title if reader.metadata else None
    return Read(len(pages), text, found, attached["content.json"].decode(), title or "", pdf)


def plain(text: str) -> str:
    """For comparing: pdfium leaves ZWNJ out and breaks lines."""
    return re.sub(r"\s+", " ", text.replace("\u200c", "").replace("\ufffe", ""))
