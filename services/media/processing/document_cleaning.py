"""What is taken out of a PDF before anybody reads it.

The catalog, pages, annotations and form fields keep the entries that are listed here, which show something, and lose
all others: author, dates, names, remarks of programs, private entries of whoever. Everywhere else what is known to
name, run, attach or send is removed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pypdf import PdfWriter
from pypdf.filters import decode_stream_data
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    IndirectObject,
    NameObject,
    NullObject,
    StreamObject,
    TextStringObject,
)

from services.media.processing.metadata import jpeg2000_without_metadata, jpeg_without_metadata

_CATALOG = frozenset(
    [
        "/Type",
        "/Version",
        "/Pages",
        "/PageLabels",
        "/Names",
        "/Dests",
        "/ViewerPreferences",
        "/PageLayout",
        "/PageMode",
        "/Outlines",
        "/AcroForm",
        "/StructTreeRoot",
        "/MarkInfo",
        "/Lang",
        "/OCProperties",
    ]
)
_PAGE = frozenset(
    [
        "/Type",
        "/Parent",
        "/Resources",
        "/MediaBox",
        "/CropBox",
        "/BleedBox",
        "/TrimBox",
        "/ArtBox",
        "/Rotate",
        "/Contents",
        "/Group",
        "/Annots",
        "/StructParents",
        "/Tabs",
        "/UserUnit",
        "/Kids",
        "/Count",
    ]
)
_FIELD = frozenset(
    [
        "/Type",
        "/FT",
        "/Parent",
        "/Kids",
        "/T",
        "/Ff",
        "/V",
        "/DV",
        "/Opt",
        "/MaxLen",
        "/DA",
        "/Q",
        "/DR",
        "/DS",
        "/TI",
        "/I",
    ]
)
_ANNOTATION = _FIELD - {"/T"} | frozenset(
    [
        "/Subtype",
        "/Rect",
        "/Contents",
        "/P",
        "/F",
        "/AP",
        "/AS",
        "/Border",
        "/C",
        "/StructParent",
        "/OC",
        "/A",
        "/Dest",
        "/H",
        "/QuadPoints",
        "/InkList",
        "/L",
        "/Vertices",
        "/LE",
        "/IC",
        "/BS",
        "/BE",
        "/CA",
        "/ca",
        "/BM",
        "/Name",
        "/Popup",
        "/Open",
        "/IRT",
        "/RT",
        "/IT",
        "/MK",
        "/CL",
        "/RD",
        "/LL",
        "/LLE",
        "/LLO",
        "/Cap",
        "/CP",
        "/CO",
        "/Path",
        "/State",
        "/StateModel",
        "/Sy",
        "/RO",
        "/OverlayText",
        "/Repeat",
    ]
)
_FORM = frozenset(["/Fields", "/NeedAppearances", "/DR", "/DA", "/Q"])
_NAMES = frozenset({"/Dests"})

_UNWANTED_ANYWHERE = {
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
    "/LastModified": "information",
    "/CreatorInfo": "information",
    "/DPM": "information",
    "/LGIDict": "location",
    "/Measure": "location",
    "/VP": "location",
    "/OPI": "information",
    "/Thumb": "information",
}
_PLAIN_ACTIONS = {"/GoTo", "/URI", "/Named"}
_ACTIONS = _PLAIN_ACTIONS | {
    "/JavaScript",
    "/Launch",
    "/SubmitForm",
    "/ImportData",
    "/GoToR",
    "/GoToE",
    "/GoTo3DView",
    "/Rendition",
    "/Movie",
    "/Sound",
    "/RichMediaExecute",
    "/Hide",
    "/ResetForm",
    "/SetOCGState",
    "/Thread",
    "/Trans",
}
_ACTIVE_ANNOTATIONS = {"/FileAttachment", "/RichMedia", "/Movie", "/Sound", "/Screen", "/3D"}
_SIGNATURES = {"/Sig", "/DocTimeStamp", "/SigRef", "/TransformParams", "/SV", "/SVCert", "/SigFieldLock"}
_FILE_SPECIFICATIONS = {"/Filespec", "/F"}
_PICTURES = {"/DCTDecode": jpeg_without_metadata, "/JPXDecode": jpeg2000_without_metadata}
_PICTURES |= {"/DCT": jpeg_without_metadata}


def clean(writer: PdfWriter) -> set[str]:
    """Removes it from all objects of the document; returns what kinds of it there were."""
    removed = _clean_form(writer)
    catalog = writer._root_object  # noqa: SLF001  # pypdf has no public name for it
    removed |= _keep_only(catalog, _CATALOG)
    names = _value(catalog, "/Names")
    if isinstance(names, DictionaryObject):
        removed |= _keep_only(names, _NAMES, "attachments")
    removed |= _clean_layers(catalog)
    for stored in list(writer._objects):  # noqa: SLF001  # nor a public walk over its objects
        if stored is None:
            continue
        for part in _parts(stored):
            if isinstance(part, DictionaryObject):
                removed |= _clean_dictionary(part)
            if isinstance(part, StreamObject):
                removed |= _clean_stream(part)
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


def _clean_form(writer: PdfWriter) -> set[str]:
    """The form's fields lose their names and whatever their designer wrote about them; what was filled in stays."""
    form = _value(writer._root_object, "/AcroForm")  # noqa: SLF001
    if not isinstance(form, DictionaryObject):
        return set()
    removed = _keep_only(form, _FORM)
    fields = _value(form, "/Fields")
    waiting = [*fields] if isinstance(fields, ArrayObject) else []
    seen: set[int] = set()
    while waiting:
        field = waiting.pop().get_object()
        if not isinstance(field, DictionaryObject) or id(field) in seen:
            continue
        seen.add(id(field))
        removed |= _keep_only(field, _FIELD | _ANNOTATION)
        if "/T" in field:
            field[NameObject("/T")] = TextStringObject(f"field{len(seen)}")
        kids = _value(field, "/Kids")
        waiting += [*kids] if isinstance(kids, ArrayObject) else []
    return removed


def _clean_layers(catalog: DictionaryObject) -> set[str]:
    """The settings of layers lose who made them."""
    layers = _value(catalog, "/OCProperties")
    if not isinstance(layers, DictionaryObject):
        return set()
    others = _value(layers, "/Configs")
    settings = [_value(layers, "/D"), *(each.get_object() for each in others or () if isinstance(others, ArrayObject))]
    removed: set[str] = set()
    for setting in settings:
        if isinstance(setting, DictionaryObject):
            removed |= _drop(setting, "/Creator", "/Name")
    return removed


def _clean_dictionary(part: DictionaryObject) -> set[str]:
    removed = set()
    for key, what in _UNWANTED_ANYWHERE.items():
        if key in part:
            del part[NameObject(key)]
            removed.add(what)
    kind, subtype = _value(part, "/Type"), _value(part, "/Subtype")
    if kind in _SIGNATURES or "/ByteRange" in part:
        part.clear()
        return removed | {"signature"}
    if kind == "/Action" or (kind is None and _value(part, "/S") in _ACTIONS and "/K" not in part):
        if _value(part, "/S") in _PLAIN_ACTIONS:
            return removed
        part.clear()
        return removed | {"active_content"}
    if subtype in _ACTIVE_ANNOTATIONS:
        for key in ("/FS", "/A", "/Sound", "/Movie", "/RichMediaSettings", "/3DD"):
            part.pop(NameObject(key), None)
        removed.add("attachments")
    if kind in _FILE_SPECIFICATIONS or "/EF" in part:
        part.clear()
        return removed | {"attachments"}
    if kind == "/Page":
        removed |= _keep_only(part, _PAGE)
    elif "/Rect" in part and subtype is not None:
        removed |= _clean_annotation(part, subtype)
    elif kind in {"/StructElem", "/OCG", "/Thread"} or isinstance(part, StreamObject):
        removed |= _drop(part, "/T" if kind == "/StructElem" else "/Ref", "/I", "/LastModified")
        usage = _value(part, "/Usage")
        if isinstance(usage, DictionaryObject):
            removed |= _drop(usage, "/User", "/CreatorInfo")
    return removed


def _clean_annotation(part: DictionaryObject, subtype: Any) -> set[str]:
    """Whose remark it is and when it was made goes; what it says and shows stays."""
    removed = _keep_only(part, _ANNOTATION | ({"/T"} if subtype == "/Widget" else set()), "annotation_author")
    if subtype == "/Popup":  # shows the text of its parent; a text of its own is the program's, with the author's name
        removed |= _drop(part, "/Contents")
    if subtype == "/Stamp" and "/AP" in part:
        removed |= _drop(part, "/Name")  # a stamp's name may be its owner's
    if _value(part, "/FT") == "/Sig":
        removed |= _drop(part, "/V", "/DV")
    return removed


def _clean_stream(stream: StreamObject) -> set[str]:
    """Pictures without what their cameras wrote into them; their pixels are not touched."""
    filters = _filters(stream)
    strip = _PICTURES.get(filters[-1]) if filters else None
    if strip is None:
        return set()
    before = bytes(stream._data)  # noqa: SLF001  # get_data would decode the picture
    wrapped = len(filters) > 1
    if wrapped:
        before = _unwrapped(stream, filters)
    after = strip(before)
    if after == before:
        return set()
    stream._data = after  # noqa: SLF001  # as above
    if wrapped:
        stream[NameObject("/Filter")] = NameObject(filters[-1])
        parameters = _value(stream, "/DecodeParms")
        last = parameters[-1].get_object() if isinstance(parameters, ArrayObject) and parameters else None
        stream.pop(NameObject("/DecodeParms"), None)
        if isinstance(last, DictionaryObject):
            stream[NameObject("/DecodeParms")] = last
    return {"exif"}


def _unwrapped(stream: StreamObject, filters: list[str]) -> bytes:
    """The picture's own bytes, without the compression around them."""
    outer = StreamObject()
    outer._data = stream._data  # noqa: SLF001
    outer[NameObject("/Filter")] = ArrayObject(NameObject(name) for name in filters[:-1])
    parameters = _value(stream, "/DecodeParms")
    if isinstance(parameters, ArrayObject):
        outer[NameObject("/DecodeParms")] = ArrayObject(parameters[: len(filters) - 1])
    return bytes(decode_stream_data(outer))


def _filters(stream: StreamObject) -> list[str]:
    value = _value(stream, "/Filter")
    if value is None or isinstance(value, NullObject):
        return []
    return [str(name.get_object()) for name in value] if isinstance(value, ArrayObject) else [str(value)]


def _value(part: DictionaryObject, key: str) -> Any:
    """What the entry holds or refers to; None where there is none."""
    value = part.get(key)
    return value.get_object() if value is not None else None


def _keep_only(part: DictionaryObject, wanted: frozenset[str] | set[str], what: str = "information") -> set[str]:
    return _drop(part, *(key for key in part if key not in wanted), what=what)


def _drop(part: DictionaryObject, *keys: str, what: str = "information") -> set[str]:
    unwanted = [key for key in keys if key in part]
    for key in unwanted:
        del part[NameObject(key)]
    return {what} if unwanted else set()
