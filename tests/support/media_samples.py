"""Small real files, made when a test asks for them: photos by Pillow, sound and film by ffmpeg, documents by
pypdf.
"""

from __future__ import annotations

import io
import struct
import subprocess
from pathlib import Path

import imageio_ffmpeg
import piexif
import pillow_heif
from PIL import Image, ImageDraw, PngImagePlugin
from pypdf import PdfWriter
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    NameObject,
    StreamObject,
    TextStringObject,
    create_string_object,
)

QAZVIN = ((36, 1), (16, 1), (7, 1)), ((50, 1), (0, 1), (10, 1))
CAMERA = b"PeygirCam 7"
# The 68 bytes every scanner agrees to find; written in two halves lest one finds it here.
EICAR = (r"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*").encode()


def picture(size: tuple[int, int] = (640, 480)) -> Image.Image:
    """Upright: its top left quarter is red, the rest is blue-green."""
    image = Image.linear_gradient("L").resize(size)
    image = Image.merge("RGB", (Image.new("L", size, 10), image, image.rotate(180)))
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 2 - 1, size[1] // 2 - 1), fill=(220, 20, 20))
    return image


def exif(orientation: int = 1) -> bytes:
    """A phone's EXIF: camera, date, place, thumbnail."""
    latitude, longitude = QAZVIN
    thumbnail = io.BytesIO()
    picture((160, 120)).save(thumbnail, "JPEG")
    return bytes(
        piexif.dump(
            {
                "0th": {piexif.ImageIFD.Make: CAMERA, piexif.ImageIFD.Orientation: orientation},
                "Exif": {piexif.ExifIFD.DateTimeOriginal: b"2026:11:20 10:11:12"},
                "GPS": {
                    piexif.GPSIFD.GPSLatitudeRef: b"N",
                    piexif.GPSIFD.GPSLatitude: latitude,
                    piexif.GPSIFD.GPSLongitudeRef: b"E",
                    piexif.GPSIFD.GPSLongitude: longitude,
                },
                "1st": {piexif.ImageIFD.Make: CAMERA},
                "thumbnail": thumbnail.getvalue(),
            }
        )
    )


def photo(orientation: int = 1, size: tuple[int, int] = (640, 480)) -> bytes:
    """A JPEG as a phone writes it: pixels as the sensor lay, EXIF with the place, XMP and a comment."""
    turned = {
        1: None,
        3: Image.Transpose.ROTATE_180,
        6: Image.Transpose.ROTATE_90,
        8: Image.Transpose.ROTATE_270,
    }
    image = picture(size)
    turn = turned[orientation]
    if turn is not None:
        image = image.transpose(turn)
    out = io.BytesIO()
    xmp = b"<x:xmpmeta>exif:GPSLatitude 36,16.1N</x:xmpmeta>"
    image.save(out, "JPEG", quality=92, exif=exif(orientation), xmp=xmp, comment=b"filed by Neda")
    return out.getvalue()


def png_with_text() -> bytes:
    out, info = io.BytesIO(), PngImagePlugin.PngInfo()
    info.add_text("Author", "filed by Neda")
    picture().convert("RGBA").save(out, "PNG", pnginfo=info, exif=exif())
    return out.getvalue()


def webp() -> bytes:
    out = io.BytesIO()
    picture().save(out, "WEBP", exif=exif())
    return out.getvalue()


def heic() -> bytes:
    out = io.BytesIO()
    pillow_heif.from_pillow(picture()).save(out, format="HEIF", quality=80, exif=exif())
    return out.getvalue()


def frames(kind: str, count: int = 3) -> bytes:
    """An animated GIF, PNG or WebP, or a TIFF of several pages."""
    out = io.BytesIO()
    pages = [picture((320, 240)).rotate(90 * number) for number in range(count)]
    pages[0].save(out, kind, save_all=True, append_images=pages[1:])
    return out.getvalue()


def bomb() -> bytes:
    """A PNG of a few kB that unfolds to 400 million pixels."""
    out = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(out, "PNG", optimize=True)
    return out.getvalue()


def ffmpeg_path() -> str:
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def ffmpeg(folder: Path, name: str, *arguments: str) -> bytes:
    """What ffmpeg wrote into `name`, whose suffix says the container."""
    path = folder / name
    subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "error", "-y", *arguments, str(path)],
        check=True,
        timeout=60,
    )
    return path.read_bytes()


def described(content: bytes, folder: Path) -> str:
    """What ffmpeg finds in a file."""
    path = folder / "described"
    path.write_bytes(content)
    command = [ffmpeg_path(), "-hide_banner", "-i", str(path)]
    return subprocess.run(command, capture_output=True, timeout=60, check=False).stderr.decode("utf-8", "replace")


def turned(folder: Path, film: bytes) -> bytes:
    """The same film with the mark that it was taken with the phone upright."""
    (folder / "lying.mp4").write_bytes(film)
    lying = ("-display_rotation", "90", "-i", str(folder / "lying.mp4"))
    return ffmpeg(folder, "turned.mp4", *lying, "-c", "copy")


def referring(other: Path) -> bytes:
    """A QuickTime film whose pictures are said to lie in the file `other` (a Macintosh alias in its index)."""
    whole = other.read_bytes()
    path, name = str(other).encode(), other.name.encode()
    alias = bytes(10) + b"\1x".ljust(28, b"\0") + bytes(12) + (bytes([len(name)]) + name).ljust(64, b"\0") + bytes(16)
    alias += struct.pack(">HH", 0, 0) + bytes(16)
    alias += struct.pack(">HH", 2, len(path)) + path + bytes(len(path) % 2) + struct.pack(">hH", -1, 0)
    entry = struct.pack(">I4sI", 12 + len(alias), b"alis", 0) + alias
    at = whole.index(b"dref") + 12  # behind its version and the number of entries
    before = int.from_bytes(whole[at : at + 4], "big")
    made = bytearray(whole[:at] + entry + whole[at + before :])
    for box in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        start = made.rindex(box, 0, at) - 4
        made[start : start + 4] = struct.pack(
            ">I", int.from_bytes(made[start : start + 4], "big") + len(entry) - before
        )
    return bytes(made)


_TAGS = (
    "-metadata",
    "title=filed by Neda",
    "-metadata",
    "location=+36.2686+050.0028/",
    "-metadata",
    "comment=Qazvin",
)


def voice_note(folder: Path, suffix: str = ".ogg", seconds: float = 2) -> bytes:
    """A tone of `seconds`, with tags that name the speaker and the place."""
    codec = {
        ".ogg": "libopus",
        ".webm": "libopus",
        ".m4a": "aac",
        ".aac": "aac",
        ".mp3": "libmp3lame",
        ".wav": "pcm_s16le",
    }
    tone = ("-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}")
    return ffmpeg(folder, f"voice{suffix}", *tone, *_TAGS, "-c:a", codec[suffix], "-b:a", "32k")


def amr(folder: Path, seconds: float = 2) -> bytes:
    """As older phones record a voice: 8 kHz, AMR narrow band."""
    tone = ("-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}")
    return ffmpeg(folder, "voice.amr", *tone, "-c:a", "libopencore_amrnb", "-ar", "8000", "-ac", "1", "-b:a", "12.2k")


def film(folder: Path, suffix: str = ".mp4", seconds: float = 2, sound: bool = True, pictures: str = "") -> bytes:
    """A test card of 320 × 240; `pictures`: another encoder than is usual for the container."""
    codecs = {".webm": ("libvpx", "libopus"), ".avi": ("mpeg4", "libmp3lame"), ".wmv": ("wmv2", "wmav2")}
    usual, voice = codecs.get(suffix, ("libx264", "aac"))
    tone = ("-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}") if sound else ()
    view = ("-f", "lavfi", "-i", f"testsrc=size=320x240:rate=10:duration={seconds}")
    how = ("-c:v", pictures or usual, "-pix_fmt", "yuv420p", *(("-c:a", voice) if sound else ()))
    return ffmpeg(folder, f"film{suffix}", *view, *tone, *_TAGS, *how)


def pdf(*, active: bool = False, password: str = "", owner_password: str = "", photo_inside: bytes = b"") -> bytes:
    """One page, with an author; if asked: scripts, a launch action and an attachment, a password, a photo."""
    writer = PdfWriter()
    page = writer.add_blank_page(300, 300)
    writer.add_metadata({"/Author": "filed by Neda", "/Producer": "PeygirCam 7"})
    if photo_inside:
        page[NameObject("/Resources")] = _resources_with(writer, photo_inside)
    if active:
        writer._root_object[NameObject("/Names")] = _named_script(writer)
        writer.add_attachment("salary.exe", b"MZ attached program")
        action = DictionaryObject(
            {NameObject("/S"): NameObject("/Launch"), NameObject("/F"): create_string_object("cmd.exe")}
        )
        link = {
            NameObject("/Type"): NameObject("/Annot"),
            NameObject("/Subtype"): NameObject("/Link"),
            NameObject("/A"): action,
        }
        page[NameObject("/Annots")] = ArrayObject([writer._add_object(DictionaryObject(link))])
        opening = {
            NameObject("/S"): NameObject("/JavaScript"),
            NameObject("/JS"): TextStringObject("app.launchURL('x')"),
        }
        writer._root_object[NameObject("/OpenAction")] = DictionaryObject(opening)
    if password or owner_password:
        writer.encrypt(user_password=password, owner_password=owner_password or password, algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _named_script(writer: PdfWriter) -> DictionaryObject:
    script = {
        NameObject("/S"): NameObject("/JavaScript"),
        NameObject("/JS"): TextStringObject("app.alert('hello')"),
    }
    names = ArrayObject([TextStringObject("greet"), writer._add_object(DictionaryObject(script))])
    return DictionaryObject({NameObject("/JavaScript"): DictionaryObject({NameObject("/Names"): names})})


def _resources_with(writer: PdfWriter, jpeg: bytes) -> DictionaryObject:
    stream = StreamObject()
    stream._data = jpeg
    stream.update(
        {
            NameObject("/Type"): NameObject("/XObject"),
            NameObject("/Subtype"): NameObject("/Image"),
            NameObject("/Filter"): NameObject("/DCTDecode"),
        }
    )
    named = DictionaryObject({NameObject("/Im0"): writer._add_object(stream)})
    return DictionaryObject({NameObject("/XObject"): named})
