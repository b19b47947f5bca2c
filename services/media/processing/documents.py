"""PDF: read as viewers read it, cleaned and written anew. Runs in the worker process alone.

What goes: whatever names its authors, tells where it was made, runs, opens or sends something, is attached, or was
there in an earlier revision (`document_cleaning.py`). What stays: pages, their text and pictures, remarks and filled
forms, plain links. A document that opens only with a password is refused: nobody could check it, and nobody at the
office could read it.
"""

from __future__ import annotations

import io
from pathlib import Path

import pypdfium2
from pypdf import PasswordType, PdfReader, PdfWriter

from services.media.processing.derived_files import derived
from services.media.processing.document_cleaning import clean
from services.media.processing.filetypes import HEAD_BYTES
from services.media.processing.rules import DerivedFile, Limits, Reason, Rejected, Variant

_LOCKED = {pypdfium2.raw.FPDF_ERR_PASSWORD, pypdfium2.raw.FPDF_ERR_SECURITY}


def examine_document(source: Path, out: Path, limits: Limits) -> tuple[list[DerivedFile], list[str], int]:
    """The rewritten document, what was removed, and its number of pages.

    Raises Rejected with ENCRYPTED, TOO_LONG or DAMAGED.
    """
    content = _from_its_header(source)
    try:
        return _rewritten(content, out, limits)
    except (Rejected, MemoryError):
        raise
    except Exception:  # noqa: BLE001  # whatever is wrong with it, a viewer's reader may mend it
        return _rewritten(_repaired(content), out, limits)


def _from_its_header(source: Path) -> bytes:
    """Without what was put before the document: a byte-order mark, lines of a mail gateway."""
    content = source.read_bytes()
    begin = content.find(b"%PDF-", 0, HEAD_BYTES)
    return content[max(begin, 0) :]


def _rewritten(content: bytes, out: Path, limits: Limits) -> tuple[list[DerivedFile], list[str], int]:
    reader = PdfReader(io.BytesIO(content), strict=False)
    if reader.is_encrypted and not _opens(reader):
        raise _Locked
    pages = len(reader.pages)
    if pages == 0:
        raise Rejected(Reason.DAMAGED, "no pages")
    if pages > limits.max_pages:
        raise Rejected(Reason.TOO_LONG, f"{pages} pages")
    removed = {"information"} if reader.metadata else set()
    writer = PdfWriter(clone_from=reader)
    removed |= clean(writer)
    writer.metadata = None
    writer._ID = None  # noqa: SLF001  # the identifier of the document it was made from
    writer.compress_identical_objects(remove_duplicates=False, remove_unreferenced=True)
    path = out / "evidence.pdf"
    writer.write(path)
    return [derived(Variant.EVIDENCE, path, "application/pdf")], sorted(removed), pages


class _Locked(Exception):
    """No password that we know opens it, or its encryption is one that pypdf does not know."""


def _opens(reader: PdfReader) -> bool:
    try:
        return reader.decrypt("") != PasswordType.NOT_DECRYPTED
    except Exception:  # noqa: BLE001  # an encryption that it does not know, or that is broken
        return False


def _repaired(content: bytes) -> bytes:
    """The document as PDFium, the reader of Chromium, understands it, in the clear.

    Raises Rejected with ENCRYPTED or DAMAGED.
    """
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        locked = error.err_code in _LOCKED or (b"/Encrypt" in content and b"/Standard" not in content)
        raise Rejected(Reason.ENCRYPTED if locked else Reason.DAMAGED, "PDFium cannot open it") from error
    try:
        made = io.BytesIO()
        document.save(made, flags=pypdfium2.raw.FPDF_REMOVE_SECURITY)
        return made.getvalue()
    finally:
        document.close()
