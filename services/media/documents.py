"""PDF: read, cleaned and written anew. Runs in the worker process alone.

What goes: document information, XMP, attachments, forms' XFA, every action that runs, opens or sends
something (JavaScript, Launch, SubmitForm, ImportData, GoToR, GoToE, movies and sounds), and the EXIF of
pictures inside (a phone's "photo to PDF" keeps the place in them). What stays: pages, text, plain links. A
document that opens only with a password is refused: nobody could check it, and nobody at the office could
read it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pypdf import PasswordType, PdfReader, PdfWriter
from pypdf.errors import PyPdfError
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, NameObject, StreamObject

from services.media.domain import DerivedFile, Limits, Reason, Rejected, Variant
from services.media.measure import derived

_ACTIVE_KEYS = {
    "/AA": "active_content",
    "/OpenAction": "active_content",
    "/JavaScript": "active_content",
    "/JS": "active_content",
    "/XFA": "active_content",
    "/RichMediaContent": "active_content",
    "/EmbeddedFiles": "attachments",
    "/AF": "attachments",
    "/Metadata": "xmp",
    "/PieceInfo": "xmp",
}
_PLAIN_ACTIONS = {"/GoTo", "/URI", "/Named"}
_ACTIVE_ANNOTATIONS = {"/FileAttachment", "/RichMedia", "/Movie", "/Sound", "/Screen", "/3D"}


def look_at_document(source: Path, out: Path, limits: Limits) -> tuple[list[DerivedFile], list[str], int]:
    """The rewritten document, what was removed, and its number of pages.

    Raises Rejected with ENCRYPTED, TOO_LONG or DAMAGED.
    """
    try:
        reader = PdfReader(source, strict=False)
        if reader.is_encrypted and reader.decrypt("") == PasswordType.NOT_DECRYPTED:
            raise Rejected(Reason.ENCRYPTED)
        pages = len(reader.pages)
        if pages == 0:
            raise Rejected(Reason.DAMAGED, "no pages")
        if pages > limits.max_pages:
            raise Rejected(Reason.TOO_LONG, f"{pages} pages")
        removed = {"information"} if reader.metadata else set()
        writer = PdfWriter(clone_from=reader)
        removed |= _cleaned(writer)
        writer.metadata = None
        writer.compress_identical_objects(remove_duplicates=False, remove_unreferenced=True)
        path = out / "evidence.pdf"
        writer.write(path)
    except (PyPdfError, ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError) as error:
        raise Rejected(Reason.DAMAGED, type(error).__name__) from error
    return [derived(Variant.EVIDENCE, path, "application/pdf")], sorted(removed), pages


def _cleaned(writer: PdfWriter) -> set[str]:
    removed: set[str] = set()
    for stored in list(writer._objects):  # noqa: SLF001  # the writer offers no public walk over its objects
        if stored is None:
            continue
        for part in _parts(stored):
            if isinstance(part, DictionaryObject):
                removed |= _clean(part)
            if isinstance(part, StreamObject) and _filters(part)[-1:] == ["/DCTDecode"]:
                removed |= _clean_jpeg(part)
    return removed


def _parts(root: Any) -> Iterator[Any]:
    """`root` and everything written inside it, not what it refers to (that has its own turn)."""
    waiting = [root]
    while waiting:
        part = waiting.pop()
        yield part
        if isinstance(part, DictionaryObject):
            waiting.extend(value for value in part.values() if not isinstance(value, IndirectObject))
        elif isinstance(part, ArrayObject):
            waiting.extend(value for value in part if not isinstance(value, IndirectObject))


def _clean(part: DictionaryObject) -> set[str]:
    removed = set()
    for key, what in _ACTIVE_KEYS.items():
        if key in part:
            del part[NameObject(key)]
            removed.add(what)
    is_action = part.get("/Type") == "/Action" or ("/S" in part and "/Type" not in part and _acts(part))
    if is_action and part.get("/S") not in _PLAIN_ACTIONS:
        part.clear()
        removed.add("active_content")
    elif part.get("/Subtype") in _ACTIVE_ANNOTATIONS:
        for key in ("/FS", "/A", "/Sound", "/Movie", "/RichMediaSettings", "/3DD"):
            part.pop(NameObject(key), None)
        removed.add("attachments")
    elif part.get("/Type") in {"/Filespec", "/F"} or "/EF" in part:
        part.pop(NameObject("/EF"), None)
        removed.add("attachments")
    return removed


def _acts(part: DictionaryObject) -> bool:
    return part.get("/S") in {
        "/JavaScript",
        "/Launch",
        "/SubmitForm",
        "/ImportData",
        "/GoToR",
        "/GoToE",
        "/Rendition",
        "/Movie",
        "/Sound",
        "/RichMediaExecute",
        "/Hide",
        "/ResetForm",
    }


def _filters(stream: StreamObject) -> list[str]:
    value = stream.get("/Filter")
    value = value.get_object() if value is not None else []
    return [str(name) for name in value] if isinstance(value, ArrayObject) else [str(value)]


def _clean_jpeg(stream: StreamObject) -> set[str]:
    if len(_filters(stream)) != 1:
        return set()  # wrapped again (ASCII85, Flate): no camera or phone writes that
    before = bytes(stream._data)  # noqa: SLF001  # get_data would decode the picture
    after = jpeg_without_metadata(before)
    stream._data = after  # noqa: SLF001  # as above
    return {"exif"} if len(after) < len(before) else set()


def jpeg_without_metadata(picture: bytes) -> bytes:
    """The same JPEG, its pixels untouched, without EXIF, XMP, other application segments and comments.

    APP0 (JFIF), APP2 (colour profile) and APP14 (Adobe's colour transform) decide how it looks, and stay.
    What is no JPEG comes back as it was.
    """
    if not picture.startswith(b"\xff\xd8"):
        return picture
    kept, at = [b"\xff\xd8"], 2
    while at + 4 <= len(picture) and picture[at] == 0xFF:
        marker = picture[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == 0xDA:  # the picture itself begins
            return b"".join(kept) + picture[at:]
        end = at + 2 + int.from_bytes(picture[at + 2 : at + 4], "big")
        if not (marker == 0xFE or (0xE0 <= marker <= 0xEF and marker not in (0xE0, 0xE2, 0xEE))):
            kept.append(picture[at:end])
        at = end
    return picture
