"""Files of every kind with one name planted wherever such a file can hold one, beside what it shows or plays."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import piexif
import pillow_heif
from PIL import Image, PngImagePlugin, TiffImagePlugin
from pypdf import PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    BooleanObject,
    ByteStringObject,
    DecodedStreamObject,
    DictionaryObject,
    FloatObject,
    NameObject,
    NumberObject,
    PdfObject,
    StreamObject,
    TextStringObject,
)

from tests.support import media_samples as samples

NAME = "NedaTehrani"
_BYTES = NAME.encode()
_XMP = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'><dc:creator>{NAME}</dc:creator></x:xmpmeta>".encode()


def spelled() -> list[bytes]:
    """The name in every encoding that metadata uses."""
    return [
        _BYTES,
        NAME.encode("utf-16-le"),
        NAME.encode("utf-16-be"),
        _BYTES.hex().encode(),
        _BYTES.hex().upper().encode(),
    ]


# --- pictures ---


def _exif() -> bytes:
    thumbnail = io.BytesIO()
    samples.picture((160, 120)).save(thumbnail, "JPEG", comment=_BYTES)
    ifd, exif = piexif.ImageIFD, piexif.ExifIFD
    return bytes(
        piexif.dump(
            {
                "0th": {
                    ifd.Artist: _BYTES,
                    ifd.Copyright: _BYTES,
                    ifd.ImageDescription: _BYTES,
                    ifd.XPAuthor: tuple(NAME.encode("utf-16-le")),
                },
                "Exif": {
                    exif.UserComment: b"ASCII\0\0\0" + _BYTES,
                    exif.MakerNote: b"Maker\0" + _BYTES,
                    exif.CameraOwnerName: _BYTES,
                },
                "GPS": {piexif.GPSIFD.GPSAreaInformation: _BYTES},
                "1st": {ifd.Artist: _BYTES},
                "thumbnail": thumbnail.getvalue(),
            }
        )
    )


def _profile() -> bytes:
    """A colour profile that names its maker."""
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile + _BYTES


def _segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def jpeg(_: Path) -> bytes:
    out = io.BytesIO()
    samples.picture().save(out, "JPEG", exif=_exif(), xmp=_XMP, comment=_BYTES, icc_profile=_profile())
    whole = out.getvalue()
    iptc = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0" + struct.pack(">I", 5 + len(_BYTES)) + b"\x1c\x02\x50"
    iptc += struct.pack(">H", len(_BYTES)) + _BYTES
    more = _segment(0xED, iptc) + _segment(0xEC, b"Ducky" + _BYTES) + _segment(0xE0, b"JFXX\0\x10" + _BYTES)
    more += _segment(0xE2, b"MPF\0" + _BYTES) + _segment(0xEA, _BYTES) + _segment(0xFE, _BYTES)
    return whole[:2] + more + whole[2:] + _BYTES


def png(_: Path) -> bytes:
    out, info = io.BytesIO(), PngImagePlugin.PngInfo()
    info.add_text("Author", NAME)
    info.add_text("Comment", NAME, zip=True)
    info.add_itxt("XML:com.adobe.xmp", _XMP.decode())
    samples.picture().save(out, "PNG", pnginfo=info, exif=_exif(), icc_profile=_profile())
    whole = out.getvalue()
    private = struct.pack(">I", len(_BYTES)) + b"prVt" + _BYTES
    private += struct.pack(">I", zlib.crc32(private[4:]))
    return whole[:33] + private + whole[33:] + _BYTES


def webp(_: Path) -> bytes:
    out = io.BytesIO()
    samples.picture().save(out, "WEBP", exif=_exif(), xmp=_XMP, icc_profile=_profile())
    return out.getvalue() + b"NOTE" + struct.pack("<I", len(_BYTES)) + _BYTES


def gif(_: Path) -> bytes:
    out = io.BytesIO()
    samples.picture((320, 240)).save(out, "GIF", comment=_BYTES)
    xmp = b"\x21\xff\x0bXMP DataXMP" + _XMP + b"\1" + bytes(range(255, -1, -1)) + b"\0"
    return out.getvalue()[:-1] + xmp + b";" + _BYTES


def tiff(_: Path) -> bytes:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    for tag in (270, 271, 272, 305, 315, 316, 33432):
        tags[tag] = NAME
    tags[700] = _XMP
    out = io.BytesIO()
    samples.picture((320, 240)).save(out, "TIFF", tiffinfo=tags)
    return out.getvalue()


def heic(_: Path) -> bytes:
    out = io.BytesIO()
    made = pillow_heif.from_pillow(samples.picture())
    made.save(out, format="HEIF", quality=80, exif=_exif(), xmp=_XMP)
    return out.getvalue()


# --- sound and film ---

_TAGS = [f"{key}={NAME}" for key in ("title", "artist", "author", "comment", "copyright", "description", "location")]
_TAGGED = [part for tag in _TAGS for part in ("-metadata", tag)]
_TAGGED += [part for tag in _TAGS for part in ("-metadata:s:0", tag)]
_TAGGED += ["-metadata:s:0", f"handler_name={NAME}"]


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def _iso_boxes() -> bytes:
    """Behind the film: XMP, free space that is not empty, a box of some phone's maker."""
    xmp_id = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
    return _box(b"uuid", xmp_id + _XMP) + _box(b"free", _BYTES) + _box(b"smrd", _BYTES)


def _film(folder: Path, suffix: str) -> bytes:
    chapters = folder / "chapters"
    chapters.write_text(f";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle={NAME}\n")
    (folder / "plain.mp4").write_bytes(samples.film(folder))
    return samples.ffmpeg(
        folder,
        f"tagged{suffix}",
        *["-i", str(folder / "plain.mp4"), "-i", str(chapters), "-map", "0", "-map_chapters", "1", "-c", "copy"],
        *["-bsf:v", f"h264_metadata=sei_user_data=086f3693-b7b3-4f2c-9653-21492feee5b8+{NAME}", *_TAGGED],
    )


def mp4(folder: Path) -> bytes:
    return _film(folder, ".mp4") + _iso_boxes()


def mov(folder: Path) -> bytes:
    return _film(folder, ".mov") + _iso_boxes()


def matroska(folder: Path) -> bytes:
    note = folder / "note.txt"
    note.write_text(NAME)
    (folder / "film.mkv").write_bytes(_film(folder, ".mkv"))
    attached = ["-attach", str(note), "-metadata:s:t", f"filename={NAME}", "-metadata:s:t", "mimetype=text/plain"]
    return samples.ffmpeg(folder, "attached.mkv", "-i", str(folder / "film.mkv"), "-map", "0", "-c", "copy", *attached)


def webm(folder: Path) -> bytes:
    (folder / "plain.webm").write_bytes(samples.film(folder, ".webm"))
    return samples.ffmpeg(folder, "tagged.webm", "-i", str(folder / "plain.webm"), "-c", "copy", *_TAGGED)


def avi(folder: Path) -> bytes:
    (folder / "plain.avi").write_bytes(samples.film(folder, ".avi"))
    return samples.ffmpeg(folder, "tagged.avi", "-i", str(folder / "plain.avi"), "-c", "copy", *_TAGGED)


def _sound(folder: Path, suffix: str, *how: str) -> bytes:
    tone = ("-f", "lavfi", "-i", "sine=frequency=440:duration=2")
    return samples.ffmpeg(folder, f"tagged{suffix}", *tone, *_TAGGED, *how)


def _id3() -> bytes:
    frames = b""
    for kind, content in (
        (b"TPE1", b"\3" + _BYTES),
        (b"TIT2", b"\1\xff\xfe" + NAME.encode("utf-16-le")),
        (b"PRIV", _BYTES),
    ):
        frames += kind + struct.pack(">I", len(content)) + b"\0\0" + content
    size = bytes((len(frames) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\3\0\0" + size + frames


def _trailing_tags() -> bytes:
    """APE and ID3v1, behind the sound."""
    item = struct.pack("<II", len(_BYTES), 0) + b"Artist\0" + _BYTES
    footer = b"APETAGEX" + struct.pack("<IIII", 2000, len(item) + 32, 1, 0) + bytes(8)
    version_1 = (b"TAG" + _BYTES.ljust(30, b"\0")).ljust(128, b"\0")
    return item + footer + version_1


def mp3(folder: Path) -> bytes:
    return _id3() + samples.voice_note(folder, ".mp3") + _trailing_tags()


def aac(folder: Path) -> bytes:
    return _id3() + samples.voice_note(folder, ".aac") + _trailing_tags()


def m4a(folder: Path) -> bytes:
    return _sound(folder, ".m4a", "-c:a", "aac") + _iso_boxes()


def ogg(folder: Path) -> bytes:
    return _sound(folder, ".ogg", "-c:a", "libopus")


def flac(folder: Path) -> bytes:
    return _sound(folder, ".flac", "-c:a", "flac") + _trailing_tags()


def wav(folder: Path) -> bytes:
    whole = bytearray(_sound(folder, ".wav", "-c:a", "pcm_s16le", "-write_bext", "1"))
    for kind, content in ((b"iXML", _XMP), (b"id3 ", _id3()), (b"bext", _BYTES.ljust(602, b"\0"))):
        whole += kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)
    whole[4:8] = struct.pack("<I", len(whole) - 8)
    return bytes(whole)


def wma(folder: Path) -> bytes:
    return _sound(folder, ".wma", "-c:a", "wmav2")


# --- documents ---


def _dictionary(**entries: PdfObject) -> DictionaryObject:
    return DictionaryObject({NameObject(f"/{key}"): value for key, value in entries.items()})


def _text(value: str = NAME) -> TextStringObject:
    return TextStringObject(value)


def _stream(content: bytes, **entries: PdfObject) -> StreamObject:
    stream = DecodedStreamObject()
    stream.set_data(content)
    stream.update(_dictionary(**entries))
    return stream


def _name(value: str) -> NameObject:
    return NameObject(f"/{value}")


def _box_at(*corners: float) -> ArrayObject:
    return ArrayObject(FloatObject(corner) for corner in corners)


def pdf(folder: Path) -> bytes:
    """One page that shows a red square, a yellow remark and a field filled with "42"; the name is all around them."""
    writer = PdfWriter()
    page = writer.add_blank_page(300, 300)
    writer.add_metadata({"/Author": NAME, "/Creator": NAME, "/Title": NAME, "/Secret": NAME})
    add, root = writer._add_object, writer._root_object
    xmp = add(_stream(_XMP, Type=_name("Metadata"), Subtype=_name("XML")))
    root[_name("Metadata")] = xmp
    show = add(_stream(b"1 0 0 rg 20 20 60 60 re f", Metadata=xmp))
    page[_name("Contents")] = show
    page[_name("LastModified")] = _text()
    page[_name("PieceInfo")] = _dictionary(Tool=_dictionary(Private=_text()))
    page[_name("Thumb")] = add(_stream(_BYTES, Type=_name("XObject")))
    page[_name("MyTool")] = _text()
    page[_name("Resources")] = _dictionary(XObject=_dictionary(Im0=_jpeg_object(writer), Im1=_wrapped_jpeg(writer)))
    yellow = _stream(
        b"1 1 0 rg 0 0 40 40 re f", Type=_name("XObject"), Subtype=_name("Form"), BBox=_box_at(0, 0, 40, 40)
    )
    appearance = _dictionary(N=add(yellow))
    remark = _dictionary(
        Type=_name("Annot"), Subtype=_name("Square"), Rect=_box_at(100, 20, 140, 60), AP=appearance, T=_text(),
        Contents=_text("the pavement is broken here"), NM=_text(), Subj=_text(), RC=_text(), CreationDate=_text(),
        M=_text(), ExData=_dictionary(Type=_name("Markup3D"), MD5=_text()), F=NumberObject(4), MyTool=_text(),
    )  # fmt: skip
    remark_at = add(remark)
    popup = _dictionary(
        Type=_name("Annot"), Subtype=_name("Popup"), Rect=_box_at(0, 200, 100, 300), Parent=remark_at, T=_text(),
        Contents=_text(),
    )  # fmt: skip
    stamp = _dictionary(
        Type=_name("Annot"), Subtype=_name("Stamp"), Rect=_box_at(150, 20, 190, 60), AP=appearance, T=_text(),
        Name=_name(NAME), F=NumberObject(4),
    )  # fmt: skip
    attachment = _dictionary(
        Type=_name("Annot"), Subtype=_name("FileAttachment"), Rect=_box_at(0, 0, 1, 1), T=_text(),
        FS=_file(writer), Contents=_text("attached"),
    )  # fmt: skip
    shown = _stream(
        b"0 0 1 rg 0 0 40 20 re f", Type=_name("XObject"), Subtype=_name("Form"), BBox=_box_at(0, 0, 40, 20)
    )
    field = _dictionary(
        Type=_name("Annot"), Subtype=_name("Widget"), FT=_name("Tx"), T=_text(), TU=_text(), TM=_text(), V=_text("42"),
        Rect=_box_at(200, 20, 240, 40), AP=_dictionary(N=add(shown)), F=NumberObject(4), MK=_dictionary(CA=_text("x")),
    )  # fmt: skip
    signature = _dictionary(
        Type=_name("Annot"), Subtype=_name("Widget"), FT=_name("Sig"), T=_text(), Rect=_box_at(0, 0, 0, 0),
        V=add(_signature()), Lock=_dictionary(Type=_name("SigFieldLock"), Fields=ArrayObject([_text()])),
        SV=_dictionary(Type=_name("SV"), Reasons=ArrayObject([_text()])),
    )  # fmt: skip
    fields = [add(field), add(signature)]
    page[_name("Annots")] = ArrayObject([remark_at, add(popup), add(stamp), add(attachment), *fields])
    root[_name("AcroForm")] = _dictionary(
        Fields=ArrayObject([*fields, add(_dictionary(T=_text(), TU=_text(), Kids=ArrayObject()))]),
        SigFlags=NumberObject(3), XFA=add(_stream(_XMP)), NeedAppearances=BooleanObject(False),
    )  # fmt: skip
    root[_name("Perms")] = _dictionary(DocMDP=add(_signature()), UR3=add(_signature()))
    root[_name("DSS")] = _dictionary(
        Certs=ArrayObject([add(_stream(_BYTES))]), VRI=_dictionary(X=_dictionary(TU=_text()))
    )
    root[_name("Names")] = _dictionary(
        EmbeddedFiles=_dictionary(Names=ArrayObject([_text(), _file(writer)])),
        Templates=_dictionary(Names=ArrayObject([_text(), add(_dictionary(Type=_name("Template"), Note=_text()))])),
        JavaScript=_dictionary(Names=ArrayObject([_text(), add(_dictionary(S=_name("JavaScript"), JS=_text()))])),
    )
    root[_name("AF")] = ArrayObject([_file(writer)])
    root[_name("Threads")] = ArrayObject([add(_dictionary(Type=_name("Thread"), I=_dictionary(Author=_text())))])
    root[_name("Collection")] = _dictionary(Type=_name("Collection"), D=_text())
    root[_name("Legal")] = _dictionary(Attestation=_text())
    root[_name("URI")] = _dictionary(Base=ByteStringObject(_BYTES))
    group = add(
        _dictionary(
            Type=_name("OCG"), Name=_text("layer"),
            Usage=_dictionary(CreatorInfo=_dictionary(Creator=_text()), User=_dictionary(Name=_text())),
        )
    )  # fmt: skip
    settings = _dictionary(Creator=_text(), Name=_text(), Order=ArrayObject([group]))
    root[_name("OCProperties")] = _dictionary(OCGs=ArrayObject([group]), D=settings, Configs=ArrayObject([settings]))
    root[_name("StructTreeRoot")] = add(
        _dictionary(Type=_name("StructTreeRoot"), K=add(_dictionary(Type=_name("StructElem"), S=_name("P"), T=_text())))
    )
    out = io.BytesIO()
    writer.write(out)
    return _revised(out.getvalue())


def _signature() -> DictionaryObject:
    return _dictionary(
        Type=_name("Sig"), Filter=_name("Adobe.PPKLite"), SubFilter=_name("adbe.pkcs7.detached"), Name=_text(),
        Reason=_text(), Location=_text(), ContactInfo=_text(), M=_text(), Contents=ByteStringObject(_BYTES),
        ByteRange=ArrayObject(NumberObject(n) for n in (0, 1, 2, 3)), Cert=ByteStringObject(_BYTES),
        Prop_Build=_dictionary(App=_dictionary(Name=_name(NAME))),
    )  # fmt: skip


def _file(writer: PdfWriter) -> PdfObject:
    inside = writer._add_object(_stream(_BYTES, Type=_name("EmbeddedFile")))
    return writer._add_object(
        _dictionary(
            Type=_name("Filespec"), F=_text(f"C:/Users/{NAME}/a.txt"), UF=_text(), Desc=_text(),
            EF=_dictionary(F=inside),
        )
    )  # fmt: skip


def _jpeg_object(writer: PdfWriter) -> PdfObject:
    return _image(writer, jpeg(Path()), _name("DCTDecode"))


def _wrapped_jpeg(writer: PdfWriter) -> PdfObject:
    return _image(writer, zlib.compress(jpeg(Path())), ArrayObject([_name("FlateDecode"), _name("DCTDecode")]))


def _image(writer: PdfWriter, content: bytes, filters: PdfObject) -> PdfObject:
    stream = StreamObject()
    stream._data = content
    size = {"Width": NumberObject(640), "Height": NumberObject(480), "BitsPerComponent": NumberObject(8)}
    stream.update(_dictionary(Type=_name("XObject"), Subtype=_name("Image"), Filter=filters, **size))
    stream[_name("ColorSpace")] = _name("DeviceRGB")
    return writer._add_object(stream)


def _revised(first: bytes) -> bytes:
    """A later revision of the document behind the first, which still lies in the file."""
    writer = PdfWriter(io.BytesIO(first), incremental=True)
    writer.pages[0][_name("Rotate")] = NumberObject(0)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def everything_in(document: bytes) -> bytes:
    """A PDF's bytes, and all its objects and streams laid open."""
    opened = [document]
    reader = PdfReader(io.BytesIO(document))
    for number in sorted(reader.xref.get(0, {}) | reader.xref_objStm):
        part = reader.get_object(number)
        opened.append(repr(part).encode())
        if isinstance(part, StreamObject):
            opened.append(bytes(part._data))
            if "/DCTDecode" not in repr(part.get("/Filter")):
                opened.append(part.get_data())
    return b"\n".join(opened)


KINDS: dict[str, Callable[[Path], bytes]] = {
    made.__name__: made
    for made in (
        jpeg,
        png,
        webp,
        gif,
        tiff,
        heic,
        mp4,
        mov,
        matroska,
        webm,
        avi,
        mp3,
        aac,
        m4a,
        ogg,
        flac,
        wav,
        wma,
        pdf,
    )
}


def shows(image: Image.Image, at: tuple[int, int]) -> tuple[int, ...]:
    """The colour at a place."""
    colour = image.convert("RGB").getpixel(at)
    assert isinstance(colour, tuple)
    return colour
