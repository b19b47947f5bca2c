"""Pictures: decoded to pixels and encoded anew, so that nothing but the pixels is left (place, camera,
comments, thumbnails, whatever was appended). Runs in the worker process alone.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import pillow_heif
from PIL import Image, ImageCms, ImageFile, ImageOps, UnidentifiedImageError

from services.media.domain import DerivedFile, Limits, Reason, Rejected, Variant
from services.media.filetypes import HEIC, JPEG, PNG, WEBP, FileType
from services.media.measure import derived

# Only the one reader that belongs to the true type is tried.
_READERS = {JPEG: ("JPEG",), PNG: ("PNG",), WEBP: ("WEBP",), HEIC: ("HEIF",)}
_WRITERS = {
    JPEG: ("JPEG", {"quality": 90, "optimize": True}),
    HEIC: ("JPEG", {"quality": 90, "optimize": True}),
    PNG: ("PNG", {}),
    WEBP: ("WEBP", {"quality": 90, "method": 2}),
}
_CONTENT_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


def look_at_image(source: Path, out: Path, true_type: FileType, limits: Limits) -> tuple[list[DerivedFile], list[str]]:
    """The files made from the picture (evidence, preview, thumbnail) and what was removed.

    Raises Rejected with TOO_MANY_PIXELS or DAMAGED.
    """
    pixels, removed = _decoded(source, true_type, limits)
    writer, options = _WRITERS[true_type]
    evidence = out / f"evidence{true_type.suffix}"
    (pixels if writer != "JPEG" else _without_alpha(pixels)).save(evidence, writer, **options)
    files = [derived(Variant.EVIDENCE, evidence, _CONTENT_TYPES[writer], pixels.size)]
    return files + small_copies(pixels, out, limits), removed


def look_at_poster(source: Path, out: Path, limits: Limits) -> list[DerivedFile]:
    """Preview and thumbnail from a film's frame (a JPEG made by ffmpeg)."""
    pixels, _ = _decoded(source, JPEG, limits)
    return small_copies(pixels, out, limits)


def small_copies(pixels: Image.Image, out: Path, limits: Limits) -> list[DerivedFile]:
    """JPEG copies that fit a screen and a list."""
    files = []
    small = _without_alpha(pixels)
    for variant, edge in ((Variant.PREVIEW, limits.preview_px), (Variant.THUMBNAIL, limits.thumbnail_px)):
        if max(small.size) > edge:
            small = ImageOps.contain(small, (edge, edge), Image.Resampling.LANCZOS)
        path = out / f"{variant}.jpg"
        small.save(path, "JPEG", quality=82, optimize=True)
        files.append(derived(variant, path, "image/jpeg", small.size))
    return files


def _decoded(source: Path, true_type: FileType, limits: Limits) -> tuple[Image.Image, list[str]]:
    """All pixels, upright, in sRGB, with nothing beside them."""
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    Image.MAX_IMAGE_PIXELS = limits.max_pixels
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    if true_type is HEIC:
        pillow_heif.register_heif_opener(thumbnails=False)
    try:
        with Image.open(source, formats=_READERS[true_type]) as image:
            width, height = image.size
            if width * height > limits.max_pixels:
                raise Rejected(Reason.TOO_MANY_PIXELS, f"{width}x{height}")
            image.load()
            removed = _what_is_beside_the_pixels(image)
            upright = ImageOps.exif_transpose(image)
            pixels = _in_srgb(_plain_mode(upright))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Rejected(Reason.TOO_MANY_PIXELS) from error
    except (
        UnidentifiedImageError,
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        IndexError,
        TypeError,
    ) as error:
        raise Rejected(Reason.DAMAGED, type(error).__name__) from error
    # Pillow's writers copy some of `info` into the new file (comments, profiles) without being asked.
    pixels.info.clear()
    return pixels, removed


def _what_is_beside_the_pixels(image: Image.Image) -> list[str]:
    found = []
    exif = image.getexif()
    if exif:
        found.append("exif")
    if exif.get_ifd(0x8825):
        found.append("location")
    if image.info.get("xmp") or image.info.get("XML:com.adobe.xmp"):
        found.append("xmp")
    if image.info.get("comment") or getattr(image, "text", None):
        found.append("comment")
    if getattr(image, "n_frames", 1) > 1:
        found.append("frames")
    return found


def _plain_mode(image: Image.Image) -> Image.Image:
    if image.mode == "P" or "transparency" in image.info:
        return _keeping_profile(image, "RGBA" if "transparency" in image.info else "RGB")
    if image.mode == "LA":
        return _keeping_profile(image, "RGBA")
    if image.mode.startswith("I") or image.mode == "F":
        return _sixteen_to_eight(image)
    return image.copy() if image.mode in {"L", "RGB", "RGBA", "CMYK"} else _keeping_profile(image, "RGB")


def _keeping_profile(image: Image.Image, mode: str) -> Image.Image:
    converted = image.convert(mode)
    converted.info["icc_profile"] = image.info.get("icc_profile")
    return converted


def _sixteen_to_eight(image: Image.Image) -> Image.Image:
    """Pillow clips 16-bit greys when it converts them, which turns a scan white."""
    return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")


def _in_srgb(image: Image.Image) -> Image.Image:
    """The profile is used, then dropped: it may name the device, but the colours must stay."""
    profile = image.info.get("icc_profile")
    target = "RGBA" if image.mode == "RGBA" else "RGB"
    if profile and image.mode in {"RGB", "RGBA", "CMYK"}:
        try:
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, own, ImageCms.createProfile("sRGB"), outputMode=target)
        except (ImageCms.PyCMSError, OSError, ValueError):
            converted = None  # a broken profile costs the colours their accuracy, not the citizen the evidence
        if converted is not None:
            return converted
    return image.convert("RGB") if image.mode == "CMYK" else image


def _without_alpha(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image if image.mode in {"RGB", "L"} else image.convert("RGB")
    page = Image.new("RGB", image.size, "white")
    page.paste(image, mask=image.getchannel("A"))
    return page
