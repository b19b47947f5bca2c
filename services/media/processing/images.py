"""Pictures: decoded to pixels and encoded anew, so that nothing but the pixels is left (place, camera,
comments, thumbnails, whatever was appended). Runs in the worker process alone.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from math import sqrt
from pathlib import Path
from typing import Any

import pillow_heif
from PIL import Image, ImageChops, ImageCms, ImageFile

from services.media.processing.derived_files import derived
from services.media.processing.filetypes import GIF, HEIC, JPEG, PNG, TIFF, WEBP, FileType
from services.media.processing.metadata import (
    jpeg_ended,
    jpeg_without_metadata,
    orientation_in,
    png_share,
    png_without_metadata,
    webp_without_metadata,
)
from services.media.processing.rules import DerivedFile, Limits, Note, Reason, Rejected, Variant

# Only the one reader that belongs to the true type is tried.
_READERS = {JPEG: ("JPEG",), PNG: ("PNG",), WEBP: ("WEBP",), HEIC: ("HEIF",), GIF: ("GIF",), TIFF: ("TIFF",)}
_JPEG_OPTIONS = {"quality": 90, "optimize": True}
_WRITERS: dict[FileType, tuple[str, dict[str, Any]]] = {
    JPEG: ("JPEG", _JPEG_OPTIONS),
    HEIC: ("JPEG", _JPEG_OPTIONS),
    TIFF: ("JPEG", _JPEG_OPTIONS),
    PNG: ("PNG", {"compress_level": 4}),
    GIF: ("PNG", {"compress_level": 4}),
    WEBP: ("WEBP", {"quality": 90, "method": 2}),
}
_CONTENT_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_LONGEST_EDGE = {"JPEG": 65_500, "WEBP": 16_383}
_STRIPPED: dict[FileType, Callable[[bytes], bytes]] = {
    JPEG: partial(jpeg_without_metadata, profile=True),
    PNG: png_without_metadata,
    WEBP: webp_without_metadata,
}
# A picture that lacks more of its rows than this is no longer the picture that was taken.
_MISSING_AT_MOST = 0.1
_OTHER_DATA = b"\x5a\xa5\x33\xcc" * 4096
_VISIBLY = 8
_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Picture:
    """What a picture came to: evidence, preview and thumbnail, what was removed, what its viewers should know."""

    files: list[DerivedFile]
    removed: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


@dataclass(frozen=True)
class _Pixels:
    image: Image.Image
    removed: list[str]
    notes: list[Note]


def examine_image(source: Path, out: Path, true_type: FileType, limits: Limits) -> Picture:
    """The files made from the picture, what was removed, and notes.

    Raises Rejected with TOO_MANY_PIXELS or DAMAGED.
    """
    pixels = _decoded(source, true_type, limits)
    writer, options = _WRITERS[true_type]
    image = _within(pixels.image, _LONGEST_EDGE.get(writer, max(pixels.image.size)))
    evidence = out / f"evidence{true_type.suffix}"
    (image if writer != "JPEG" else _without_alpha(image)).save(evidence, writer, **options)
    files = [derived(Variant.EVIDENCE, evidence, _CONTENT_TYPES[writer], image.size)]
    return Picture(files + small_copies(image, out, limits), pixels.removed, pixels.notes)


def poster_copies(source: Path, out: Path, limits: Limits) -> list[DerivedFile]:
    """Preview and thumbnail from a film's frame (a JPEG made by ffmpeg)."""
    return small_copies(_decoded(source, JPEG, limits).image, out, limits)


def small_copies(pixels: Image.Image, out: Path, limits: Limits) -> list[DerivedFile]:
    """JPEG copies that fit a screen and a list."""
    files = []
    small = _without_alpha(pixels)
    for variant, edge in ((Variant.PREVIEW, limits.preview_px), (Variant.THUMBNAIL, limits.thumbnail_px)):
        small = _within(small, edge)
        path = out / f"{variant}.jpg"
        small.save(path, "JPEG", quality=82, optimize=True)
        files.append(derived(variant, path, "image/jpeg", small.size))
    return files


def _within(image: Image.Image, edge: int) -> Image.Image:
    """Scaled down until neither side is longer than `edge`; no side shorter than one pixel."""
    return _scaled(image, edge / max(image.size))


def _scaled(image: Image.Image, factor: float) -> Image.Image:
    if factor >= 1:
        return image
    size = (max(1, int(image.width * factor)), max(1, int(image.height * factor)))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _decoded(source: Path, true_type: FileType, limits: Limits) -> _Pixels:
    """All pixels, upright, in sRGB, with nothing beside them.

    First as it is; then without its metadata, which may be what cannot be read; then as far as it goes.
    """
    Image.MAX_IMAGE_PIXELS = None  # the limit is checked below, before anything is decoded
    if true_type is HEIC:
        pillow_heif.register_heif_opener(thumbnails=False)
    failure: Exception | None = None
    for content, tolerant in _attempts(source, true_type):
        ImageFile.LOAD_TRUNCATED_IMAGES = tolerant
        try:
            return _read(content, source, true_type, limits, tolerant=tolerant)
        except (Rejected, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001  # whatever a decoder raises over a file is the file's
            failure = failure or error
    raise Rejected(Reason.DAMAGED, type(failure).__name__) from failure


def _attempts(source: Path, true_type: FileType) -> Iterator[tuple[Path | io.BytesIO, bool]]:
    """What to decode, and whether it may be incomplete."""
    yield source, False
    strip = _STRIPPED.get(true_type)
    if strip is not None:
        bare = strip(source.read_bytes())
        yield io.BytesIO(bare), False
        yield io.BytesIO(jpeg_ended(bare) if true_type is JPEG else bare), True
    else:
        yield source, True


def _read(content: Path | io.BytesIO, source: Path, true_type: FileType, limits: Limits, *, tolerant: bool) -> _Pixels:
    notes = []
    with Image.open(content, formats=_READERS[true_type]) as image:
        width, height = image.size
        if width * height > limits.max_pixels:
            raise Rejected(Reason.TOO_MANY_PIXELS, f"{width}x{height}")
        frames = _frames(image)
        if true_type is not JPEG and frames > 1:  # JPEG: a phone's depth or brightness map, no second picture
            notes.append(Note.FIRST_FRAME_ONLY)
        if width * height > 2 * limits.kept_pixels:
            image.draft(None, (width // 2, height // 2))  # JPEG alone: half the size costs a quarter of the memory
        image.load()
        if tolerant:
            missing = _missing(content.getvalue() if isinstance(content, io.BytesIO) else b"", true_type)
            if missing is not None and missing > _MISSING_AT_MOST:
                raise Rejected(Reason.DAMAGED, f"{missing:.0%} of it is missing")
            if missing is not None:
                notes.append(Note.CUT_OFF)
        removed = _what_is_beside_the_pixels(image) + (["frames"] if frames > 1 else [])
        orientation = _orientation(image, content, source)
        pixels = _plain_mode(image)
        if width * height > limits.kept_pixels:
            notes.append(Note.SCALED_DOWN)
            pixels = _scaled(pixels, sqrt(limits.kept_pixels / (pixels.width * pixels.height)))
        if pixels is image:
            pixels = image.copy()
        profile = image.info.get("icc_profile")
    if orientation in _TRANSPOSITIONS:
        pixels = pixels.transpose(_TRANSPOSITIONS[orientation])
    pixels = _in_srgb(pixels, profile)
    # Pillow's writers copy some of `info` into the new file (comments, profiles) without being asked.
    pixels.info.clear()
    return _Pixels(pixels, removed, notes)


def _frames(image: Image.Image) -> int:
    """How many there are, as far as can be read; asked before the pixels are loaded, since counting moves on."""
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception:  # noqa: BLE001  # a later frame may be as broken as it likes
        return 1


def _missing(content: bytes, true_type: FileType) -> float | None:
    """The share of its rows that a picture lacks at the bottom; None when it lacks nothing at all."""
    if true_type is JPEG:
        return _missing_of_jpeg(content)
    if true_type is PNG:
        return 1 - png_share(content)
    return 0.0


def _missing_of_jpeg(content: bytes) -> float | None:
    """What the data does not determine: it changes with whatever is put in the place of what is missing."""
    as_it_is, otherwise = (_small_and_grey(made) for made in (content, content[:-2] + _OTHER_DATA + content[-2:]))
    difference = ImageChops.difference(as_it_is, otherwise)
    if difference.getbbox() is None:
        return None
    rows = difference.resize((1, difference.height), Image.Resampling.BOX).tobytes()
    first = next((row for row, value in enumerate(rows) if value > _VISIBLY), len(rows))
    return 1 - first / len(rows)


def _small_and_grey(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content), formats=_READERS[JPEG]) as image:
        image.draft("L", (image.width // 8, image.height // 8))
        return image.convert("L")


def _orientation(image: Image.Image, content: Path | io.BytesIO, source: Path) -> int:
    if isinstance(content, Path):
        with suppress(Exception):  # EXIF of any shape: what cannot be read there must not cost the picture
            return int(image.getexif().get(0x0112, 1))
    with source.open("rb") as file:
        return orientation_in(file.read(1024 * 1024))


def _what_is_beside_the_pixels(image: Image.Image) -> list[str]:
    """Told in the log alone: what cannot be read is removed all the same."""
    removed_parts = []
    with suppress(Exception):
        exif = image.getexif()
        if exif:
            removed_parts.append("exif")
        if exif.get_ifd(0x8825):
            removed_parts.append("location")
    if image.info.get("xmp") or image.info.get("XML:com.adobe.xmp"):
        removed_parts.append("xmp")
    if image.info.get("comment") or getattr(image, "text", None):
        removed_parts.append("comment")
    return removed_parts


def _plain_mode(image: Image.Image) -> Image.Image:
    if image.mode == "P" or "transparency" in image.info:
        return image.convert("RGBA" if "transparency" in image.info else "RGB")
    if image.mode == "LA":
        return image.convert("RGBA")
    if image.mode.startswith("I") or image.mode == "F":
        return _sixteen_to_eight(image)
    return image if image.mode in {"L", "RGB", "RGBA", "CMYK"} else image.convert("RGB")


def _sixteen_to_eight(image: Image.Image) -> Image.Image:
    """Pillow clips 16-bit greys when it converts them, which turns a scan white."""
    return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The profile is used, then dropped: it may name the device, but the colours must stay."""
    target = "RGBA" if image.mode == "RGBA" else "RGB"
    if profile and image.mode in {"RGB", "RGBA", "CMYK"}:
        # A broken profile costs the colours their accuracy, not the citizen the evidence.
        with suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, own, ImageCms.createProfile("sRGB"), outputMode=target)
            if converted is not None:
                return converted
    return image.convert("RGB") if image.mode == "CMYK" else image


def _without_alpha(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image if image.mode in {"RGB", "L"} else image.convert("RGB")
    page = Image.new("RGB", image.size, "white")
    page.paste(image, mask=image.getchannel("A"))
    return page
